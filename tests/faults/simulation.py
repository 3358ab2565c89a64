"""The whole circle under everything that can go wrong, repeatably: `python -m tests.faults.simulation --seed 17`.

A run does a workload twice: once in peace, once with duplicates, delays, races, rebalances and crashes. Both must come to the same end, and the
troubled one must keep every invariant, also after all processes read everything again from the beginning.
"""

import argparse
import asyncio
import dataclasses
import functools
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

from shared.kernel.kernel import Kernel
from tests.faults.invariants import check, consistent, outcome, revisions
from tests.faults.workload import FINDING, phases
from tests.faults.world import CALM, EMBEDDED, SERVICES, Chaos, World

VARIANTS = 12
_SERVICES = tuple(dataclasses.replace(s, aggregates=(*s.aggregates, FINDING)) if s.name == "intelligence" else s for s in SERVICES)


@dataclasses.dataclass
class Run:
    """What a run did, and what was wrong with it."""

    seed: int
    wrong: list[str]
    end: dict[str, Any]
    steps: int
    crashes: Counter[str]

    def told(self) -> str:
        """For whoever has to find out."""
        lines = "\n  ".join(self.wrong[:20])
        return f"seed {self.seed}: {len(self.wrong)} faults; repeat with: python -m tests.faults.simulation --seed {self.seed}\n  {lines}"


async def _run(seed: int, variant: int, chaos: Chaos, kernel: type[Kernel]) -> Run:
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder), seed, chaos, services=_SERVICES, kernel=kernel)
        wrong: list[str] = []
        end: dict[str, Any] = {}
        try:
            for phase in phases(variant):
                commands, seconds = phase()
                await world.settle(commands)
                world.clock.advance(seconds)
                world.memory.moved()
                await world.settle()
            wrong += check(world) + await consistent(world)
            end = await outcome(world)
            before = revisions(world)
            await world.restart()
            if added := {name: count - before[name] for name, count in revisions(world).items() if count != before[name]}:
                wrong.append(f"reading everything again added {added}")
        except Exception as error:  # whatever a broken system throws is what this run has to tell
            wrong.append("".join(traceback.format_exception_only(error)).strip() + f" in {_place(error)}")
        finally:
            world.close()
        return Run(seed, wrong, end, world.steps, world.crashes)


@functools.cache
def in_peace(variant: int) -> dict[str, Any]:
    """The end of a variant's workload when nothing goes wrong."""
    run = asyncio.run(_run(0, variant, CALM, Kernel))
    if run.wrong:
        raise AssertionError(f"wrong even in peace: {run.told()}")
    return run.end


def simulate(seed: int, chaos: Chaos | None = None, *, kernel: type[Kernel] = Kernel) -> Run:
    """One seed: the troubled run, compared with the one in peace. Three dozen are of the distributed runtime, then one of the embedded one."""
    expected = in_peace(seed % VARIANTS)
    chosen = chaos or (EMBEDDED if seed // VARIANTS % 4 == 3 else Chaos())
    run = asyncio.run(_run(seed, seed % VARIANTS, chosen, kernel))
    for what, value in expected.items() if run.end else ():
        if run.end[what] != value:
            run.wrong.append(f"{what} differ: {_difference(value, run.end[what])}")
    return run


def _place(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{frame.name}, {Path(frame.filename).name}:{frame.lineno}"


def _difference(expected: Any, found: Any) -> str:
    if isinstance(expected, dict):
        return "; ".join(f"{k}: {expected.get(k)} became {found.get(k)}" for k in expected | found if expected.get(k) != found.get(k))
    return f"missing {[x for x in expected if x not in found]}, too many {[x for x in found if x not in expected]}"


def main() -> int:
    """Runs seeds and says what was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, help="this one alone")
    parser.add_argument("--seeds", type=int, default=200, help="this many, from 0")
    asked = parser.parse_args()
    began, failed, steps, crashes = time.monotonic(), 0, 0, Counter[str]()
    seeds = [asked.seed] if asked.seed is not None else range(asked.seeds)
    for seed in seeds:
        run = simulate(seed)
        steps, crashes = steps + run.steps, crashes + run.crashes
        if run.wrong:
            failed += 1
            print(run.told())
    print(f"{len(seeds)} seeds, {failed} failed, {steps} steps, {crashes.total()} crashes, {time.monotonic() - began:.1f} s")
    print("crashes by place: " + ", ".join(f"{place} {n}" for place, n in crashes.most_common()))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
