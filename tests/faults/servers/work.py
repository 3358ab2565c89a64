"""What every test has the system do: suppliers come, by import and one by one, and a list goes from one release to the other.

All tests have the same done, each in a tenant of its own, so that what comes of it can be held against a run in which nothing went wrong.
Nobody of these names exists.
"""

import random
import time
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from tests.faults.servers.world import Caller
from tests.system.lists import LIST, official

IMPORTED, SINGLE, LISTED = 1_100, 12, 24  # an import of three batches
SUPPLIERS = IMPORTED + SINGLE
_THIRD = LISTED // 3  # names of entries that are in both releases, in the first only, in the second only
_KEPT, _SWAPPED = 200, 540  # entries of both releases, and of each one alone: changes of three batches
_T = TypeVar("_T")


@cache
def names() -> list[str]:
    """Made-up names of two words, all different."""
    rng = random.Random(4)
    parts = ["".join(pair) for first in "bdfgklmnprstvz" for pair in ((first, a, b) for a in "aeiou" for b in "lnrskx")]
    words = sorted({rng.choice(parts) + rng.choice(parts) + rng.choice(parts) for _ in range(6_000)})
    rng.shuffle(words)
    return [f"{one} {other} Works".title() for one, other in zip(words[::2], words[1::2], strict=False)]


def _entries(release: str) -> dict[int, str]:
    """uid -> name."""
    own = range(_KEPT, _KEPT + _SWAPPED) if release == "a" else range(_KEPT + _SWAPPED, _KEPT + 2 * _SWAPPED)
    if release == "few":
        own = (*range(_KEPT + _THIRD, _KEPT + _SWAPPED), *own[:_THIRD])
    return {place + 1: names()[place].upper() for place in (*range(_KEPT), *own)}


@cache
def release(which: str) -> bytes:
    """The file of release "a" or "b", or of "few", which is "a" with as much of "b" as touches somebody. Once, for a zip made again holds another time, and so is another body."""
    return official(_entries(which))


def _misspelt(name: str) -> str:
    """Another letter in its midst: a match that a person looks at, not one that blocks."""
    return f"{name[:4]}{'a' if name[4] != 'A' else 'e'}{name[5:]}"


@cache
def suppliers() -> dict[str, str]:
    """number -> name; the first of them bear the names of entries that are in both releases, in the first, in the second only."""
    a, b = _entries("a"), _entries("b")
    listed = [(a | b)[uid] for of in (a.keys() & b.keys(), a.keys() - b.keys(), b.keys() - a.keys()) for uid in sorted(of)[:_THIRD]]
    listed = [_misspelt(name) if n % 3 == 2 else name for n, name in enumerate(listed)]
    everyone = listed + names()[_KEPT + 2 * _SWAPPED :][: SUPPLIERS - LISTED]
    random.Random(5).shuffle(everyone)
    return {f"N{n:04}": name.title() for n, name in enumerate(everyone)}


def until(ask: Callable[[], _T], wanted: Callable[[_T], object], seconds: float = 120.0) -> _T:
    """Asks until the answer is as wanted; fails with the last one."""
    end = time.monotonic() + seconds
    while not wanted(found := ask()):
        assert time.monotonic() < end, found
        time.sleep(0.05)
    return found


class Work:
    """Of one tenant. Each command has a key, so that it may be repeated until it is answered."""

    def __init__(self, caller: Caller, tenant: str) -> None:
        self.caller, self.tenant = caller, tenant

    def begin_import(self) -> str:
        """Hands in the file; the import's id."""
        numbers = sorted(suppliers())[:IMPORTED]
        rows = "number,name,country\n" + "".join(f'{number},"{suppliers()[number]}",RU\n' for number in numbers)
        path, csv = "/v1/supplier-imports?source_system=S4&mode=apply", {"Content-Type": "text/csv"}
        return str(self.caller.ask("POST", path, f"{self.tenant} import", content=rows.encode(), headers=csv).json()["id"])

    def progress(self, import_id: str) -> Any:
        """An import as it stands."""
        return self.caller.get(f"/v1/supplier-imports/{import_id}")

    def end_import(self, import_id: str) -> None:
        """Waits for it: every row made a supplier."""
        done = until(lambda: self.progress(import_id), lambda job: job["state"] != "running")
        assert (done["state"], done["rows"], done["created"], done["rejected"]) == ("done", IMPORTED, IMPORTED, 0), done

    def register(self) -> list[str]:
        """Those who come one by one; the ids that were answered."""
        made = []
        for number in sorted(suppliers())[IMPORTED:]:
            body = {"external_refs": [{"system": "S4", "number": number}], "name": suppliers()[number], "country": "RU"}
            made.append(self.caller.ask("POST", "/v1/suppliers", f"{self.tenant} {number}", json=body).json()["id"])
        return made

    def begin_release(self, which: str) -> str:
        """Hands in a release; its id."""
        path, headers = f"/v1/lists/{LIST}/releases", {"Content-Type": "application/zip"}
        key = f"{self.tenant} {which} {time.monotonic_ns()}"
        return str(self.caller.ask("POST", path, key, content=release(which), headers=headers).json()["id"])

    def end_release(self, release_id: str) -> Any:
        """Waits until it is held against all suppliers; its sweep, None where it changed nothing."""
        path = f"/v1/lists/{LIST}/releases/{release_id}"
        found = until(lambda: self.caller.get(path), lambda r: r["published"] or r["state"] not in ("received", "accepted"))
        if found["state"] == "unchanged":
            return None
        assert found["state"] == "accepted", found
        sweep = until(lambda: self._sweep(found["sweep_id"]), lambda s: s.get("state") == "complete")
        assert sweep["partitions_done"] == sweep["partitions"], sweep
        return sweep

    def _sweep(self, sweep_id: str) -> Any:
        return self.caller.ask("GET", f"/v1/sweeps/{sweep_id}", known=False).json()

    def decisions(self) -> dict[str, str]:
        """number -> what the gate says to a purchase order, "unknown" where it knows no such supplier."""
        numbers, said = sorted(suppliers()), dict[str, str]()
        for at in range(0, len(numbers), 500):
            part = numbers[at : at + 500]
            items = [{"supplier_ref": {"system": "S4", "number": number}, "effect": "purchase_order"} for number in part]
            answers = self.caller.ask("POST", "/v1/decisions", json={"items": items}).json()["items"]
            said |= {n: a["decision"] if a["supplier_id"] else "unknown" for n, a in zip(part, answers, strict=True)}
        return said

    def feed(self) -> list[str]:
        """Ids of the changes that partners are told of, in their order."""
        found: list[str] = []
        after = ""
        while (page := self.caller.get(f"/v1/risk-changes?limit=500{after}"))["items"]:
            found += [event["id"] for event in page["items"]]
            after = f"&after={page['next']}"
        return found

    def ready(self) -> list[str]:
        """The list is at its first release, and everyone is known: what a test begins with that is about a release. Ids of whom it registered."""
        self.end_release(self.begin_release("a"))
        import_id, registered = self.begin_import(), self.register()
        self.end_import(import_id)
        until(self.decisions, lambda said: "unknown" not in said.values())
        return registered
