"""Are listed names found again that are two edits away, anywhere in them? And if not, is it the score that is low, or were they never looked at?"""

import random
from collections.abc import Sequence
from itertools import product
from typing import Final

from rapidfuzz.distance import OSA

from services.screening.matching.index import NameIndex
from services.screening.matching.model import REVIEW
from services.screening.matching.readings import all_readings, comparable, readings
from services.screening.matching.score import compare
from tests.bench.held import Figure, Setup, list_index

_TIMES: Final = 3  # as many as are asked one at a time
_LOW: Final = 1e-9  # a score that everybody reaches
_KIND: Final = "organisation"


def recall(setup: Setup) -> list[Figure]:
    """Of the names asked, and of those that are above the review threshold once they are compared with the party meant: that share is found."""
    listed, rng = setup.listed(), random.Random(5)
    entries = list_index(listed)
    found = alerting = alerted = 0
    names_asked = _TIMES * setup.asked
    for _ in range(names_asked):
        at = rng.randrange(len(listed))
        text = two_edits(rng, rng.choice(listed[at]))
        score = {hit.key: hit.score for hit in entries.search([text], threshold=_LOW)}.get(f"e{at}")
        found += score is not None
        if likest(entries, text, listed[at]) >= REVIEW:
            alerting += 1
            alerted += any(hit.key == f"e{at}" for hit in entries.search([text], threshold=REVIEW))
    note = f"{setup.source}, {sum(map(len, listed))} names, two edits anywhere in one"
    return [
        Figure("retrieval_recall_2_edits", found / names_asked, "share", names_asked, f"{note}; found, whatever the score"),
        Figure(
            "alerts_retrieved_2_edits",
            alerted / max(1, alerting),
            "share",
            alerting,
            f"{note}; of those that alert if compared with every name",
        ),
    ]


def likest(entries: NameIndex, text: str, names: Sequence[str]) -> float:
    """The best score of these names, without any retrieval."""
    pairs = [(a, b) for (a, _), (b, _) in product(readings(text), all_readings(names)) if comparable(a, b)]
    return max((compare(a, b, entries.corpus, _KIND, _KIND).score for a, b in pairs), default=0.0)


def two_edits(rng: random.Random, name: str) -> str:
    """A name that is that far away, no less: letters replaced, left out, put in or changed with the next."""
    while True:
        text = name
        for _ in range(2):
            at, letter = rng.randrange(len(text)), rng.choice("abcdefghijklmnopqrstuvwxyz")
            head, this, tail = text[:at], text[at], text[at + 1 :]
            text = rng.choice((head + letter + tail, head + tail, head + letter + this + tail, head + tail[:1] + this + tail[1:])) or name
        if OSA.distance(name, text) == 2:
            return text
