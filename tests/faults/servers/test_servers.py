"""Kafka and MongoDB are killed or frozen in the middle of batches, and come back; MongoDB writes, and does not know whether that will stand."""

import time

import pytest

from tests.faults.servers.scene import Scene
from tests.faults.servers.work import IMPORTED, until

pytestmark = pytest.mark.timeout(240)

_MEANWHILE_S = 0.5
_FROZEN_S = 5.0
_TIMEOUTS = 40


def under_way(scene: Scene) -> tuple[str, str]:
    """An import and a release have begun, a moment ago: their ids. Each takes three batches, and has the most of them before it."""
    scene.work.end_release(scene.work.begin_release("a"))
    release_id = scene.work.begin_release("b")
    return scene.work.begin_import(), release_id


def all_ends_well(scene: Scene, import_id: str, release_id: str, figure: str, note: str) -> None:
    """From now on until both are done; what came of it is as if nothing had happened."""
    began = time.monotonic()
    scene.answered = scene.work.register()
    scene.work.end_import(import_id)
    scene.work.end_release(release_id)
    scene.since(began, figure, f"from when it was back until an import and the sweep of a release were done; {note}", IMPORTED)
    scene.ends_well()


def test_broker_killed_in_the_middle_of_batches(scene: Scene) -> None:
    import_id, release_id = under_way(scene)
    scene.world.kafka.freeze()  # so that both are in the middle of something that is not answered
    time.sleep(_MEANWHILE_S)
    assert scene.work.progress(import_id)["state"] == "running"
    scene.world.kafka.kill()
    began = time.monotonic()
    scene.world.kafka.start()
    all_ends_well(scene, import_id, release_id, "broker_killed_s", f"it was away for {time.monotonic() - began:.1f} s")


def test_broker_frozen_for_a_while(scene: Scene) -> None:
    import_id, release_id = under_way(scene)
    scene.world.kafka.freeze()
    time.sleep(_FROZEN_S)
    assert scene.work.progress(import_id)["state"] == "running"
    scene.world.kafka.thaw()
    all_ends_well(scene, import_id, release_id, "broker_frozen_s", f"it stood still for {_FROZEN_S:.0f} s")


def test_mongodb_killed_in_the_middle_of_batches(scene: Scene) -> None:
    import_id, release_id = under_way(scene)
    scene.world.mongo.freeze()
    time.sleep(_MEANWHILE_S)
    scene.world.mongo.kill()
    began = time.monotonic()
    scene.world.mongo.start()
    all_ends_well(scene, import_id, release_id, "mongodb_killed_s", f"it was away for {time.monotonic() - began:.1f} s")


def test_write_concern_timeouts(scene: Scene) -> None:
    """Each is a real answer of mongod: the write was done, and that a majority has it was not known in time."""
    import_id, release_id = under_way(scene)
    unsure = {"code": 64, "codeName": "WriteConcernFailed", "errmsg": "waiting for replication timed out", "errInfo": {"wtimeout": True}}
    with scene.checker.ledger.failing(_TIMEOUTS, {"failCommands": ["insert", "update"], "writeConcernError": unsure}) as failed:
        until(failed, lambda count: count >= _TIMEOUTS)  # two that come at once are both counted
    all_ends_well(scene, import_id, release_id, "write_concern_timeouts_s", f"{_TIMEOUTS} writes were answered so")
