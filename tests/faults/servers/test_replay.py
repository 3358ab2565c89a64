"""The log stands there a second time, and is read again from its beginning: nothing comes of either."""

import time

import pytest

from tests.bench.figures import show
from tests.faults.servers.scene import FIGURES, Scene
from tests.faults.servers.work import until
from tests.faults.servers.world import SCREENING

pytestmark = pytest.mark.timeout(240)
_GROUPS = {"screening": ("signals", "hotspots", "suppliers"), "assessment": ("matches", "audits", "remediation", "ratings")}


def test_the_log_is_replayed_from_its_beginning(scene: Scene) -> None:
    """All of it stands there a second time; then groups read all of it again. Nothing comes of either."""
    scene.answered = scene.work.ready()
    scene.work.end_release(scene.work.begin_release("b"))
    scene.ends_well()
    before, log = scene.checker.written(), scene.world.log
    copies = [m for m in log.messages() if "ce_id" in dict(m.headers)]  # but what other tests put there
    began = time.monotonic()
    log.put(copies)
    until(log.waiting, lambda count: count == 0)
    _tell(began, "log_duplicated_per_s", len(copies), "records of all topics, which stand on the log a second time")
    assert scene.checker.written() == before
    processes = [*SCREENING, "assessment"]
    for name in processes:
        scene.world.system.processes[name].terminate()
    for name in processes:
        scene.world.system.processes[name].wait(30)
    for group, topics in _GROUPS.items():
        log.to_the_beginning(group, topics)
    began, waiting = time.monotonic(), log.waiting()
    for name in processes:
        scene.world.system.start(name)
    until(log.waiting, lambda count: count == 0)
    _tell(began, "log_read_again_per_s", waiting, "records by groups that are back at the beginning, the processes' start among it")
    scene.ends_well()
    assert scene.checker.written() == before


def _tell(began: float, figure: str, count: int, note: str) -> None:
    show(figure, count / (time.monotonic() - began), "/s", count, note, file=FIGURES)
