"""The weights of the evidence, as `python -m services.screening.matching fit` has learned them, and the probability that comes of it.

A logistic model whose weights have the signs that people expect: each piece of evidence adds its share to the log odds, so that the score can be told
piece by piece, and bounded from above before all of it is known.
"""

from functools import cache
from math import exp, log
from pathlib import Path
from typing import Final

import msgspec

from services.screening.matching.bounds import Bound
from services.screening.matching.evidence import weighed
from services.screening.matching.features import NAMES

PATH: Final = Path(__file__).parent / "model.json"


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
        self.bound = Bound(weights.bias, dict(zip(NAMES, self.weights, strict=True)))

    def log_odds(self, found: tuple[float, ...]) -> float:
        """Of one party, from features in the order of NAMES."""
        return weighed(self.weights, self.bias, found)


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
# From here a match blocks even before a person has looked: 0.1 % of clean names at most, and no weak alias.
STRONG: Final = shipped().strong


@cache
def of_kind(kind: str) -> Model:
    """The model by which two parties are compared of which one is of this kind."""
    return Model(shipped().person if kind == "person" else shipped().organisation)
