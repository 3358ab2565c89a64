"""`make bench-matching`: the matcher by itself at a million suppliers, and what it finds beside its peers; one JSON object a figure, also in
build/matching.jsonl.

Suppliers are made up (tests.bench.population says how); the list is a real one where it stands beside the checkout, else made up, too. What holds an
index does so in a process of its own that has only read names from a file. Names are asked one at a time, but of `screens_per_s` (a hundred together,
as screening does) and `rescreen_1m_x_20k_s`. Aims stand beside the figures where there are a million suppliers: smaller runs try things out.
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Literal

from services.screening.matching.fitting.cases import read_clean, read_listed
from tests.bench import held, misspelt
from tests.bench.figures import show
from tests.bench.held import Figure, Setup
from tests.bench.population import VOCABULARY, Population
from tests.bench.recall import CLEAN, LIST, all_figures

FIGURES = Path(__file__).parents[2] / "build" / "matching.jsonl"
PARTS = ("recall", "index", "supplier", "growth", "rescreen")
_MILLION = 1_000_000
_AIMS: dict[str, tuple[Literal["<=", ">="], float]] = {
    "retrieval_recall_2_edits": (">=", 0.995),
    "alerts_retrieved_2_edits": (">=", 1),  # no cap may drop a name that would alert
    "index_build_s": ("<=", 30),
    "index_rss_mb": ("<=", 600),
    "index_rss_asked_mb": ("<=", 600),
    "snapshot_load_s": ("<=", 2),
    "new_listing_p50_ms": ("<=", 1),
    "new_listing_p99_ms": ("<=", 5),
    "new_supplier_p99_ms_20k": ("<=", 2),
    "new_supplier_p99_ms_1m": ("<=", 10),
    "screens_per_s": (">=", 1_500),
    "rescreen_1m_x_20k_s": ("<=", 30),
}


def main() -> None:
    """All figures, or those of one part."""
    options = argparse.ArgumentParser(
        prog="python -m tests.bench.matching", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--suppliers", type=int, default=_MILLION)
    options.add_argument("--listed", type=int, default=20_000, help="at most so many names on the list")
    options.add_argument("--asked", type=int, default=2_000, help="names asked one at a time")
    options.add_argument("--screened", type=int, default=30_000, help="suppliers held against the list a hundred at a time")
    options.add_argument("--only", choices=PARTS)
    options.add_argument("--list", type=Path, default=LIST, help="CSV as `fit` takes it; made up where there is none")
    options.add_argument("--clean", type=Path, default=CLEAN, help="the same; without it there is no recall beside the peers")
    options.add_argument("--words", type=int, default=VOCABULARY, help="of which suppliers' names are made")
    options.add_argument("--each", type=int, default=150, help="recall: names of each way to write wrongly")
    options.add_argument("--most", type=int, default=4_000, help="recall: clean names")
    options.add_argument("--out", type=Path, default=FIGURES)
    chosen = options.parse_args()
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    chosen.out.write_text("")
    parts = PARTS if chosen.only is None else (chosen.only,)
    if "recall" in parts:
        _beside_peers(chosen)
    if parts != ("recall",):
        with tempfile.TemporaryDirectory(prefix="duewatch-bench-") as folder:
            _at_size(_written(chosen, Path(folder)), parts, chosen)


def _written(chosen: argparse.Namespace, folder: Path) -> Setup:
    """Suppliers and list in files, so that processes which measure memory hold nothing of how they were made."""
    listed: list[Sequence[str]] = []
    clean = read_clean(chosen.clean) if chosen.clean.is_file() else []
    if chosen.list.is_file():
        listed += next(one.names for one in read_listed(chosen.list) if one.kind == "organisation").values()
    population = Population([*clean, *(names[0] for names in listed)], chosen.words)
    listed = listed or [[name] for name in islice(population.names(3), chosen.listed)]
    setup = Setup(folder, chosen.suppliers, chosen.asked, chosen.screened, "real list" if chosen.list.is_file() else "made-up list")
    with setup.suppliers_file.open("w") as file:
        file.writelines(f"{name}\n" for name in islice(population.names(2), chosen.suppliers))
    with setup.more_file.open("w") as file:  # who comes new, and whom else a long list holds
        file.writelines(f"{name}\n" for name in islice(population.names(4), max(chosen.suppliers, chosen.screened)))
    rows, names = [], 0
    for some in listed:
        if names + len(some) > chosen.listed:
            break
        names += len(some)
        rows.append(json.dumps(list(some)))
    setup.list_file.write_text("\n".join(rows))
    return setup


def _at_size(setup: Setup, parts: Sequence[str], chosen: argparse.Namespace) -> None:
    if "index" in parts:
        _tell(chosen, _alone(held.built, setup))
        _tell(chosen, _alone(held.asked_of_suppliers, setup))
    if "supplier" in parts:
        _tell(chosen, _alone(misspelt.recall, setup))
        _tell(chosen, _alone(held.asked_of_list, setup))
        _tell(chosen, _alone(held.asked_of_long_list, setup))
    if "growth" in parts:
        for size in sorted({min(size, setup.suppliers) for size in (10_000, 100_000, setup.suppliers)}):
            _tell(chosen, _alone(held.growth, setup, size))
    if "rescreen" in parts:
        _tell(chosen, held.rescreened(_both(held.rescreen, setup), setup))


def _alone(work, *given) -> list[Figure]:  # type: ignore[no-untyped-def]
    """What a function finds in a fresh process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        found: Future[list[Figure]] = pool.submit(work, *given)
        return found.result()


def _both(work, setup: Setup) -> list[tuple[float, float]]:  # type: ignore[no-untyped-def]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        return list(pool.map(work, (setup, setup), (0, 1)))


def _tell(chosen: argparse.Namespace, figures: Sequence[Figure]) -> None:
    for one in figures:
        aim = _AIMS.get(one.name) if chosen.suppliers >= _MILLION else None
        show(one.name, one.value, one.unit, one.n, one.note, file=chosen.out, aim=aim)


def _beside_peers(chosen: argparse.Namespace) -> None:
    if not (chosen.list.is_file() and chosen.clean.is_file()):
        print(json.dumps({"figure": "recall", "value": None, "note": "no list or clean names: see --list and --clean"}))
        return
    for engine, found, n in all_figures(chosen.list, chosen.clean, chosen.each, chosen.most):
        if found is None:
            print(json.dumps({"figure": f"recall_{engine}", "value": None, "note": "not installed: make build/peers"}))
        own = "its own retrieval" if engine == "duewatch" else "is given the right party, or the nearest names, for nothing"
        for figure, value in (found or {}).items():
            show(f"{figure}_{engine}", value, "share", n, f"mean over the ways to write wrongly; {own}", file=chosen.out)


if __name__ == "__main__":
    main()
