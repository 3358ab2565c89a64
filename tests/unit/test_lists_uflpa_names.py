"""The text of a name on the UFLPA Entity List: its own name, aliases, former names, and the parties it lists as its own."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intelligence.lists.uflpa_names import Names, parse


def names(text: str) -> tuple[str, tuple[str, ...], tuple[str, ...], list[str]]:
    told = parse(text)
    return told.primary, told.aliases, told.former, [one.primary for one in told.subsidiaries]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Lop Blue Trade and Business Co., Ltd.", ("Lop Blue Trade and Business Co., Ltd.", (), (), [])),
        ("No. 9 Training Center (VSETC)", ("No. 9 Training Center (VSETC)", (), (), [])),
        ("Ho Co. Ltd. (and two aliases: Haolin (Old) Hair; and Hollin Hair)", ("Ho Co. Ltd.", ("Haolin (Old) Hair", "Hollin Hair"), (), [])),
        ("Ta Co., Ltd (and one alias: Ta TEDA)", ("Ta Co., Ltd", ("Ta TEDA",), (), [])),
        ("Si (Shan) Co., Ltd (including one alias: He (Shan) Co.) and subsidiaries", ("Si (Shan) Co., Ltd", ("He (Shan) Co.",), (), [])),
        ("Corps (including three aliases: XC; X Corps; and Bing) and its subordinate and affiliated entities", ("Corps", ("XC", "X Corps", "Bing"), (), [])),
        ("Aku Textiles Co. (including two aliases: Aku and Aku Yarn)", ("Aku Textiles Co.", ("Aku", "Aku Yarn"), (), [])),
        ("Mo (including four aliases: A Co., Ltd., B, C, and D)", ("Mo", ("A Co., Ltd.", "B", "C", "D"), (), [])),
        ("An Co., Ltd. (formerly known as Chao Co., Ltd.)", ("An Co., Ltd.", (), ("Chao Co., Ltd.",), [])),
        ("Hu Co. (also known as Hu Yarn Co., Ltd. and formerly known as Old Hu Co., Ltd.)", ("Hu Co.", ("Hu Yarn Co., Ltd.",), ("Old Hu Co., Ltd.",), [])),
        ("Ji (also known as Jing; and formerly known as Mian and Sons)", ("Ji", ("Jing",), ("Mian and Sons",), [])),
        ("Ac Co., Ltd., also known as Ac Holding", ("Ac Co., Ltd.", ("Ac Holding",), (), [])),
        ("Fo (a.k.a. Bar; f/k/a Baz)", ("Fo", ("Bar",), ("Baz",), [])),
        ("Fo (also known as Bar) (formerly known as (old) Thing)", ("Fo", ("Bar",), ("(old) Thing",), [])),
        (
            "Ni Corporation and its three Zhu-based subsidiaries, which include Zhu IT Co. Ltd., Apex Co., Ltd., and Kui Trade and Business Co., Ltd.",
            ("Ni Corporation", (), (), ["Zhu IT Co. Ltd.", "Apex Co., Ltd.", "Kui Trade and Business Co., Ltd."]),
        ),
        ("Bio Group Co., Ltd. and its subsidiary Bio Yan Co. Ltd.", ("Bio Group Co., Ltd.", (), (), ["Bio Yan Co. Ltd."])),
        ("Zi Co. and two of its subsidiaries, which include Xin Co., Ltd. and Ha Co.", ("Zi Co.", (), (), ["Xin Co., Ltd.", "Ha Co."])),
        ("Es Group (including its subsidiaries: Chang Co.; and Tur)", ("Es Group", (), (), ["Chang Co.", "Tur"])),
        ("Corps (XP) and its affiliated entities (including two aliases: XC; and Bing)", ("Corps (XP)", ("XC", "Bing"), (), [])),
        ("Es (EG) and two subsidiaries (also known as Ee): Chang Co.; and Tur", ("Es (EG)", ("Ee",), (), ["Chang Co.", "Tur"])),
        ("Ten Co., Ltd., and Subsidiaries", ("Ten Co., Ltd.", (), (), [])),
        ("Services and Affiliates Holding", ("Services and Affiliates Holding", (), (), [])),
        ("  Un\u00a0closed Co (including one alias: X", ("Un closed Co", ("X",), (), [])),
        ("Odd (", ("Odd (", (), (), [])),
        ("", ("", (), (), [])),
    ],
)  # fmt: skip
def test_what_a_text_says(text: str, expected: tuple[str, tuple[str, ...], tuple[str, ...], list[str]]) -> None:
    assert names(text) == expected


def test_aliases_of_a_subsidiary_are_its_own() -> None:
    told = parse("Es Group (also known as EG) and its two subsidiaries, including Chang Co. (also known as Yi); and Tur")
    assert told == Names(
        primary="Es Group", aliases=("EG",), subsidiaries=(Names(primary="Chang Co.", aliases=("Yi",)), Names(primary="Tur")), told=2
    )  # fmt: skip
    assert told.found == 3


PIECES = st.sampled_from(
    ["(", ")", "; ", ", ", " and ", " Co., Ltd.", "also known as ", "formerly known as ", "including two aliases: ", "and its eight subsidiaries, "
     "which include ", "A", "Bee", "a.k.a. ", "\u00fc", "&", " "]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=40).map("".join))
def test_any_text_is_read(text: str) -> None:
    told = parse(text)
    assert told.primary not in (*told.aliases, *told.former)


@pytest.mark.parametrize(
    "piece", ["(", "a.k.a. ", " and ", "A and B; ", "(including one alias: ", " and its one subsidiary, which include A", ",;"]
)
def test_a_hostile_text_takes_no_longer(piece: str) -> None:
    started = time.monotonic()
    parse(piece * 20_000)
    assert time.monotonic() - started < 5
