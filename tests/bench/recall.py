"""Miswritten names found at equal alert volume, beside the peers: on a real list and real clean names where they stand beside the checkout."""

import json
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from statistics import mean
from typing import NamedTuple

import numpy as np
from rapidfuzz import fuzz, process

from services.screening.matching.fitting.cases import Listed, in_fit_half, read_clean, read_listed, telling_words
from services.screening.matching.fitting.miswriting import ORGANISATIONS, dressed, miswritten
from services.screening.matching.index import NameIndex
from services.screening.matching.normalise import prepare
from services.screening.matching.settings import BATCH_FLOOR
from tests.bench.peers import PEERS

DATA = Path(__file__).parents[3] / "shared" / "data"
LIST, CLEAN = DATA / "ofac" / "2025-11" / "names.csv", DATA / "us" / "sec_company_titles_2023.csv"
PEERS_PYTHON = Path(__file__).parents[2] / "build" / "peers" / "bin" / "python"
_BESIDE = 15  # of the list's names, those that a clean one is likest: what peers are given
_RATES = {"0_2pct": 0.002, "1pct": 0.01}


class Question(NamedTuple):
    """A name, how it came to be, and whose it is; of nobody listed: clean and redressed."""

    kind: str
    name: str
    key: str


def questions(party_names: Listed, clean: Sequence[str], each: int, seed: int) -> Iterator[Question]:
    """Of the half that the weights were not fitted on."""
    rng, listed = Random(seed), party_names.names
    mine = [key for key in sorted(listed) if not in_fit_half(key)]
    telling = telling_words(party_names)
    for way in ORGANISATIONS:
        made = 0
        for key in rng.sample(mine, len(mine)):
            text = miswritten(rng, listed[key][0], [way], ORGANISATIONS)
            if text and (way != "dropped" or telling.intersection(prepare(text).words)):  # else nobody could say who is meant
                yield Question(way, text, key)
                made += 1
            if made == each:
                break
    for name in clean:
        yield Question("clean", name, "")
        yield Question("redressed", dressed(rng, name), "")


def ours(listed: dict[str, list[str]], asked: Sequence[Question]) -> list[float]:
    """The best score of the party meant, or of any where nobody is: found by our own retrieval."""
    index, found = NameIndex(), []
    for key, names in listed.items():
        index.put(key, names)
    for _, name, key in asked:
        hits = index.search([name], threshold=BATCH_FLOOR)
        found.append(max((hit.score for hit in hits if key in ("", hit.key)), default=0.0))
    return found


def theirs(peer: str, listed: dict[str, list[str]], asked: Sequence[Question]) -> list[float] | None:
    """The same of a peer; None where it is not installed. RuntimeError where it breaks."""
    if not PEERS_PYTHON.exists():
        return None
    every = [name for names in listed.values() for name in names]
    folded = [name.casefold() for name in every]
    nobody = [question.name for question in asked if not question.key]
    beside: dict[str, list[str]] = {}
    for at in range(0, len(nobody), 500):
        grid = process.cdist([n.casefold() for n in nobody[at : at + 500]], folded, scorer=fuzz.token_set_ratio, dtype=np.uint8, workers=-1)
        for name, row in zip(nobody[at : at + 500], grid, strict=True):
            beside[name] = [every[i] for i in np.argpartition(row, -_BESIDE)[-_BESIDE:]]
    pairs = [[question.name, other] for question in asked for other in (listed[question.key] if question.key else beside[question.name])]
    lines = "\n".join(map(json.dumps, pairs))
    done = subprocess.run([PEERS_PYTHON, "-m", "tests.bench.peers", peer], input=lines, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{peer} broke: {done.stderr.strip().splitlines()[-1]}")
    scores = iter(map(float, done.stdout.split()))
    return [max(next(scores) for _ in (listed[q.key] if q.key else beside[q.name])) for q in asked]


def figures(asked: Sequence[Question], scores: Sequence[float]) -> dict[str, float]:
    """Mean recall over the ways to write wrongly, at the score that so many clean names, or redressed ones, reach."""
    kinds: dict[str, list[float]] = {}
    for question, score in zip(asked, scores, strict=True):
        kinds.setdefault(question.kind, []).append(score)
    found = {}
    for nobody in ("clean", "redressed"):
        for label, rate in _RATES.items():
            cut = _cut(kinds[nobody], rate)
            shares = [_above(kinds[way], cut) for way in ORGANISATIONS if way in kinds]
            found[f"{'' if nobody == 'clean' else 'redressed_'}recall_at_{label}"] = mean(shares)
    return found


def _cut(nobody: list[float], rate: float) -> tuple[float, float]:
    """(score, part): so many of these names are above the score, together with this part of those at it; else saturated scores would find nothing."""
    score = sorted(nobody, reverse=True)[int(rate * len(nobody))]
    over, at = sum(one > score for one in nobody), nobody.count(score)
    return score, (rate * len(nobody) - over) / at if score else 0.0


def _above(scores: Sequence[float], cut: tuple[float, float]) -> float:
    score, part = cut
    return mean(1.0 if one > score else part if one == score else 0.0 for one in scores)


def all_figures(list_: Path, clean: Path, each: int, most: int) -> Iterator[tuple[str, dict[str, float] | None, int]]:
    """(engine, its figures or None where it is not installed, how many names were asked)."""
    organisations = next(one for one in read_listed(list_) if one.kind == "organisation")
    listed = organisations.names
    nobody = [name for name in read_clean(clean) if not in_fit_half(name)]
    asked = list(questions(organisations, Random(3).sample(nobody, min(most, len(nobody))), each, 7))
    yield "duewatch", figures(asked, ours(listed, asked)), len(asked)
    for peer in PEERS:
        scores = theirs(peer, listed, asked)
        yield peer, None if scores is None else figures(asked, scores), len(asked)
