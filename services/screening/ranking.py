"""The queue of matches that wait for people: read in its order, and made anew where how it is made has changed."""

from typing import Any, Final

from services.screening.consequence import RANKING
from services.screening.model import MATCH, Rank
from shared.ids import derive
from shared.kernel.aggregate import Cause, Item, Message
from shared.kernel.kernel import document
from shared.kernel.service import Context, Task

_MARK: Final = "ranked/match"
_BATCH: Final = 500
_REST_S: Final = 3600.0


def tasks(ctx: Context) -> list[Task]:
    """At a start; later there is nothing to do."""

    async def run() -> None:
        waits = ctx.nudged()
        while True:
            await rank_anew(ctx)
            await waits.wait(_REST_S, _REST_S)

    return [Task("match ranking", "reactions", run)]


async def rank_anew(ctx: Context) -> int:
    """Gives every match that waits its place, once for each version of the ranking: those of a version without one have none. How many moved."""
    if (await ctx.store.positions(_MARK)).get(_MARK) == RANKING:
        return 0
    moved, items = 0, list[Item]()
    async for stored in ctx.store.documents(MATCH.kind):
        found = document(MATCH, stored)
        if found.state.rank != found.state.ranked():
            cause = Cause(derive("cmd", "rank", str(RANKING), found.tenant, found.id, str(found.version)), "command.rank")
            items.append(Item(MATCH, found.tenant, found.id, Message(Rank(), cause)))
        if len(items) == _BATCH:
            moved, items = moved + await _apply(ctx, items), []
    moved += await _apply(ctx, items)
    await ctx.kernel.apply_many([], consumed={_MARK: RANKING})
    return moved


async def _apply(ctx: Context, items: list[Item]) -> int:
    return sum(outcome.changed for outcome in await ctx.kernel.apply_many(items, strict=True))


async def waiting(ctx: Context, tenant: str, queue: str, after: tuple[str, str] | None, limit: int) -> list[Any]:
    """Matches of a queue, the one to be looked at first before all others, as they are stored."""
    return await ctx.store.ordered(MATCH.kind, tenant, "rank", begins=f"{queue}/", after=after, limit=limit)
