"""Words in the cells of published tables: yes or no, days, years. None, or an error of their own, where a word says nothing that is known."""

import re
from collections.abc import Iterable
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise

from services.intelligence.lists.days import in_forms
from services.intelligence.lists.goods import folded

_YES = frozenset({"yes", "y", "true", "t", "1", "x", "1 0"})
_NO = frozenset({"no", "n", "false", "f", "0", "", "n a", "na", "none", "null", "0 0", "unavailable"})
_DAYS = ("%Y-%m-%d", "%m/%d/%Y", "%m/%d/%y", "%B %d, %Y", "%b %d, %Y", "%d %B %Y", "%d %b %Y", "%Y/%m/%d", "%Y%m%d")
_TIME = re.compile(r"[T ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[AP]M)?(Z|[+-]\d{2}:?\d{2})?$", re.IGNORECASE)
_YEAR = re.compile(r"(1[89]|2[0-9])\d{2}(\.0)?")
MAX_WORD = 60


@lru_cache(maxsize=1024)
def flag(word: str) -> bool | None:
    """A mark in a table; None where it is neither yes nor no."""
    if len(word) > MAX_WORD:
        return None
    if word.strip() in ("✓", "✔", "•", "*"):
        return True
    key = folded(word)
    return True if key in _YES else False if key in _NO or not word.strip(" -–—") else None


def day(word: str, *, last: bool = False) -> date | None:
    """A day; of a year alone its first, or its `last`. US publishers write the month first."""
    word = _TIME.sub("", word.strip())
    if _YEAR.fullmatch(word):
        return date(int(word[:4]), 12, 31) if last else date(int(word[:4]), 1, 1)
    return in_forms(word, _DAYS) if len(word) <= MAX_WORD else None


def year(word: str) -> int | None:
    """A year, perhaps written as a number with a fraction of nothing."""
    return int(word.strip()[:4]) if _YEAR.fullmatch(word.strip()) else None


def editions(years: Iterable[int]) -> dict[int, date | None]:
    """Of each year that a file has rows of, the last day before the next one's: until then its rows hold. None for the newest, which still does."""
    ordered = sorted(set(years))
    after = dict(pairwise(ordered))
    return {one: date(after[one], 1, 1) - timedelta(days=1) if one in after else None for one in ordered}
