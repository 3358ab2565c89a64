"""Near words that are one, or two, by their forms: plurals and compounds."""

import pytest

from services.screening.matching.index import NameIndex
from services.screening.matching.model import REVIEW
from services.screening.matching.pairs import score_pair
from services.screening.matching.wordforms import other_compounds, other_numbers


@pytest.mark.parametrize(("listed", "other"), [("Zelmarinskaya", "Zelmarinskayas"), ("Zelmarinskayas", "Zelmarinskaya")])
def test_a_plural_is_found_where_both_are_listed(listed: str, other: str) -> None:
    """By the word alone; also among suppliers, which are held against the list's words."""
    entries, asked = NameIndex(), f"{other} International Trading"
    entries.put("it", [f"{listed} Trading"])
    entries.put("another", [f"{other} Shipping"])
    suppliers = NameIndex(entries.corpus)
    suppliers.put("it", [f"{listed} Trading"])
    for index in (entries, suppliers):
        assert "it" in [hit.key for hit in index.search([asked], threshold=REVIEW)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Legmash", "Selmash"),
        ("Technomar", "Technolab"),
        ("Databank", "Guta Bank"),
        ("Aeroscan JSC", "Geoscan JSC"),
        ("Baltech LLC", "Maxtech LLC"),
    ],
)
def test_compounds_with_another_rest_are_two_names(one: str, other: str) -> None:
    assert score_pair(one, other).score < REVIEW


@pytest.mark.parametrize(
    ("one", "other"), [("Legmash", "Lgemash"), ("Technopark", "Technoprak"), ("Uralmash", "Uralmahs"), ("Rosenergobank", "Rosneergobnk")]
)
def test_a_slip_in_a_compound_is_still_one(one: str, other: str) -> None:
    assert score_pair(one, other).score > REVIEW


def test_which_words_are_numbers_or_compounds_of_another() -> None:
    assert other_numbers("shop") == ["shops"]
    assert other_numbers("shops") == ["shopss", "shop"]
    assert other_numbers("gas") == []
    assert other_compounds("legmash", "selmash")
    assert not other_compounds("legmash", "legmahs")
    assert not other_compounds("bank", "bank")
