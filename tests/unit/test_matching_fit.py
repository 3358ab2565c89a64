"""Learning the weights anew, by the command, from a made-up list."""

import csv
import json
import random
import sys
from pathlib import Path

import msgspec
import pytest

from services.screening.matching import score
from services.screening.matching.__main__ import main
from services.screening.matching.features import SIGNS
from services.screening.matching.model import Model, Shipped, Weights


def table(path: Path, columns: list[str], rows: list[tuple[str, ...]]) -> Path:
    """A CSV file."""
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    return path


def made_up(chance: random.Random, form: str) -> str:
    words = ["".join(chance.choice("bdfgklmnprstvz") + chance.choice("aeiou") for _ in range(chance.randint(3, 4))) for _ in range(2)]
    return " ".join([*words, chance.choice(["Trading", "Shipping", "Energy", ""]), form]).upper()


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A list of 200 organisations and 200 persons, and 200 names that nobody lists."""
    chance = random.Random(5)
    rows = [(f"o{n}", made_up(chance, "LLC"), "organisation") for n in range(200)]
    rows += [(f"p{n}", made_up(chance, "").replace("TRADING", "").replace("ENERGY", ""), "person") for n in range(200)]
    clean = [(made_up(chance, "Inc"),) for _ in range(200)]
    return table(tmp_path / "list.csv", ["id", "name", "schema"], rows), table(tmp_path / "clean.csv", ["name"], clean)


def fitted(monkeypatch: pytest.MonkeyPatch, listed: Path, clean: Path, out: Path, *more: str) -> None:
    asked = ["fit", "--list", str(listed), "--clean", str(clean), "--out", str(out), "--each", "25", *more]
    monkeypatch.setattr(sys, "argv", ["matching", *asked])
    main()


def test_the_same_files_give_the_same_weights_whatever_is_shipped_and_they_part_names(
    files: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        fitted(monkeypatch, *files, tmp_path / name)
        monkeypatch.setattr(score, "of_kind", lambda _: Model(Weights(-9.0, {})))  # the other fit begins with a model that finds nobody
        made.append((tmp_path / name / "model.json").read_bytes())
    assert made[0] == made[1]
    model = msgspec.json.decode(made[0], type=Shipped)
    for weights in (model.organisation, model.person):
        assert weights.weights
        assert all(weight * SIGNS[name] >= 0 for name, weight in weights.weights.items())
    assert 0 < model.review <= model.strong < 1
    assert [rate for _, rate in model.alert_rates] == sorted((rate for _, rate in model.alert_rates), reverse=True)
    organisation = json.loads(capsys.readouterr().out.splitlines()[0])
    assert organisation["recall_at_1pct"] > 0.9
    assert json.loads((tmp_path / "one" / "prior.json").read_bytes())["trading"] > 100  # of 1,000 names


def test_a_model_is_held_against_the_lists_it_was_learned_from(
    files: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fitted(monkeypatch, *files, tmp_path)
    fitted(monkeypatch, *files, tmp_path, "--check")
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"furthest": 0.0, "words_alike": True}
    path = tmp_path / "model.json"
    model = msgspec.json.decode(path.read_bytes(), type=Shipped)
    path.write_bytes(msgspec.json.encode(msgspec.structs.replace(model, review=model.review + 0.002)))
    with pytest.raises(SystemExit):
        fitted(monkeypatch, *files, tmp_path, "--check")
    assert "not what these lists give" in capsys.readouterr().err
    path.write_bytes(b'{"organisation": "marked"}')
    with pytest.raises(SystemExit):
        fitted(monkeypatch, *files, tmp_path, "--check")
    assert "none that fit has written" in (said := capsys.readouterr().err)
    assert "marked" not in said


@pytest.mark.parametrize("spoilt", ["no column", "too few", "no file", "no text"])
def test_what_it_cannot_learn_from_it_says(
    spoilt: str, files: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    listed, clean = files
    if spoilt == "no column":
        clean = table(tmp_path / "c.csv", ["company"], [("A",)])
    elif spoilt == "too few":
        clean = table(tmp_path / "c.csv", ["name"], [("Only One Ltd",)])
    elif spoilt == "no file":
        clean = tmp_path / "none.csv"
    else:
        (clean := tmp_path / "c.csv").write_bytes(b"name\n\xff\xfe\x00")
    with pytest.raises(SystemExit):
        fitted(monkeypatch, listed, clean, tmp_path)
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.endswith(".")
    assert "Only One" not in said
    assert not (tmp_path / "model.json").exists()
