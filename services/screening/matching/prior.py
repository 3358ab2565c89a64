"""How common words of names are before any list is seen: what is written in words.COMMON, and what the fit has counted (prior.json)."""

from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from services.screening.matching.words import COMMON

PATH: Final = Path(__file__).parent / "prior.json"


@cache
def per_mille() -> dict[str, float]:
    """Of 1,000 names so many bear each word; words that are not here next to none."""
    return with_common(msgspec.json.decode(PATH.read_bytes(), type=dict[str, float]))


def with_common(counted: dict[str, float]) -> dict[str, float]:
    """What was counted, and words.COMMON where that says more."""
    found = dict(counted)
    for share, words in reversed(COMMON):
        for word in words.split():
            found[word] = max(share, found.get(word, 0.0))
    return found
