"""Runs the stream and watches it: without progress while something waits it is not ready, and if that lasts its process ends, to be started again."""

import asyncio
import logging
import os
from typing import Any, NamedTuple

from services.hotspots.heard import GROUP
from shared.bus.kafka_settings import KafkaSettings
from shared.bus.kafka_topics import KafkaTopics
from shared.errors import Unavailable
from shared.events.topics import STREAM_TOPICS
from shared.kernel.service import Context
from shared.telemetry.metrics import LAG

log = logging.getLogger("duewatch.hotspots")
_LOOK_S = 1.0
NOT_READY_S, RESTART_S = 20.0, 60.0  # without progress
_END_S = 10.0  # where the broker is gone, too; what is left of the 20 s that a container has is for the rest of the process
FAILED = 70  # the exit code: an internal error, in sysexits.h


class Look(NamedTuple):
    """What a worker shows from outside: is it between two assignments, how much waits, how far it has got."""

    settling: bool
    lag: int
    at: tuple[tuple[str, int, int], ...]


class Stalled(Exception):
    """No progress while something waits."""


class Watch:
    """Whether a stream moves. `unready` holds what is wrong with it, for the process's health."""

    def __init__(self) -> None:
        self.unready: list[str] = ["stream"]
        self._last: Look | None = None
        self._since = 0.0

    def look(self, seen: Look, now: float) -> None:
        """One look at a time in seconds; Stalled where it must be made anew."""
        if self._last is None or seen.at != self._last.at or seen.settling != self._last.settling or not (seen.lag or seen.settling):
            self._since = now
        self._last = seen
        if not seen.settling:
            LAG.labels(GROUP).set(seen.lag)
        still = now - self._since
        if still >= RESTART_S:
            raise Stalled
        self.unready[:] = ["stream"] if seen.settling or still >= NOT_READY_S else []

    def begin(self, now: float) -> None:
        """A new run."""
        self._last, self._since = None, now
        self.unready[:] = ["stream"]


async def run(ctx: Context, watcher: Any, watch: Watch) -> None:
    """The stream until it is cancelled. Where it crashes or stalls the whole process ends at once, for its supervisor to start it again.

    Not the stream alone: an app of Faust's that has failed leaves threads and tasks behind that neither end nor let go of their partitions.
    """
    for name in ("faust", "mode", "aiokafka", "services.hotspots.stream_consumer"):
        logging.getLogger(name).setLevel(logging.WARNING)  # else each of their steps is told
    try:
        await _once(ctx, watcher, watch)
    except Exception as error:
        log.critical("the stream ended, and its process with it: %s", type(error).__name__, exc_info=error)
        os._exit(FAILED)  # as after kill -9: what was not committed comes again


async def _once(ctx: Context, watcher: Any, watch: Watch) -> None:
    """One run: ends by an exception when it has crashed or stalled."""
    from services.hotspots.stream import Stream  # only where it is needed: Faust takes a second to import

    await _topics(ctx)
    loop = asyncio.get_running_loop()
    stream = Stream(ctx, watcher)
    app = stream.app
    watch.begin(loop.time())
    app.finalize()
    starting = asyncio.create_task(app.start())
    try:
        while not app.crashed:
            if starting.done():
                starting.result()
            watch.look(_look(app), loop.time())
            await asyncio.sleep(_LOOK_S)
        raise app.crash_reason or Stalled
    except asyncio.CancelledError:
        watch.unready[:] = ["stream"]
        starting.cancel()
        try:
            async with asyncio.timeout(_END_S):
                await app.stop()
        except TimeoutError:
            log.error("the stream did not end in %.0f s", _END_S)
        raise


async def _topics(ctx: Context) -> None:
    """They must be there before Faust joins its group: a topic that the group's leader does not see is dealt to nobody, for minutes."""
    topics = KafkaTopics(KafkaSettings.parse(ctx.settings.bus), ctx.settings.partitions)
    while True:
        try:
            await topics.apply(STREAM_TOPICS)
            return
        except Unavailable as error:
            log.warning("the stream waits for its topics: %s", error)
            await asyncio.sleep(_LOOK_S)


def _look(app: Any) -> Look:
    """By Faust's own sensors."""
    if not app.started or app.rebalancing or app.rebalancing_count == 0:
        offsets = app.tables.recovery.active_offsets.values() if app.started else ()  # changelogs may be long: reading on is progress
        read = sum(at for at in offsets if at is not None)  # None: just assigned, not asked for yet
        return Look(True, 0, (("changelogs", 0, read),))
    monitor = app.monitor
    mine = sorted((tp.topic, tp.partition) for tp in app.consumer.assignment())
    ends = {(tp.topic, tp.partition): end for tp, end in monitor.tp_end_offsets.items()}
    done = {(tp.topic, tp.partition): at for tp, at in monitor.tp_committed_offsets.items()}
    lag = sum(max(0, ends[tp] - done[tp]) for tp in mine if tp in ends and tp in done)
    return Look(False, lag, tuple((*tp, done.get(tp, 0)) for tp in mine))
