"""Names that can be read in more than one way: as typed, and as several names of one party."""

import pytest

from services.screening.matching.index import NameIndex
from services.screening.matching.model import REVIEW
from services.screening.matching.pairs import score_pair
from services.screening.matching.readings import readings

LISTED = "Zelmar Petrokhim LLC"


@pytest.mark.parametrize(
    "name",
    [
        "Ostrava Handel d/b/a Zelmar Petrokhim",
        "Ostrava Handel (formerly Zelmar Petrokhim LLC)",
        "Ostrava Handel, formerly known as Zelmar Petrokhim",
        "Ostrava Handel t/a Zelmar Petrokhim",
        "Zelmar Petrokhim a.k.a. Ostrava Handel",
        "Ostrava Handel / Zelmar Petrokhim",
        "Zelmar Petrokhim/Ostrava",
        "So-called Zelmar Petrokhim",
    ],
)
def test_each_name_of_a_party_is_found_whichever_side_has_several(name: str) -> None:
    for listed, asked in ((LISTED, name), (name, LISTED)):
        index = NameIndex()
        index.put("x", [listed])
        hits = index.search([asked], threshold=REVIEW)
        assert [hit.key for hit in hits] == ["x"]
        assert (hits[0].name, hits[0].asked) == (listed, asked)
    assert score_pair(LISTED, name).match


@pytest.mark.parametrize(
    "name", ["Golden Sun I/E Dalian", "Liberation Party/Front", "Genmab A/S", "Danaher Corp /DE/", "DBA Metals", "JSC AKA Bank"]
)
def test_what_only_looks_like_two_names_stays_one(name: str) -> None:
    assert not [reading for reading in readings(name) if reading.name.words == ("front",)]
    assert all(reading.weak for reading in readings(name)[1:])


@pytest.mark.parametrize(("asked", "listed"), [("Firsg Ocean", "First Ocean GmbH"), ("Gruo Egmont", "Grupo Egmont S.A.")])
def test_a_slip_in_a_word_of_another_spelling_is_forgiven(asked: str, listed: str) -> None:
    assert score_pair(asked, listed).match
    assert score_pair(listed, asked).score == score_pair(asked, listed).score


def test_numbers_in_words_are_no_slips_of_each_other() -> None:
    assert not score_pair("Zelmar Fund VIII", "Zelmar Fund IX").match
    assert score_pair("Second Zelmar", "Zelmar 2").score > score_pair("Second Zelmar", "Seventh Zelmar").score


def test_a_known_word_is_a_slip_where_the_name_has_another_one() -> None:
    index = NameIndex()
    for key, name in enumerate(["Zelmar Freight Service", "Zelmor Transit", "Zelmar Transit Service"]):
        index.put(str(key), [name])
    assert index.search(["Zelmor Transit Aservice"], threshold=REVIEW)[0].key == "2"


@pytest.mark.parametrize(("asked", "listed"), [("Pishro Sanat Sharif Pri Vate Ltd", "Pishro Sanat Sharif Private Company")])
def test_a_legal_word_that_a_space_has_parted_loses_no_name(asked: str, listed: str) -> None:
    for one, other in ((asked, listed), (listed, asked)):
        index = NameIndex()
        index.put("x", [other])
        assert index.search([one], threshold=0.5)


def test_a_hostile_name_is_read_as_fast_as_any() -> None:
    assert len(readings("Zelmar" + " " * 1_000_000 + "dba" + "/Ostrava Handel" * 50_000)) == 1
    assert len(readings("Zelmar Petrokhim a.k.a. " * 40_000)) <= 12
