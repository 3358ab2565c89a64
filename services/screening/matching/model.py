"""The weights of the evidence, as `python -m services.screening.matching fit` has learned them, and the probability that comes of it.

A logistic model whose weights have the signs that people expect: each piece of evidence adds its share to the log odds, so that the score can be told
piece by piece, and bounded from above before all of it is known.
"""

from collections.abc import Sequence
from functools import cache
from math import exp, log
from operator import mul
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from services.screening.matching.features import ENOUGH, NAMES

PATH: Final = Path(__file__).parent / "model.json"
_MOST_LEGAL: Final = 8

_TINY: Final = 1e-9

NO_HIT: Final = np.float32(100)  # more than misspelling can take

Floats = NDArray[np.float32]


class Weights(msgspec.Struct, frozen=True):
    """Log odds = `bias` + the sum over features of weight times value; `weights` by name, those that are 0 left out."""

    bias: float
    weights: dict[str, float]


class Shipped(msgspec.Struct, frozen=True):
    """The file: weights by kind of party, thresholds (probabilities), the alert rate on clean names at some scores, and what it was fitted on."""

    organisation: Weights
    person: Weights
    review: float
    strong: float
    alert_rates: list[tuple[float, float]]  # (score, share of clean names that reach it), falling
    fitted: dict[str, str | float]


class Model:
    """One kind's weights, ready to be applied."""

    def __init__(self, weights: Weights) -> None:
        self.bias = weights.bias
        self.weights = tuple(weights.weights.get(name, 0.0) for name in NAMES)
        self._w = w = dict(zip(NAMES, self.weights, strict=True))
        self._few_best = max(0.0, 4 * w["few_words"], w["few_words"])
        self._sure = self.bias + w["first"] + 2 * w["letters"] + self._few_best  # at best
        # What looks as if it stood on one side only may turn out to stand on both.
        self._one = max(w["one"], w["both"] + w["both_words"])
        self._lone_one = max(w["one"] + w["lone_one"], w["both"] + w["both_words"])
        self.fuzzy, self._lone, self._left, self._block = (
            np.float32(-x) for x in (w["fuzzy_loss"], w["lone_loss"], self._one, w["blocks"])
        )

    def log_odds(self, found: Sequence[float]) -> float:
        """Of one party, from features in the order of NAMES."""
        return float(sum(map(mul, self.weights, found), self.bias))

    def bound(self, agree: float, best: float, missed: float, worst: float, legal: int, alike: float) -> float:
        """The highest log odds of a name beside one of which at most so much weight agrees, `best` of it by one word, and so much is missed, `worst` of it by one
        word; `legal`: its legal forms; `alike`: how alike they can be as wholes."""
        w, cover = self._w, agree / (agree + missed) if agree else 0.0
        return (
            self._sure + w["cover_short"] + (w["core_sim"] + w["full_sim"]) * alike + w["agree"] * agree + w["agree_best"] * best
            + w["cover_long"] * cover + self._one * missed + w["legal_agree"] * min(legal, _MOST_LEGAL)
            + w["worst_one"] * worst + (w["thin"] * max(0.0, ENOUGH - agree) if missed else 0.0)
        )  # fmt: skip

    def bounds(
        self, agree: Floats, best: Floats, words: Floats, only_a: Floats, only_b: Floats, worst_a: Floats, worst_b: Floats,
        core: Floats, full: Floats, known: Floats, lone: NDArray[np.bool_],
    ) -> Floats:  # fmt: skip
        """The same of many names of which more is known: the most that one word gains, the words left on both sides, the weight left on either and of
        its rarest word, how alike they can be as wholes, what is `known` to count for or against (see `forms`, `counted`), and whether one of the two
        surely has one telling word only."""
        w, both, most = self._w, np.minimum(only_a, only_b), np.maximum(only_a, only_b)
        one = np.where(lone, np.float32(self._lone_one), np.float32(self._one))
        found: Floats = (
            self._sure + known + w["agree"] * agree + w["agree_best"] * best
            + w["cover_short"] * (agree / (agree + both + _TINY)) + w["cover_long"] * (agree / (agree + most + _TINY))
            + w["both"] * both + w["both_words"] * words + one * (most - both) + w["worst_both"] * np.minimum(worst_a, worst_b)
            + w["worst_one"] * np.maximum(worst_a, worst_b) + w["core_sim"] * core + w["full_sim"] * full
            + w["thin"] * (ENOUGH - np.minimum(agree, ENOUGH)) * (most > 0)
        )  # fmt: skip
        return found

    def forms(self, agree: int, conflict: float, one: int) -> tuple[float, float]:
        """What legal forms count, see features.forms_evidence: (of names of several telling words, where one has a single one)."""
        w = self._w
        found = w["legal_agree"] * agree + w["legal_conflict"] * conflict + w["legal_one"] * one
        return found, found + (w["lone_form"] if conflict else 0.0)

    def agreeing(self, forms: Floats) -> Floats:
        """What so many legal forms count if they all agree."""
        return np.float32(self._w["legal_agree"]) * forms

    def counted(self, words: Floats) -> Floats:
        """What it counts that the shorter name has so many telling words, less what it counts at best."""
        found: Floats = np.float32(self._w["few_words"]) * np.minimum(words, np.float32(4)) - np.float32(self._few_best)
        return found

    def left_out(self, weights: Floats) -> Floats:
        """What words cost at least if they agree with nothing."""
        found: Floats = np.minimum(self._block, self._left * weights)
        return found

    def misspelt(self, least: Floats, lone: NDArray[np.bool_], every: Floats) -> Floats:
        """What misspelling costs at least. `least`: the least that it takes from a word that may agree: one must, and where one name has one word only
        (`lone`) it is this pair alone. `every`: what all misspelt words cost, or those that are left out."""
        alone = np.where(lone & (least < NO_HIT), least * (self.fuzzy + self._lone), np.float32(0))
        found: Floats = np.maximum(alone, every)
        return found


def probability(log_odds: float) -> float:
    """Of a name that is as likely one of the list's as not."""
    return 1 / (1 + exp(-log_odds)) if log_odds > -500 else 0.0


def log_odds_of(probability_: float) -> float:
    """The other way round; 0 and 1 are as far as floats go."""
    p = min(max(probability_, 1e-15), 1 - 1e-15)
    return log(p / (1 - p))


@cache
def shipped() -> Shipped:
    """The model in this package."""
    return msgspec.json.decode(PATH.read_bytes(), type=Shipped)


REVIEW: Final = shipped().review  # from here a weak match is opened and a person looks: 1 % of clean names
STRONG: Final = shipped().strong  # from here a match blocks even before a person has looked: 0.1 % of clean names


@cache
def of_kind(kind: str) -> Model:
    """The model by which two parties are compared of which one is of this kind."""
    return Model(shipped().person if kind == "person" else shipped().organisation)
