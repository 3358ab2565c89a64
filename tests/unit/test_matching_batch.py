"""Pairs and batches, as the command line uses them."""

import pytest

from services.screening.matching.batch import batch
from services.screening.matching.model import STRONG
from services.screening.matching.settings import BATCH_FLOOR
from shared.errors import Invalid

LISTED = [("a", "Romashka Zelenograd LLC"), ("a", "Berezka Optika"), ("b", "Romashka Zelenograd Optika LLC"), ("c", "Tide Water Co")]
NAMES = [("1", "ROMASHKA ZELENOGRAD OOO"), ("2", "Tidewater Company"), ("3", "Nobody Knows"), ("4", "LLC")]


def test_rows_in_the_order_asked_best_first() -> None:
    rows = list(batch(LISTED, NAMES))
    assert [(row.name_id, row.list_id) for row in rows] == [("1", "a"), ("1", "b"), ("2", "c")]
    assert rows[0].score > STRONG
    assert all(row.why and row.score >= BATCH_FLOOR for row in rows)


def test_limit_is_a_name() -> None:
    assert [row.list_id for row in batch(LISTED, NAMES, limit=1)] == ["a", "c"]


@pytest.mark.parametrize(("rate", "alerting"), [(0.0, set()), (0.25, {"1"}), (0.5, {"1", "2"}), (1.0, {"1", "2"})])
def test_alert_rate_is_the_share_of_names_that_alert(rate: float, alerting: set[str]) -> None:
    assert {row.name_id for row in batch(LISTED, NAMES, alert_rate=rate)} == alerting


def test_ties_beyond_the_alert_rate_do_not_alert() -> None:
    twins = [("1", "Romashka Zelenograd LLC"), ("2", "Romashka Zelenograd LLC"), ("3", "Tidewater Co")]
    assert {row.name_id for row in batch(LISTED, twins, alert_rate=0.34)} == set()


def test_aliases_of_a_name_asked_are_one_name() -> None:
    rows = list(batch(LISTED, [("1", "Nobody"), ("1", "Berezka Optika")]))
    assert [(row.name_id, row.list_id, row.score > STRONG) for row in rows] == [("1", "a", True)]


@pytest.mark.parametrize("rate", [-0.1, 1.5, float("nan")])
def test_a_rate_outside_its_range_is_refused_at_once(rate: float) -> None:
    with pytest.raises(Invalid):
        batch(LISTED, NAMES, alert_rate=rate)
