"""Who loads lists dies at a place that chance seldom hits: what it had begun is done by its successor, whole, and in order."""

import time

import pytest

from tests.faults.servers.scene import Scene

pytestmark = pytest.mark.timeout(240)

# The n-th commit of a process that has just started: 1 a release is received, 2 it is let in, 3 to 5 its changes, 6 its end.
PLACES = [
    ("b", "before-nudge:3"),  # changes are saved, and told to nobody
    ("b", "before-nudge:5"),  # the last ones
    ("b", "after-commit:6"),  # its marker is saved, and told to nobody
    ("few", "before-nudge:2"),
    ("few", "batch-put:2"),  # in the outbox, and nowhere else
    ("few", "batch-put:4"),
    ("few", "kind-written:2"),  # what it is let in with is saved, its changes are not
    ("few", "kind-written:3"),
    ("few", "kind-written:4"),
    ("few", "kind-written:5"),
]


@pytest.mark.parametrize(("which", "place"), PLACES)
def test_a_release_is_cut_off(scene: Scene, which: str, place: str) -> None:
    world, work = scene.world, scene.work
    scene.answered = work.ready()
    world.kill("intelligence")
    world.system.start("intelligence", DUEWATCH_CRASH_AT=place)
    world.ready("intelligence")
    release = work.begin_release(which)
    assert world.system.processes["intelligence"].wait(60) == -9
    began = time.monotonic()
    world.system.start("intelligence")
    sweep = work.end_release(release)
    scene.since(began, "release_cut_off_s", f"from the start of who goes on until the sweep is complete; killed at {place}")
    assert sweep["hits"] == 8, sweep
    scene.ends_well()
