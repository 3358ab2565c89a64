"""The index with facts beside names: found by a number or a day of birth alone, stronger or weaker by the rest, alike whichever side asks."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.screening.matching.asking import Hit
from services.screening.matching.facts import Facts, facts_of
from services.screening.matching.index import IndexState, NameIndex
from services.screening.matching.model import REVIEW, STRONG

LEI, OTHER_LEI = "529900T8BM49AURSDO55", "5493001KJTIIGC8Y1R12"
TAX = ("Tax ID No.", "7701234567", "RU")
OUR_TAX, OTHER_TAX = ("tax", "7701234567", "RU"), ("tax", "7701234568", "RU")
FIRM, MAN = "Romashka Zelenograd LLC", "SMIRNOV, Ivan Petrovich"


def known(
    *identifiers: tuple[str, str, str | None], born: str = "", at: tuple[str | None, str | None, str | None] | None = None
) -> Facts | None:
    return facts_of(identifiers=identifiers, birth_dates=[born] if born else [], addresses=[at] if at else [])


def asked(
    listed: str,
    ours: str,
    theirs: Facts | None,
    mine: Facts | None,
    *,
    schema: str = "organisation",
    threshold: float = REVIEW,
    **more: Any,
) -> list[Hit]:
    index = NameIndex()
    index.put("k", [listed], schema=schema, countries=more.pop("listed_in", ["RU"]), facts=theirs)
    return index.search([ours], schema=schema, facts=mine, threshold=threshold, **more)


def kinds(hit: Hit) -> set[str]:
    return {why.kind for why in hit.why}


@pytest.mark.parametrize(("theirs", "ours"), [(TAX, OUR_TAX), (("LEI", LEI, None), ("lei", LEI, None))])
def test_an_equal_number_is_found_and_strong_whatever_the_name(theirs: tuple[str, str, str], ours: tuple[str, str, str]) -> None:
    for name in ("Berezka Optika", "Ltd", "ZELENOGRAD ROMASHKA"):
        (hit,) = asked(FIRM, name, known(theirs), known(ours), countries=["DE"])
        assert (hit.key, hit.name, hit.asked) == ("k", FIRM, name)
        assert hit.score >= STRONG
        assert "identifier" in kinds(hit)
        assert "name_only" not in kinds(hit)
    assert asked(FIRM, "Berezka Optika", known(theirs), known(ours), keys=lambda key: key != "k") == []


def test_and_though_its_list_has_no_telling_name() -> None:
    (hit,) = asked("Company Limited", FIRM, known(TAX), known(OUR_TAX))
    assert hit.score >= STRONG
    assert [why.kind for why in hit.why if why.score > 0] == ["identifier"]


def test_a_weak_alias_weakens_no_number() -> None:
    (hit,) = asked(FIRM, "Berezka Optika", known(TAX), known(OUR_TAX), weak=True)
    assert hit.score >= STRONG


def test_another_number_takes_an_equal_name_from_strong_to_review() -> None:
    (hit,) = asked(FIRM, FIRM, known(TAX), known(OTHER_TAX), countries=["RU"])
    assert hit.score >= REVIEW
    assert not hit.certain
    assert "identifier_conflict" in kinds(hit)


def test_an_equal_name_in_another_country_is_strong_and_said_to_be_all() -> None:
    for mine in (None, known(("lei", LEI, None)), known(at=(None, "Bonn", "DE"))):
        (hit,) = asked(FIRM, FIRM, known(TAX, at=("Kirova 12", "Omsk", "RU")), mine, countries=["DE"])
        assert hit.score >= STRONG
        assert {"name_only", "country_differs"} <= kinds(hit)
    (hit,) = asked(FIRM, FIRM, None, None, countries=["RU"])
    assert "name_only" not in kinds(hit)
    (hit,) = asked(FIRM, f"{FIRM} Optika", None, None, countries=["DE"])
    assert "name_only" not in kinds(hit)


def test_an_address_makes_stronger_what_the_name_has_found_and_finds_nobody() -> None:
    here, there = known(at=("Kirova 12", "Omsk", "RU")), known(at=("Lenina 5", "Tver", "RU"))
    (bare,) = asked(FIRM, "Romashka Zelenograd Optika", here, there)
    (near,) = asked(FIRM, "Romashka Zelenograd Optika", here, here)
    assert near.score > bare.score
    assert [("address" in kinds(hit)) for hit in (near, bare)] == [True, False]
    assert asked(FIRM, "Berezka Optika", here, here) == []


def test_a_person_of_the_same_name_born_years_apart_alerts_nobody() -> None:
    for name in (MAN, "Ivan Smirnov"):
        assert asked(MAN, name, known(born="1950-03-01"), known(born="1970"), schema="person", countries=["RU"]) == []
        assert asked(MAN, name, known(born="1950-03-01"), None, schema="person", countries=["RU"])


def test_born_on_the_same_day_is_strong() -> None:
    (hit,) = asked(MAN, "Ivan Smirnov", known(born="1950-03-01"), known(born="1950-03-01"), schema="person")
    assert hit.score >= STRONG
    assert "birth_date" in kinds(hit)
    (partly,) = asked(MAN, "Ivan Smirnov", known(born="1950-03-01"), known(born="1950"), schema="person")
    (bare,) = asked(MAN, "Ivan Smirnov", known(born="1950-03-01"), None, schema="person")
    assert bare.score < partly.score < hit.score


def test_what_is_strong_by_it_is_strong_for_who_asks_for_strong_ones_only() -> None:
    (hit,) = asked(MAN, "Ivan Smirnov", known(born="1950-03-01"), known(born="1950-03-01"), schema="person", threshold=STRONG)
    assert hit.score >= STRONG
    assert asked(MAN, "Ivan Smirnov", known(born="1950-03-01"), None, schema="person", threshold=STRONG) == []


def test_a_name_that_alone_would_not_do_is_found_by_the_day_of_birth() -> None:
    name = "Iwan Smyrnow"
    assert asked("SMIRNOV, Ivan Petrovich Aleksandrovich", name, known(born="1950-03-01"), None, schema="person") == []
    (hit,) = asked("SMIRNOV, Ivan Petrovich Aleksandrovich", name, known(born="1950-03-01"), known(born="1950-03-01"), schema="person")
    assert hit.key == "k"
    assert asked(MAN, "Olga Berezina", known(born="1950-03-01"), known(born="1950-03-01"), schema="person") == []


NAMES = st.sampled_from(
    ["Romashka Zelenograd LLC", "Romaska Zelenograd", "Zelenograd Romashka Optika", "Berezka Optika JSC", "Optika Kontakt", "Ltd"]
)
NUMBERS = st.sampled_from([TAX, OUR_TAX, OTHER_TAX, ("lei", LEI, None), ("lei", OTHER_LEI, None)])
PARTIES = st.tuples(
    NAMES,
    st.sampled_from([(), ("RU",), ("DE",)]),
    st.one_of(
        st.none(),
        st.builds(
            lambda numbers, at, born: facts_of(identifiers=numbers, addresses=at, birth_dates=born),
            st.lists(NUMBERS, max_size=2),
            st.lists(st.sampled_from([("Kirova 12", "Omsk", "RU"), (None, "Moscow", "RU"), ("Kirova 12, Omsk", None, None)]), max_size=1),
            st.lists(st.sampled_from(["1950-03-01", "1950", "1970-01-02"]), max_size=1),
        ),
    ),
)


@given(
    st.lists(PARTIES, min_size=1, max_size=4),
    PARTIES,
    st.sampled_from(["organisation", "person"]),
    st.sampled_from([0.1, REVIEW, 0.8, STRONG]),
)
@settings(max_examples=300, deadline=None)
def test_a_pair_scores_the_same_whichever_side_asks(listed: list[Any], ours: Any, schema: str, threshold: float) -> None:
    signals = NameIndex()
    suppliers = NameIndex(signals.corpus)
    for key, (name, lands, facts) in enumerate(listed):
        signals.put(str(key), [name], schema=schema, countries=lands, facts=facts)
    suppliers.put("s", [ours[0]], schema=schema, countries=ours[1], facts=ours[2])
    forth = signals.search([ours[0]], schema=schema, countries=ours[1], facts=ours[2], threshold=threshold)
    back = {
        str(key): hit
        for key, (name, lands, facts) in enumerate(listed)
        for hit in suppliers.search([name], schema=schema, countries=lands, facts=facts, threshold=threshold)
    }
    assert {hit.key: hit.score for hit in forth} == {key: hit.score for key, hit in back.items()}
    for hit in forth:
        turned = sorted((w.kind, w.b, w.a) for w in back[hit.key].why)
        if "Ltd" not in (ours[0], listed[int(hit.key)][0]):  # which no index keeps, so that it cannot say what is missing in it
            assert turned == sorted((w.kind, w.a, w.b) for w in hit.why)


@given(st.lists(PARTIES, min_size=1, max_size=4), PARTIES)
@settings(max_examples=50, deadline=None)
def test_what_is_kept_finds_the_same_and_is_removed_with_its_party(parties: list[Any], ours: Any) -> None:
    listed = NameIndex()
    index, again = NameIndex(listed.corpus), NameIndex(listed.corpus)
    for key, (name, lands, facts) in enumerate(parties):
        index.put(str(key), [name], countries=lands, facts=facts)
    again.restore(msgspec.msgpack.decode(msgspec.msgpack.encode(index.state()), type=IndexState))

    def found(where: NameIndex) -> list[Hit]:
        return where.search([ours[0]], countries=ours[1], facts=ours[2], threshold=REVIEW)

    assert found(again) == found(index)
    for key in range(len(parties)):
        again.remove(str(key))
    assert (found(again), len(again._facts)) == ([], 0)
