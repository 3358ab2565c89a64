"""Counts words over names at large, for the prior: of companies that nobody lists as much as of listed parties."""

from collections import Counter
from collections.abc import Iterable, Sequence

from services.screening.matching.normalise import prepare

_LEAST = 3  # names that must bear a word


def shares(groups: Sequence[Iterable[str]]) -> dict[str, float]:
    """Of 1,000 names of the group in which a word is most common so many bear it; words of at least a few names, by the alphabet."""
    found: dict[str, float] = {}
    for group in groups:
        names = list(group)
        borne = Counter(word for name in names for word in set(prepare(name).words))
        for word, times in borne.items():
            if times >= _LEAST:
                found[word] = max(found.get(word, 0.0), round(1000 * times / len(names), 2))
    return dict(sorted(found.items()))
