"""How far the reactions of a process are behind, and whether they move at all: one that stands still is not ready, and is to be started again.

Asked from beside the reactions: one that hangs in a batch could not tell itself.
"""

import asyncio
import time
from collections.abc import Callable, Sequence

from shared.kernel.reactor import TRANSIENT, Reactor
from shared.telemetry.metrics import LAG

STALLED_S = 60.0
_EVERY_S = 10.0  # it asks the bus for each reaction


class LagWatch:
    """Of the reactors of one process."""

    def __init__(self, reactors: Sequence[Reactor], clock: Callable[[], float] = time.monotonic) -> None:
        self._reactors, self._clock = reactors, clock
        self._moved = {r.reaction.group: (-1, clock()) for r in reactors}  # what was handled when, last seen
        self.stalled: list[str] = []  # groups that have had something to read and read nothing for `STALLED_S`

    async def run(self) -> None:
        """Looks, for ever."""
        while True:
            await self.look()
            await asyncio.sleep(_EVERY_S)

    async def look(self) -> None:
        """Asks the bus, and says it as a metric. A bus that does not answer says nothing of the reactions: it is missing itself."""
        for reactor in self._reactors:
            group = reactor.reaction.group
            try:
                lag = await reactor.consumer.lag() if reactor.consumer else 0
            except TRANSIENT:
                self._moved[group] = (-1, self._clock())
                continue
            LAG.labels(group).set(lag)
            if not lag or self._moved[group][0] != reactor.handled:
                self._moved[group] = (reactor.handled, self._clock())
        self.stalled = [group for group, (_, since) in self._moved.items() if self._clock() - since > STALLED_S]
