"""An alert budget as a score: by the rates that the shipped model measured."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.screening.matching.budget import LEAST, MOST, threshold_of
from services.screening.matching.model import shipped

BUDGETS = st.floats(LEAST, MOST)


@pytest.mark.parametrize(("score", "rate"), shipped().alert_rates)
def test_a_measured_rate_has_the_score_that_was_measured(score: float, rate: float) -> None:
    assert threshold_of(rate) == pytest.approx(score, abs=1e-4)


@given(BUDGETS, BUDGETS)
def test_who_may_be_alerted_less_asks_for_a_higher_score(one: float, other: float) -> None:
    less, more = sorted((one, other))
    assert 0 < threshold_of(more) <= threshold_of(less) < 1
