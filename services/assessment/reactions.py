"""How events come in: each becomes a message to the assessment of the supplier that it is about, and to those who depend on it."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from services.assessment.list_ages import LIST_AGE
from services.assessment.model import ASSESSMENT, Rerate, Told, handing_on
from services.assessment.tenant_policies import Policies
from shared.events.envelope import Meta, Record
from shared.events.followup import AuditChanged, CaseChanged
from shared.events.intelligence import ListWatched
from shared.events.matches import MatchEvent, SupplierScreened
from shared.events.ratings import ExposurePropagated, Link
from shared.ids import derive
from shared.kernel.aggregate import Cause, Item, Message, Outcome
from shared.kernel.kernel import document
from shared.kernel.reactor import Reaction, cause_of
from shared.kernel.service import Context, Task
from shared.telemetry.metrics import LIST_TO_GATE_SECONDS

GROUP = "assessment"
_BATCH = 500
_BREATH_S = 0.5  # between two looks at the store: each commit of anyone nudges, and an import makes hundreds a second
_REST_S = 1.0  # the same, for what time alone moves


def link_of(meta: Meta) -> Link:
    """An event as a link in a chain of causes."""
    return Link(service=meta.source.rpartition("/")[2], type=meta.type, id=meta.id, time=meta.time, subject=meta.subject)


class Assessor:
    """Turns events into messages; keeps the policies at hand. `under_way_s`: longer than a batch of reactions takes."""

    under_way_s = 1.0

    def __init__(self, ctx: Context) -> None:
        self.ctx, self.policies = ctx, Policies(ctx)
        self._signalled: list[datetime] = []  # when the signals were told that the batch under way comes of

    def reaction(self) -> Reaction:
        """Everything that a rating rests on, and, from its own topic, what suppliers hand on."""
        return Reaction(GROUP, ("matches", "audits", "remediation", "ratings", "lists"), self.react, _BATCH, after=self._committed)

    def _committed(self, _: Sequence[Outcome]) -> None:
        now = self.ctx.clock.now()
        for at in self._signalled:
            LIST_TO_GATE_SECONDS.observe(max(0.0, (now - at).total_seconds()))

    async def react(self, records: Sequence[Record]) -> list[Item]:
        """One message for each supplier concerned."""
        items: list[Item] = []
        self._signalled = []
        wanted = [record for record in records if record.meta.type.startswith(_WANTED)]
        if wanted:
            await self.policies.refresh()  # another process may have rated everyone again: never go back behind it
        for record in wanted:
            payload, tenant = record.payload(), record.meta.tenant
            match payload:
                case SupplierScreened():
                    also = await self._handed(tenant, payload)
                    items.append(self._item(record, tenant, payload.supplier_id, also))
                case MatchEvent():
                    told = payload.match.signal
                    if (
                        told.event_time and told.event_id == record.meta.causationid
                    ):  # else the supplier is what is new, and the signal may be old
                        self._signalled.append(told.event_time)
                    items.append(self._item(record, tenant, payload.match.supplier_id))
                case AuditChanged() | CaseChanged():
                    items.append(self._item(record, tenant, payload.supplier_id))
                case ListWatched():
                    items.append(Item(LIST_AGE, tenant, payload.list, Message(payload, cause_of(record))))
                case ExposurePropagated():
                    items += [self._item(record, tenant, id_) for id_ in await self._dependents(tenant, payload.supplier_id)]
        return items

    def _item(self, record: Record, tenant: str, supplier_id: str, also: tuple[tuple[ExposurePropagated, Link], ...] = ()) -> Item:
        told = Told(supplier_id, record.payload(), link_of(record.meta), self.policies.of(tenant), also)
        first = isinstance(told.payload, SupplierScreened) and record.meta.sequence == 1
        return Item(ASSESSMENT, tenant, supplier_id, Message(told, cause_of(record)), fresh=first)

    async def _dependents(self, tenant: str, supplier_id: str) -> list[str]:
        found: list[str] = []
        while page := await self.ctx.store.find(
            "assessment", tenant, {"dependency": supplier_id}, after=found[-1] if found else "", limit=_BATCH
        ):
            found += [stored.id for stored in page]
        return found

    async def _handed(self, tenant: str, screened: SupplierScreened) -> tuple[tuple[ExposurePropagated, Link], ...]:
        """What the supplier's dependencies have handed on already: they will not tell it again for one who comes late."""
        profile = screened.profile
        ids = {u.supplier_id for u in profile.upstream} | {o.supplier_id for o in profile.owners if o.supplier_id}
        if not ids:
            return ()
        loaded = await self.ctx.store.load("assessment", [(tenant, id_) for id_ in sorted(ids)])
        found = []
        for (_, id_), stored in loaded.items():
            state = document(ASSESSMENT, stored).state
            if state.handed or state.owned:
                handed = handing_on(id_, state)
                rated = derive("evt", state.rating.cause.id, "assessment", tenant, id_, "0")
                found.append(
                    (
                        handed,
                        Link(service="assessment", type="duewatch.rating.reassessed.v1", id=rated, time=state.rating.as_of, subject=id_),
                    )
                )
        return tuple(found)

    # ---- time and policy ----

    def tasks(self) -> list[Task]:
        """Ratings that fade, and ratings by another policy than today's."""
        return [Task("assessment fading", "reactions", self.fade), Task("assessment policy", "reactions", self.follow_policy)]

    async def fade(self) -> None:
        """Rates again whoever's rating time alone has moved."""
        waits = self.ctx.nudged()
        while True:
            if not await self.fade_step():
                upcoming = await self.ctx.store.next_alarm()
                left = _REST_S if upcoming is None else min(_REST_S, max(0.01, upcoming - self.ctx.clock.now().timestamp()))
                await waits.wait(left, _REST_S)

    async def fade_step(self) -> int:
        """Rates again those that are due; how many."""
        due = await self.ctx.store.due("assessment", self.ctx.clock.now().timestamp(), _BATCH)
        await self._rerate([(s.tenant, s.id, derive("alarm", "assessment", s.tenant, s.id, str(s.version)), "duewatch.alarm") for s in due])
        return len(due)

    async def follow_policy(self) -> None:
        """Rates everyone again whose policy has changed."""
        waits = self.ctx.nudged()
        while True:
            if await self.policy_step():
                await asyncio.sleep(self.under_way_s)
            else:
                await waits.wait(5.0, _BREATH_S)

    async def policy_step(self) -> bool:
        """Rates again whoever the policy in force has not rated; whether there was anything to do. A mark in the positions says when that is done.

        The mark is taken away first: who is stopped half-way, and finds the policy of before when it goes on, has half of them to rate back. It is
        set when nobody is found: a batch of reactions that was under way has rated by the policy of before.
        """
        await self.policies.refresh()
        done = await self.ctx.store.positions("policy/")
        wanted = {f"policy/{tenant}": _number(p.version) for tenant, p in self.policies.tenants.items()}
        wanted["policy/"] = _number(self.policies.shipped.version)
        changed = [name for name, number in wanted.items() if done.get(name) != number]
        if not changed:
            return False
        await self.ctx.kernel.apply_many([], consumed=dict.fromkeys(changed, 0))
        if not await self._rerate_by_policy():
            await self.ctx.kernel.apply_many([], consumed=wanted)
        return True

    async def _rerate_by_policy(self) -> int:
        """Rates again whoever is rated by another policy than the tenant's; how many these were."""
        keys: list[tuple[str, str, str, str]] = []
        count = 0
        async for stored in self.ctx.store.documents("assessment"):
            version = self.policies.of(stored.tenant).version
            if version.encode() not in stored.state:
                keys.append((stored.tenant, stored.id, self.policies.cause(stored), "duewatch.policy.changed.v1"))
                count += 1
            if len(keys) == _BATCH:
                await self._rerate(keys)
                keys = []
        await self._rerate(keys)
        return count

    async def _rerate(self, keys: Sequence[tuple[str, str, str, str]]) -> None:
        items = [
            Item(ASSESSMENT, tenant, id_, Message(Rerate(self.policies.of(tenant)), Cause(cause, kind, cause)))
            for tenant, id_, cause, kind in keys
        ]
        await self.ctx.kernel.apply_many(items)


_WANTED = (
    "duewatch.match.", "duewatch.supplier.screened.", "duewatch.audit.changed.", "duewatch.case.changed.", "duewatch.exposure.",
    "duewatch.list.watched.",
)  # fmt: skip


def _number(version: str) -> int:
    """A policy version as a position: the digest at its end."""
    return int(version.rpartition("-")[2], 16)
