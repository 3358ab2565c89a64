"""What is known beside names: read from whoever wrote it, compared alike from both sides, and nothing where one side says nothing."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.screening.matching.addresses import compare_places, places_of
from services.screening.matching.births import births_of, compare_births
from services.screening.matching.facts import Facts, decides, facts_of, odds_in_all, odds_of_finding, tell, tell_places
from services.screening.matching.known import KnownFacts
from services.screening.matching.numbers import compare_numbers, numbers_of
from services.screening.matching.settings import (
    ADDRESS_CITY,
    ADDRESS_LARGE_CITY,
    ADDRESS_POSTAL,
    ADDRESS_STREET,
    BIRTH_DAY_DIFFERS,
    BIRTH_EQUAL,
    BIRTH_PARTIAL,
    BIRTH_YEAR_DIFFERS,
)

LEI, OTHER_LEI = "529900T8BM49AURSDO55", "5493001KJTIIGC8Y1R12"
Written = tuple[str, str, str | None]
SAME, LOCAL, CONFLICT = "identifier", "identifier_local", "identifier_conflict"


@pytest.mark.parametrize(
    ("ours", "theirs", "kinds"),
    [
        (("lei", LEI, None), ("LEI", f"{LEI[:4]} {LEI[4:].lower()}", None), [SAME]),
        (("lei", LEI, None), ("Legal Entity Number", LEI, "DE"), [SAME]),  # whatever a publisher calls it
        (("lei", LEI, None), ("lei", OTHER_LEI, None), [CONFLICT]),
        (("lei", LEI, None), ("lei", LEI[:-1] + "0", None), []),  # its check digits say that it is none
        (("duns", "150483782", None), ("D-U-N-S Number", "15-048-3782", None), [SAME]),
        (("duns", "150483782", None), ("D-U-N-S Number", "15-048-3783", None), []),  # one party has many
        (("tax", "7701234567", "RU"), ("Tax ID No.", "77 0123 4567", "RU"), [SAME]),
        (("tax", "7701234567", "RU"), ("Tax ID No.", "7701234568", "RU"), [CONFLICT]),
        (("tax", "7701234567", "RU"), ("Tax ID No.", "770123456812", "RU"), []),  # of another length: of another office
        (("tax", "7701234567", "RU"), ("Tax ID No.", "7701234567", "KZ"), []),
        (("tax", "7701234567", "RU"), ("Tax ID No.", "7701234568", "KZ"), []),
        (("tax", "7701234567", "RU"), ("Tax ID No.", "7701234567", None), [SAME]),
        (("tax", "770123", "RU"), ("Tax ID No.", "770123", None), []),  # too short to tell whose it is
        (("vat", "BE0454419759", "BE"), ("V.A.T. Number", "BE 454,419,759", "BE"), [SAME]),
        (("vat", "EL094259216", "GR"), ("Tax ID No.", "094259216", "GR"), [SAME]),
        (("register", "91320507582255256P", "CN"), ("Unified Social Credit Code (USCC)", "91320507582255256P", "CN"), [SAME]),
        (("tax", "91320507582255256P", "CN"), ("Unified Social Credit Code (USCC)", "91320507582255256P", "CN"), [SAME]),
        (("tax", "1234567", "PL"), ("Registration Number", "1234567", "PL"), []),
        (("register", "HRB 86891", "DE"), ("Registration Number", "HRB 86891", "DE"), [LOCAL]),  # of which court?
        (("register", "HRB 86891", "DE"), ("Registration Number", "HRB 86892", "DE"), []),
        (("register", "02696754", "GB"), ("UK Company Number", "2696754", "GB"), [SAME]),
        (("register", "11111111", "GB"), ("Company Number", "11111111", "GB"), []),  # nobody's
        (("tax", "123456789", "BG"), ("Tax ID No.", "123456789", "BG"), []),
        (("tax", "7701234567", "RU"), ("Passport", "7701234567", "RU"), []),
        (("tax", "7701234567", "RU"), ("Company Number IMO", "7701234567", "RU"), []),
    ],
)
def test_numbers(ours: Written, theirs: Written, kinds: list[str]) -> None:
    a, b = numbers_of([ours]), numbers_of([theirs])
    assert [told.kind for told in compare_numbers(a, b)] == kinds
    assert [told.kind for told in compare_numbers(b, a)] == kinds


def test_of_several_numbers_of_one_office_one_that_agrees_is_enough() -> None:
    ours = numbers_of([("tax", "7701234567", "RU"), ("register", "1037739709138", "RU")])
    theirs = numbers_of(
        [("Tax ID No.", "7701234568", "RU"), ("Tax ID No.", "7701234567", "RU"), ("Registration Number", "1037739709139", "RU")]
    )
    assert [(told.kind, told.ours) for told in compare_numbers(ours, theirs)] == [
        (SAME, "tax RU 7701234567"),
        (CONFLICT, "register RU 1037739709138"),
    ]


@pytest.mark.parametrize(
    ("ours", "theirs", "odds"),
    [
        (["1970-05-12"], ["1970-05-12"], BIRTH_EQUAL),
        (["1970-05-12"], ["1970-12-05"], BIRTH_PARTIAL),
        (["1970-05-12"], ["1970-05-13"], BIRTH_DAY_DIFFERS),
        (["1970-05-12"], ["1970-05"], BIRTH_PARTIAL),
        (["1970-05"], ["1970-06"], BIRTH_DAY_DIFFERS),
        (["1970-05-12"], ["1970"], BIRTH_PARTIAL),
        (["1970-05-12"], ["1970-01-01"], BIRTH_PARTIAL),  # who knows the year only, writes that
        (["1970-01-01"], ["1970-01-01"], BIRTH_PARTIAL),
        (["1970-05-12"], ["1971-05-12"], None),
        (["1970-05-12"], ["1972-05-12"], BIRTH_YEAR_DIFFERS),
        (["1970"], ["1990"], BIRTH_YEAR_DIFFERS),
        (["1970"], ["circa 1972"], BIRTH_PARTIAL),
        (["1970"], ["circa 1973"], None),
        (["1970"], ["circa 1975"], BIRTH_YEAR_DIFFERS),
        (["1970"], ["1968 to 1972"], BIRTH_PARTIAL),
        (["1970"], ["01 Jan 1961 to 31 Dec 1963"], BIRTH_YEAR_DIFFERS),
        (["1970-05-12"], ["1950", "1970-05-12"], BIRTH_EQUAL),
        (["1970-05-12"], ["1950", "1971"], None),
        (["1970-05-12"], ["unknown"], None),
        (["1970-05-12"], [], None),
        ([], [], None),
    ],
)
def test_dates_of_birth(ours: list[str], theirs: list[str], odds: float | None) -> None:
    for a, b in ((ours, theirs), (theirs, ours)):
        told = compare_births(births_of(a), births_of(b))
        assert (told.odds if told else None) == odds


@pytest.mark.parametrize(
    ("ours", "theirs", "odds"),
    [
        (("12 Kirova Str.", "Omsk", "RU"), ("d. 12, ul. Kirova", "Omsk 644099", "RU"), ADDRESS_STREET),
        (("12 Kirova Str., Omsk", None, "RU"), ("Kirova 12", "Omsk", "RU"), ADDRESS_STREET),
        (("12 Kirova Str.", "Omsk", "RU"), ("Kirova 12", "Tomsk", "RU"), None),  # every town has one
        (("Lenina 5", "Omsk 644099", "RU"), ("Kirova 12", "Omsk 644099", "RU"), ADDRESS_POSTAL),
        (("Lenina 5", "Moscow 123001", "RU"), ("Kirova 12", "Moscow 123001", "RU"), ADDRESS_POSTAL),
        ((None, "Omsk", "RU"), (None, "OMSK", "RU"), ADDRESS_CITY),
        ((None, "Омск", "RU"), (None, "Omsk", None), ADDRESS_CITY),
        (("Kirova 12, Omsk", None, "RU"), (None, "Omsk", "RU"), ADDRESS_CITY),
        ((None, "Moscow", "RU"), ("Tverskaya 1", "Moscow", "RU"), ADDRESS_LARGE_CITY),
        ((None, "Omsk", "RU"), (None, "Omsk", "KZ"), None),
        ((None, "Panama City", "PA"), (None, "Kansas City", None), None),
        (("Kirova 12", "Omsk", "RU"), ("Kirova 12", "Tomsk", "KZ"), None),
        (("Business Center, Floor 5", None, "AE"), ("Business Center, Office 5", None, "AE"), None),
        ((None, None, "RU"), (None, None, "RU"), None),
    ],
)
def test_addresses(ours: Any, theirs: Any, odds: float | None) -> None:
    for a, b in ((ours, theirs), (theirs, ours)):
        told = compare_places(places_of([a]), places_of([b]))
        assert (told.odds if told else None) == odds


def test_who_tells_nothing_has_no_facts() -> None:
    assert facts_of() is None
    assert facts_of(identifiers=[("Passport", "A 123", "IR")], addresses=[(None, None, "IR")], birth_dates=["unknown"]) is None


def test_parties_of_which_the_same_is_known_share_one_object() -> None:
    assert facts_of(addresses=[(None, "Omsk", "RU")]) is facts_of(addresses=[(None, "Omsk", "RU")])


TEXTS = st.sampled_from(["12 Kirova, 644099", "Lenina 5", "", "Omsk"])
FACTS = st.builds(
    facts_of,
    identifiers=st.lists(
        st.tuples(
            st.sampled_from(["lei", "tax", "register", "vat", "duns"]),
            st.sampled_from([LEI, OTHER_LEI, "7701234567", "7701234568", "150483782"]),
            st.sampled_from(["RU", "DE", None]),
        ),
        max_size=3,
    ),
    addresses=st.lists(st.tuples(TEXTS, st.sampled_from(["Omsk", "Moscow 123001", ""]), st.sampled_from(["RU", "KZ", None])), max_size=2),
    birth_dates=st.lists(st.sampled_from(["1970-05-12", "1970-12-05", "1970", "1971-05", "circa 1972", "1960 to 1969"]), max_size=2),
).filter(bool)


@given(FACTS, FACTS)
def test_both_sides_are_told_the_same(a: Facts, b: Facts) -> None:
    one, other = [*tell(a, b), *tell_places(a, b)], [*tell(b, a), *tell_places(b, a)]
    assert [(told.kind, told.ours, told.theirs, told.odds) for told in one] == [(t.kind, t.theirs, t.ours, t.odds) for t in other]
    assert odds_in_all(one) >= odds_of_finding(one)
    if decides(one):
        assert set(a.tokens) & set(b.tokens)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.one_of(st.none(), FACTS)), max_size=12), FACTS)
def test_after_any_changes_who_shares_is_found_as_if_known_anew(changes: list[tuple[str, Facts | None]], asked: Facts) -> None:
    known, last = KnownFacts(), {}
    for key, facts in changes:
        known.put(key, facts)
        last[key] = facts
    anew = KnownFacts()
    anew.restore(known.state())
    expected = sorted(key for key, facts in last.items() if facts and set(facts.tokens) & set(asked.tokens))
    assert list(known.sharing(asked)) == list(anew.sharing(asked)) == expected
    assert len(known) == sum(facts is not None for facts in last.values())
    for key in "abc":
        known.remove(key)
    assert (len(known), list(known.sharing(asked)), known._holders) == (0, [], {})
