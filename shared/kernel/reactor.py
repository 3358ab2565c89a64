"""How events come in: batches of what is waiting, decided and committed together with how far the input is read.

A batch that fails is taken one message at a time. A message that goes on failing is retried with back-off, then kept as a dead letter, and
its partition moves on; one that cannot even be read is kept at once. A store that is not there is waited for: that is no message's fault.
"""

import asyncio
import logging
import random
import sqlite3
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from shared.bus.port import Consumer, Keeper
from shared.errors import Unavailable
from shared.events.envelope import Meta, Record, encode
from shared.ids import derive
from shared.kernel.aggregate import Cause, Item, Outcome
from shared.kernel.kernel import Kernel
from shared.store.port import DeadLetter
from shared.telemetry.batches import Group

log = logging.getLogger("duewatch.reactor")
_REPLAYS_S = 3.0  # a look at the store, which a batch need not wait for
TRANSIENT = (sqlite3.OperationalError, Unavailable, OSError)

React = Callable[[Sequence[Record]], Awaitable[list[Item]]]


@dataclass(frozen=True)
class Reaction:
    """What a service does on the events of some topics, topics first named first."""

    group: str
    topics: tuple[str, ...]
    react: React
    batch: int = 600  # no less than the largest slice of a bus
    slices: tuple[str, ...] = ()  # of these topics a slice a batch, so that they never hold up those named before them for long
    keeper: Keeper | None = None  # of what is kept in memory by partition
    finish: Callable[[Mapping[str, int]], Awaitable[None]] | None = None  # when it is told to end; how far it is, as a Keeper hears it
    after: Callable[[Sequence[Outcome]], None] | None = None  # once a batch is committed: measures what came of it
    attempts: int = 5
    back_off_s: float = 0.1


def cause_of(record: Record) -> Cause:
    """The cause that a message off the bus is to those who act on it."""
    m = record.meta
    return Cause(
        m.id, m.type, m.correlationid, m.actor, m.traceparent, f"{m.kind}/{m.tenant}/{m.subject}", m.sequence, m.n, m.time
    )  # fmt: skip


def letter_of(group: str, record: Record, reason: Exception, at: datetime, attempts: int) -> DeadLetter:
    """The dead letter that a record becomes for a group which gives it up."""
    return DeadLetter(
        id=derive("dead", group, record.meta.id), group=group, topic=record.topic, partition=record.partition, position=record.position,
        tenant=record.meta.tenant, type=record.meta.type, meta=encode(record.meta), data=record.data, error=_describe(reason),
        at=at.isoformat(), attempts=attempts,
    )  # fmt: skip


class Reactor:
    """Runs one reaction. `step` handles one batch, `replay` what is to be tried again; `run` does both for ever."""

    def __init__(self, kernel: Kernel, reaction: Reaction) -> None:
        self.kernel, self.reaction = kernel, reaction
        self.consumer: Consumer | None = None
        self.handled = 0  # messages, since its start
        self._seen = Group(reaction.group)
        self._jitter = random.Random(reaction.group)  # noqa: S311  # spreads retries, guards nothing

    async def start(self) -> None:
        """Opens the consumer; what is kept in memory is there then, but where the bus is away."""
        r = self.reaction
        self.consumer = await self.kernel.bus.consumer(r.group, r.topics, r.slices, r.keeper)

    async def run(self) -> None:
        """Handles what comes, until cancelled."""
        if self.consumer is None:
            await self.start()
        try:
            await self._go_on()
        except asyncio.CancelledError:
            if self.reaction.finish and self.consumer:
                await self.reaction.finish(self.consumer.positions())
            raise

    async def _go_on(self) -> None:
        failures, replays_at = 0, 0.0
        while True:
            try:
                if (now := time.monotonic()) >= replays_at:
                    replays_at = now + _REPLAYS_S
                    await self.replay()
                await self.step(1.0)
                failures = 0
            except TRANSIENT as error:
                failures += 1
                log.warning("%s waits for its store: %s", self.reaction.group, type(error).__name__)
                assert self.consumer is not None
                await self.consumer.rewind()
                await asyncio.sleep(self._pause(failures))

    async def step(self, wait_s: float) -> int:
        """One batch of what is waiting; how many messages."""
        assert self.consumer is not None
        records = await self.consumer.poll(self.reaction.batch, wait_s)
        if not records:
            return 0
        try:
            await self._handle(records)
        except TRANSIENT:
            raise
        except Exception as error:
            if len(records) > 1:
                log.info("%s takes a batch of %d one by one: %s", self.reaction.group, len(records), type(error).__name__)
            for record in records:
                await self._singly(record)
        self.handled += len(records)
        return len(records)

    def _pause(self, failures: int) -> float:
        return min(30.0, self.reaction.back_off_s * 2.0 ** min(failures, 12)) * self._jitter.uniform(0.5, 1.0)

    async def _handle(self, records: Sequence[Record]) -> None:
        assert self.consumer is not None
        with self._seen.batch(records) as batch:
            items = await self.reaction.react(batch.records)
            outcomes = await self.kernel.apply_many(items, consumed=self.consumer.consumed(records), strict=True)
            await self.consumer.committed(records)
        if self.reaction.after:
            self.reaction.after(outcomes)

    async def _singly(self, record: Record) -> None:
        assert self.consumer is not None
        reason: Exception
        for attempt in range(1, self.reaction.attempts + 1):
            try:
                await self._handle([record])
                return
            except TRANSIENT:
                raise
            except msgspec.MsgspecError as error:  # what cannot be read now never can: many of them must not hold up all behind them
                reason = error
                break
            except Exception as error:
                reason = error
                if attempt < self.reaction.attempts:
                    await asyncio.sleep(self._pause(attempt))
        log.error("%s gives up on %s after %d attempts: %s", self.reaction.group, record.meta.id, attempt, type(reason).__name__)
        self._seen.dead.inc()
        letter = letter_of(self.reaction.group, record, reason, self.kernel.clock.now(), attempt)
        await self.kernel.apply_many([], consumed=self.consumer.consumed([record]), dead=[letter])
        await self.kernel.bus.bury(letter)
        await self.consumer.committed([record])

    async def replay(self) -> None:
        """Dead letters that somebody asked to be tried again; other groups' stay, however many they are."""
        after = ""
        while letters := await self.kernel.store.dead_letters(state="replaying", after=after):
            for letter in letters:
                if letter.group == self.reaction.group:
                    await self._again(letter)
            after = letters[-1].id

    async def _again(self, letter: DeadLetter) -> None:
        meta = msgspec.json.decode(letter.meta, type=Meta)
        record = Record(topic=letter.topic, partition=letter.partition, position=letter.position, meta=meta, data=letter.data)
        try:
            items = await self.reaction.react([record])
            await self.kernel.apply_many(items, replayed=[letter.id], strict=True)
        except TRANSIENT:
            raise
        except Exception as error:
            again = msgspec.structs.replace(letter, state="dead", error=_describe(error), attempts=letter.attempts + 1)
            await self.kernel.apply_many([], dead=[again])


def _describe(error: Exception) -> str:
    """An error's kind and place; never its text, which may hold what was in the message."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = f" in {trace.tb_frame.f_code.co_name}, line {trace.tb_lineno}" if trace else ""
    return f"{type(error).__name__}{where}"
