"""Publishers' words for goods to codes of the Harmonized System, from the table beside this file (`goods.csv`).

The table is our own work: by hand, from the nomenclature of HS 2022 (World Customs Organization) and the names that ILAB's list of 2021, Executive Order
13126 and the orders of US Customs use, with what newer lists have added as far as it is known. Nobody at these publishers has seen it. A code is two, four or
six digits and means all that begins with it; where HS 2022 moved a good, the code before stands beside it. `note` says where a code holds more than the good, or
the good has none of its own: then the exposure touches neighbours, too, and somebody has to look. ILAB publishes codes for imports into the United States
(ImportWatch_Goods_HS); these could not be read here and are the first thing to compare the table with.

Gaps: a good without a code (Pornography is a service) or one that is not in the table. An exposure to it keeps its words and touches nobody, because it
does not mean all goods of its country (`ExposureSignal`).
"""

import csv
import re
import unicodedata
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

TABLE = Path(__file__).with_name("goods.csv")
MAX_GOOD = 300  # characters that are looked up
_APART = re.compile(r"[^\w]+")
_ASIDE = re.compile(r"\s*\([^()]*\)")


class Good(NamedTuple):
    """A line of the table."""

    name: str
    codes: tuple[str, ...]
    note: str


def folded(name: str) -> str:
    """How names are compared: without accents, case and marks."""
    plain = unicodedata.normalize("NFKD", name)
    return _APART.sub(" ", "".join(c for c in plain if not unicodedata.combining(c)).casefold()).strip()


@cache
def table() -> dict[str, Good]:
    """Goods by their folded names."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        found = [Good(row["good"], tuple(row["hs"].split()), row["note"]) for row in csv.DictReader(file)]
    return {folded(good.name): good for good in found}


@lru_cache(maxsize=4096)
def find(name: str) -> Good | None:
    """A good by its name; where that is unknown by the name without what stands in brackets, then in the other number. None: not in the table."""
    if len(name) > MAX_GOOD:
        return None
    for form in (name, _ASIDE.sub("", name)):
        key = folded(form)
        for word in (key, key.removesuffix("s"), key + "s"):
            if word and (good := table().get(word)):
                return good
    return None


@cache
def _words() -> tuple[tuple[re.Pattern[str], Good], ...]:
    """Each good as a whole word of a sentence, the longest names first."""
    goods = sorted(table().items(), key=lambda pair: (-len(pair[0]), pair[0]))
    return tuple((re.compile(rf"\b{key.removesuffix('s')}s?\b"), good) for key, good in goods)


def mentioned(sentence: str) -> tuple[Good, ...]:
    """Goods that a sentence names, each word counted for the longest name only, in the order of the table's names."""
    left, found = folded(sentence[: MAX_GOOD * 10]), set()
    for pattern, good in _words():
        left, times = pattern.subn("|", left)
        if times:
            found.add(good)
    return tuple(sorted(found))
