"""What stands is held against a tenant's new threshold: in the background, signal by signal, each copy for the partitions that it holds."""

import asyncio
from collections.abc import Collection
from typing import Final

from services.screening.formerly import carried_over
from services.screening.messages import messages
from services.screening.reactions import Worker
from shared.kernel.aggregate import Item
from shared.kernel.service import Context, Task

_MARK: Final = "settings/"  # tenant / partition -> the version of the settings that all its suppliers were screened by
_BATCH: Final = 200
_WAIT_S: Final = 5.0


class Rescreening:
    """`under_way_s`: longer than a batch of reactions takes."""

    under_way_s = 1.0

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        worker = ctx.own
        assert isinstance(worker, Worker)
        self._worker = worker

    def tasks(self) -> list[Task]:
        """Of every copy."""
        return [Task("screening settings", "reactions", self._follow, each=True)]

    async def _follow(self) -> None:
        waits = self._ctx.nudged()
        while True:
            if await self.step():
                await asyncio.sleep(self.under_way_s)
            else:
                await waits.wait(_WAIT_S, self.under_way_s)

    async def step(self) -> bool:
        """Screens a tenant's suppliers again whose settings are new; whether there was anything to do.

        The mark is set once nothing moves any more: a batch of reactions that was under way has judged by the settings of before.
        """
        worker = self._worker
        if worker.rebuilding:
            return False
        await worker.settings.refresh()
        done = await self._ctx.store.positions(_MARK)
        for tenant, own in worker.join.thresholds.tenants.items():
            marks = {p: f"{_MARK}{tenant}/{p}" for p in worker.partitions}
            behind = [p for p, mark in marks.items() if done.get(mark) != own.version]
            if behind:
                if not await self._screen(tenant, behind):
                    await self._ctx.kernel.apply_many([], consumed={marks[p]: own.version for p in behind})
                return True
        return False

    async def _screen(self, tenant: str, partitions: Collection[int]) -> int:
        """How many matches moved. What comes in meanwhile is judged by the same settings."""
        moved, items, join = 0, list[Item](), self._worker.join
        for key in join.parties(tenant):
            if self._worker.rebuilding:  # partitions come and go: the next step begins anew
                return 1
            found = join.of_signal(key, partitions, tenant)
            items += messages(join, found, join.standing_of_signal(key, partitions, tenant), self._worker.settings.cause(tenant))
            if len(items) >= _BATCH:
                moved, items = moved + await self._apply(items), []
            await asyncio.sleep(0)
        return moved + await self._apply(items)

    async def _apply(self, items: list[Item]) -> int:
        outcomes = await self._ctx.kernel.apply_many(await carried_over(self._ctx.store, items), strict=True)
        return sum(outcome.changed for outcome in outcomes)
