"""When a list is fetched, and what became of it last. Pure: the wish to be woken is the document's, the fetching is done by `schedule`."""

import hashlib
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from services.intelligence.fetching.fetch import Known
from shared.events.envelope import Payload, event
from shared.events.intelligence import ListWatched
from shared.kernel.aggregate import Aggregate, Decided, Message

Outcome = Literal["received", "unchanged", "failed"]
LEAST_EVERY, MOST_EVERY = timedelta(minutes=15), timedelta(days=31)
_AGAIN, _JITTER = timedelta(minutes=15), 0.1  # the first wait after a failure, doubled each time up to the period; share of a wait


class SetSchedule(msgspec.Struct, frozen=True):
    """An operator says how often; None: not by itself."""

    every_s: int | None


class Adopt(msgspec.Struct, frozen=True):
    """What the system's settings say, where no operator has said otherwise."""

    every_s: int | None


class Watch(msgspec.Struct, frozen=True):
    """How old the list is (`checked_at`) and may be."""

    list: str
    checked_at: datetime | None
    max_age_s: int | None


class Attempted(msgspec.Struct, frozen=True, kw_only=True):
    """One round of fetching. `release_id`: what came, or what it still is; `wait_s`: the publisher asked for that pause."""

    outcome: Outcome
    reason: str = ""
    release_id: str = ""
    known: tuple[Known, ...] = ()
    wait_s: int = 0
    scheduled: bool = False


class Schedule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`failures`: one after the other, up to now. `release_id` is what the addresses gave when they answered as `known`."""

    every_s: int | None = None
    set_by: str = ""
    next_at: datetime | None = None
    attempted_at: datetime | None = None
    outcome: Outcome | None = None
    reason: str = ""
    failures: int = 0
    release_id: str = ""
    known: tuple[Known, ...] = ()
    since: datetime | None = None
    checked_at: datetime | None = None
    max_age_s: int | None = None


@event("list.schedule_set.v1", None)
class ScheduleSet(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """How often a list is fetched; None: not by itself."""

    every_s: int | None = None


@event("list.fetched.v1", None)
class ListFetched(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A round of fetching, and what became of it."""

    outcome: Outcome
    reason: str = ""
    release_id: str = ""
    failures: int = 0


def _decide(state: Schedule | None, message: Message, now: datetime) -> Decided[Schedule] | None:
    old = state or Schedule()
    match message.body:
        case SetSchedule(every_s):
            by = message.cause.actor
        case Adopt(every_s):
            if old.set_by or old.every_s == every_s:
                return None
            by = ""
        case Watch(list_id, checked_at, max_age_s):
            since = now if max_age_s is not None and old.max_age_s is None else old.since or now
            new = msgspec.structs.replace(old, since=since, checked_at=checked_at, max_age_s=max_age_s)
            return Decided(new, [ListWatched(list=list_id, since=since, checked_at=checked_at, max_age_s=max_age_s)])
        case Attempted():
            return _attempted(old, message.body, now, message.cause.id)
        case body:
            raise TypeError(type(body).__name__)
    # The first time at once, but not all lists of a system at once.
    at = now + _spread(timedelta(seconds=every_s), message.cause.id) if every_s else None
    return Decided(msgspec.structs.replace(old, every_s=every_s, set_by=by, next_at=at), [ScheduleSet(every_s=every_s)])


def _attempted(old: Schedule, tried: Attempted, now: datetime, cause: str) -> Decided[Schedule]:
    failed = tried.outcome == "failed"
    failures = old.failures + 1 if failed else 0
    new = msgspec.structs.replace(
        old, attempted_at=now, outcome=tried.outcome, reason=tried.reason, failures=failures,
        release_id=old.release_id if failed else tried.release_id, known=old.known if failed else tried.known,
    )  # fmt: skip
    if old.every_s and (tried.scheduled or not failed):
        wait = timedelta(seconds=old.every_s)
        if failed:
            wait = max(min(wait, _AGAIN * 2 ** min(failures - 1, 12)), timedelta(seconds=tried.wait_s))
        new = msgspec.structs.replace(new, next_at=now + wait + _spread(wait, cause))
    told = ListFetched(outcome=tried.outcome, reason=tried.reason, release_id=tried.release_id, failures=failures)
    return Decided(new, [told])


def _spread(wait: timedelta, seed: str) -> timedelta:
    """Up to a tenth of a wait, another each time, so that neither our lists nor all systems like ours ask at once."""
    share = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:4]) / 2**32
    return wait * _JITTER * share


SCHEDULE = Aggregate(
    kind="list_schedule", state=Schedule, decide=_decide, wake=lambda s: s.next_at, rings=False
)  # the fetching task looks for what is due: an alarm's decision may do no I/O
