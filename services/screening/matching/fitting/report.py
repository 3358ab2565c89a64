"""What a fit reached on its own half: recall at equal alert volume, and the scores that alert so many clean names."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from services.screening.matching.fitting.cases import Case
from services.screening.matching.fitting.training import Floats, scores
from services.screening.matching.model import Weights, probability

RATES = (0.05, 0.02, 0.01, 0.005, 0.002, 0.001)
_NOBODY = ("clean", "dressed", "absent", "other_word")


def by_kind(cases: Sequence[Case], weights: Weights) -> dict[str, Floats]:
    """Log odds of the cases of each kind, weighed by the list."""
    odds = scores(cases, weights)
    kinds: defaultdict[str, list[float]] = defaultdict(list)
    for case, value in zip(cases, odds, strict=True):
        if case.weighed:
            kinds[case.kind].append(float(value))
    return {kind: np.array(values) for kind, values in kinds.items()}


def cut_at(nobody: Floats, rate: float) -> float:
    """The log odds that this share of names which mean nobody is above."""
    return float(np.quantile(nobody, 1 - rate))


def alert_rates(kinds: Mapping[str, Floats], nobody: str) -> list[tuple[float, float]]:
    """(score, share of these names that reach it), from many alerts to few."""
    return [(round(probability(cut_at(kinds[nobody], rate)), 6), rate) for rate in RATES]


def figures(kinds: Mapping[str, Floats], nobody: str) -> dict[str, float]:
    """Recall of each way to write wrongly, and how many other names alert, at 0.2 % and 1 % of alerts."""
    found: dict[str, float] = {}
    for label, rate in (("0_2pct", 0.002), ("1pct", 0.01)):
        cut = cut_at(kinds[nobody], rate)
        shares = {kind: float((values > cut).mean()) for kind, values in sorted(kinds.items())}
        found[f"recall_at_{label}"] = round(float(np.mean([share for kind, share in shares.items() if kind not in _NOBODY])), 4)
        found |= {f"{kind}_at_{label}": round(share, 4) for kind, share in shares.items() if kind != nobody}
    return found
