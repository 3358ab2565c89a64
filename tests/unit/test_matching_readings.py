"""Names that can be read in more than one way: as typed, and as several names of one party."""

import pytest

from services.screening.matching.index import NameIndex
from services.screening.matching.model import REVIEW
from services.screening.matching.normalise import prepare
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


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("AKTSIONERNOE OBSHCHESTVO NAUCHNO ISSLEDOVATELSKII INSTITUT ZELMAR", "JOINT STOCK COMPANY SCIENTIFIC RESEARCH INSTITUTE ZELMAR"),
        ("АО «Зельмарский приборостроительный завод»", "JSC Zelmarsky Instrument-Making Plant"),
        ("AO NII ZELMAR", "ZELMAR SCIENTIFIC RESEARCH INSTITUTE JSC"),
        ("LLC RESEARCH AND PRODUCTION ASSOCIATION ZELMAR", "NAUCHNO PROIZVODSTVENNOE OBYEDINENIE ZELMAR"),
        ("AO IBS ZELMAR USLUGI", "JOINT STOCK COMPANY IBS ZELMAR SERVICES"),
        ("ZELMAR INZHINIRING OOO", "LIMITED LIABILITY COMPANY ZELMAR ENGINEERING"),
    ],
)
def test_what_a_company_does_is_the_same_in_russian_and_in_english(one: str, other: str) -> None:
    assert score_pair(one, other).match
    for asked, listed in ((one, other), (other, one)):
        index = NameIndex()
        index.put("x", [listed])
        assert index.search([asked], threshold=REVIEW)


def test_a_slip_in_a_word_that_has_an_english_one_is_forgiven() -> None:
    listed = "NAUCHNO ISSLEDOVATELSKII INSTITUT ZELMAR"
    for asked in (
        "NAUCHNO ISLEDOVATELSKII INSTITUT ZELMAR",
        "NAUCHNO ISSLEDOVATELSKII INSTITUTT ZELMAR",
        "NAUCHNOISSLEDOVATELSKII INSTITUT ZELMAR",
    ):
        assert score_pair(asked, listed).match


@pytest.mark.parametrize(("one", "other"), [("A.B.C. Zelmar Metals", "A.B.D. Zelmar Metals"), ("N.Z.L.M. Company", "Z.L.M. Company")])
def test_each_of_dotted_initials_stands_for_a_word(one: str, other: str) -> None:
    assert score_pair(one, other).score < score_pair(one.replace(".", ""), other.replace(".", "")).score
    assert score_pair(one, one.replace(".", "")).match


def test_one_digit_may_be_a_slip_and_another_number_is_none() -> None:
    assert score_pair("Zelmar Arsenal 103", "Zelmar Arsenal 108").match
    assert not score_pair("Zelmar Arsenal 103", "Zelmar Arsenal 116").match


@pytest.mark.parametrize("name", ["Kamchatzelmargaz International Ltd", "Kamchatzelmargaz Holding GmbH"])
def test_a_long_word_of_its_own_is_hardly_found_by_chance(name: str) -> None:
    assert score_pair(name, "Kamchatzelmargaz OAO").match
    assert score_pair(name.replace("Kamchatzelmargaz", "Zelm"), "Zelm OAO").score < REVIEW


def test_common_words_behind_a_slash_name_nobody() -> None:
    assert not score_pair(
        "Los Zelmar Drug Trafficking Organization", "Ostrava Money Laundering Organization / Drug Trafficking Organization"
    ).match


def test_a_hostile_name_is_read_as_fast_as_any() -> None:
    assert len(readings("Zelmar" + " " * 1_000_000 + "dba" + "/Ostrava Handel" * 50_000)) == 1
    assert len(readings("Zelmar Petrokhim a.k.a. " * 40_000)) <= 12


@pytest.mark.parametrize(
    ("russian", "english"), [("Finansovaya", "Financial"), ("Finansovykh", "Financial"), ("Finansov", "Finance"), ("Finansy", "Finance")]
)
def test_a_word_that_two_stems_could_begin_is_of_the_longer_one(russian: str, english: str) -> None:
    assert prepare(f"Zelmar {russian}").words == prepare(f"Zelmar {english}").words
