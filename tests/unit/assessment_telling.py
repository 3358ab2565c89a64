"""Assessments that tell each other, for tests: whatever order their messages come in, and beside it the graph that none of them sees whole."""

import random
from collections import deque
from decimal import Decimal

import msgspec
from test_assessment_examples import NOW, POLICY, listed

from services.assessment.facts import dependencies
from services.assessment.model import ASSESSMENT, Assessment, Told, handing_on
from services.assessment.ownership import Ownership, Stake
from shared.events.envelope import encode
from shared.events.matches import MatchOpened, MatchWithdrawn, SupplierScreened
from shared.events.ratings import ExposurePropagated, Link, RatingTold
from shared.events.suppliers import Owner, Profile
from shared.kernel.aggregate import Cause, Message


class Telling:
    """Assessments that tell each other; each pair's messages keep their order, nothing else does."""

    def __init__(self, names: str, seed: int = 0) -> None:
        self.states: dict[str, Assessment] = {}
        self.queues: dict[tuple[str, str], deque[tuple[ExposurePropagated, Link]]] = {}
        self.owners: dict[str, tuple[tuple[str, str | None], ...]] = dict.fromkeys(names, ())
        self.listed: set[tuple[str, str]] = set()  # (supplier, "" or the owner's name)
        self.rng, self.count = random.Random(seed), 0
        for name in names:
            self.screen(name)

    def link(self, kind: str) -> Link:
        self.count += 1
        return Link(service="assessment", type=f"duewatch.{kind}.v1", id=f"evt_{self.count}", time=NOW)

    def hear(self, name, payload, kind, source, also=()):
        link = payload_link = self.link(kind)
        if isinstance(payload, tuple):
            payload, payload_link = payload
        told = Told(name, payload, payload_link, POLICY, also)
        decided = ASSESSMENT.decide(self.states.get(name), Message(told, Cause(link.id, link.type, source=source)), NOW)
        if decided is None:
            return
        self.states[name] = decided.state
        assert "paths" not in encode([event for event in decided.events if isinstance(event, RatingTold)]).decode()
        for event in decided.events:
            if isinstance(event, ExposurePropagated):
                for other, state in self.states.items():
                    if name in dependencies(state.facts):
                        self.queues.setdefault((name, other), deque()).append((event, self.link("exposure.propagated")))

    def screen(self, name):
        owners = tuple(
            Owner(name=f"{owner} of {name}", kind="person" if owner.isupper() else "organisation",
                  percent=None if percent is None else Decimal(percent), supplier_id=None if owner.isupper() else owner)
            for owner, percent in self.owners[name]
        )  # fmt: skip
        told = SupplierScreened(
            supplier_id=name,
            supplier_version=self.count + 1,
            profile=Profile(name=name, country="PT", owners=owners),
            status="active",
            matches=0,
        )
        also = tuple(
            (handing_on(owner, self.states[owner]), self.link("rating.reassessed"))
            for owner, _ in self.owners[name]
            if owner in self.states and (self.states[owner].handed or self.states[owner].owned)
        )
        self.hear(name, told, "supplier.screened", f"screening/{name}", also)

    def own(self, name, *owners):
        self.owners[name] = owners
        self.screen(name)
        return self

    def match(self, name, owner="", *, on=True):
        """A list names the supplier, or one of its owners; or does no more."""
        (self.listed.add if on else self.listed.discard)((name, owner))
        about = {"party": "owner", "party_name": f"{owner} of {name}"} if owner else {}
        match = listed(f"{name}{owner}", supplier_id=name, **about)
        event = MatchOpened(match=match) if on else MatchWithdrawn(match=msgspec.structs.replace(match, state="withdrawn"))
        self.hear(name, event, "match.opened" if on else "match.withdrawn", f"match/m{name}{owner}")
        return self

    def deliver(self):
        """One message, of any pair; whether there was one."""
        waiting = sorted(pair for pair, queue in self.queues.items() if queue)
        if not waiting:
            return False
        teller, hearer = self.rng.choice(waiting)
        self.hear(hearer, self.queues[teller, hearer].popleft(), "exposure.propagated", f"assessment/{teller}")
        return True

    def rest(self, limit=4000):
        for _ in range(limit):
            if not self.deliver():
                return self
        raise AssertionError("it does not come to rest")

    def tiers(self):
        return {name: state.rating.tier for name, state in self.states.items()}

    def driver(self, name):
        return self.states[name].rating.drivers[0]

    def whole(self, name):
        """The share as the whole graph says, which nobody has before them."""
        stakes = [
            Stake(mine, f"{mine}/{owner}" if owner.isupper() or (mine, owner) in self.listed else owner, percent and Decimal(percent), n)
            for mine, owners in self.owners.items() for n, (owner, percent) in enumerate(owners)
        ]  # fmt: skip
        blocked = {f"{mine}/{owner}" if owner else mine for mine, owner in self.listed if owner or mine != name}
        return Ownership(stakes, blocked).share(name)
