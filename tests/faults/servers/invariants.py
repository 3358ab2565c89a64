"""What must hold on real servers whatever went wrong: in the journals, on the log, and between services."""

from collections import Counter
from collections.abc import Callable, Collection
from typing import Any

from services.assessment.policy import STANDARD, load
from services.onboarding.model import STATUS_OF
from shared.events.envelope import PUBLIC
from tests.faults.invariants import disagreeing, disordered, doubled
from tests.faults.servers.ledger import SERVICES, Ledger
from tests.faults.servers.log import PARTITIONS
from tests.faults.servers.work import SUPPLIERS, until
from tests.faults.servers.world import World

_MOST = 10  # faults told of a test


class Checker:
    """Of one world, over all tests: whoever breaks what an earlier one left is found, too."""

    def __init__(self, world: World) -> None:
        self.ledger = Ledger(world)
        self._world = world
        self._tenants: list[str] = []
        self._answered: list[str] = []
        self._foreign: set[str] = set()  # ids of what a test put on the log itself
        self._dead: set[str] = set()
        self._found: set[str] = set()

    def put_on_log(self, ids: Collection[str], dead: Collection[str] = ()) -> None:
        """These events are a test's own, and these dead letters are as they should be."""
        self._foreign |= set(ids)
        self._dead |= set(dead)

    def forget(self, answered: str) -> None:
        """Nobody was told of this supplier."""
        self._answered.remove(answered)

    def check(self, tenant: str, answered: Collection[str] = ()) -> list[str]:
        """All that is wrong and was not before, in words. `answered`: the suppliers whose registration somebody was told of."""
        self._tenants = sorted({*self._tenants, tenant})
        self._answered += answered
        until(self.ledger.untold, lambda count: count == 0, 30)
        self._at_rest()
        self.ledger.read()
        checks: list[Callable[[], list[str]]] = [
            self._chains, self._causes, self._registered, self._published, self._order, self._markers, self._letters, self._sweeps,
            *(lambda one=one: self._agree(one) for one in self._tenants),
        ]  # fmt: skip
        found = [fault for check in checks for fault in check() if fault not in self._found]
        self._found |= set(found)
        return found[:_MOST]

    def written(self) -> dict[str, int]:
        """How often anything has changed, by service: what a redelivery must not add to."""
        return {name: self.ledger.written(name) for name in SERVICES if name != "gate"}  # which is asked all the time

    def swept(self, release_id: str) -> bool:
        """Have all partitions reported a release? By the documents, for nobody may be there to answer."""
        sweeps = self.ledger.states("screening", "sweep", PUBLIC).values()
        return any(sweep.release_id == release_id and sweep.completed_at for sweep in sweeps)

    def _at_rest(self) -> None:
        """Until no journal grows any more."""
        seen: list[Any] = [None]

        def same() -> bool:
            seen.append([self.ledger.about(name) for name in SERVICES])
            return bool(len(seen) > 20 and seen[-20] == seen[-1])  # a second

        until(same, bool)

    def _chains(self) -> list[str]:
        with self._world.operator() as operator:
            found = operator.ask("POST", "/v1/journal/verification").json()
        return [fault for file in found["files"] for fault in file["faults"]]

    def _causes(self) -> list[str]:
        return [f"{name}: {fault}" for name in SERVICES for fault in doubled(self.ledger.effects(name))]

    def _registered(self) -> list[str]:
        """Whose registration was answered is there, and was registered once."""
        made = Counter(e.made[2] for e in self.ledger.entries["onboarding"] if e.type == "duewatch.supplier.registered.v1")
        wrong = [f"onboarding: {id_} was registered {count} times" for id_, count in made.items() if count > 1]
        return wrong + [f"onboarding: {id_} was answered and is not there" for id_ in self._answered if not made[id_]]

    def _published(self) -> list[str]:
        """What is on Kafka was saved, and what was saved is on Kafka, in every partition where it belongs."""
        ledger = self.ledger
        strange = [
            place for (place, digest), id_ in ledger.told.items() if (place, digest) not in ledger.saved and id_ not in self._foreign
        ]
        wrong = [f"published, but never saved: on {place}" for place in strange]
        return wrong + [f"saved, but never published: on {place}" for place, _ in ledger.saved - ledger.told.keys()]

    def _order(self) -> list[str]:
        return disordered({place: [m for m in log if m.id not in self._foreign] for place, log in self.ledger.logs.items()})

    def _markers(self) -> list[str]:
        """In every partition a release's marker stands behind all its changes: else a sweep would be complete before they were looked at."""
        wrong = []
        for place, log in self.ledger.logs.items():
            passed: set[str] = set()
            seen: set[str] = set()
            for meta in log:
                if meta.kind == "release_marker":
                    passed.add(meta.subject)
                elif meta.kind == "entry" and meta.correlationid in passed and meta.id not in seen:
                    wrong.append(f"{place}: {meta.subject} came behind the marker of {meta.correlationid}")
                seen.add(meta.id)
        return wrong

    def _letters(self) -> list[str]:
        found = [one for one in self.ledger.dead_letters() if one["_id"] not in self._dead]
        return [f"{one['group']} gave up on {one['type']} ({one['error']})" for one in found]

    def _sweeps(self) -> list[str]:
        """Of every release that was let in, all partitions have reported; each supplier counts once at most."""
        releases, sweeps = self.ledger.states("intelligence", "release", PUBLIC), self.ledger.states("screening", "sweep", PUBLIC)
        known = {sweep.release_id: sweep for sweep in sweeps.values()}
        wrong = []
        for id_, release in releases.items():
            if release.state != "accepted":
                continue
            sweep = known.get(id_)
            if sweep is None or sweep.completed_at is None or sorted(sweep.done) != list(range(PARTITIONS)) or not release.published:
                wrong.append(f"the sweep of {id_} is not complete")
            elif any(sum(done.get(t, 0) for done in sweep.done.values()) > SUPPLIERS for t in self._tenants):
                wrong.append(f"the sweep of {id_} has counted suppliers twice")
        return wrong

    def _agree(self, tenant: str) -> list[str]:
        """Between services: what one says of another is so."""
        suppliers, screenings = self.ledger.states("onboarding", "supplier", tenant), self.ledger.states("screening", "screening", tenant)
        assessments, matches = self.ledger.states("assessment", "assessment", tenant), self.ledger.states("screening", "match", tenant)
        wrong = disagreeing(assessments, matches, {load(STANDARD.read_text(encoding="utf-8")).version})
        for what, found in (("screened", screenings), ("rated", assessments)):
            if found.keys() != suppliers.keys():
                wrong.append(
                    f"of {len(suppliers)} suppliers, {len(found.keys() & suppliers.keys())} are {what}, and {len(found.keys() - suppliers.keys())} others"
                )
        for id_ in suppliers.keys() & assessments.keys():
            supplier, rated = suppliers[id_], assessments[id_]
            if (rated.gate.tier, rated.gate.policy_version) != (rated.rating.tier, rated.rating.policy_version):
                wrong.append(f"the gate knows {id_} otherwise than it is rated")
            if (supplier.tier or "low", supplier.status) != (rated.rating.tier, STATUS_OF[rated.rating.tier]):
                wrong.append(f"{id_} is {supplier.status}, told of {supplier.tier}, and rated {rated.rating.tier}")
        return wrong
