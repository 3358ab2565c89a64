"""Words for goods and regions to codes: the shipped table is sound, and what is not in it touches nobody."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intelligence.lists import goods, regions


def test_the_table_is_sound_and_sorted() -> None:
    table = goods.table()
    with goods.TABLE.open(encoding="utf-8") as file:
        assert len(table) == sum(1 for _ in file) - 1 >= 190
    names = [goods.folded(good.name) for good in table.values()]
    assert all(a < b for a, b in pairwise(names))
    for good in table.values():
        assert all(
            re.fullmatch(r"[0-9]{2}|[0-9]{4}|[0-9]{6}", code) and "01" <= code[:2] <= "97" and code[:2] != "77" for code in good.codes
        )
        assert list(good.codes) == sorted(good.codes)
        assert not any(a != b and a.startswith(b) for a in good.codes for b in good.codes), good.name
    assert [good.name for good in table.values() if not good.codes] == ["Pornography"]
    assert all(good.note for good in table.values() if not good.codes)


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("Cotton", "Cotton"),
        ("cotton", "Cotton"),
        ("Acai berries", "Açaí Berries"),
        ("brick", "Bricks"),
        ("Beans (green beans)", "Beans (green beans)"),
        ("Carpets (wool, hand-knotted)", "Carpets"),
        ("Thread / Yarn", "Thread/Yarn"),
        ("Unheard-of thing", None),
        ("", None),
        ("(x)", None),
        ("x" * 10_000, None),
    ],
)
def test_a_good_by_its_name(word: str, name: str | None) -> None:
    found = goods.find(word)
    assert (found.name if found else None) == name


def test_goods_in_a_sentence_longest_name_first() -> None:
    def named(sentence: str) -> list[str]:
        return [good.name for good in goods.mentioned(sentence)]

    assert named("All Turkmenistan Cotton or products of it") == ["Cotton"]
    assert named("Cottonseed, and crude palm oil") == ["Crude Palm Oil"]
    assert named("tomatoes and peeled garlic") == ["Peeled Garlic", "Tomatoes"]
    assert named("nothing of the kind") == []


@pytest.mark.parametrize(
    "word",
    [
        "XUAR",
        "Xinjiang",
        "Xinjiang Uygur Autonomous Region",
        "XINJIANG UYGHUR",
        "East Turkestan",
        "新疆",
        "cn-xj",
        "Xinjiang Uygur Zizhiqu",
    ],
)
def test_xinjiang_by_all_its_names(word: str) -> None:
    assert regions.code(word, "CN") == "CN-XJ"
    assert regions.code(word, "IN") is None


def test_regions_by_the_standards_names_only_within_their_country() -> None:
    assert (regions.code("Sichuan", "CN"), regions.code("Sichuan Province", "CN"), regions.code("Sichuan")) == ("CN-SC", "CN-SC", None)
    assert regions.code("Uttar Pradesh", "IN") == "IN-UP"
    assert (regions.code("Nowhere", "CN"), regions.code("", "CN"), regions.code("x" * 999, "CN")) == (None, None, None)
    assert regions.mentioned("goods of Xinjiang and of North Kivu") == ("CD-NK", "CN-XJ")
    assert regions.mentioned("goods of Xinjiang", "CD") == ()
    assert regions.mentioned("tar and feathers", "CN") == ()


@given(st.text(max_size=60))
def test_any_word_is_looked_up_without_harm(word: str) -> None:
    goods.find(word), goods.mentioned(word), regions.code(word, "CN"), regions.mentioned(word)
