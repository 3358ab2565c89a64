"""How events come in: signal and supplier events become messages to matches, to the supplier's screening, and to sweeps."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

from services.screening.formerly import carried_over
from services.screening.join import Join
from services.screening.marks import Ahead, Hits, Sweeps
from services.screening.matching import model as shipped
from services.screening.matching.asking import Hit
from services.screening.matching.normalise import prepare, tells
from services.screening.messages import messages
from services.screening.model import MATCH, SCREENING, Screened
from services.screening.names import Parties, parties_of
from services.screening.pairs import Key, Pair
from services.screening.snapshot import Kept
from services.screening.state import MatchDocument
from services.screening.sweep import SWEEP
from services.screening.tenant_settings import TenantSettings
from services.screening.thresholds import TenantThresholds, Thresholds
from shared.events.envelope import Payload, Record
from shared.events.signals import (
    SIGNAL_EVENTS,
    ReleaseAccepted,
    ReleasePublished,
    SignalWithdrawn,
    sweep_id,
)
from shared.events.suppliers import CodeAcknowledged, SupplierEvent, SupplierStatusChanged
from shared.events.topics import SIGNAL_TOPICS, partition_of
from shared.faults import crash_point
from shared.kernel.aggregate import Item, Message, Outcome
from shared.kernel.kernel import document
from shared.kernel.reactor import Reaction, cause_of
from shared.kernel.service import Context
from shared.telemetry.metrics import SWEEP_SECONDS

GROUP = "screening"
log = logging.getLogger("duewatch.screening")
_FORGOTTEN_AT_ONCE = 200
_TOGETHER = 200  # suppliers that are looked at step by step: with many names each, what was read of these must still be remembered


class Worker:
    """The join of one process, kept up by its reactions: of the partitions that fall to it, whichever these are."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        s = ctx.settings
        thresholds = TenantThresholds(Thresholds(s.review_threshold or shipped.REVIEW, s.strong_threshold or shipped.STRONG))
        self.join, self.settings = Join(thresholds), TenantSettings(ctx, thresholds)
        self.kept = Kept(ctx.folder)
        self.rebuilding = True
        self._partitions: frozenset[int] = frozenset()
        self._hits: Hits = defaultdict(dict)
        self._ahead = Ahead()
        self._passed: dict[tuple[str, int], int] = {}  # sweep and partition -> where its marker stands in the log

    def reaction(self) -> Reaction:
        """Signals before suppliers."""
        topics = (*SIGNAL_TOPICS, "suppliers")
        return Reaction(GROUP, topics, self.react, slices=("suppliers",), keeper=self, finish=self.save, after=self._committed)

    @property
    def partitions(self) -> frozenset[int]:
        """Those that fall to this process."""
        return self._partitions

    def strength(self, hit: Hit, tenant: str) -> str:
        """What a hit means to a tenant."""
        own = self.join.thresholds.of(tenant)
        return "strong" if own.strong_by(hit) else "weak" if hit.score >= own.review else "none"

    @staticmethod
    def screenable(name: str) -> bool:
        """Is there anything in a name to look for?"""
        return tells(prepare(name))

    async def assigned(self, partitions: frozenset[int], upto: Mapping[str, int]) -> None:
        """Both topics up to where this group has got, silently, suppliers from where the last run kept them; and the matches that stand."""
        self.rebuilding = True
        await self.revoked(partitions)  # should the last try have ended halfway
        await self.settings.refresh()  # who held them before may have screened them by newer ones
        upto = await self._known(upto)
        since = {} if self._partitions else self.kept.restore(self.join, partitions, upto)
        for partition in sorted(partitions):
            crash_point("screening-rebuild")
            for topic in SIGNAL_TOPICS:
                async for record in self.ctx.bus.replay(topic, (partition,), upto):
                    self._recall(self._know_signal, record)
            async for record in self.ctx.bus.replay("suppliers", (partition,), upto, since):
                self._recall(self._know_supplier, record)
        self._partitions |= partitions
        if self._partitions == partitions:  # a start; while others' partitions come and go there is no time for it
            self.kept.save(self.join, partitions, upto)
        running = {i async for i in self._running()}
        async for found in self.ctx.store.documents("match"):
            d = document(MATCH, found)
            release, supplier = d.state.match.signal.source.release_id, (d.tenant, d.state.match.supplier_id)
            if d.state.match.state != "withdrawn" and (partition := self._partition_of(supplier)) in partitions:
                self._remember(d.tenant, d.id, d.state)
                if release in running and self.join.knows(supplier):
                    self._hits[sweep_id(release), partition][d.id] = d.tenant
        self.rebuilding = False

    async def revoked(self, partitions: frozenset[int]) -> None:
        """Forgets what lies in them: others change it from now on."""
        self._partitions -= partitions
        self._ahead.forget(partitions)
        for at, supplier in enumerate(self.join.suppliers_in(partitions)):
            self.join.remove_supplier(supplier)
            if at % _FORGOTTEN_AT_ONCE == 0:
                await asyncio.sleep(0)
        self.join.standing.forget(lambda supplier: self._partition_of(supplier) in partitions)
        for kept in (self._hits, self._passed):
            for place in [place for place in kept if place[1] in partitions]:
                del kept[place]

    async def save(self, upto: Mapping[str, int]) -> None:
        """Keeps the suppliers for the next start. A batch that was not committed may be among them; it comes again, as after any failure."""
        if self._partitions and not self.rebuilding:
            self.kept.save(self.join, self._partitions, upto)

    async def _known(self, upto: Mapping[str, int]) -> dict[str, int]:
        """Where the group's place in the log was lost, or put back, all that it has handled is known all the same: or it would judge the past by
        less than it knew then."""
        stored = await self.ctx.store.positions(f"{GROUP}/")
        return {place: max(at, stored.get(f"{GROUP}/{place}", 0)) for place, at in upto.items()}

    def _partition_of(self, supplier: Key) -> int:
        return partition_of(supplier[1], self.ctx.bus.partitions)

    async def _running(self) -> AsyncIterator[str]:
        """Releases whose sweeps are not complete: what they have touched already counts."""
        async for found in self.ctx.store.documents("sweep"):
            sweep = document(SWEEP, found).state
            if sweep.completed_at is None:
                yield sweep.release_id

    def _remember(self, tenant: str, id_: str, state: MatchDocument) -> None:
        source = state.match.signal.source
        owner = "public" if source.kind == "list_entry" else tenant
        self.join.standing.add(Pair(id_, (tenant, state.match.supplier_id), (owner, state.match.signal.id)))

    @staticmethod
    def _recall(know: Callable[[Record], None], record: Record) -> None:
        """One that cannot be read became a dead letter when it came, and its partition moved on: so does a start."""
        try:
            know(record)
        except Exception as error:
            log.error("%s begins without %s: %s", GROUP, record.meta.id, type(error).__name__)

    def _know_signal(self, record: Record) -> None:
        key = (record.meta.tenant, record.meta.subject)
        if self.join.has_heard(key, record.meta.sequence):  # from another partition: each of them holds all signals
            return
        payload = record.payload()
        if not isinstance(payload, SIGNAL_EVENTS) or self.join.is_old_signal(key, record.meta.sequence):
            return
        if isinstance(payload, SignalWithdrawn):
            self.join.remove_signal(key)
        else:
            self.join.put_signal(key, payload.signal, record.meta)

    def _know_supplier(self, record: Record) -> None:
        payload, key = record.payload(), (record.meta.tenant, record.meta.subject)
        if isinstance(payload, SupplierEvent) and not self.join.is_old_supplier(key, record.meta.sequence):
            self._put(key, record, payload, parties_of(payload.profile))

    def _put(self, key: Key, record: Record, payload: SupplierEvent, parties: Parties) -> None:
        bought = payload.status != "inactive"  # on hold or blocked is what we made of it, and may be lifted
        self.join.put_supplier(key, record.partition, record.meta.sequence, payload.profile, parties, bought=bought)
        self.kept.behind += 1

    async def react(self, records: Sequence[Record]) -> list[Item]:
        """A broadcast record that came from several partitions is looked at once, for all of them, and for those from which it is still to come."""
        self._ahead.begin()
        items: list[Item] = []
        signals: dict[tuple[Key, int, int], list[Record]] = defaultdict(list)
        sweeps = Sweeps(self.ctx.bus.partitions, self._hits)
        self._forget_counted(records)
        for record in records:
            if record.topic in SIGNAL_TOPICS:
                signals[(record.meta.tenant, record.meta.subject), record.meta.sequence, record.meta.n].append(record)
        for (key, _, _), same in signals.items():
            items += self._signal(key, same, same[0].payload(), sweeps)
        items += sweeps.items()
        told: dict[Key, tuple[Record, SupplierEvent]] = {}
        for record in records:
            if record.topic != "suppliers":
                continue
            # Each once, for another event of the batch may be newer.
            if (key := (record.meta.tenant, record.meta.subject)) in told or len(told) == _TOGETHER:
                items += self._suppliers(told)
                told = {}
            if not self.join.is_old_supplier(key, record.meta.sequence) and isinstance(supplier := record.payload(), SupplierEvent):
                told[key] = record, supplier
        items += self._suppliers(told)
        return await carried_over(self.ctx.store, items)

    def _committed(self, outcomes: Sequence[Outcome]) -> None:
        self._ahead.committed()
        _measured(outcomes)

    def _forget_counted(self, records: Sequence[Record]) -> None:
        """Hits of sweeps whose marker is behind: what comes begins where the last commit ended, so that they are counted for good."""
        begins: dict[int, int] = {}
        for record in records:
            if record.topic == "signals":
                begins.setdefault(record.partition, record.position)
        for (sweep, partition), at in tuple(self._passed.items()):
            if at < begins.get(partition, 0):
                del self._passed[sweep, partition]
                self._hits.pop((sweep, partition), None)

    def _signal(self, key: Key, same: list[Record], payload: Payload, sweeps: Sweeps) -> list[Item]:
        meta = same[0].meta
        if isinstance(payload, ReleaseAccepted):
            for record in same:
                sweeps.began(payload, record)
        if isinstance(payload, ReleasePublished):
            for record in same:
                sweeps.passed(payload, record, self.join.counts(record.partition))
                self._passed[payload.sweep_id, record.partition] = record.position
        first = not self.join.has_heard(key, meta.sequence)
        if not isinstance(payload, SIGNAL_EVENTS) or self.join.is_old_signal(key, meta.sequence):
            return []
        told = frozenset(r.partition for r in same)
        partitions = self._ahead.due(key, (meta.sequence, meta.n), told, self._partitions, first=first)
        if not partitions:
            return []
        cause = cause_of(same[0])
        if isinstance(payload, SignalWithdrawn):
            self.join.remove_signal(key)
            found = []
        else:
            self.join.put_signal(key, payload.signal, meta)
            found = self.join.of_signal(key, partitions)
        stand = self.join.standing_of_signal(key, partitions)
        release = payload.release_id if isinstance(payload, SignalWithdrawn) else payload.signal.source.release_id
        if release:
            for one in found:
                self._hits[sweep_id(release), self.join.partition_of(one.supplier)][one.id] = one.supplier[0]
        return messages(self.join, found, stand, cause)

    def _suppliers(self, told: Mapping[Key, tuple[Record, SupplierEvent]]) -> list[Item]:
        """Held against all signals, step by step for all of them (ADR 0023). Where only its status moved nothing new is found, but a match that
        stands is looked at again: another process, that knew the newer version, may have looked at it with an older signal. Told as screened where
        it may be rated otherwise."""
        parties = {key: parties_of(payload.profile) for key, (_, payload) in told.items()}
        # What concerns nobody is news all the same where the event that told the profile was compacted away.
        news = {key for key, (_, payload) in told.items() if self._concerns(payload) or not self.join.knows_profile(key, payload.profile)}
        for key, (record, payload) in told.items():
            self._put(key, record, payload, parties[key])
        stand = {key: tuple(self.join.standing.of_supplier(key)) for key in told}
        found = self.join.of_suppliers(
            {key: (payload.profile, parties[key]) for key, (_, payload) in told.items() if key in news or stand[key]}
        )
        items: list[Item] = []
        for key, (record, payload) in told.items():
            cause, its = cause_of(record), found.get(key, [])
            if key not in news:
                known = {pair.id for pair in stand[key]}
                items += messages(self.join, [one for one in its if one.id in known], stand[key], cause)
                continue
            items += messages(self.join, its, stand[key], cause)
            body = Screened(record.meta.sequence, payload.profile, payload.status, len(its))
            items.append(Item(SCREENING, *key, Message(body, cause), fresh=record.meta.sequence == 1))
        return items

    @staticmethod
    def _concerns(payload: SupplierEvent) -> bool:
        """A status that follows a rating is no reason to screen and rate again; one that a person set is."""
        if isinstance(payload, CodeAcknowledged):
            return False
        return not (isinstance(payload, SupplierStatusChanged) and payload.cause.type.startswith("duewatch.rating."))


def _measured(outcomes: Sequence[Outcome]) -> None:
    """A sweep is complete by one message, whose outcome is the only one that moved it there."""
    for outcome in outcomes:
        if outcome.changed and outcome.document is not None and outcome.document.kind == SWEEP.kind:
            sweep = outcome.document.state
            if sweep.completed_at is not None:
                SWEEP_SECONDS.observe((sweep.completed_at - sweep.started_at).total_seconds())
