"""Reactions that stand still with something to read are not ready."""

import sqlite3
from typing import Any, cast

import pytest

from services.runtime.lag import STALLED_S, LagWatch
from shared.errors import Unavailable
from shared.kernel.reactor import Reaction, Reactor
from shared.telemetry.instruments import REGISTRY


class Standing:
    """A reactor as the watch sees it."""

    def __init__(self, group: str) -> None:
        self.reaction = Reaction(group, ("ratings",), cast(Any, None))
        self.handled = 0
        self.waiting: int | None = 0
        self.consumer = self
        self.away: Exception = Unavailable()

    async def lag(self) -> int:
        if self.waiting is None:
            raise self.away
        return self.waiting


def told(group: str) -> float | None:
    return REGISTRY.get_sample_value("duewatch_consumer_lag", {"messaging_consumer_group_name": group})


async def test_who_has_read_nothing_for_long_with_something_to_read_is_stalled() -> None:
    now, one, two = [0.0], Standing("one"), Standing("two")
    watch = LagWatch(cast(list[Reactor], [one, two]), lambda: now[0])

    async def later(seconds: float) -> list[str]:
        now[0] += seconds
        await watch.look()
        return watch.stalled

    one.waiting, two.waiting = 5, 0
    assert await later(0) == []
    assert [told(name) for name in ("one", "two")] == [5, 0]
    assert await later(STALLED_S) == []
    one.handled, two.waiting = 3, 1  # it moves, though slowly
    assert await later(1) == []
    assert await later(STALLED_S + 1) == ["one", "two"]
    one.handled = 4
    assert await later(1) == ["two"]
    two.waiting = 0
    assert await later(1) == []


@pytest.mark.parametrize("away", [Unavailable(), OSError(), sqlite3.OperationalError()])
async def test_a_bus_that_is_away_is_no_fault_of_the_reactions(away: Exception) -> None:
    now, one = [0.0], Standing("one")
    one.away = away
    watch = LagWatch(cast(list[Reactor], [one]), lambda: now[0])
    one.waiting = 5
    await watch.look()
    one.waiting = None
    now[0] += 10 * STALLED_S
    await watch.look()
    assert told("one") == 5  # the last answer
    one.waiting = 5
    now[0] += STALLED_S / 2
    await watch.look()
    assert watch.stalled == []
