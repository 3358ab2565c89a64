"""`make bench-matching`: the matcher by itself at a million suppliers, one JSON object a figure, also in build/matching.jsonl.

The suppliers are made up with the skew of a company register: most names bear one word of a vocabulary of 400,000 in which the n-th word is borne
as 1/n^0.8 (a third of all words are borne once), a word or two that many bear (trading, international ...), places, and legal forms. What is asked
is another sample of the same; a twentieth of it are suppliers' names with up to two letters wrong. Each figure is measured in one process, but
`rescreen_1m_x_20k_s`, which is shared out to two.
"""

import argparse
import json
import os
import random
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import accumulate
from pathlib import Path
from statistics import median

import msgspec

from services.screening.matching.index import IndexState, NameIndex
from services.screening.matching.model import REVIEW
from services.screening.matching.prior import per_mille
from tests.bench.figures import percentile, rss_mb, show
from tests.bench.recall import DATA, all_figures

FIGURES = Path(__file__).parents[2] / "build" / "matching.jsonl"
_VOCABULARY = 400_000
_COMMON = (
    "Trading International Group Industries Global General Holdings Services Textile Foods Shipping Metals Energy Star United Export Import"
    " Technology Engineering Construction Development Company Enterprise National Electronics Logistics Chemical Medical Garment Plastics"
)
_PLACES = "Shanghai Shenzhen Dhaka Istanbul Guangdong Vietnam India Moscow Dubai Hong Kong Mexico Poland Asia Europe Pacific"
_FORMS = ("Ltd", "LLC", "Inc", "GmbH", "S.A.", "Co., Ltd.", "Corp", "PLC", "Pvt Ltd", "S.r.l.", "Limited", "OOO", "")


def names(n: int, seed: int) -> Iterator[str]:
    """So many made-up company names; the same for the same seed."""
    rng = random.Random(1)
    words = _vocabulary()
    weights = list(accumulate(1 / (rank + 3) ** 0.8 for rank in range(len(words))))
    rng = random.Random(seed)
    common, places = _COMMON.split(), _PLACES.split()
    for telling in _drawn(rng, words, weights, n):
        parts = [*telling, *rng.sample(common, rng.choice((0, 1, 1, 2)))]
        if rng.random() < 0.2:
            parts.insert(0, rng.choice(places))
        yield " ".join([*parts, rng.choice(_FORMS)]).strip()


def _vocabulary() -> list[str]:
    """Words as names have them: letters follow each other as in the words that the matcher knows as common, so that as many are near each other."""
    follow: dict[str, list[str]] = defaultdict(list)
    for word in per_mille():
        if word.isalpha() and len(word) > 2:
            for at, letter in enumerate(f"{word}\n"):
                follow[f"  {word}"[at : at + 2]].append(letter)
    rng, found = random.Random(1), dict[str, None]()
    while len(found) < _VOCABULARY:
        word, last = "", "  "
        while (letter := rng.choice(follow[last])) != "\n":
            word, last = word + letter, last[1] + letter
        if 3 <= len(word) <= 14:
            found[word.capitalize()] = None
    return list(found)


def _drawn(rng: random.Random, words: Sequence[str], weights: Sequence[float], n: int) -> Iterator[list[str]]:
    picks = iter(rng.choices(words, cum_weights=weights, k=2 * n))
    for _ in range(n):
        yield [next(picks) for _ in range(rng.choice((1, 1, 2)))]


def slips(rng: random.Random, name: str, count: int) -> str:
    """The name with so many letters replaced, dropped or put in."""
    for _ in range(count):
        at = rng.randrange(len(name))
        letter = rng.choice("abcdefghijklmnopqrstuvwxyz")
        name = rng.choice((name[:at] + letter + name[at + 1 :], name[:at] + name[at + 1 :], name[:at] + letter + name[at:]))
    return name


def _asked(known: Sequence[str], n: int, seed: int) -> list[str]:
    rng = random.Random(seed)
    return [slips(rng, rng.choice(known), rng.randint(0, 2)) if i % 20 == 0 else name for i, name in enumerate(names(n, seed))]


def _built(listed: Sequence[str], suppliers: Sequence[str]) -> tuple[NameIndex, NameIndex]:
    """(index of listed names, index of suppliers by its words)."""
    entries = NameIndex()
    for i, name in enumerate(listed):
        entries.put(f"e{i}", [name])
    found = NameIndex(entries.corpus)
    for i, name in enumerate(suppliers):
        found.put(f"s{i}", [name])
    return entries, found


def _timed(index: NameIndex, asked: Sequence[str]) -> list[float]:
    took = []
    for name in asked:
        began = time.perf_counter()
        index.search([name], threshold=REVIEW)
        took.append((time.perf_counter() - began) * 1000)
    return took


def _tell(figure: str, value: float, unit: str, n: int, note: str) -> None:
    show(figure, value, unit, n, note, file=FIGURES)


def _recall(entries: NameIndex, listed: Sequence[str], n: int) -> None:
    """Names with two letters wrong: is the party among the candidates, whatever the score?"""
    rng, found = random.Random(5), 0
    for _ in range(n):
        i = rng.randrange(len(listed))
        hits = entries.search([slips(rng, listed[i], 2)], threshold=0.0005)
        found += any(hit.key == f"e{i}" for hit in hits)
    _tell(
        "retrieval_recall_2_edits",
        found / n,
        "share",
        n,
        f"{len(listed)} names; two letters replaced, dropped or put in, anywhere in the name",
    )


def _recall_beside_peers(chosen: argparse.Namespace) -> None:
    if not (chosen.list.is_file() and chosen.clean.is_file()):
        print(json.dumps({"figure": "recall", "value": None, "note": "no list or clean names: see --list and --clean"}))
        return
    for engine, found, n in all_figures(chosen.list, chosen.clean, chosen.each, chosen.most):
        if found is None:
            print(json.dumps({"figure": f"recall_{engine}", "value": None, "note": "not installed: make build/peers/.done"}))
        for figure, value in (found or {}).items():
            _tell(f"{figure}_{engine}", value, "share", n, "mean over the ways to write wrongly; clean or redressed names alert so often")


def _growth(listed: Sequence[str], suppliers: Sequence[str], asked: Sequence[str]) -> None:
    for size in (10_000, 100_000, len(suppliers)):
        _, index = _built(listed, suppliers[:size])
        found = sum(len(index.search([name], threshold=REVIEW)) for name in asked)
        met, compared = index.work
        _tell(
            f"work_per_listing_{size}",
            compared / len(asked),
            "names compared",
            len(asked),
            f"of {met / len(asked):.0f} met by a word; {found / len(asked):.2f} found",
        )


def _rescreen(part: tuple[list[str], list[str], list[str]]) -> float:
    listed, suppliers, mine = part
    _, index = _built(listed, suppliers)
    began = time.perf_counter()
    for at in range(0, len(mine), 200):
        index.expect(mine[at : at + 200], threshold=REVIEW)
        for name in mine[at : at + 200]:
            index.search([name], threshold=REVIEW)
    return time.perf_counter() - began


def main() -> None:
    """All figures."""
    options = argparse.ArgumentParser(
        prog="python -m tests.bench.matching", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--suppliers", type=int, default=1_000_000)
    options.add_argument("--listed", type=int, default=20_000)
    options.add_argument("--asked", type=int, default=2_000)
    options.add_argument("--only", choices=["recall", "index", "rescreen", "growth"])
    options.add_argument("--list", type=Path, default=DATA / "ofac" / "2025-11" / "names.csv", help="CSV as `fit` takes it")
    options.add_argument("--clean", type=Path, default=DATA / "us" / "sec_company_titles_2023.csv", help="the same")
    options.add_argument("--each", type=int, default=150, help="names of each way to write wrongly")
    options.add_argument("--most", type=int, default=4_000, help="clean names")
    chosen = options.parse_args()
    FIGURES.parent.mkdir(exist_ok=True)
    FIGURES.write_text("")
    if chosen.only in (None, "recall"):
        _recall_beside_peers(chosen)
    if chosen.only == "recall":
        return
    suppliers, listed = list(names(chosen.suppliers, 2)), list(names(chosen.listed, 3))
    asked = _asked(suppliers, chosen.asked, 4)
    if chosen.only in (None, "index"):
        _index(listed, suppliers, asked, chosen.asked)
    if chosen.only in (None, "growth"):
        _growth(listed, suppliers, asked[:500])
    if chosen.only in (None, "rescreen"):
        halves = [(listed, suppliers, listed[::2]), (listed, suppliers, listed[1::2])]
        with ProcessPoolExecutor(2) as pool:
            took = max(pool.map(_rescreen, halves))
        _tell("rescreen_1m_x_20k_s", took, "s", len(listed), f"{len(suppliers)} suppliers against {len(listed)} names, two processes")


def _index(listed: list[str], suppliers: list[str], asked: list[str], n: int) -> None:
    entries, _ = _built(listed, [])
    _recall(entries, listed, 2_000)
    before = rss_mb(os.getpid())
    began = time.perf_counter()
    index = NameIndex(entries.corpus)
    for i, name in enumerate(suppliers):
        index.put(f"s{i}", [name])
    _tell("index_build_s", time.perf_counter() - began, "s", len(suppliers), "names prepared and put, one process")
    _tell(
        "index_rss_mb",
        rss_mb(os.getpid()) - before,
        "MB",
        len(suppliers),
        "more than before it was built; without the names' text, which the benchmark holds, too",
    )
    _timed(index, asked[:50])
    took = _timed(index, asked)
    _tell("new_listing_p50_ms", median(took), "ms", n, f"{len(suppliers)} suppliers; one name, all suppliers above the review threshold")
    _tell("new_listing_p99_ms", percentile(took, 0.99), "ms", n, "the same")
    _tell(
        "new_supplier_p99_ms_1m",
        percentile(took, 0.99),
        "ms",
        n,
        f"one supplier against {len(suppliers)} listed names, the same index asked",
    )
    took = _timed(entries, asked)
    _tell(
        "new_supplier_p99_ms_20k",
        percentile(took, 0.99),
        "ms",
        n,
        f"one supplier against {len(listed)} listed names; p50 {median(took):.2f}",
    )
    began = time.perf_counter()
    screened = suppliers[:20_000]
    for at in range(0, len(screened), 200):
        some = screened[at : at + 200]
        entries.expect(some, threshold=REVIEW)
        for name in some:
            entries.search([name], threshold=REVIEW)
    _tell(
        "screens_per_s",
        len(screened) / (time.perf_counter() - began),
        "1/s",
        len(screened),
        f"suppliers against {len(listed)} names, batches of 200, one process",
    )
    body = msgspec.msgpack.encode(index.state())
    del index
    began = time.perf_counter()
    again = NameIndex(entries.corpus)
    again.restore(msgspec.msgpack.decode(body, type=IndexState))
    _tell("snapshot_load_s", time.perf_counter() - began, "s", len(suppliers), f"{len(body) / 1e6:.0f} MB, decoded and ready to be asked")


if __name__ == "__main__":
    main()
