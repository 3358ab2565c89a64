"""How rare words are, seen from the list side, and so how much each weighs."""

from collections.abc import Container, Iterable, Mapping, Set
from math import log

from services.screening.matching.prior import per_mille
from services.screening.matching.settings import DIGIT_WEIGHT, LETTER_WEIGHT, PRIOR_NAMES, RARITY_POWER

_REMEMBERED = 65_536  # changed words


class Corpus:
    """Document frequencies of words over names, upon a prior of common words.

    With the prior, a list of two entries weighs `international` much as a list of 40,000 does. Weights are kept until a
    word's own count changes or the number of names has moved by 2 %: they go by what was counted, never by when they were asked for.
    """

    def __init__(self, prior: Mapping[str, float] | None = None) -> None:
        """`prior`: of 1,000 names at large so many bear each word; what the package ships, if None."""
        self._counts: dict[str, int] = {}
        self._prior = {word: share * PRIOR_NAMES / 1000 for word, share in (per_mille() if prior is None else prior).items()}
        self._weights: dict[str, float] = {}
        self._names = 0
        self._weighed_at = 0
        self.version = 0  # rises with every change
        self.forgotten = 0  # rises where a word is known no more
        self.epoch = 0  # rises where all weights have moved
        self.changed: list[str] = []  # words whose weight has moved since, in order

    def __len__(self) -> int:
        """Names counted."""
        return self._names

    def add(self, words: Iterable[str]) -> None:
        """Counts one name's words."""
        self._shift(words, 1)

    def discard(self, words: Iterable[str]) -> None:
        """Takes one name's words out again."""
        self._shift(words, -1)

    def knows(self, word: str) -> bool:
        """Whether any counted name bears the word."""
        return word in self._counts

    def known(self) -> Container[str]:
        """All words that counted names bear."""
        return self._counts.keys()

    def borne(self, words: Set[str]) -> Set[str]:
        """Those of the words that any name bears, counted or at large."""
        return (words & self._counts.keys()) | (words & self._prior.keys())

    def weight(self, word: str) -> float:
        """Rarity in 0..1: 1 for a word that no name bears, about 0.25 for `trading`; short words weigh less."""
        found = self._weights.get(word)
        if found is not None:
            return found
        borne = self._counts.get(word, 0) + self._prior.get(word, 0.0)
        if not borne:
            return ceiling(word)
        names = self._weighed_at + PRIOR_NAMES
        rarity = max(0.02, 1 - log(borne + 1) / log(names + 1))
        weight = min(ceiling(word), float(rarity**RARITY_POWER))
        self._weights[word] = weight
        return weight

    def _shift(self, words: Iterable[str], by: int) -> None:
        for word in set(words):
            count = self._counts.get(word, 0) + by
            if count:
                self._counts[word] = count
            else:
                del self._counts[word]
                self.forgotten += 1
            self._weights.pop(word, None)
            self.changed.append(word)
        self._names += by
        self.version += 1
        if abs(self._names - self._weighed_at) > 0.02 * (self._weighed_at + PRIOR_NAMES):
            self._weights.clear()
            self._weighed_at = self._names
        elif len(self.changed) < _REMEMBERED:
            return
        self.epoch += 1
        self.changed.clear()


def ceiling(word: str) -> float:
    """What so few letters or digits can weigh at most, and do where no name bears the word."""
    return min(1.0, len(word) * (DIGIT_WEIGHT if word.isdigit() else LETTER_WEIGHT))
