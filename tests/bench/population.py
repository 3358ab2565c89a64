"""Made-up names of companies, as skewed as real ones.

Every name has one telling word, and often others of any kind. The word of rank r is borne as 1/(r + 5)^1.12, from rank 1,500 on as 1/r^1.15 beyond
that; the telling word is of rank 300 or later. These numbers were fitted to how often words are borne in 17,405 real names (listed organisations and
companies that nobody lists), never to what the matcher makes of them: `python -m tests.bench.population` tells both beside each other. Real words
stand at the ranks that they really have, where real names are given: so a word of a listed party is borne by suppliers as well. The others are coined,
letter after letter as in real words, so that as many are near each other.
"""

import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, islice
from statistics import mean
from typing import Final

from services.screening.matching.fitting.cases import read_clean, read_listed
from services.screening.matching.normalise import prepare
from services.screening.matching.prior import per_mille
from tests.bench.recall import CLEAN, LIST

VOCABULARY: Final = 400_000
_TELLING: Final = 300  # rank from which a word may tell a company
_BEND: Final = 1_500
_SIZES: Final = ((1, 18), (2, 37), (3, 24), (4, 10), (5, 5), (6, 6))  # words of a name beside its legal form, and of 100 names how many
_FORMS: Final = [
    "Ltd",
    "Inc",
    "LLC",
    "Co., Ltd.",
    "Corp",
    "GmbH",
    "S.A.",
    "Limited",
    "Pvt Ltd",
    "PLC",
    "Limited Liability Company",
    "S.r.l.",
    "OOO",
    "JSC",
    "S.A. de C.V.",
    "AG",
    "B.V.",
]
_AT_ONCE: Final = 5_000


class Population:
    """Names without end. `real`: names whose words are taken over; without any, the words that the matcher knows as common are."""

    def __init__(self, real: Iterable[str] = (), vocabulary: int = VOCABULARY) -> None:
        borne = Counter(word for name in real for word in set(prepare(name).words))
        known = sorted(borne, key=lambda word: (-borne[word], word)) or sorted(per_mille(), key=lambda word: -per_mille()[word])
        words = dict.fromkeys(known[:vocabulary])
        for word in _coined(known):
            if len(words) >= vocabulary:
                break
            words[word] = None
        self._words = [word.capitalize() for word in words]
        shares = [_share(rank) for rank in range(1, len(words) + 1)]
        self._any, self._telling = list(accumulate(shares)), list(accumulate(shares[_TELLING:]))

    def names(self, seed: int) -> Iterator[str]:
        """The same for the same seed."""
        rng = random.Random(seed)
        sizes, size_weights = zip(*_SIZES, strict=True)
        form_weights = [1 / (n + 2) for n in range(len(_FORMS))]
        while True:
            telling = rng.choices(self._words[_TELLING:], cum_weights=self._telling, k=_AT_ONCE)
            forms = rng.choices(_FORMS, form_weights, k=_AT_ONCE)
            for size, word, form in zip(rng.choices(sizes, size_weights, k=_AT_ONCE), telling, forms, strict=True):
                others = rng.choices(self._words, cum_weights=self._any, k=size - 1)
                yield " ".join(dict.fromkeys((word, *others, form)))


def _share(rank: int) -> float:
    return (min(rank, _BEND) + 5) ** -1.12 * (max(rank, _BEND) / _BEND) ** -1.15


def _coined(words: Sequence[str]) -> Iterator[str]:
    """Words that nobody bears: each letter follows the two before it as often as in these words."""
    follow: dict[str, list[str]] = defaultdict(list)
    for word in words:
        if word.isalpha() and word.isascii() and len(word) > 2:
            for at, letter in enumerate(f"{word}\n"):
                follow[f"  {word}"[at : at + 2]].append(letter)
    rng = random.Random(1)
    while True:
        word, last = "", "  "
        while len(word) < 15 and (letter := rng.choice(follow[last])) != "\n":
            word, last = word + letter, last[1] + letter
        if 3 <= len(word) <= 14:
            yield word


def main() -> None:
    """How often words are borne in real names and in as many made-up ones."""
    clean, listed = read_clean(CLEAN), next(one.names for one in read_listed(LIST) if one.kind == "organisation")
    real = [*clean, *(names[0] for names in listed.values())]
    for label, names in (("real", real), ("made up", list(islice(Population(real).names(2), len(real))))):
        print(json.dumps({"names": label, "n": len(names), **_counted(names)}))


def _counted(names: Sequence[str]) -> dict[str, float | list[float]]:
    words = [set(found) for name in names if (found := prepare(name).words)]
    borne = Counter(word for some in words for word in some)
    ranked = sorted(borne.values(), reverse=True)
    return {
        "words_a_name": round(mean(map(len, words)), 2),
        "distinct_a_name": round(len(borne) / len(names), 2),
        "borne_once": round(ranked.count(1) / len(ranked), 2),
        "percent_of_names_by_rank_1_5_20_50_100_500": [round(100 * ranked[at - 1] / len(names), 2) for at in (1, 5, 20, 50, 100, 500)],
        "names_whose_rarest_word_more_than_10_bear": round(mean(min(borne[word] for word in some) > 10 for some in words), 3),
    }


if __name__ == "__main__":
    main()
