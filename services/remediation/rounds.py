"""What ratings do to a case: open it, reopen it when the same abuse comes back, take it back where its cause is withdrawn. Pure."""

from datetime import datetime, timedelta

from msgspec.structs import replace

from services.remediation.commands import Rated
from services.remediation.playbook import known_indicators, tasks_for
from services.remediation.state import Case, Raised, Task
from services.remediation.work import Step
from shared.events.followup import CaseDetail, RaisedBy, due_after


def rated(case: Case | None, body: Rated, now: datetime) -> Step | None:
    """What a rating makes of a case; None where it says nothing new."""
    if case is None or case.state == "cancelled":
        return _open(body, now) if body.raised else None
    known = {one.cause.signal_id for one in case.raised}
    fresh = tuple(cause for cause in body.raised if cause.signal_id not in known)
    if fresh:
        return _join(case, fresh, body.due_days) if case.live else _reopen(case, fresh, body.due_days)
    if not case.live:
        return None
    current = {one.cause.signal_id for one in case.raised if one.round == case.round}
    grounds = {one.cause.ground for one in case.raised if one.round == case.round}
    if body.held is not None and grounds.isdisjoint(body.held):
        return _withdraw(case, now)
    again = tuple(cause for cause in body.raised if cause.signal_id in current)
    return _raise_again(case, again, body.due_days) if again else None


def _open(body: Rated, now: datetime) -> Step:
    blank = Case(supplier_id=body.supplier_id, raised=(), opened_at=now)
    opened = _with(blank, body.raised, body.due_days)
    return Step(opened, CaseDetail(step="opened", raised_by=body.raised, due_at=opened.due_at))


def _reopen(case: Case, fresh: tuple[RaisedBy, ...], due_days: int | None) -> Step:
    blank = replace(case, round=case.round + 1, touched=False, state="reopened", due_at=None, ended_at=None)
    reopened = _with(blank, fresh, due_days)
    return Step(reopened, CaseDetail(step="reopened", raised_by=fresh, due_at=reopened.due_at))


def _join(case: Case, fresh: tuple[RaisedBy, ...], due_days: int | None) -> Step:
    joined = _with(case, fresh, due_days)
    return Step(joined, CaseDetail(step="raised_again", raised_by=fresh, due_at=joined.due_at))


def _raise_again(case: Case, again: tuple[RaisedBy, ...], due_days: int | None) -> Step | None:
    due_at = _sooner(case.due_at, due_after(again[0].at, due_days))
    if case.cause_holds and due_at == case.due_at:
        return None
    return Step(replace(case, cause_holds=True, due_at=due_at), CaseDetail(step="raised_again", raised_by=again, due_at=due_at))


def _withdraw(case: Case, now: datetime) -> Step | None:
    """Untouched, it is as if it had not been raised: cancelled, or closed as it was. Else it goes on to its end."""
    if case.touched:
        return Step(replace(case, cause_holds=False), CaseDetail(step="cause_withdrawn")) if case.cause_holds else None
    if case.round == 0:
        return Step(replace(case, state="cancelled", cause_holds=False, ended_at=now), CaseDetail(step="cancelled"))
    left = tuple(one for one in case.raised if one.round < case.round)
    gone = tuple(one.cause.signal_id for one in case.raised if one.round == case.round)
    closed = replace(
        case,
        state="closed",
        round=case.round - 1,
        touched=True,
        raised=left,
        dropped=tuple(dict.fromkeys((*case.dropped, *gone))),
        indicators=known_indicators(i for one in left for i in one.cause.indicators),
        tasks=tuple(task for task in case.tasks if task.round < case.round),
        ended_at=case.closures[-1].at,
    )
    return Step(closed, CaseDetail(step="cause_withdrawn"))


def _with(case: Case, causes: tuple[RaisedBy, ...], due_days: int | None) -> Case:
    """The case with further causes in its present round, and the tasks that they add to it."""
    indicators = known_indicators(i for cause in causes for i in cause.indicators)
    since, there = causes[0].at.replace(microsecond=0), {task.key for task in case.tasks if task.round == case.round}
    listed = any(cause.kind == "list_entry" for cause in causes)
    new = [play for play in tasks_for(indicators, listed=listed) if play.key not in there]
    tasks = tuple(
        Task(
            id=f"t{len(case.tasks) + number}",
            key=play.key,
            title=play.title,
            role=play.role,
            source=play.source,
            due_at=since + timedelta(days=play.due_days),
            safety=play.safety,
            round=case.round,
        )
        for number, play in enumerate(new, 1)
    )
    return replace(
        case,
        raised=(*case.raised, *(Raised(cause=cause, round=case.round) for cause in causes)),
        indicators=known_indicators((*case.indicators, *indicators)),
        cause_holds=True,
        due_at=_sooner(case.due_at, due_after(causes[0].at, due_days)),
        tasks=(*case.tasks, *tasks),
    )


def _sooner(one: datetime | None, other: datetime | None) -> datetime | None:
    return min(filter(None, (one, other)), default=None)
