"""ADD, MOD and DEL between two whole releases, entry by entry, against a plain comparison of the rows that each entry has in the four files."""

import csv
import io
import random
from collections import defaultdict
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.intelligence.service import SERVICE
from tests.services.harness import Harness, harness
from tests.services.intelligence_lists import LIST, load, zipped

Tables = dict[str, list[list[str]]]
_NULL = "-0- "


@pytest.fixture
async def h(tmp_path: Path) -> AsyncIterator[Harness]:
    async with harness(tmp_path, SERVICE) as started:
        yield started


def release(chance: random.Random, before: Tables | None = None) -> Tables:
    """A first release, or the next one: a tenth of the entries go, some are renamed, lose or gain an alias, an address or a comment, others come."""
    if before is None:
        uids, tables = list(range(1, 301)), Tables({name: [] for name in ("SDN.CSV", "ALT.CSV", "ADD.CSV", "SDN_COMMENTS.CSV")})
    else:
        kept = {row[0] for row in before["SDN.CSV"] if chance.random() > 0.1}
        tables = {name: [list(row) for row in rows if row[0] in kept and _stays(chance, name)] for name, rows in before.items()}
        for row in tables["SDN.CSV"]:
            if chance.random() < 0.1:
                column = chance.choice([1, 3, 11])
                row[column] += chance.choice("AB" if column == 11 else " AB")  # a blank is padding; but comments go on behind remarks
        uids = list(range(301, 341))
    for uid in map(str, uids):
        kind = chance.choice([_NULL, "individual", "vessel"])
        tables["SDN.CSV"].append([uid, f"PARTY {uid}", kind, "CUBA", *[_NULL] * 7, f"DOB 1 Jan 19{int(uid) % 90 + 10}"])
        for n in range(chance.randrange(3)):
            tables["ALT.CSV"].append([uid, str(n), "aka", f"ALIAS {n} OF {uid}", _NULL])
        for n in range(chance.randrange(2)):
            tables["ADD.CSV"].append([uid, str(n), f"Street {n}", "Havana", "Cuba", _NULL])
        if chance.random() < 0.1:
            tables["SDN_COMMENTS.CSV"].append([uid, f"; Linked To: PARTY {uid}X"])
    for rows in tables.values():
        chance.shuffle(rows)
    return {name: [list(row) for row in rows] for name, rows in tables.items()}


def _stays(chance: random.Random, name: str) -> bool:
    return name == "SDN.CSV" or chance.random() > 0.05


def written(tables: Tables) -> bytes:
    found: dict[str, bytes] = {}
    for name, rows in tables.items():
        out = io.StringIO()
        csv.writer(out).writerows(rows)
        found[name] = out.getvalue().encode() + b"\x1a"
    return zipped(found)


def by_entry(tables: Tables) -> dict[str, Any]:
    """uid -> all that the release says of it, whatever the order and the padding."""
    said: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for name, rows in tables.items():
        for row in rows:
            said[row[0]].add((name, *(cell.strip() for cell in row)))
    return {row[0]: said[row[0]] for row in tables["SDN.CSV"]}


@pytest.mark.parametrize("seed", range(3))
async def test_changes_are_those_of_a_plain_comparison(h: Harness, seed: int) -> None:
    chance = random.Random(seed)
    old_tables = release(chance)
    new_tables = release(chance, old_tables)
    old, new = by_entry(old_tables), by_entry(new_tables)
    wanted = dict.fromkeys(new.keys() - old.keys(), "added") | dict.fromkeys(old.keys() - new.keys(), "deleted")
    wanted |= {uid: "modified" for uid in old.keys() & new.keys() if old[uid] != new[uid]}
    assert set(wanted.values()) == {"added", "modified", "deleted"}
    await load(h, written(old_tables))
    second = await load(h, written(new_tables))
    assert second["state"] == "accepted"
    for kind in ("added", "modified", "deleted"):
        assert second[kind] == sum(change == kind for change in wanted.values())
    for uid in old | new:
        answer = await h.client("analyst").get(f"/v1/lists/{LIST}/entries/{uid}?withdrawn=true")
        last = answer.json()["history"][-1]
        assert (last["change"] if last["release_id"] == second["id"] else None) == wanted.get(uid), uid
