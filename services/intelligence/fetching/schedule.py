"""Lists fetched by themselves: what is due is pulled, one that fails holds up no other."""

import asyncio
import logging
from datetime import datetime

from services.intelligence.fetching.ages import watch
from services.intelligence.fetching.model import SCHEDULE, Adopt
from services.intelligence.fetching.pulls import Puller
from services.intelligence.lists import catalogue
from services.intelligence.releases.model import RELEASE
from shared.errors import DuewatchError
from shared.events.envelope import PUBLIC
from shared.ids import derive
from shared.kernel.aggregate import Cause, Item, Message
from shared.kernel.reactor import TRANSIENT
from shared.kernel.service import Context

log = logging.getLogger("duewatch.fetching")
BY_ITSELF = "schedule"  # who loads what comes so
MOST_WAITING = 20  # releases that wait to be compared; whoever sends faster is told so, or the newest would act hours late
_EVERY_S = 43_200  # where the settings ask for all lists: twice a day
_AT_ONCE = 4
_REST_S = 5.0


async def next_pull(ctx: Context, list_id: str) -> datetime | None:
    """When the list is fetched next by itself."""
    found = await ctx.kernel.get(SCHEDULE, PUBLIC, list_id)
    return found.state.next_at if found else None


class Fetching:
    """Works on what is due. One in the whole system."""

    def __init__(self, ctx: Context) -> None:
        self.ctx, self.puller = ctx, Puller(ctx)

    async def run(self) -> None:
        """For ever."""
        waits, adopted = self.ctx.nudged(), False
        while True:
            pulled = 0
            try:
                if not adopted:
                    await self.adopt()
                    adopted = True
                await watch(self.ctx, self.puller.sources)
                pulled = await self.step()
            except TRANSIENT as error:
                log.warning("fetching lists waits for its store: %s", type(error).__name__)
            if not pulled:
                await waits.wait(_REST_S, 1.0)

    async def adopt(self) -> None:
        """Lists that no operator has set are fetched as the settings say: all that have addresses, or none."""
        on = self.ctx.settings.lists_pull == "on"
        for list_id, spec in sorted(catalogue.CATALOGUE.items()):
            every = _EVERY_S if on and self.puller.source(list_id).wanted(spec) else None
            cause = Cause(derive("cmd", list_id, "adopt", self.ctx.ids.new("cmd")), "command.list.adopt", list_id)
            await self.ctx.kernel.execute(Item(SCHEDULE, PUBLIC, list_id, Message(Adopt(every), cause)))

    async def step(self) -> int:
        """Pulls all lists that are due; how many."""
        due = await self.ctx.store.due(SCHEDULE.kind, self.ctx.clock.now().timestamp(), 500)
        if not due or await self.ctx.store.count(RELEASE.kind, PUBLIC, {"todo": 1}) >= MOST_WAITING:
            return 0
        free = asyncio.Semaphore(_AT_ONCE)

        async def one(list_id: str) -> None:
            async with free:
                try:
                    await self.puller.pull(list_id, BY_ITSELF, scheduled=True)
                except DuewatchError as error:
                    log.warning("%s could not be fetched: %s", list_id, error.detail)
                except Exception:  # noted as a failed attempt: the next one is later
                    log.exception("fetching %s failed", list_id)

        await asyncio.gather(*(one(stored.id) for stored in due))
        return len(due)
