"""The same input on both runtimes: the same suppliers, matches, ratings, decisions, changes, audits, cases and hot-spots, entry by entry."""

import csv
import io
import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.system.lists import OTHERS, official
from tests.system.plain import differences
from tests.system.running import System, running
from tests.system.story import Story, play

_COLUMNS = ("number", "name", "country", "other_names", "duns", "city", "goods", "owners", "upstream")
_STEMS = (
    "Zelmar",
    "Tarquenza",
    "Voruntek",
    "Brelvani",
    "Oskandru",
    "Pembridor",
    "Nordwella",
    "Kastolire",
    "Drumaveth",
    "Quindorro",
    "Yelvasque",
    "Hurmintal",
)
_TRADES = ("Overseas Freight", "Steel Works", "Textile Combine", "Mining Company Limited", "Trading LLC")
_COUNTRIES = ("RU", "CN", "IR", "TR", "DE", "MM")
_GOODS = ("5201:CN:CN-XJ", "5201:IN", "2605:CD", "6204:VN")
_OWNERS = ("Tavik Gromerios|RU|60", "Jurem Zharolvar|IR|30", "Ilse Northgrave|DE|100", "Tavik Gromerioss|RU|15")
_PEOPLE = {900: "GROMERIOS, Tavik", 901: "ZHAROLVAR, Jurem"}


def _names() -> list[str]:
    return [f"{stem} {trade}" for stem in _STEMS for trade in _TRADES]


def _crowd(first: int, count: int) -> tuple[dict[int, str], dict[int, str]]:
    """Names and long aliases of nobody, under numbers from `first` on; each makes a word of the others more common, so that it weighs otherwise."""
    rng = random.Random(first)
    coined = ["".join(rng.choice("bdfglmnprstvz") + rng.choice("aeiou") for _ in range(5)).upper() for _ in range(count * 2)]
    numbers = range(first, first + count)
    names = {uid: f"{one} {other} {rng.choice(_STEMS)}" for uid, one, other in zip(numbers, coined, coined[count:], strict=False)}
    return names, {uid: " ".join(rng.sample(coined, 40)) for uid in numbers}


def _releases() -> tuple[bytes, bytes]:
    """The second has lost one entry in ten, gained as many, and renamed some; and 500 more, which with them fill more than a batch of Kafka's of each
    partition: all suppliers must be held against an entry while the same others are known."""
    listed = [name.upper() for name in _names()[::2]]
    aliases = {200 + at: f"{name.split()[0]} GENERAL EXPORT" for at, name in enumerate(listed) if at % 5 == 0}
    crowd, called = _crowd(5_000, 1_000)
    aliases |= called
    first = (
        {uid: name.upper() for uid, name in enumerate(OTHERS, 100)}
        | {200 + at: name for at, name in enumerate(listed[:20])}
        | {900: _PEOPLE[900]}
        | {uid: name for uid, name in crowd.items() if uid < 5_500}
    )
    second = (
        {uid: name for uid, name in first.items() if uid % 10 != 3 or uid in crowd}
        | {200 + at: name for at, name in enumerate(listed[20:], 20)}
        | _PEOPLE
    )
    second |= crowd
    second |= {uid: f"{second[uid]} HOLDING" for uid in (205, 211) if uid in second}
    return official(first, {uid: one for uid, one in aliases.items() if uid in first}), official(
        second, {u: a for u, a in aliases.items() if u in second}
    )


def _typo(name: str, rng: random.Random) -> str:
    at = rng.randrange(1, len(name.split()[0]) - 1)
    return name[:at] + rng.choice("aeioulnrst") + name[at + rng.randint(0, 1) :]


def _suppliers() -> list[dict[str, str]]:
    """Some of nobody; listed names as they are, in another case or legal form, mistyped, by an alias; with owners, goods and upstream.

    Those of nobody first: a batch that begins with one once told of everybody's screening before it told of any match.
    """
    rng = random.Random(11)
    found = [
        {"number": f"C{at}", "name": f"Lakeside Berry House {word}", "country": "PT", "goods": "0810:PT"}
        for at, word in enumerate("ABCDEFGHIJKL")
    ]
    for at, name in enumerate(_names()):
        other = (name, name.lower(), name.replace("Company Limited", "Co., Ltd."), _typo(name, rng), f"{name.split()[0]} General Export")[
            at % 5
        ]
        found.append({
            "number": f"P{at}", "name": other, "country": rng.choice(_COUNTRIES),
            "other_names": f"{_STEMS[at % len(_STEMS)]} Group" if at % 7 == 0 else "",
            "owners": ";".join(rng.sample(_OWNERS, at % 3)) if at % 4 == 0 else "",
            "goods": ";".join(rng.sample(_GOODS, rng.randint(0, 2))),
            "upstream": ";".join(sorted({f"P{rng.randrange(60)}" for _ in range(at % 3)} - {f"P{at}"})),
        })  # fmt: skip
    return found


def _csv(rows: list[dict[str, str]]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, _COLUMNS, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def _story() -> Story:
    rows = _suppliers()
    changed = [row | {"name": f"{row['name']} Newly Named"} if at % 2 else row for at, row in enumerate(rows[8:28])]
    changed += [
        {"number": "N1", "name": "Brelvani Steel Works", "country": "CN"},
        {"number": "N2", "name": "Of No Country", "country": "ZZ"},
    ]
    told = (
        {"kind": "party", "name": rows[2]["name"], "country": "PT"},
        {"kind": "party", "name": rows[13]["name"], "country": "RU"},
        {"kind": "exposure", "hs": "5201", "origin": "CN", "region": "CN-XJ"},
        {"kind": "exposure", "hs": "0810", "origin": "PT"},
    )
    return Story(_releases(), _csv(rows), _csv(changed), told)


@pytest.mark.timeout(300)
def test_both_runtimes_show_the_same(distributed_runtime: Callable[[], AbstractContextManager[System]], tmp_path: Path) -> None:
    story = _story()
    with running(tmp_path / "embedded") as system:
        one = play(story, system)
    with distributed_runtime() as system:
        other = play(story, system)
    for section in ("suppliers", "matches", "ratings", "histories", "feed", "audits", "cases", "findings", "releases", "sweeps", "why"):
        assert one[section], section
    assert one["dead-letters"] == {}
    assert differences(one, other) == []
