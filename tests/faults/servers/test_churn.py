"""A worker of screening comes and goes, again and again, while releases and imports go on: partitions move, and nothing is missed or done twice."""

import threading
import time

import pytest

from tests.bench.figures import show
from tests.faults.servers.scene import FIGURES, Scene
from tests.faults.servers.work import SUPPLIERS, Work
from tests.faults.servers.world import SCREENING, World

pytestmark = pytest.mark.timeout(300)

_EVERY_S = 2.0
_ADDED = f"{SCREENING[0].rpartition('-')[0]}-{len(SCREENING) + 1}"


class Churn:
    """In a thread of its own: adds a copy, and takes it away, asked to end and killed by turns."""

    def __init__(self, world: World) -> None:
        self._world, self._over = world, threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.changes = 0

    def __enter__(self) -> "Churn":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        kill = False
        while not self._over.is_set():
            self._world.system.start(_ADDED)
            self._over.wait(_EVERY_S)
            process = self._world.system.processes.pop(_ADDED)
            if kill:
                process.kill()
            else:
                process.terminate()
            process.wait()
            kill = not kill
            self.changes += 2
            self._over.wait(_EVERY_S)


def test_a_worker_comes_and_goes(scene: Scene, churn_s: float) -> None:
    scene.answered = scene.work.ready()
    others, slowest, sweeps = 0, 0.0, 0
    end = time.monotonic() + churn_s
    with Churn(scene.world) as churn:
        while time.monotonic() < end:
            which = "b" if sweeps % 2 == 0 else "a"
            began = time.monotonic()
            sweep = scene.work.end_release(scene.work.begin_release(which))
            slowest, sweeps = max(slowest, time.monotonic() - began), sweeps + 1
            assert sweep["suppliers"] == SUPPLIERS, sweep
            tenant = f"{scene.tenant}-{others}"
            with scene.world.caller(tenant) as caller:
                other = Work(caller, tenant)
                import_id = other.begin_import()
                other.register()
                other.end_import(import_id)
            others += 1
    show("worker_churn_slowest_sweep_s", slowest, "s", sweeps, f"{churn.changes} changes of the group in {churn_s:.0f} s", file=FIGURES)
    if which == "a":
        scene.work.end_release(scene.work.begin_release("b"))
    scene.ends_well()
