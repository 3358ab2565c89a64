"""When a stream counts as ready, and when it must be made anew."""

import os
from types import SimpleNamespace
from typing import Any

import pytest

from services.hotspots import stream_watch
from services.hotspots.stream_watch import FAILED, NOT_READY_S, RESTART_S, Look, Stalled, Watch
from shared.telemetry.instruments import REGISTRY


def watched() -> Watch:
    watch = Watch()
    watch.begin(0)
    assert watch.unready == ["stream"]
    return watch


def idle(at: int, lag: int = 0) -> Look:
    return Look(False, lag, (("suppliers", 0, at),))


def test_it_is_ready_once_it_has_settled_and_stays_so_with_nothing_to_do() -> None:
    watch = watched()
    watch.look(Look(True, 0, ()), 1)
    assert watch.unready == ["stream"]
    for now in range(2, 1000, 10):
        watch.look(idle(5), now)
        assert watch.unready == []


def test_what_waits_and_moves_is_well_however_long_it_takes() -> None:
    watch = watched()
    for now in range(0, 1000, 10):
        watch.look(idle(now, 10_000 - now), now)
        assert watch.unready == []


def test_no_progress_while_something_waits_is_not_ready_then_the_end() -> None:
    watch = watched()
    watch.look(idle(5, 3), 1)
    assert watch.unready == []
    watch.look(idle(5, 3), 1 + NOT_READY_S)
    assert watch.unready == ["stream"]
    watch.look(idle(6, 2), 2 + NOT_READY_S)
    assert watch.unready == []
    with pytest.raises(Stalled):
        watch.look(idle(6, 9), 2 + NOT_READY_S + RESTART_S)


def test_one_that_never_settles_is_ended_too() -> None:
    watch = watched()
    watch.look(Look(True, 0, ()), RESTART_S - 1)
    with pytest.raises(Stalled):
        watch.look(Look(True, 0, ()), 2 * RESTART_S)


def test_changelogs_that_were_not_asked_for_yet_count_as_not_read() -> None:
    recovery = SimpleNamespace(active_offsets={("windows", 0): 7, ("windows", 1): None})  # None: assigned this moment
    app = SimpleNamespace(started=True, rebalancing=True, rebalancing_count=1, tables=SimpleNamespace(recovery=recovery))
    assert stream_watch._look(app) == Look(True, 0, (("changelogs", 0, 7),))


def test_how_far_it_is_behind_is_told_as_of_any_group() -> None:
    watch = watched()
    watch.look(idle(5, 3), 1)
    watch.look(Look(True, 0, ()), 2)  # nothing is known now
    assert REGISTRY.get_sample_value("duewatch_consumer_lag", {"messaging_consumer_group_name": "hotspots"}) == 3
    watch.look(idle(8), 3)
    assert REGISTRY.get_sample_value("duewatch_consumer_lag", {"messaging_consumer_group_name": "hotspots"}) == 0


async def test_a_stream_that_fails_ends_its_process(monkeypatch: pytest.MonkeyPatch) -> None:
    async def stalls(*_: Any) -> None:
        raise Stalled

    codes: list[int] = []
    monkeypatch.setattr(stream_watch, "_once", stalls)
    monkeypatch.setattr(os, "_exit", codes.append)
    ctx: Any = None
    await stream_watch.run(ctx, None, Watch())
    assert codes == [FAILED]
