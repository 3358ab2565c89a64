"""Hot-spots counted by Faust on a real broker: found end to end, and through kill -9 of a worker. More of it: test_hotspots_stream_long.py."""

import signal
import time

from shared.events.hotspots import HotspotClosed, HotspotDetected
from tests.faults.hotspots_on_kafka import World, world

__all__ = ["world"]
_LONG_S = 90  # members come and go


async def test_a_hot_spot_opens_and_closes(world: World) -> None:
    worker = world.worker()
    await worker.ready()
    await world.supplier(1)
    await world.confirmed(1, "us_ofac_sdn")
    await world.finding(1)
    assert await world.told(1, 4) == []
    await world.finding(2)
    (opened,) = await world.told(1)
    assert isinstance(opened, HotspotDetected)
    assert (opened.sources, set(opened.evidence)) == (3, {"fnd_1", "fnd_2", "mat_1"})
    items = (await worker.get("/v1/hotspots", world.tenant)).json()["items"]
    assert [(i["state"], i["spot"]["kind"], i["sources"]) for i in items] == [
        ("open", "good_origin", 3)
    ]  # nothing of the others is in the store
    await world.finding(1, live=False)
    assert [type(t) for t in await world.told(2)] == [HotspotDetected, HotspotClosed]
    assert worker.end() == 0


async def test_a_worker_that_is_killed_and_comes_back_under_its_name_goes_on_from_its_changelogs(world: World) -> None:
    worker = world.worker("hotspots-1")
    await worker.ready()
    await world.supplier(1)
    await world.confirmed(1, "us_ofac_sdn")
    await world.finding(1)
    assert await world.told(1, 4) == []  # all is read and committed
    worker.end(signal.SIGKILL)
    await world.finding(2)
    began = time.monotonic()
    again = world.worker("hotspots-1")
    await again.ready()
    (opened,) = await world.told(1)
    print(f"ready and told again {time.monotonic() - began:.1f} s after kill -9")
    assert isinstance(opened, HotspotDetected)
    assert set(opened.evidence) == {"fnd_1", "fnd_2", "mat_1"}
