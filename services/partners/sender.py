"""Sends what is due, many at once, and records what became of it, many in one commit.

What is in memory is not taken again before its result is recorded: without a crash between answer and record no delivery goes out twice.
At most one process sends at a time.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from services.partners.delivery import DELIVERY, Abandon, Attempt, Attempted, Queue, is_success, lane_key, pause_s
from services.partners.lanes import Job, Key, Lane
from services.partners.model import SUBSCRIPTION, Gone
from shared.ids import derive
from shared.kernel.aggregate import Cause, Item, Message
from shared.kernel.kernel import document, trace_of
from shared.kernel.reactor import TRANSIENT
from shared.kernel.service import Context
from shared.security.client import GuardedClient, Outcome
from shared.security.webhooks import sign
from shared.store.port import Stored
from shared.telemetry import tracing
from shared.telemetry.batches import Budget
from shared.telemetry.metrics import WEBHOOK_SECONDS, WEBHOOKS, webhook_outcome

log = logging.getLogger("duewatch.webhooks")
_AT_ONCE = 300  # posts, of all subscriptions
_POST_S = 10.0
_WINDOW = 1_500  # deliveries looked at besides those in memory; more than one lane takes
_RECORDED_AT_ONCE = 500
_POLL_S = 0.5
_BREATH_S = 0.0001  # between looks, for each delivery in memory: a look reads them again
_PUT_OFF_AT_ONCE = 200
_GRACE_S = 1.0  # at the end, for posts under way


@dataclass(frozen=True, slots=True)
class _Ended:
    lane: Lane
    job: Job
    url: str
    tried: Attempted


class Sender:
    """Of one process. `run` sends for ever; `look`, `settled` and `record` are its steps."""

    def __init__(self, ctx: Context, client: GuardedClient) -> None:
        self._ctx, self._client = ctx, client
        self._lanes: dict[Key, Lane] = {}
        self._spans = Budget("webhooks")
        self._held: set[Key] = set()
        self._round: deque[Lane] = deque()  # lanes that may send, each in turn
        self._posts: set[asyncio.Task[None]] = set()
        self._ended: list[_Ended] = []
        self._news = asyncio.Event()
        self._ending = False
        self._looking = asyncio.Lock()  # nothing leaves memory while the store is being looked at, or it would be taken again

    async def run(self) -> None:
        """Sends until cancelled; then gives what is under way a moment, and records it."""
        async for stored in self._ctx.store.documents(SUBSCRIPTION.kind):  # whose deliveries are all queued, nothing is due
            self._lane(stored.tenant, stored.id)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._look_for_ever())
                group.create_task(self._record_for_ever())
        finally:
            self._ending = True
            await self.settled(_GRACE_S)
            while await self.record():
                pass

    async def settled(self, seconds: float | None = None) -> None:
        """When no post is under way any more; after `seconds` the rest is given up and comes again after a start."""
        while self._posts:
            _, late = await asyncio.wait(self._posts, timeout=seconds)
            for post in late:
                post.cancel()
            await asyncio.sleep(0)  # what ended may have let others start

    async def _look_for_ever(self) -> None:
        waits = self._ctx.nudged()
        while True:
            await self._patiently(self.look)
            if self._held:
                await asyncio.sleep(len(self._held) * _BREATH_S)
            await waits.wait(_POLL_S)

    async def _record_for_ever(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while await self._patiently(self.record):
                pass

    async def _patiently(self, step: Callable[[], Awaitable[int]]) -> int:
        """A store that is not there is waited for: what is in memory must not be forgotten."""
        try:
            return await step()
        except TRANSIENT as error:
            log.warning("webhooks wait for the store: %s", type(error).__name__)
            await asyncio.sleep(1.0)
            return 1

    # ---- taking ----

    async def look(self) -> int:
        """Takes what is due, or queued, as far as its lane has room, and starts sending; how much was taken or put off."""
        items: list[Item] = []
        async with self._looking:
            now, limit = self._ctx.clock.now(), len(self._held) + _WINDOW
            found = await self._ctx.store.due(DELIVERY.kind, now.timestamp(), limit)
            due = [self._job(stored) for stored in found if (stored.tenant, stored.id) not in self._held]
            arrived = [(self._lane(job.key[0], job.delivery.subscription_id), job) for job in due]
            crowded = len(found) == limit  # others' may be hidden behind
            for lane, _ in arrived:
                lane.more = lane.more or not lane.held
                lane.crowding_since = lane.crowding_since or now.timestamp()
            await self._refresh()
            for lane, job in arrived:
                if not lane.open:
                    items.append(self._item(job, Abandon("disabled")))
                elif lane.held < lane.most:
                    self._take(lane, job)
                elif crowded and lane.must_queue(now.timestamp()):
                    items.append(self._item(job, Queue()))
                    lane.more = True
            for lane in [lane for lane in self._lanes.values() if lane.wants_more(now.timestamp()) or not lane.open]:
                items += await self._refill(lane)
        for key, lane in list(self._lanes.items()):
            self._list(lane)
            if not crowded:
                lane.crowding_since = None
            if lane.is_over:
                del self._lanes[key]
        self._pump()
        for at in range(0, len(items), _PUT_OFF_AT_ONCE):
            await self._ctx.kernel.apply_many(items[at : at + _PUT_OFF_AT_ONCE])
        return len(self._held) + len(items)

    async def _refresh(self) -> None:
        """Subscriptions as they stand now: address, secrets, and whether they still want anything."""
        lanes = [lane for lane in self._lanes.values() if lane.held or lane.more]
        keys = [(lane.tenant, lane.subscription_id) for lane in lanes]
        found = await self._ctx.store.load(SUBSCRIPTION.kind, keys) if keys else {}
        for lane, key in zip(lanes, keys, strict=True):
            if (stored := found.get(key)) is not None and stored.version != lane.version:
                lane.become(document(SUBSCRIPTION, stored).state, stored.version)

    async def _refill(self, lane: Lane) -> list[Item]:
        """Queued ones, as many as there is room for; of a subscription that ended, all are given up."""
        items: list[Item] = []
        if not lane.open:
            items = [self._item(job, Abandon("disabled")) for job in lane.jobs]
            self._forget(lane, [job.key for job in lane.jobs])
            lane.jobs.clear()
        if lane.more:
            limit = lane.held + (lane.most - lane.held if lane.open else _WINDOW)
            where = {"lane": lane_key(lane.subscription_id, "queued")}
            found = await self._ctx.store.find(DELIVERY.kind, lane.tenant, where, limit=limit)
            new = [stored for stored in found if (stored.tenant, stored.id) not in self._held]
            lane.more = len(found) == limit or len(new) < len(found)  # of those in memory one may have been queued anew
            for job in map(self._job, new):
                if lane.open:
                    self._take(lane, job)
                else:
                    items.append(self._item(job, Abandon("disabled")))
        return items

    def _take(self, lane: Lane, job: Job) -> None:
        lane.take(job)
        self._held.add(job.key)

    def _forget(self, lane: Lane, keys: list[Key]) -> None:
        lane.held -= len(keys)
        self._held.difference_update(keys)

    def _lane(self, tenant: str, subscription_id: str) -> Lane:
        key = (tenant, subscription_id)
        if key not in self._lanes:
            self._lanes[key] = Lane(tenant, subscription_id)
        return self._lanes[key]

    @staticmethod
    def _job(stored: Stored) -> Job:
        return Job((stored.tenant, stored.id), DELIVERY.decoder.decode(stored.state), trace_of(stored))

    def _item(self, job: Job, body: Queue | Abandon) -> Item:
        cause = Cause(
            self._ctx.ids.new("cmd"), f"command.{type(body).__name__.lower()}", job.delivery.event_id, traceparent=job.traceparent
        )
        return Item(DELIVERY, *job.key, Message(body, cause))

    # ---- sending ----

    def _list(self, lane: Lane) -> None:
        if lane.jobs and not lane.listed:
            lane.listed = True
            self._round.append(lane)

    def _pump(self) -> None:
        """Starts posts, one a lane in turn, as long as slots are free."""
        now = self._ctx.clock.now().timestamp()
        while self._round and len(self._posts) < _AT_ONCE and not self._ending:
            lane = self._round.popleft()
            lane.listed = False
            if lane.may_send(now) and (job := lane.next()) is not None:
                post = asyncio.create_task(self._post(lane, job))
                self._posts.add(post)
                post.add_done_callback(self._posts.discard)
                self._list(lane)

    async def _post(self, lane: Lane, job: Job) -> None:
        """One attempt; it always ends in a record, unless the process ends first."""
        time, subscription = asyncio.get_running_loop().time, lane.subscription
        assert subscription is not None
        at, began, body = self._ctx.clock.now(), time(), bytes(job.delivery.event)
        try:
            secrets = lane.secrets(self._ctx.sealer, at)
            headers = sign(secrets, message_id=job.delivery.event_id, timestamp=int(at.timestamp()), body=body)
            headers |= {"content-type": "application/json", "user-agent": "Duewatch"}
            with self._step(job) as step:
                if step.traceparent:
                    headers["traceparent"] = step.traceparent
                outcome = await self._client.post(subscription.url, headers, body, seconds=_POST_S)
                _describe(step, outcome)
        except Exception as error:  # whatever it is, it is this delivery's: the others go on, and it is tried again by its schedule
            log.exception("a webhook could not be sent: %s", type(error).__name__)
            outcome = Outcome(error="internal")
        seconds = time() - began
        WEBHOOKS.labels(webhook_outcome(outcome.status, outcome.error or "")).inc()
        WEBHOOK_SECONDS.observe(seconds)
        attempt = Attempt(at=at, ms=round(seconds * 1000), status=outcome.status, error=outcome.error or "")
        tried = Attempted(attempt=attempt, tries=job.delivery.tries, retry_after=outcome.retry_after)
        lane.ended(job, seconds, is_success(outcome.status), pause_s(tried), self._ctx.clock.now().timestamp())
        self._ended.append(_Ended(lane, job, subscription.url, tried))
        self._news.set()
        self._list(lane)
        asyncio.get_running_loop().call_soon(self._pump)  # when this post's slot is free

    def _step(self, job: Job) -> tracing.Step:
        """A change that is told to thousands has no span for each of them, but all get its trace."""
        if not self._spans.spend(job.traceparent):
            return tracing.Step(None, job.traceparent)
        return tracing.step("POST", kind="client", parent=job.traceparent, attributes={"http.request.method": "POST"})

    async def record(self) -> int:
        """Records what has ended, in one commit; how many."""
        batch = self._ended[:_RECORDED_AT_ONCE]
        if not batch:
            return 0
        items: list[Item] = []
        for one in batch:
            (tenant, id_), attempt = one.job.key, one.tried.attempt
            cause = Cause(derive("att", id_, attempt.at.isoformat()), "attempt", one.job.delivery.event_id, traceparent=one.job.traceparent)
            items.append(Item(DELIVERY, tenant, id_, Message(one.tried, cause)))
            if attempt.status == 410:
                items.append(Item(SUBSCRIPTION, tenant, one.lane.subscription_id, Message(Gone(one.url), cause)))
        await self._ctx.kernel.apply_many(items)
        async with self._looking:
            del self._ended[: len(batch)]
            for one in batch:
                self._forget(one.lane, [one.job.key])
        return len(batch)


def _describe(step: tracing.Step, outcome: Outcome) -> None:
    if outcome.status is not None:
        step.note(http__response__status_code=outcome.status)
    if not is_success(outcome.status):
        step.failed(outcome.error or str(outcome.status))
