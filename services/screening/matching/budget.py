"""Which score keeps to an alert budget: the share of clean suppliers that alert, as the fitted model measured it."""

from itertools import pairwise
from math import log
from typing import Final

from services.screening.matching.model import log_odds_of, probability, shipped

LEAST: Final = 0.0005  # of clean suppliers; a sample of some thousands says nothing of less
MOST: Final = 0.05  # beyond it nobody reads alerts any more


def threshold_of(budget: float) -> float:
    """The score that a share `budget` of clean suppliers reaches (LEAST..MOST).

    Between two measured rates, and a little beyond the last one, log odds go with the logarithm of the rate.
    """
    points = [(log(rate), log_odds_of(score)) for score, rate in shipped().alert_rates]
    asked = log(budget)
    pairs = list(pairwise(points))
    (x0, y0), (x1, y1) = next((pair for pair in pairs if pair[1][0] <= asked), pairs[-1])
    return round(probability(y0 + (y1 - y0) * (asked - x0) / (x1 - x0)), 4)
