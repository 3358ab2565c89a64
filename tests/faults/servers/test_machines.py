"""A machine whose clock is wrong, and one that stood still while work heaped up."""

import signal
import time

import pytest

from tests.bench.figures import show
from tests.faults.servers.scene import FIGURES, Scene
from tests.faults.servers.work import IMPORTED, SUPPLIERS, suppliers, until
from tests.faults.servers.world import SCREENING

pytestmark = pytest.mark.timeout(240)

_SKEW_S = 7_200
_HEAP, _MOST_MB = 30_000, 96  # records of a supplier with a long profile, about 200 MB; what a reader may grow by meanwhile


@pytest.mark.parametrize(("name", "seconds"), [(SCREENING[0], -_SKEW_S), ("assessment", _SKEW_S), ("onboarding", _SKEW_S)])
def test_clock_of_one_process_is_wrong(scene: Scene, name: str, seconds: int) -> None:
    """Times in what it writes are wrong; nothing else is."""
    scene.world.skew(name, seconds)
    scene.world.ready(name)
    began = time.monotonic()
    scene.answered = scene.work.ready()
    sweep = scene.work.end_release(scene.work.begin_release("b"))
    assert sweep["suppliers"] == SUPPLIERS, sweep
    scene.since(began, "clock_skew_s", f"two releases and an import, while the clock of {name} is {seconds / 3600:+.0f} h wrong", IMPORTED)
    scene.ends_well()
    scene.world.restart(name)  # in the right time again: what it wrote lies in the future, or long ago
    scene.world.ready(name)
    scene.ends_well()


def test_a_slow_consumer_holds_no_more_than_it_handles(scene: Scene) -> None:
    """A heap of duplicates, each with a long profile, waits for a worker that stood still; it goes through it in little memory."""
    world, log = scene.world, scene.world.log
    scene.answered = scene.work.ready()
    scene.work.end_release(scene.work.begin_release("b"))
    number = sorted(suppliers())[-1]
    supplier = scene.caller.get(f"/v1/suppliers?external_ref=S4:{number}")["items"][0]
    addresses = [{"text": f"{n} Long Street, behind the mill and beside the river of that name", "country": "RU"} for n in range(50)]
    scene.caller.ask("PATCH", f"/v1/suppliers/{supplier['id']}", json={"addresses": addresses})
    scene.ends_well()
    last = [m for m in log.messages(["suppliers"]) if supplier["id"].encode() in (m.key or b"")][-1]
    for name in SCREENING:
        world.system.processes[name].send_signal(signal.SIGSTOP)
    log.put(last for _ in range(_HEAP))
    for name in SCREENING:
        world.forget_peak(name)
    before = {name: world.rss_mb(name)[0] for name in SCREENING}
    began = time.monotonic()
    for name in SCREENING:
        world.system.processes[name].send_signal(signal.SIGCONT)
    until(log.waiting, lambda count: count == 0)
    seconds = time.monotonic() - began
    grown = max(world.rss_mb(name)[1] - before[name] for name in SCREENING)
    heap = _HEAP * len(last.value) / 1e6
    show(
        "slow_consumer_grows_mb",
        grown,
        "MB",
        _HEAP,
        f"resident memory at most above before, for {heap:.0f} MB that waited; {seconds:.1f} s",
        file=FIGURES,
    )
    assert heap > _MOST_MB
    assert grown < _MOST_MB
    scene.ends_well()
