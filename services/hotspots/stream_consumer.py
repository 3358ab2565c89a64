"""The Faust app's consumer: it loses nothing where partitions change hands.

Faust 0.15.3 hands out records that it then throws away. When a worker's tables are there again, it lets the streams' partitions go on, asks for the
committed position of each, one request after the other, and at last empties every agent's queue; what was read in between is in no queue any
more and not read again, and since a gap counts as handled its offsets are committed, too (the race of faust-streaming issue 596). The order that is right
is made here: positions first, then empty queues, then partitions. Smaller holes of the same kind are closed beside it.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import faust
from faust.transport.drivers import aiokafka
from faust.types import TP, AgentT, TransportT

PassesOver = Callable[[Any], bool]


class Consumer(aiokafka.Consumer):
    """Reads of a stream's partition only between the end of a recovery and the next time that partitions change hands."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._held: set[TP] = set()  # go on with the flow

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Faust stops the flow when partitions are taken away; who had none, and gets some now, would read them before its tables are there."""
        self.stop_flow()
        self.app.flow_control.suspend()
        await super().on_partitions_assigned(assigned, generation_id)

    def pause_partitions(self, tps: Iterable[TP]) -> None:
        """As Faust's."""
        paused = set(tps)
        self._held -= paused
        super().pause_partitions(paused)

    def resume_partitions(self, tps: Iterable[TP]) -> None:
        """Changelogs at once, streams with the flow: that resumes once all positions are set and all queues emptied."""
        resumed = set(tps)
        changelogs = {tp for tp in resumed if self._is_changelog_tp(tp)}
        self._held |= resumed - changelogs
        super().resume_partitions(changelogs)

    def resume_flow(self) -> None:
        """As Faust's, and with it the streams."""
        held, self._held = self._held, set()
        super().resume_partitions(held)
        super().resume_flow()

    def on_buffer_drop(self, tp: TP) -> None:
        """A queue that was full is no longer: because it was emptied, where its partition waits for its tables."""
        if tp in self._paused_partitions:
            self._buffered_partitions.discard(tp)
        else:
            super().on_buffer_drop(tp)

    async def _getmany(self, active_partitions: set[TP] | None, timeout: float) -> Any:  # noqa: ASYNC109  # Faust's signature
        """Asks for what may be read now.

        Faust hands over the set itself, and an empty one means all: where the last changelog is paused while a request waits, that would take
        the streams' records, to be thrown away.
        """
        found = await super()._getmany(set(active_partitions) if active_partitions else active_partitions, timeout)
        return {tp: await self._left(tp, records) for tp, records in found.items()}

    async def _left(self, tp: TP, records: Sequence[Any]) -> list[Any]:
        """What is not passed over, and the last, with which all before it counts as read.

        Faust takes offsets that it does not see for handled, as those that compaction took, but for some at the beginning of a partition.
        """
        assert isinstance(self.app, App)
        left, since = [], None
        for record in records[:-1]:
            if self.app.passes_over(record):
                since = record.offset if since is None else since
                continue
            if since is not None:
                await self._add_gap(tp, since, record.offset - 1)
                since = None
            left.append(record)
        if since is not None:
            await self._add_gap(tp, since, records[-1].offset - 1)
        return [*left, *records[-1:]]

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """To the beginning where nothing is committed yet, too: there Faust leaves a partition wherever reading has got."""
        committed = await super().seek_to_committed()
        fresh = [tp for tp, offset in committed.items() if not offset and not self._is_changelog_tp(tp)]
        if fresh:
            await self._thread.seek_to_beginning(*fresh)
        return committed


class _Transport(aiokafka.Transport):
    Consumer = Consumer


class App(faust.App):
    """Faust's, with this consumer, and ended by an agent that breaks. `passes_over`: does a record of Kafka's say nothing to anybody here?"""

    def __init__(self, *args: Any, passes_over: PassesOver, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.passes_over = passes_over

    def _new_transport(self) -> TransportT:
        return _Transport(self.conf.broker_consumer, self)

    async def _on_agent_error(self, agent: AgentT[Any], exc: BaseException) -> None:
        """Ends the run, and this agent never goes on: after its next event Faust would commit that one, and the one that broke with it."""
        await self.crash(exc)
        await asyncio.Event().wait()
