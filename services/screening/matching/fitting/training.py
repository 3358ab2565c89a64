"""From cases to weights: a logistic regression whose weights keep their signs, then calibrated name by name."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from services.screening.matching.features import NAMES, SIGNS
from services.screening.matching.fitting.cases import Case, Examples
from services.screening.matching.model import Weights

Floats = NDArray[np.float64]

# What an error costs beside a name that was missed, of which there are many: a name of another listed party is the hardest to tell. Two slips in one name
# are missed most, so they count more.
_COSTS: Final = {
    "organisation": {"clean": 3.75, "dressed": 3.75, "absent": 5.0, "other_word": 1.1, "two_slips": 1.5},
    "person": {"absent": 1.0, "other_word": 3.0},  # another's name in one place is another person
}
# What too few names show by themselves, and every analyst knows: weights no nearer to 0 than these. How unlike words are is seen only once two
# names are compared; that they stand in place of each other is seen before and must count by itself, else too many names are compared.
_LEAST: Final = {"thin": -9.0, "other_words": -7.0, "numbers": -3.0, "both_words": -3.0, "worst_both": -2.0}
# What the fit half has too much of, plants that are numbered: no further from 0 than these, so that a person still looks at a number that may be wrong.
_MOST: Final = {"number_near": -3.0}
_UNWEIGHED: Final = 0.2  # of a case seen as if there was no list
_RIDGE: Final = 1e-4
_ROUNDS: Final = 3  # of several names of a party the likest counts, which is known only once there are weights
_SEARCHES: Final = 3  # likewise which others a name that means nobody is near
# Before anything is learned: what every analyst would say.
_FIRST: Final = Weights(
    -2.0,
    {"agree": 0.5, "agree_best": 3.0, "full_sim": 4.0, "both_words": -3.0, "one": -3.0, "worst_both": -2.0, "left_unlike": -4.0, "fuzzy_loss": -10.0,
     "other_words": -7.0, "legal_conflict": -3.0, "legal_one": -2.0, "numbers": -3.0, "place_both": -3.0, "place_one": -2.0, "thin": -9.0},
)  # fmt: skip


def fit(examples: Examples, kind: str) -> tuple[Weights, list[Case]]:
    """Weights whose probability holds for a name that is as likely one of the list's as not, and the cases that they were learned from."""
    weights, cases = _FIRST, list[Case]()
    for _ in range(_SEARCHES):
        cases = examples.cases(weights)
        for _ in range(_ROUNDS):
            weights = _regression(*_rows(cases, weights, _COSTS[kind]))
        weights = _calibrated(cases, weights)
    return weights, cases


def scores(cases: Sequence[Case], weights: Weights) -> Floats:
    """The highest log odds of each case; -50 where nothing was near."""
    return np.array([_odds(case, weights).max(initial=-50.0) for case in cases])


def _odds(case: Case, weights: Weights) -> Floats:
    if not case.evidence:
        return np.empty(0)
    return np.array(case.evidence) @ _vector(weights) + weights.bias


def _vector(weights: Weights) -> Floats:
    return np.array([weights.weights.get(name, 0.0) for name in NAMES])


def _rows(cases: Sequence[Case], weights: Weights, kinds: Mapping[str, float]) -> tuple[Floats, Floats, Floats]:
    """(evidence, 1 or 0, cost) of every pair that counts: of a party its likest name, of others all."""
    rows, truths, costs = [], [], []
    for case in cases:
        if not case.evidence:
            continue
        chosen = [case.evidence[int(_odds(case, weights).argmax())]] if case.truth else case.evidence
        rows += chosen
        truths += [float(case.truth)] * len(chosen)
        costs += [kinds.get(case.kind, 1.0) * (1.0 if case.weighed else _UNWEIGHED)] * len(chosen)
    return np.array(rows), np.array(truths), np.array(costs)


def _regression(rows: Floats, truths: Floats, costs: Floats) -> Weights:
    mean, spread = rows.mean(0), rows.std(0) + 1e-9
    scaled, total = (rows - mean) / spread, costs.sum()

    def loss(at: Floats) -> tuple[float, Floats]:
        odds = scaled @ at[:-1] + at[-1]
        lost = (costs * np.logaddexp(0, np.where(truths == 1, -odds, odds))).sum() / total
        slope = costs * (1 / (1 + np.exp(-odds)) - truths) / total
        return lost + _RIDGE * (at[:-1] ** 2).sum(), np.append(scaled.T @ slope + 2 * _RIDGE * at[:-1], slope.sum())

    limits = [
        (0, None)
        if sign > 0
        else (_MOST[name] * wide if name in _MOST else None, _LEAST.get(name, 0.0) * wide)
        if sign < 0
        else (None, None)
        for (name, sign), wide in zip(SIGNS.items(), spread, strict=True)
    ]
    found = minimize(
        loss, np.zeros(len(NAMES) + 1), jac=True, bounds=[*limits, (None, None)], method="L-BFGS-B", options={"maxiter": 5000}
    ).x
    vector = found[:-1] / spread
    return Weights(float(found[-1] - mean @ vector), {name: float(w) for name, w in zip(NAMES, vector, strict=True) if w})


def _calibrated(cases: Sequence[Case], weights: Weights) -> Weights:
    """Stretched and shifted so that, over whole cases, the probability is as often right as it says."""
    counted = [case for case in cases if case.weighed]
    odds, truths = np.clip(scores(counted, weights), -15, 15), np.array([float(case.truth) for case in counted])
    costs = np.where(truths == 1, 0.5 / truths.sum(), 0.5 / (1 - truths).sum())

    def loss(at: Floats) -> float:
        told = at[0] * odds + at[1]
        return float((costs * np.logaddexp(0, np.where(truths == 1, -told, told))).sum())

    # Cases that part without an error would stretch for ever.
    stretch, shift = minimize(loss, np.array([1.0, 0.0]), method="Nelder-Mead", bounds=[(0.2, 5.0), (-15.0, 15.0)]).x
    return Weights(float(weights.bias * stretch + shift), {name: round(float(w * stretch), 4) for name, w in weights.weights.items()})
