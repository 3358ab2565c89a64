"""The work on a case: tasks with evidence, and the ledger of what workers are owed and paid. Pure.

Nothing in the ledger is changed or taken away: what was wrong is reversed by a line of its own.
"""

from datetime import datetime
from typing import Literal, NamedTuple, NoReturn

from msgspec.structs import replace

from services.remediation.commands import Enter, FinishTask, Reverse, StartTask
from services.remediation.state import Case, Entry, Task
from shared.errors import Conflict, Invalid, NotFound
from shared.events.followup import CaseDetail, RepaymentEntered

MOST_ENTRIES = 5_000


class Step(NamedTuple):
    """What becomes of a case, and the journal's word for it."""

    case: Case
    detail: CaseDetail | RepaymentEntered


def start(case: Case, command: StartTask, by: str, now: datetime) -> Step:
    """Somebody takes a task up."""
    task = _task(case, command.task_id)
    if task.state != "open":
        raise Conflict("This task is begun already")
    return _put(case, replace(task, state="started", started_by=by, started_at=now), "task_started")


def finish(case: Case, command: FinishTask, by: str, now: datetime) -> Step:
    """A task is done; the evidence says so."""
    task = _task(case, command.task_id)
    if task.state == "done":
        raise Conflict("This task is done already")
    return _put(case, replace(task, state="done", done_by=by, done_at=now, evidence=command.evidence), "task_done")


def enter(case: Case, command: Enter, by: str, now: datetime) -> Step:
    """A line of the ledger."""
    if command.kind == "correction":
        if command.amount == 0:
            _refuse("amount", "A correction adds to what is owed, or takes from it: not zero")
        if not command.reason:
            _refuse("reason", "A correction needs its reason")
    elif command.amount <= 0:
        _refuse("amount", "More than zero")
    return _append(
        case,
        Entry(
            id=_next_id(case),
            kind=command.kind,
            worker_ref=command.worker_ref,
            amount=command.amount,
            currency=command.currency,
            by=by,
            at=now,
            reason=command.reason,
            evidence=command.evidence,
        ),
    )


def reverse(case: Case, command: Reverse, by: str, now: datetime) -> Step:
    """Takes a line back by another one; each only once, and never a reversal itself."""
    entry = next((one for one in case.ledger if one.id == command.entry_id), None)
    if entry is None:
        raise NotFound("No entry with this id in the ledger")
    if entry.reverses or any(one.reverses == entry.id for one in case.ledger):
        raise Conflict("This entry is reversed, or reverses another; make a new entry instead")
    return _append(
        case,
        Entry(
            id=_next_id(case),
            kind="correction",
            worker_ref=entry.worker_ref,
            amount=-entry.owing,
            currency=entry.currency,
            by=by,
            at=now,
            reason=command.reason,
            reverses=entry.id,
        ),
    )


def _append(case: Case, entry: Entry) -> Step:
    if len(case.ledger) >= MOST_ENTRIES:
        raise Conflict(f"A ledger holds at most {MOST_ENTRIES} entries")
    entered = RepaymentEntered(
        entry=entry.id,
        kind=entry.kind,
        worker_ref=entry.worker_ref,
        amount=entry.amount,
        currency=entry.currency,
        reverses=entry.reverses,
    )
    return Step(replace(case, ledger=(*case.ledger, entry), touched=True), entered)


def _next_id(case: Case) -> str:
    return f"r{len(case.ledger) + 1}"


def _put(case: Case, task: Task, step: Literal["task_started", "task_done"]) -> Step:
    tasks = tuple(task if one.id == task.id else one for one in case.tasks)
    return Step(replace(case, tasks=tasks, touched=True), CaseDetail(step=step, item=task.id))


def _task(case: Case, task_id: str) -> Task:
    for task in case.tasks:
        if task.id == task_id:
            return task
    raise NotFound("No task with this id in this case")


def _refuse(field: str, message: str) -> NoReturn:
    raise Invalid("The entry breaks a rule", errors=[{"field": field, "message": message}])
