"""What holds an index and measures it. Each function runs in a process of its own and reads names from files.

Beside the time that passed stands, in notes, the processor time that it took: where they differ much, others had the processors.
"""

import json
import os
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import median
from typing import NamedTuple

import msgspec

from services.screening.matching.index import IndexState, NameIndex
from services.screening.matching.model import REVIEW
from tests.bench.figures import percentile, rss_mb

_FIRST = 50  # questions that are not timed
_GROWTH = 500  # questions at each size


class Figure(NamedTuple):
    """As `show` takes it."""

    name: str
    value: float
    unit: str
    n: int
    note: str


class Setup(NamedTuple):
    """Where the names are, how many suppliers there are, how many names are asked one at a time, and how many a hundred at a time."""

    folder: Path
    suppliers: int
    asked: int
    screened: int
    source: str

    @property
    def suppliers_file(self) -> Path:
        """A name a line."""
        return self.folder / "suppliers"

    @property
    def more_file(self) -> Path:
        """The same, of others."""
        return self.folder / "more"

    @property
    def list_file(self) -> Path:
        """The names of a party a line, in JSON."""
        return self.folder / "list"

    @property
    def snapshot(self) -> Path:
        """The index of suppliers, kept."""
        return self.folder / "snapshot"

    def listed(self) -> list[list[str]]:
        """In no order."""
        parties = [json.loads(line) for line in self.list_file.read_text().splitlines()]
        random.Random(5).shuffle(parties)
        return parties

    def new(self) -> int:
        """How many of them come new, one after the other; the others stand."""
        return min(self.asked + _FIRST, len(self.listed()) // 2)


def _lines(file: Path) -> Iterator[str]:
    with file.open() as names:
        for line in names:
            yield line.rstrip("\n")


def list_index(parties: Iterable[Sequence[str]]) -> NameIndex:
    """Keys are e0, e1 ... in this order."""
    found = NameIndex()
    for i, names in enumerate(parties):
        found.put(f"e{i}", names)
    return found


def _suppliers(entries: NameIndex, names: Iterable[str]) -> NameIndex:
    found = NameIndex(entries.corpus)
    for i, name in enumerate(names):
        found.put(f"s{i}", [name])
    return found


def built(setup: Setup) -> list[Figure]:
    """Builds the index of suppliers, and keeps it."""
    entries = list_index(setup.listed())
    before, began, began_busy = _rss(), time.perf_counter(), time.process_time()
    index = _suppliers(entries, _lines(setup.suppliers_file))
    took, busy, after, most = (
        time.perf_counter() - began,
        time.process_time() - began_busy,
        _rss(),
        _peak(),
    )  # what keeping it takes comes later
    setup.snapshot.write_bytes(msgspec.msgpack.encode(index.state()))
    return [
        Figure(
            "index_build_s", took, "s", setup.suppliers, f"names read from a file, prepared and put, one process; processor {busy:.1f} s"
        ),
        Figure(
            "index_rss_mb", after - before, "MB", setup.suppliers, f"growth of a process that held the list; {most - before:.0f} at most"
        ),
    ]


def asked_of_suppliers(setup: Setup) -> list[Figure]:
    """Loads what was kept; then new entries come onto the list, and are held against all suppliers."""
    listed, new = setup.listed(), setup.new()
    entries = list_index(listed[new:])
    before, began = _rss(), time.perf_counter()
    index = NameIndex(entries.corpus)
    index.restore(msgspec.msgpack.decode(setup.snapshot.read_bytes(), type=IndexState))
    loaded = time.perf_counter() - began
    first = _listings(entries, index, listed[:_FIRST])
    took = _listings(entries, index, listed[_FIRST:new])
    size = setup.snapshot.stat().st_size / 1e6
    loading = f"{size:.0f} MB read, decoded and restored; the first question then took {first.passed[0]:.0f} ms"
    note = f"{setup.source}: put on the list and held against {setup.suppliers} suppliers, one after the other; {took.busy_note()}"
    return [
        Figure("snapshot_load_s", loaded, "s", setup.suppliers, loading),
        Figure("new_listing_p50_ms", median(took.passed), "ms", len(took.passed), note),
        Figure(
            "new_listing_p99_ms", percentile(took.passed, 0.99), "ms", len(took.passed), f"{note}; the longest took {max(took.passed):.0f}"
        ),
        Figure("index_rss_asked_mb", _rss() - before, "MB", new, "growth of a process that loaded the index, after these questions"),
    ]


class Times(NamedTuple):
    """Milliseconds of each question: that passed, and of the processor."""

    passed: list[float]
    busy: list[float]

    def busy_note(self) -> str:
        """Median and 99th percentile."""
        return f"processor {median(self.busy):.2f}, {percentile(self.busy, 0.99):.2f}"


def _timed(questions: Iterable[Callable[[], object]]) -> Times:
    passed, busy = [], []
    for question in questions:
        began, began_busy = time.perf_counter(), time.process_time()
        question()
        passed.append((time.perf_counter() - began) * 1000)
        busy.append((time.process_time() - began_busy) * 1000)
    return Times(passed, busy)


def _listings(entries: NameIndex, index: NameIndex, parties: Sequence[Sequence[str]]) -> Times:
    def come(key: str, name: str) -> None:
        entries.put(key, [name])  # words are weighed anew, and nothing that was remembered of them holds
        index.search([name], threshold=REVIEW)

    return _timed(partial(come, f"n{len(entries)}.{i}", names[0]) for i, names in enumerate(parties))


def asked_of_list(setup: Setup) -> list[Figure]:
    """New suppliers against the list, one at a time and many together."""
    listed = setup.listed()
    entries, names = list_index(listed), sum(map(len, listed))
    several = list(islice(_lines(setup.more_file), setup.screened))
    took = _asked(entries, several[-setup.asked - _FIRST :])
    rates = []
    for part in range(3):
        some, began = several[part::3], time.perf_counter()
        for name in some:
            entries.search([name], threshold=REVIEW)
        rates.append(len(some) / (time.perf_counter() - began))
    note = f"{setup.source}: a supplier against {names} names"
    return [
        Figure("new_supplier_p50_ms_20k", median(took.passed), "ms", len(took.passed), f"{note}; {took.busy_note()}"),
        Figure("new_supplier_p99_ms_20k", percentile(took.passed, 0.99), "ms", len(took.passed), note),
        Figure("screens_per_s", median(rates), "1/s", len(several), f"{note}, one process; median of 3"),
    ]


def asked_of_long_list(setup: Setup) -> list[Figure]:
    """New suppliers against a list as long as there are suppliers, which weighs words by itself."""
    entries = list_index([name] for name in _lines(setup.suppliers_file))
    took = _asked(entries, list(islice(_lines(setup.more_file), setup.asked + _FIRST)))
    note = f"a supplier against {setup.suppliers} made-up names on the list; {took.busy_note()}"
    return [
        Figure("new_supplier_p50_ms_1m", median(took.passed), "ms", len(took.passed), note),
        Figure("new_supplier_p99_ms_1m", percentile(took.passed, 0.99), "ms", len(took.passed), note),
    ]


def _asked(index: NameIndex, names: Sequence[str]) -> Times:
    for name in names[:_FIRST]:
        index.search([name], threshold=REVIEW)
    return _timed(partial(index.search, [name], threshold=REVIEW) for name in names[_FIRST:])


def growth(setup: Setup, size: int) -> list[Figure]:
    """The work of the same new entries among more and more suppliers."""
    listed, new = setup.listed(), setup.new()
    entries = list_index(listed[new:])
    index = _suppliers(entries, islice(_lines(setup.suppliers_file), size))
    asked = [names[0] for names in listed[: min(_GROWTH, new)]]
    found = sum(len(index.search([name], threshold=REVIEW)) for name in asked)
    n, (met, compared) = len(asked), index.work
    note = f"for {found / n:.2f} found of {size} suppliers, a listed name"
    return [
        Figure(f"met_per_listing_{size}", met / n, "names", n, f"looked at in arrays, {note}"),
        Figure(f"compared_per_listing_{size}", compared / n, "names", n, f"compared word by word, {note}"),
    ]


def rescreen(setup: Setup, half: int) -> tuple[float, float]:
    """(begin, end) of asking the whole list of one half of the suppliers, as two screening processes share them out."""
    listed = setup.listed()
    entries = list_index(listed)
    index = _suppliers(entries, islice(_lines(setup.suppliers_file), half, None, 2))
    asked = [name for names in listed for name in names]
    began = time.perf_counter()
    for name in asked:
        index.search([name], threshold=REVIEW)
    return began, time.perf_counter()


def rescreened(spans: Sequence[tuple[float, float]], setup: Setup) -> list[Figure]:
    """From when the first began until the last was through: one clock for all processes."""
    took = max(end for _, end in spans) - min(begin for begin, _ in spans)
    names = sum(map(len, setup.listed()))
    note = f"{setup.source}: {names} names, of {setup.suppliers} suppliers, two processes with half of them each"
    return [Figure("rescreen_1m_x_20k_s", took, "s", names, note)]


def _rss() -> float:
    return rss_mb(os.getpid())


def _peak() -> float:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024 / 1e6
