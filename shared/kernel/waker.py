"""Alarms: a document that asked to be woken gets `Alarm(at)` as a message. Deadlines, retries, expiry and schedules all use it."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from shared.ids import derive
from shared.kernel.aggregate import Aggregate, Alarm, Cause, Item, Message
from shared.kernel.kernel import Kernel, trace_of
from shared.kernel.reactor import TRANSIENT

log = logging.getLogger("duewatch.waker")
_BATCH = 500
_LONGEST_REST_S = 3600.0
_Place = tuple[str, str, str]  # kind, tenant, id


class Waker:
    """Wakes the aggregates of one service. One whose decision breaks rests, longer each time, and keeps no other from being rung."""

    def __init__(self, kernel: Kernel, aggregates: Sequence[Aggregate[Any]], every_s: float = 1.0) -> None:
        self.kernel, self._every_s = kernel, every_s
        self._aggregates = [a for a in aggregates if a.wake and a.rings]
        self._broken: dict[_Place, tuple[int, float]] = {}  # how often in a row, and up to when it rests

    async def step(self) -> int:
        """Rings what is due; how many had an effect."""
        now = self.kernel.clock.now().timestamp()
        resting = {place for place, (_, until) in self._broken.items() if now < until <= now + _LONGEST_REST_S}  # else a clock was put back
        rung = 0
        for aggregate in self._aggregates:
            items = []
            for stored in await self.kernel.store.due(aggregate.kind, now, _BATCH + len(resting)):
                if (aggregate.kind, stored.tenant, stored.id) in resting:
                    continue
                at = datetime.fromtimestamp(stored.wake_at or now, UTC)
                id_ = derive("alarm", aggregate.kind, stored.tenant, stored.id, str(stored.version))
                cause = Cause(id_, "duewatch.alarm", id_, traceparent=trace_of(stored))
                items.append(Item(aggregate, stored.tenant, stored.id, Message(Alarm(at), cause)))
            rung += await self._ring(items[:_BATCH])
        return rung

    async def _ring(self, items: Sequence[Item]) -> int:
        """Together; where a decision breaks, each by itself, so that a broken one silences no other."""
        try:
            outcomes = await self.kernel.apply_many(items)
        except TRANSIENT:
            raise
        except Exception as error:
            if len(items) > 1:
                return sum([await self._ring([item]) for item in items])
            self._rests(items[0], f"broke: {type(error).__name__}")
            return 0
        now = self.kernel.clock.now().timestamp()
        for item, outcome in zip(items, outcomes, strict=True):
            left = outcome.document.wake_at if outcome.document else None
            if outcome.changed or left is None or left > now:  # or somebody else has put it off
                self._broken.pop(_place(item), None)
            else:
                self._rests(item, "rang without effect")
        return sum(outcome.changed for outcome in outcomes)

    def _rests(self, item: Item, why: str) -> None:
        """It will ring again; that it broke, or was ignored, is a defect of its service."""
        times = self._broken.get(_place(item), (0, 0.0))[0] + 1
        rest = min(_LONGEST_REST_S, self._every_s * 2.0 ** min(times, 20))
        self._broken[_place(item)] = times, self.kernel.clock.now().timestamp() + rest
        log.error("the alarm of %s %s %s; it is rung again in %.0f s", item.aggregate.kind, item.id, why, rest)

    async def run(self) -> None:
        """Rings for ever; sleeps until the next alarm, at most `every_s`, and so long where those that are due cannot be rung."""
        if not self._aggregates:
            return
        while True:
            left = self._every_s
            try:
                if (upcoming := await self.kernel.store.next_alarm()) is not None:
                    left = upcoming - self.kernel.clock.now().timestamp()
                    if left <= 0:
                        left = 0.0 if await self.step() else self._every_s
            except TRANSIENT as error:
                log.warning("%s waits for its store: %s", self.kernel.service, type(error).__name__)
            await asyncio.sleep(min(left, self._every_s))


def _place(item: Item) -> _Place:
    return item.aggregate.kind, item.tenant, item.id
