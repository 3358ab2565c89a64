"""Processes are killed: every one of them, in turn, while a sweep is under way."""

import signal
import time

import pytest

from tests.faults.servers.scene import Scene
from tests.faults.servers.work import SUPPLIERS
from tests.faults.servers.world import SCREENING

pytestmark = pytest.mark.timeout(240)

_MEANWHILE_S = 0.3


def test_every_service_is_killed_in_turn_during_a_sweep(scene: Scene) -> None:
    world, work = scene.world, scene.work
    scene.answered = work.ready()
    world.system.processes[SCREENING[-1]].send_signal(signal.SIGSTOP)  # the sweep stays open until its worker is killed, too
    release = work.begin_release("b")
    time.sleep(_MEANWHILE_S)
    others = [name for name in world.system.processes if name != SCREENING[-1]]
    for name in others:
        world.restart(name)
        time.sleep(_MEANWHILE_S)
    assert not scene.checker.swept(release)
    world.restart(SCREENING[-1])
    began = time.monotonic()
    sweep = work.end_release(release)
    scene.since(
        began, "sweep_after_kills_s", "from the start of the last process that was killed until the sweep is complete", len(others) + 1
    )
    assert (sweep["suppliers"], sweep["signals"]) == (SUPPLIERS, 1_080), sweep
    scene.ends_well()
