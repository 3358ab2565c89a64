"""Everything that people and programs can see of a running system, by names that do not depend on the run."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import httpx

from tests.system.lists import LIST, get
from tests.system.plain import HOUR, Plain

EFFECTS = ("purchase_order", "new_site", "payment")
_AT_ONCE = 8  # requests
_OF_A_CALL = 500  # decisions
Section = dict[str, Any]


def _settled(rating: Any) -> Any:
    """A rating without what it was heard from last: audits, cases and other suppliers answer in the order in which they come to it.

    Drivers of one weight that findings gave stand by the findings' ids, which are of the run.
    """
    drivers = sorted(rating.get("drivers", ()), key=lambda one: (-one["points"], json.dumps(one, sort_keys=True)))
    return {key: value for key, value in rating.items() if key not in ("cause", "version")} | {"drivers": drivers}


def _moves(items: list[Any], *, linked: bool) -> Any:
    """Of a history what no race decides: what screening told that led to a rating, in order; how the tier moved, but for who inherits.

    Who hears first, a supplier of its own screening or of its supplier's rating, is open on either runtime: between two rests it may go other ways.
    """
    tiers = [one["tier"] for one in items]
    told = [one["cause"]["type"] for one in items]
    kept = [type_ for type_ in told if type_.startswith(("duewatch.match.", "duewatch.supplier."))]
    return {"told": kept, "tiers": [] if linked else [tier for at, tier in enumerate(tiers) if not at or tier != tiers[at - 1]]}


def _told(changes: list[Any], *, linked: bool) -> list[Any]:
    """What the feed tells of a supplier, in order; of one that inherits the way from rest to rest, for each change in the world."""
    if not linked:
        return changes
    ways: dict[str, list[str]] = {}
    for change in changes:
        data = change["data"]
        way = ways.setdefault(change["correlationid"], [data["previous_tier"] or "low", ""])
        way[1] = data["tier"]
    return [[cause, *way] for cause, way in ways.items() if way[0] != way[1]]


def _driven(why: Any) -> Any:
    """A chain of causes; of a rating that nothing drives only that it stands, for the rest leads to what was heard from last."""
    driven = any("driver" in link.get("data", {}) for link in why["chain"])
    return why if driven else why["chain"][:2]


class Eyes:
    """Reads a system for one who may see all of it; `plain` knows the names of what was sent."""

    def __init__(self, client: httpx.Client, plain: Plain) -> None:
        self._client, self.plain = client, plain

    def pages(self, path: str) -> Iterator[Any]:
        """All items."""
        mark, cursor = "&" if "?" in path else "?", ""
        while True:
            page = get(self._client, f"{path}{mark}limit=500{cursor}")
            yield from page["items"]
            if not page["next"]:
                return
            cursor = f"&cursor={page['next']}"

    def feed(self) -> list[Any]:
        """All risk changes."""
        found, after = list[Any](), ""
        while (page := get(self._client, f"/v1/risk-changes?limit=500{after}"))["items"]:
            found, after = found + page["items"], f"&after={page['next']}"
        return found

    def decisions(self, suppliers: list[str], effect: str) -> list[Any]:
        """The gate's answers, in the order asked."""
        items = [{"supplier_id": one, "effect": effect} for one in suppliers]
        found = []
        for at in range(0, len(items), _OF_A_CALL):
            answer = self._client.post("/v1/decisions", json={"items": items[at : at + _OF_A_CALL]}).raise_for_status()
            found += answer.json()["items"]
        return found

    def stand(self) -> Section:
        """Every supplier's status, tier and the gate's word, as it is now."""
        suppliers = list(self.pages("/v1/suppliers"))
        said = self.decisions([one["id"] for one in suppliers], EFFECTS[0])
        pairs = zip(suppliers, said, strict=True)
        return {one["external_refs"][0]["number"]: [one["status"], one["tier"], word["decision"]] for one, word in pairs}

    def glance(self) -> Any:
        """Enough to see whether it still moves."""
        suppliers = list(self.pages("/v1/suppliers"))
        kinds = ("matches", "audits", "cases", "hotspots", "findings")
        words = [[one["decision"], one["data_as_of"]] for one in self.decisions([one["id"] for one in suppliers], EFFECTS[0])]
        return [suppliers, [list(self.pages(f"/v1/{kind}")) for kind in kinds], words, len(self.feed())]

    def everything(self) -> dict[str, Section]:
        """Section -> name -> what stands there."""
        suppliers = list(self.pages("/v1/suppliers"))
        for one in suppliers:
            self.plain.learn(one["id"], " ".join(f"{ref['system']}:{ref['number']}" for ref in one["external_refs"]))
        matches = list(self.pages("/v1/matches"))
        for one in matches:
            parts = (self.plain.name(one["supplier_id"]), self._plain_text(one["signal"]["id"]), one["party"], one["party_name"])
            self.plain.learn(one["id"], " / ".join(parts))
        ids, named = [one["id"] for one in suppliers], self.plain.name
        linked = {named(one["id"]): bool(one["upstream"] or any(owner.get("supplier_id") for owner in one["owners"])) for one in suppliers}
        found: dict[str, Section] = {
            "suppliers": {named(one["id"]): self.plain({**one, "version": 0}) for one in suppliers},  # counts the moves of its status, too
            "matches": {named(one["id"]): self.plain(one) for one in matches},
            "ratings": {name: _settled(rating) for name, rating in self._each(ids, "/v1/suppliers/{}/rating")},
            "histories": {
                name: _moves(page["items"], linked=linked[name]) for name, page in self._each(ids, "/v1/suppliers/{}/ratings?limit=500")
            },
        }
        for effect in EFFECTS:
            asked = datetime.now(UTC)
            answers = self.decisions(ids, effect)
            found[f"gate, {effect}"] = {named(one): self.plain(said, asked, HOUR) for one, said in zip(ids, answers, strict=True)}
        names = {said["id"]: named(said["supplier_id"]) for said in answers}
        found["why"] = {name: _driven(why) for name, why in self._each([said["id"] for said in answers], "/v1/decisions/{}/why", names)}
        for kind in ("audits", "cases", "hotspots"):
            found[kind] = self._named(kind)
        changes = defaultdict(list)
        for change in self.feed():
            changes[named(change["subject"])].append(self.plain(change))
        found["feed"] = {name: _told(many, linked=linked[name]) for name, many in changes.items()}
        for kind in ("lists", "findings", "supplier-imports", "dead-letters"):
            found[kind] = {self._plain_text(one["id"]): self.plain(one) for one in self.pages(f"/v1/{kind}")}
        releases = list(self.pages(f"/v1/lists/{LIST}/releases"))
        found["releases"] = {named(one["id"]): self.plain(one) for one in releases}
        sweeps = [one["sweep_id"] for one in releases if one["sweep_id"]]
        for at, one in enumerate(sweeps, 1):
            self.plain.learn(one, f"sweep {at}")
        found["sweeps"] = dict(self._each(sweeps, "/v1/sweeps/{}"))
        return found

    def _named(self, kind: str) -> Section:
        """Audits and cases go by supplier and cause, hot-spots by their place."""
        many = [
            one for one in self.pages(f"/v1/{kind}") if one["state"] != "quiet"
        ]  # where Faust counts, the kernel knows those that came near
        for one in many:
            what = [one["supplier_id"], one["cause"]["signal_id"]] if "cause" in one else one["spot"]
            self.plain.learn(one["id"], f"{kind} {self.plain(what)}")
        return dict(self._each([one["id"] for one in many], f"/v1/{kind}/{{}}"))

    def _each(self, ids: Iterable[str], path: str, names: dict[str, str] | None = None) -> Iterator[tuple[str, Any]]:
        ids = list(ids)
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            for one, answer in zip(ids, threads.map(lambda one: self._client.get(path.format(one)), ids), strict=True):
                seen = answer.json() if answer.status_code in (200, 404) else answer.raise_for_status()
                yield names[one] if names else self.plain.name(one), self.plain(seen)

    def _plain_text(self, text: str) -> str:
        return str(self.plain(text))
