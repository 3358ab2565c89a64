"""The circle keeps its promises under every seed; and the simulation notices where one is broken."""

import logging

import pytest

from shared.kernel.kernel import Kernel
from tests.faults.broken import Amnesiac, Careless, Forgetful, Hasty, Headless, Lossy
from tests.faults.simulation import simulate
from tests.faults.world import Chaos


@pytest.fixture(autouse=True)
def _quiet() -> None:
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # a thread that a killed process left behind may complain


def test_seeds(seeds: range) -> None:
    failed = [run.told() for run in map(simulate, seeds) if run.wrong]
    assert not failed, "\n".join(failed)


def test_a_seed_repeats_itself() -> None:
    one, other = simulate(7), simulate(7)
    assert (one.steps, one.crashes, one.end) == (other.steps, other.crashes, other.end)
    assert one.crashes.total() > 3


@pytest.mark.parametrize(
    ("kernel", "words"),
    [
        (Forgetful, "one cause made versions"),
        (Amnesiac, "Conflict: This supplier is registered already"),
        (Headless, "the document is not what its journal says"),
        (Hasty, "published, but never saved"),
        (Careless, "differ"),
        (Lossy, "was answered and stands in the journal 0 times"),
    ],
)
def test_a_broken_kernel_is_caught(kernel: type[Kernel], words: str) -> None:
    chaos = Chaos(crash_within=0.03) if kernel is Hasty else Chaos()
    for seed in range(20):
        if any(words in fault for fault in simulate(seed, chaos, kernel=kernel).wrong):
            return
    pytest.fail(f"20 seeds did not notice {kernel.__name__}")


def test_a_release_needs_no_commit_to_be_whole() -> None:
    """Documents lie apart on MongoDB: a crash between them leaves a release that its loader goes on with."""
    often = Chaos(crash_within=0.03)
    assert [run.told() for run in (simulate(seed, often) for seed in range(20)) if run.wrong] == []
