"""How old the lists in force are, and how old they may be: told to whoever decides by them, and measured."""

from datetime import timedelta

from services.intelligence.fetching.model import SCHEDULE, Schedule, Watch
from services.intelligence.fetching.sources import Source
from services.intelligence.lists import catalogue
from services.intelligence.releases.loading import in_force
from shared.events.envelope import PUBLIC
from shared.kernel.aggregate import Cause, Item, Message
from shared.kernel.service import Context
from shared.telemetry.metrics import LIST_AGE, LIST_MAX_AGE

_LEAST_S = timedelta(days=3).total_seconds()  # a weekend on which a publisher's server is away makes no list stale
_DAY_S = 86_400.0


async def watch(ctx: Context, sources: dict[str, Source]) -> None:
    """Tells of each list what has changed of its age since it was told last."""
    now = ctx.clock.now()
    for list_id in sorted(catalogue.CATALOGUE):
        found, acts = await ctx.kernel.get(SCHEDULE, PUBLIC, list_id), await in_force(ctx, list_id)
        state = found.state if found else Schedule()
        checked = (acts.state.seen_at or acts.state.accepted_at) if acts else None
        most = permitted_s(state, sources.get(list_id) or Source(), ctx.settings.list_max_age_days) if checked or state.every_s else None
        if (state.checked_at, state.max_age_s) != (checked, most):
            cause = Cause(ctx.ids.new("cmd"), "command.list.watch", list_id)
            await ctx.kernel.execute(Item(SCHEDULE, PUBLIC, list_id, Message(Watch(list_id, checked, most), cause)))
        since = checked or state.since
        if since is not None and (checked or most is not None):
            LIST_AGE.labels(list_id).set((now - since).total_seconds())
            LIST_MAX_AGE.labels(list_id).set(float("inf") if most is None else most)


def permitted_s(state: Schedule, source: Source, uploaded_days: float | None) -> int | None:
    """As its own settings say; else, of one that is fetched by itself, three periods and at least three days; of one that is uploaded, as set for all."""
    if source.max_age_days is not None:
        return round(source.max_age_days * _DAY_S)
    if state.every_s:
        return round(max(_LEAST_S, 3 * state.every_s))
    return None if uploaded_days is None else round(uploaded_days * _DAY_S)
