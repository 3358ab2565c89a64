"""What screening keeps between two runs: used where it fits, thrown away where it does not; either way the same suppliers are found."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from services.screening import snapshot
from services.screening.reactions import Worker
from services.screening.service import SERVICE
from services.screening.snapshot import Snapshot
from shared.events.matches import MatchOpened
from shared.events.signals import ExposureSignal, PartySignal, Signal, SignalName, SignalPublished, Source
from shared.events.suppliers import OtherName, Owner, Profile, SourcedGood, SupplierChanged, SupplierRegistered
from tests.services.harness import Harness, harness

PROFILES = {
    "sup_1": Profile(name="Quiet Meadow Dairy", country="DE"),
    "sup_2": Profile(name="Broken Bridge Works", country="TR", owners=(Owner(name="Elvira Quarzum", kind="person", percent=Decimal(60)),)),
    "sup_3": Profile(name="Third Mill Works", country="TR", other_names=(OtherName(name="Uchuncu Degirmen", kind="local"),)),
    "sup_4": Profile(name="Fourth Cotton Gin", country="TM", goods=(SourcedGood(hs="520100", origin="TM"),)),
}
LISTED = {"1": "Elvira Quarzum", "2": "Uchuncu Degirmen", "3": "Riverside Smelter", "4": "Quiet Meadow Dairy", "5": "Third Mill Works"}
FOUND = {"sup_1", "sup_2", "sup_3", "sup_4", "sup_5"}


def as_kept(_: Path) -> None:
    """Nothing happens to it."""


def torn(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


def damaged(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def gone(path: Path) -> None:
    path.unlink()


def of_other_fields(path: Path) -> None:
    body = msgspec.msgpack.encode(["who", {"suppliers/0": "far"}])
    path.write_bytes(snapshot._digest(body) + body)


def changed(path: Path, change: Callable[[Snapshot], Snapshot]) -> None:
    found = snapshot._decoded(path.read_bytes())
    assert found is not None
    snapshot._write(path, change(found))


def of_other_code(path: Path) -> None:
    changed(path, lambda kept: msgspec.structs.replace(kept, made_by="the last release"))


def of_a_store_put_back(path: Path) -> None:
    changed(path, lambda kept: msgspec.structs.replace(kept, positions={p: at + 1000 for p, at in kept.positions.items()}))


def of_other_partitions(path: Path) -> None:
    changed(path, lambda kept: msgspec.structs.replace(kept, positions={"suppliers/0": 0}))


async def register(h: Harness, id_: str, profile: Profile) -> None:
    await h.publish("suppliers", SupplierRegistered(profile=profile), subject=id_, kind="supplier")


def worker(h: Harness) -> Worker:
    own = h.ctx.own
    assert isinstance(own, Worker)
    return own


async def save(h: Harness) -> None:
    """As a reactor does that is told to end."""
    (reactor,) = h.reactors
    assert reactor.consumer
    await worker(h).save(reactor.consumer.positions())


async def kept_by_a_run(folder: Path) -> Path:
    """A run that keeps four suppliers, and after it one more and a change that are in the log only."""
    async with harness(folder, SERVICE) as h:
        for id_, profile in PROFILES.items():
            await register(h, id_, profile)
        await h.step()
        await save(h)
        await register(h, "sup_5", Profile(name="Riverside Smelter", country="PE"))
        await h.publish("suppliers", SupplierChanged(profile=Profile(name="Third Mill", country="TR")), subject="sup_3", kind="supplier")
        await h.step()
    (path,) = (folder / "screening").glob("*.index")
    return path


@pytest.mark.parametrize(
    "happens",
    [as_kept, torn, damaged, emptied, gone, of_other_fields, of_other_code, of_a_store_put_back, of_other_partitions],
    ids=lambda one: one.__name__,
)
async def test_the_next_start_finds_the_same(happens: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "_FEW", 3)
    path = await kept_by_a_run(tmp_path)
    happens(path)
    async with harness(tmp_path, SERVICE) as h:
        # Two are read from the log again where the file was good, else all: so many that they are kept anew.
        assert worker(h).kept.behind == (2 if happens is as_kept else 0)
        assert snapshot._decoded(path.read_bytes()) is not None
        for uid, name in LISTED.items():
            about = PartySignal(names=(SignalName(name=name, kind="primary"),), schema="person" if uid == "1" else "organisation")
            await tell(h, uid, about)
        await tell(h, "6", ExposureSignal(hs="5201", origin="TM"))
        await h.step()
        opened = [told.match for told in await h.told("matches") if isinstance(told, MatchOpened)]
        assert {match.supplier_id for match in opened} == FOUND
        assert "Uchuncu Degirmen" not in {match.party_name for match in opened}  # the change took it away
        assert "Elvira Quarzum" in {match.party_name for match in opened}


async def tell(h: Harness, uid: str, about: PartySignal | ExposureSignal) -> None:
    source = Source(kind="list_entry", list="us_ofac_sdn", uid=uid, release_id="rel_1")
    told = SignalPublished(signal=Signal(subject=about, source=source, digest=uid))
    await h.publish("signals", told, subject=f"us_ofac_sdn:{uid}", tenant="public", kind="entry")


async def test_a_status_that_follows_a_rating_is_no_news_to_a_restored_supplier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its profile is known again by its fingerprint, in another process, too."""
    monkeypatch.setattr(snapshot, "_FEW", 1)
    await kept_by_a_run(tmp_path)
    async with harness(tmp_path, SERVICE) as h:
        assert worker(h).join.knows_profile(("default", "sup_1"), PROFILES["sup_1"])
        assert not worker(h).join.knows_profile(("default", "sup_1"), PROFILES["sup_2"])


async def test_a_folder_that_takes_no_file_costs_time_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "_FEW", 1)
    async with harness(tmp_path, SERVICE) as h:
        (tmp_path / "screening" / "suppliers-0-1-2-3.part").mkdir()
        await register(h, "sup_1", PROFILES["sup_1"])
        await h.step()
        await save(h)
        await register(h, "sup_2", PROFILES["sup_2"])
        assert await h.step() > 0
    assert not list((tmp_path / "screening").glob("*.index"))
