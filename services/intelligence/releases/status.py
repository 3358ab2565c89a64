"""How each list stands: its release, how old it is, what it changed, and whether somebody should look at it."""

import contextlib
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from services.intelligence.fetching.model import SCHEDULE, Schedule
from services.intelligence.fetching.schedule import next_pull
from services.intelligence.lists.spec import ListSpec
from services.intelligence.releases.loading import in_force, releases
from services.intelligence.releases.model import Release
from shared.events.envelope import PUBLIC
from shared.kernel.aggregate import Document
from shared.kernel.service import Context

Health = Literal["ok", "never_loaded", "stale", "refused", "failing"]
_LONG = timedelta(minutes=30)  # a release waits: the largest load in a few minutes


class State(NamedTuple):
    """What health is told from. `refused` is the last one; `waits` the one that has waited longest to be worked on; `not_fetched` says why the last
    attempt to fetch it failed, and when that was; `max_age` is the gate's, where it has one."""

    acts: Release | None
    refused: Release | None = None
    waits: Release | None = None
    not_fetched: tuple[str, datetime] | None = None
    max_age: timedelta | None = None


async def status(ctx: Context, spec: ListSpec) -> dict[str, Any]:
    """One list. `age_s`: since the publisher's own date, or since it came into force where there is none; `checked_at`: when the publisher's files
    were last known to be this release."""
    now = ctx.clock.now()
    found, fetching = await in_force(ctx, spec.id), await ctx.kernel.get(SCHEDULE, PUBLIC, spec.id)
    tried = fetching.state if fetching else Schedule()
    acts = found.state if found else None
    state = State(
        acts,
        _last(await releases(ctx, {"list": spec.id, "state": "refused"})),
        _first(await releases(ctx, {"list": spec.id, "todo": 1})),
        (tried.reason, tried.attempted_at) if tried.outcome == "failed" and tried.attempted_at else None,
        timedelta(seconds=tried.max_age_s) if tried.max_age_s is not None else None,
    )
    health, reason = judged(spec, state, now)
    return {
        "list": spec.id,
        "title": spec.title,
        "release_id": found.id if found else None,
        "version": acts.named.version or None if acts else None,
        "dated": acts.named.dated or None if acts else None,
        "accepted_at": acts.accepted_at if acts else None,
        "checked_at": checked(acts) if acts else None,
        "age_s": _age_s(acts, now) if acts else None,
        "records": await ctx.store.count("entry", PUBLIC, {"list": spec.id}),
        "quarantined": acts.counts.quarantined if acts else 0,
        "added": acts.counts.added if acts else 0,
        "modified": acts.counts.modified if acts else 0,
        "deleted": acts.counts.deleted if acts else 0,
        "health": health,
        "reason": reason,
        "next_pull": await next_pull(ctx, spec.id),
    }


def judged(spec: ListSpec, state: State, now: datetime) -> tuple[Health, str | None]:
    """A list's health, and why it is not well; the worst comes first. Pure."""
    acts, refused, waits, not_fetched, _ = state
    if waits and now - waits.received_at > _LONG:
        return "failing", f"A release waits since {waits.received_at:%Y-%m-%d %H:%M} UTC to be worked on; the log says why"
    if not_fetched and (acts is None or not_fetched[1] > checked(acts)):
        return "failing", f"It could not be fetched: {not_fetched[0]}"
    if refused and (acts is None or refused.received_at > checked(acts)):
        return "refused", refused.reason
    if acts is None:
        return "never_loaded", "No release of it was ever loaded"
    if (age := now - checked(acts)) > (most := state.max_age or timedelta(days=spec.stale_after_days)):
        return "stale", f"Its publisher was last asked {age.days} days ago; more than {most / timedelta(days=1):g} are too many"
    return "ok", None


def checked(acts: Release) -> datetime:
    """When its publisher's files were last known to be this release."""
    at = acts.seen_at or acts.accepted_at
    assert at is not None  # it acts
    return at


def _age_s(acts: Release, now: datetime) -> int:
    at = acts.accepted_at
    with contextlib.suppress(ValueError):  # none, or in the publisher's own words
        at = datetime.fromisoformat(acts.named.dated).replace(tzinfo=now.tzinfo)
    assert at is not None
    return round((now - at).total_seconds())


def _last(found: list[Document[Release]]) -> Release | None:
    return max((d.state for d in found), key=lambda s: s.received_at, default=None)


def _first(found: list[Document[Release]]) -> Release | None:
    return min((d.state for d in found), key=lambda s: s.received_at, default=None)
