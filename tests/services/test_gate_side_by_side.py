"""Callers of the gate do not wait for others whose commit is slow, and a tenant with many exceptions has them all."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.assessment import service as assessment
from services.assessment.decisions import gate as at_the_gate
from services.assessment.decisions import service as gate
from tests.services.assessment_steps import SUPPLIER, asked, listed, override, screened
from tests.services.harness import Harness, harness


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Harness]:
    async with harness(tmp_path, assessment.SERVICE, gate.SERVICE) as h:
        yield h


class Slow:
    """Stands before the gate's commits: each waits until all may go on."""

    def __init__(self, world: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
        self.may, self.inside, self.most, kernel = asyncio.Event(), 0, 0, world.node.contexts["gate"].kernel
        commit = kernel.execute

        async def execute(item: Any) -> Any:
            self.inside += 1
            self.most = max(self.most, self.inside)
            await self.may.wait()
            self.inside -= 1
            return await commit(item)

        monkeypatch.setattr(kernel, "execute", execute)

    async def reached(self, count: int) -> None:
        """Until so many commits wait."""
        async with asyncio.timeout(10):
            while self.inside < count:
                await asyncio.sleep(0.001)


async def test_a_slow_commit_holds_up_nobody_who_comes_after_it(world: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    await screened(world)
    slow, asking = Slow(world, monkeypatch), []
    for waiting in (1, 2, 3):
        asking.append(asyncio.create_task(asked(world)))
        await slow.reached(waiting)
    slow.may.set()
    told = await asyncio.gather(*asking)
    assert [one["decision"] for one in told] == ["allow"] * 3
    assert len({one["id"].partition(".")[0] for one in told}) == 3


async def test_when_all_are_slow_callers_share_a_commit(world: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    await screened(world)
    slow, asking, side_by_side = Slow(world, monkeypatch), [], at_the_gate._SIDE_BY_SIDE
    for waiting in range(1, side_by_side + 1):
        asking.append(asyncio.create_task(asked(world)))
        await slow.reached(waiting)
    asking += [asyncio.create_task(asked(world)) for _ in range(20)]
    await asyncio.sleep(3 * at_the_gate._PATIENCE_S)
    assert slow.most == side_by_side
    slow.may.set()
    told = await asyncio.gather(*asking)
    assert [one["decision"] for one in told] == ["allow"] * (side_by_side + 20)
    assert len({one["id"].partition(".")[0] for one in told[side_by_side:]}) < 20


@pytest.mark.parametrize("few", [0, 1])
async def test_an_exception_holds_however_many_there_are(world: Harness, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    monkeypatch.setattr(at_the_gate, "_FEW", few)
    await screened(world)
    await listed(world)
    id_ = await override(world, "allow")
    told = await asked(world)
    assert (told["decision"], told["supplier_id"], told["override_id"]) == ("allow", SUPPLIER, id_)
