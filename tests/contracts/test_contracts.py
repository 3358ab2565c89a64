"""The committed contracts are what the code says; whoever changes one without the other hears of it."""

import json
from pathlib import Path

import pytest

from services.runtime import contracts
from services.runtime.contracts import check, generate, release, write
from shared.errors import Conflict

CONTRACTS = Path(__file__).parents[2] / "contracts"


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    return generate()


@pytest.fixture
def folder(tmp_path: Path, made: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Contracts just written, released as they are; the code says nothing else meanwhile."""
    monkeypatch.setattr(contracts, "generate", lambda: made)
    write(tmp_path)
    return tmp_path


def altered(path: Path, **properties: object) -> None:
    schema = json.loads(path.read_text())
    schema["properties"] |= properties
    path.write_text(json.dumps(schema))


def test_the_committed_contracts_are_those_of_the_code() -> None:
    assert check(CONTRACTS) == []


def test_the_same_code_gives_the_same_text(made: dict[str, str]) -> None:
    assert generate() == made


def test_what_was_just_written_holds_and_is_released(folder: Path) -> None:
    assert check(folder) == []
    assert {p.name for p in (folder / "released").iterdir()} == {p.name for p in (folder / "events").iterdir()}


def test_drift_is_seen(folder: Path) -> None:
    (folder / "asyncapi.yaml").write_text("asyncapi: 3.0.0\n")
    (folder / "openapi" / "gate.json").unlink()
    (folder / "events" / "duewatch.old.v1.json").write_text("{}")
    assert sorted(fault.split(" ")[0] for fault in check(folder)) == ["asyncapi.yaml", "events/duewatch.old.v1.json", "openapi/gate.json"]
    write(folder)
    assert check(folder) == []


def test_a_break_of_the_last_release_is_seen_however_often_it_is_written(folder: Path) -> None:
    altered(folder / "released" / "duewatch.rating.changed.v1.json", colour={"type": "string"})
    write(folder)
    (fault,) = check(folder)
    assert fault.startswith("duewatch.rating.changed.v1: data.colour is gone")


def test_a_released_event_does_not_go(folder: Path) -> None:
    (folder / "released" / "duewatch.once.v1.json").write_text("{}")
    (fault,) = check(folder)
    assert fault.startswith("duewatch.once.v1 was released and is gone")


def test_only_what_holds_is_released(folder: Path) -> None:
    new = folder / "released" / "duewatch.rating.changed.v1.json"
    new.unlink()  # an event that came after the last release may still change...
    assert check(folder) == []
    release(folder)  # ...and is kept from the next one on
    assert new.exists()
    (folder / "asyncapi.yaml").unlink()
    with pytest.raises(Conflict):
        release(folder)
