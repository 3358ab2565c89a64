"""A release on disk beside what is in force: the same as a plain comparison of sets says, and every record is accounted for."""

import sqlite3
import tempfile
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intelligence.lists.guards import Found
from services.intelligence.lists.records import entry
from services.intelligence.lists.spec import About, Attached, Entry, Quarantined, Record, Removed
from services.intelligence.releases.spool import InForce, Spool
from shared.errors import Malformed
from shared.events.signals import ExposureSignal

LIST = "us_ofac_sdn"
UIDS = st.sampled_from(["a", "b", "c", "d", "e", "f", "é", "Ж/1", "z" * 200])
GOODS = st.sampled_from(["01", "02", "03"])
RELEASES = st.dictionaries(UIDS, GOODS)
KINDS: tuple[Literal["added", "modified", "deleted"], ...] = ("added", "modified", "deleted")


def made(uid: str, good: str = "01", release: str = "r1") -> Entry:
    return entry(LIST, release, uid, ExposureSignal(hs=good))


def digests(release: dict[str, str]) -> list[tuple[str, str]]:
    return [(uid, made(uid, good, "before").signal.digest) for uid, good in release.items()]


@contextmanager
def compared(old: dict[str, str], records: list[Record]) -> Iterator[Spool]:
    with tempfile.TemporaryDirectory() as folder:
        in_force = InForce(Path(folder))
        in_force.put("other", digests({"a": "99", "nobody": "01"}))
        in_force.put(LIST, digests(old))
        spool = Spool(in_force, LIST, Path(folder))
        try:
            spool.read(iter(records))
            yield spool
        finally:
            spool.close()
            in_force.close()


def changes(spool: Spool) -> dict[str, list[str]]:
    return {kind: list(spool.changed(kind)) for kind in KINDS}


def by_hand(old: dict[str, str], new: dict[str, str]) -> dict[str, list[str]]:
    return {
        "added": sorted(new.keys() - old.keys()),
        "modified": sorted(uid for uid in new.keys() & old.keys() if new[uid] != old[uid]),
        "deleted": sorted(old.keys() - new.keys()),
    }


@settings(max_examples=60, deadline=None)
@given(RELEASES, RELEASES)
def test_a_release_changes_what_a_comparison_of_sets_says(old: dict[str, str], new: dict[str, str]) -> None:
    with compared(old, [made(uid, good) for uid, good in new.items()]) as spool:
        wanted, found = by_hand(old, new), spool.found()
        assert changes(spool) == wanted
        assert (found.added, found.modified, found.deleted) == tuple(len(wanted[kind]) for kind in KINDS)
        assert (found.entries, found.in_force) == (len(new), len(old))
        assert dict(spool.signals()) == {uid: made(uid, good).signal for uid, good in new.items()}
        assert all(spool.signal(uid).source.release_id == "r1" for uid in new)
        assert all(spool.is_changed(uid) is (uid in wanted["added"] + wanted["modified"]) for uid in old | new)


@settings(max_examples=60, deadline=None)
@given(RELEASES, RELEASES, st.lists(UIDS, unique=True))
def test_a_delta_changes_what_it_names_and_nothing_else(old: dict[str, str], new: dict[str, str], removed: list[str]) -> None:
    records: list[Record] = [About(base="v1", version="v2"), *(made(uid, good) for uid, good in new.items()), *map(_removed, removed)]
    with compared(old, records) as spool:
        after = {uid: good for uid, good in (old | new).items() if uid not in removed or uid in new}
        assert changes(spool) == by_hand(old, after)
        found = spool.found()
        assert (found.entries, found.delta) == (len(after), True)
        assert found.records == len(new) + found.removed + found.quarantined
        assert found.quarantined == len(new.keys() & set(removed))


def _removed(uid: str) -> Removed:
    return Removed(uid=uid)


RECORDS = st.lists(
    st.one_of(
        st.builds(made, st.one_of(UIDS, st.sampled_from(["", "y" * 201])), GOODS),
        st.builds(
            Quarantined, row=st.integers(1, 9), reason=st.sampled_from(["it has no name", "its type is not known"]), uid=st.none() | UIDS
        ),
        st.builds(Attached, role=st.just("aliases"), rows=st.integers(0, 5)),
    ),
    max_size=30,
)


@settings(max_examples=100, deadline=None)
@given(RELEASES, RECORDS, st.lists(UIDS, max_size=3), st.booleans())
def test_records_read_are_entries_and_quarantined_always(
    old: dict[str, str], records: list[Record], removed: list[str], delta: bool
) -> None:
    said: list[Record] = [About(base="v1"), *map(_removed, removed)] if delta else []
    with compared(old, [*records, *said]) as spool:
        found, held = spool.found(), dict(spool.signals())
        assert found.records == sum(isinstance(r, Entry | Quarantined | Removed) for r in (*records, *said))
        assert found.records == len(held) + found.removed + found.quarantined
        told = list(spool.quarantined())
        assert len(told) == found.quarantined == sum(spool.reasons().values())
        assert found.nameless == sum(q.uid is None for q in told)
        unread = {q.uid for q in told}
        assert not unread & set(spool.changed("deleted")), "damage must release nobody"
        for first in records:
            if isinstance(first, Entry) and first.uid in held:
                assert held[first.uid] == next(r.signal for r in records if isinstance(r, Entry) and r.uid == first.uid)


def test_what_is_settled_is_what_the_next_release_is_compared_with(tmp_path: Path) -> None:
    in_force, old, new = InForce(tmp_path), {"a": "01", "b": "01", "c": "01"}, {"b": "02", "c": "01", "d": "01"}
    in_force.put(LIST, digests(old))
    for release, wanted in ((new, by_hand(old, new)), (new, by_hand(new, new)), (old, by_hand(new, old))):
        work = Path(tempfile.mkdtemp(dir=tmp_path))
        spool = Spool(in_force, LIST, work)
        spool.read(iter(made(uid, good) for uid, good in release.items()))
        assert changes(spool) == wanted
        spool.settle()
        spool.close()


def test_the_second_of_one_uid_is_quarantined_where_it_stands() -> None:
    with compared({}, [made("a"), made("b"), made("a", "02"), *(made(str(n)) for n in range(3000)), made("b", "03")]) as spool:
        told = [(q.row, q.reason, q.uid) for q in spool.quarantined()]
        assert told == [(3, "its id stands on an earlier record", "a"), (3004, "its id stands on an earlier record", "b")]


def test_reasons_are_bounded() -> None:
    with compared({}, [Quarantined(row=n, reason=f"its type {n % 50:02} is not known" + "x" * 500) for n in range(1, 101)]) as spool:
        reasons = spool.reasons()
        assert (len(reasons), reasons["other reasons"], sum(reasons.values())) == (21, 60, 100)
        assert all(len(reason) <= 300 for reason in reasons)


@pytest.mark.parametrize(
    "records", [[made("a"), Removed(uid="b")], [About(version="v" * 101)], [About(base="v" * 101)], [About(dated="2" * 101)]]
)
def test_what_no_reader_should_say_is_refused(records: list[Record]) -> None:
    with pytest.raises(Malformed), compared({"b": "01"}, records):
        pass


def test_what_a_reader_raises_midway_leaves_nothing_behind(tmp_path: Path) -> None:
    def records() -> Iterator[Record]:
        yield made("a")
        raise Malformed("cut off")

    in_force = InForce(tmp_path)
    in_force.put(LIST, digests({"b": "01"}))
    for n in range(2):
        (tmp_path / str(n)).mkdir()
        spool = Spool(in_force, LIST, tmp_path / str(n))
        with pytest.raises(Malformed):
            spool.read(records())
        spool.close()
    (tmp_path / "last").mkdir()
    spool = Spool(in_force, LIST, tmp_path / "last")
    spool.read(iter([made("b")]))
    assert spool.found() == Found(records=1, entries=1, in_force=1)
    in_force.close()
    with pytest.raises(sqlite3.ProgrammingError):
        spool.found()


def test_memory_does_not_grow_with_the_release(tmp_path: Path) -> None:
    def peak(entries: int) -> int:
        in_force = InForce(tmp_path)
        in_force.put(LIST, (("x" + str(n), "0") for n in range(entries)))
        (tmp_path / str(entries)).mkdir()
        spool = Spool(in_force, LIST, tmp_path / str(entries))
        tracemalloc.start()
        spool.read(made(str(n)) for n in range(entries))
        found = [sum(1 for _ in spool.changed(kind)) for kind in KINDS]
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert found == [entries, 0, entries]
        spool.close()
        in_force.close()
        return most

    assert peak(30_000) < 1.3 * peak(5_000)


def test_parts_of_a_record_are_published_and_counted_with_it() -> None:
    """A subsidiary in its parent's text is an entry, and no record of the publisher."""
    parts = [msgspec.structs.replace(made(uid), part=True) for uid in ("b", "c", "b")]
    with compared({"c": "02", "d": "01"}, [made("a"), *parts, made("e"), Quarantined(row=3, reason="x")]) as spool:
        found = spool.found()
        assert (found.records, found.entries, found.quarantined) == (3, 2, 1)
        assert changes(spool) == {"added": ["a", "b", "e"], "modified": ["c"], "deleted": ["d"]}
