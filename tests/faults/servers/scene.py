"""One test's part of the world: its tenant, what it has done there, and what must be so at its end."""

import time
from pathlib import Path
from typing import Any

from shared.events.ratings import RatingChanged
from tests.bench.figures import show
from tests.faults.servers.invariants import Checker
from tests.faults.servers.ledger import Ledger
from tests.faults.servers.work import Work, until
from tests.faults.servers.world import Caller, World

FIGURES = Path(__file__).parents[3] / "build" / "faults.jsonl"
Outcome = dict[str, dict[str, Any]]  # by a supplier's number


def outcome(ledger: Ledger, work: Work) -> Outcome:
    """What came of it, in words that depend neither on the way there nor on the tenant.

    A score depends on how rare its words were in the lists just then, so of a match its strength is what must be the same.
    """
    said, tenant = work.decisions(), work.tenant
    suppliers = ledger.states("onboarding", "supplier", tenant)
    numbers = {id_: supplier.profile.external_refs[0].number for id_, supplier in suppliers.items()}
    found: Outcome = {n: {"decision": said[n], "matches": [], "audits": [], "cases": []} for n in numbers.values()}
    for id_, supplier in suppliers.items():
        found[numbers[id_]] |= {"name": supplier.profile.name, "status": supplier.status}
    for id_, assessment in ledger.states("assessment", "assessment", tenant).items():
        rating = assessment.rating
        found[numbers[id_]] |= {"tier": rating.tier, "score": round(rating.score, 2), "policy": rating.policy_version}
    for m in (document.match for document in ledger.states("screening", "match", tenant).values()):
        if m.state != "withdrawn":
            found[numbers[m.supplier_id]]["matches"].append((m.signal.id, m.state, m.strength))
    for service, kind, name in (("audits", "audit", "audits"), ("remediation", "case", "cases")):
        for followed in ledger.states(service, kind, tenant).values():
            if followed.live:
                found[numbers[followed.supplier_id]][name].append(followed.state)
    for row in found.values():
        for name in ("matches", "audits", "cases"):
            row[name].sort()
    return found


class Scene:
    """See above. `calm`: what came of the same work where nothing went wrong."""

    def __init__(self, world: World, checker: Checker, caller: Caller, tenant: str, calm: Outcome) -> None:
        self.world, self.checker, self.calm = world, checker, calm
        self.caller, self.tenant, self.work = caller, tenant, Work(caller, tenant)
        self.answered: list[str] = []

    def settles(self) -> None:
        """Until it has all come to what it would have come to without a fault."""
        until(self._differs, lambda differs: not differs, 60)

    def ends_well(self) -> None:
        """It has all come to what it would have come to without the fault, and no promise was broken on the way."""
        self.settles()
        wrong = self.checker.check(self.tenant, self.answered)
        assert not wrong, "\n".join(wrong)
        assert not self._differs()  # and so it stays
        changes = {
            m.id for log in self.checker.ledger.logs.values() for m in log if (m.type, m.tenant) == (RatingChanged.type, self.tenant)
        }
        until(lambda: sorted(self.work.feed()), lambda fed: fed == sorted(changes), 30)  # each once

    def _differs(self) -> list[Any]:
        found = outcome(self.checker.ledger, self.work)
        numbers = sorted(found.keys() | self.calm.keys())
        return [(n, found.get(n), self.calm.get(n)) for n in numbers if found.get(n) != self.calm.get(n)][:3]

    def since(self, began: float, figure: str, note: str, n: int = 1) -> None:
        """Tells how many seconds have gone by since a moment of time.monotonic()."""
        show(figure, time.monotonic() - began, "s", n, note, file=FIGURES)
