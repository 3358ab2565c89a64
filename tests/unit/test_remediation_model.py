"""What may happen to a case, and what may not: pure decisions."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.remediation import commands as do
from services.remediation.model import CASES, decide
from services.remediation.playbook import tasks_for
from services.remediation.state import Case, Evidence, Independence, balances, next_deadline, participants
from shared.errors import Conflict, DuewatchError, Forbidden, Invalid, NotFound
from shared.events.envelope import encode
from shared.events.followup import CaseChanged, RaisedBy
from shared.kernel.aggregate import Alarm, Cause, Message

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
FREE = Independence(worked_on_case=False, paid_by_supplier=False, adviser_to_supplier=False)
PROOF = (Evidence(ref="doc-1"),)


def because(signal: str, *indicators: str, at: datetime = NOW) -> RaisedBy:
    return RaisedBy(id=f"evt_{signal}", type="duewatch.rating.changed.v1", at=at, signal_id=signal, kind="finding", indicators=indicators)


A, B = because("sig_a", "debt_bondage"), because("sig_b", "debt_bondage", "isolation")


def rated(*raised: RaisedBy, held: Sequence[str] | None = None, days: int | None = 90) -> do.Rated:
    told = frozenset(one.signal_id for one in raised) if held is None else frozenset(held)
    return do.Rated(supplier_id="sup_1", raised=raised, due_days=days, held=told)


def tell(case: Case | None, body: Any, by: str = "cw", now: datetime = NOW) -> tuple[Case | None, list[Any]]:
    decided = decide(case, Message(body, Cause("c", "test", actor=by)), now)
    return (case, []) if decided is None else (decided.state, list(decided.events))


def after(*bodies: Any, case: Case | None = None, by: str = "cw", now: datetime = NOW) -> Case:
    for body in bodies:
        case, events = tell(case, body, by, now)
        assert events
    assert case is not None
    return case


def work_off(case: Case) -> Case:
    for task in case.tasks:
        if task.state != "done":
            case = after(do.FinishTask(task_id=task.id, evidence=PROOF), case=case)
    return case


def close(case: Case, by: str = "verifier", declared: Independence = FREE) -> Case:
    return after(do.Close(declarations=declared, evidence=()), case=case, by=by)


def entry(kind: Any, amount: str, worker: str = "w1", currency: str = "INR", reason: str = "") -> do.Enter:
    return do.Enter(kind=kind, worker_ref=worker, amount=Decimal(amount), currency=currency, reason=reason, evidence=())


def test_a_rating_opens_a_case_with_its_playbook() -> None:
    case, events = tell(None, rated(A))
    assert case is not None
    assert (case.state, case.due_at) == ("open", NOW + timedelta(days=90))
    assert [t.key for t in case.tasks] == [p.key for p in tasks_for(["debt_bondage"])]
    assert case.tasks[0].safety
    assert events[-1] == CaseChanged(supplier_id="sup_1", state="open", indicators=("debt_bondage",), signal_id="sig_a")
    assert tell(case, rated(A))[1] == []


def test_a_retraction_cancels_what_nobody_touched_and_only_that() -> None:
    case, events = tell(after(rated(A), do.Assign(worker="cw")), rated())
    assert case is not None
    assert (case.state, events[-1].state, next_deadline(case)) == ("cancelled", "cancelled", None)
    begun = after(rated(A), do.StartTask(task_id="t1"))
    assert begun.state == "in_progress"
    case, events = tell(begun, rated())
    assert case is not None
    assert (case.state, case.cause_holds) == ("in_progress", False)
    assert tell(case, rated())[1] == []
    assert after(rated(A), case=case).cause_holds


def test_a_cancelled_case_comes_back_whole_with_its_cause() -> None:
    later = because("sig_a", "debt_bondage", at=NOW + timedelta(days=10))
    again = after(rated(A), rated(), rated(later))
    assert (again.state, again.due_at) == ("open", NOW + timedelta(days=100))
    assert len(again.tasks) == len(tasks_for(["debt_bondage"]))


def test_a_cut_list_of_drivers_is_no_retraction() -> None:
    assert tell(after(rated(A)), do.Rated(supplier_id="sup_1", raised=(), due_days=None, held=None))[1] == []


def test_a_task_is_done_once_with_who_and_what() -> None:
    case = after(rated(A), do.StartTask(task_id="t1"))
    with pytest.raises(Conflict):
        tell(case, do.StartTask(task_id="t1"))
    done = after(do.FinishTask(task_id="t1", evidence=PROOF), case=case, by="other")
    assert (done.tasks[0].started_by, done.tasks[0].done_by, done.tasks[0].evidence) == ("cw", "other", PROOF)
    with pytest.raises(Conflict):
        tell(done, do.FinishTask(task_id="t1", evidence=PROOF))
    with pytest.raises(NotFound):
        tell(done, do.StartTask(task_id="t99"))


def test_ready_only_when_tasks_ledger_and_referrals_are_done() -> None:
    case = after(rated(A))
    with pytest.raises(Conflict) as refused:
        close(case)
    assert refused.value.errors[0]["message"].startswith("Tasks that are not done")
    case = work_off(case)
    assert case.state == "ready_for_closure"
    case = after(entry("owed", "100"), do.NoteReferral(referral_id="ref_1"), case=case)
    assert case.state == "in_progress"
    with pytest.raises(Conflict) as refused:
        close(case)
    assert len(refused.value.errors) == 2
    case = after(entry("paid", "100"), case=case)
    assert case.state == "in_progress"
    case = after(do.NoteReferralEnd(referral_id="ref_1"), case=case)
    assert close(case).state == "closed"


def test_who_had_a_part_in_it_cannot_close_it() -> None:
    case = after(rated(A), do.Assign(worker="first"), do.Assign(worker="second"))
    case = after(do.StartTask(task_id="t1"), case=case, by="starter")
    case = after(entry("owed", "1"), entry("paid", "1"), case=case, by="bookkeeper")
    case = after(do.NoteReferral(referral_id="r"), do.NoteReferralEnd(referral_id="r"), case=case, by="carer")
    case = work_off(case)
    assert participants(case) == {"first", "second", "starter", "bookkeeper", "carer", "cw"}
    for who in participants(case):
        with pytest.raises(Forbidden):
            close(case, who)
    for fault in Independence.__struct_fields__:
        with pytest.raises(Invalid) as refused:
            close(case, declared=msgspec.structs.replace(FREE, **{fault: True}))
        assert refused.value.errors[0]["field"] == f"declarations.{fault}"
    assert close(case).closures[-1].by == "verifier"
    with pytest.raises(Conflict):
        tell(close(case), entry("owed", "1"))


def test_the_ledger_is_reversed_and_never_changed() -> None:
    case = after(rated(A), entry("owed", "100.50"), entry("paid", "100.50"))
    assert [b.owed for b in balances(case.ledger)] == [Decimal("0")]
    back = after(do.Reverse(entry_id="r2", reason="the cheque bounced"), case=case)
    assert back.ledger[:2] == case.ledger
    assert (back.ledger[2].kind, back.ledger[2].amount, back.ledger[2].reverses) == ("correction", Decimal("100.50"), "r2")
    assert [b.owed for b in balances(back.ledger)] == [Decimal("100.50")]
    for entry_id in ("r2", "r3"):
        with pytest.raises(Conflict):
            tell(back, do.Reverse(entry_id=entry_id, reason="x"))
    with pytest.raises(NotFound):
        tell(back, do.Reverse(entry_id="r9", reason="x"))


def test_balances_never_mix_workers_or_currencies() -> None:
    case = after(rated(A), entry("owed", "5"), entry("owed", "7", "w2"), entry("paid", "7", "w2", "USD"))
    assert [(b.worker_ref, b.currency, b.owed) for b in balances(case.ledger)] == [
        ("w1", "INR", Decimal(5)),
        ("w2", "INR", Decimal(7)),
        ("w2", "USD", Decimal(-7)),
    ]


@pytest.mark.parametrize(
    "wrong", [entry("owed", "0"), entry("paid", "-1"), entry("correction", "0", reason="r"), entry("correction", "-1")]
)
def test_wrong_entries_are_refused(wrong: do.Enter) -> None:
    with pytest.raises(Invalid):
        tell(after(rated(A)), wrong)


_ENTRIES = st.lists(
    st.tuples(
        st.sampled_from(["owed", "paid", "correction"]),
        st.decimals(min_value="0.01", max_value=10**6, places=2),
        st.sampled_from(["w1", "w2"]),
    ),
    min_size=1,
    max_size=15,
)


@given(_ENTRIES)
def test_reversing_everything_leaves_nothing_owed(lines: list[tuple[str, Decimal, str]]) -> None:
    case = after(rated(A))
    for kind, amount, worker in lines:
        case = after(do.Enter(kind=kind, worker_ref=worker, amount=amount, currency="EUR", reason="r", evidence=()), case=case)  # type: ignore[arg-type]  # hypothesis draws it from the literals
    for line in case.ledger:
        case = after(do.Reverse(entry_id=line.id, reason="all wrong"), case=case)
    assert all(balance.owed == 0 for balance in balances(case.ledger))
    assert CASES.decoder.decode(encode(case)) == case


def closed_once() -> Case:
    return close(work_off(after(rated(A))))


def test_the_same_abuse_again_reopens_with_tasks_of_its_own() -> None:
    case, events = tell(closed_once(), rated(A, because("sig_b", "debt_bondage", "isolation", at=NOW + timedelta(days=5))))
    assert case is not None
    assert (case.state, case.round, case.due_at) == ("reopened", 1, NOW + timedelta(days=95))
    assert events[-1].state == "reopened"
    assert events[-1].signal_id == "sig_b"
    new = [t for t in case.tasks if t.round == 1]
    assert {t.key for t in new} == {p.key for p in tasks_for(["debt_bondage", "isolation"])}
    assert len({t.id for t in case.tasks}) == len(case.tasks)
    begun = after(do.StartTask(task_id=new[0].id), case=case)
    assert begun.state == "reopened"  # until it is ready again
    assert close(work_off(begun)).state == "closed"


def test_an_old_finding_that_still_holds_reopens_nothing() -> None:
    assert tell(closed_once(), rated(A))[1] == []
    assert tell(closed_once(), rated())[1] == []


def test_a_reopening_that_is_withdrawn_untouched_leaves_the_case_closed_as_it_was() -> None:
    closed = closed_once()
    back = after(rated(A, held=("sig_a",)), case=after(rated(A, B), case=closed))
    assert (back.state, back.round, back.tasks, back.indicators) == ("closed", 0, closed.tasks, closed.indicators)
    assert back.dropped == ("sig_b",)
    assert next_deadline(back) is None
    again = after(rated(A, B), case=back)
    assert (again.state, again.round) == ("reopened", 1)


def ring(case: Case) -> tuple[Case, list[Any]]:
    at = next_deadline(case)
    assert at is not None
    rung, events = tell(case, Alarm(at), now=at)
    assert rung is not None
    assert events
    assert next_deadline(rung) != at
    return rung, events


def test_deadlines_ring_until_all_are_past_and_overdue_ends_with_the_work() -> None:
    case, events = ring(after(rated(A)))
    assert events[-1].overdue
    rings = 1
    while next_deadline(case) is not None:
        case, events = ring(case)
        rings += 1
    assert rings == len({t.due_at for t in case.tasks} | {case.due_at})
    assert not any(isinstance(e, CaseChanged) for e in events)
    late, _ = ring(after(rated(A)))
    first = [t for t in late.tasks if t.due_at <= (late.looked_at or NOW)]
    done = after(*(do.FinishTask(task_id=t.id, evidence=PROOF) for t in first), case=late, now=late.looked_at or NOW)
    assert not done.overdue


def test_a_case_without_a_time_in_the_policy_still_has_its_tasks_times() -> None:
    case = after(rated(A, days=None))
    assert case.due_at is None
    assert next_deadline(case) == min(t.due_at for t in case.tasks)


_ANY = st.one_of(
    st.builds(lambda t: do.StartTask(task_id=t), st.sampled_from([f"t{i}" for i in range(1, 30)])),
    st.builds(lambda t: do.FinishTask(task_id=t, evidence=PROOF), st.sampled_from([f"t{i}" for i in range(1, 30)])),
    st.just(entry("owed", "1")),
    st.just(entry("paid", "1")),
    st.just(do.Close(declarations=FREE, evidence=())),
    st.sampled_from([do.NoteReferral(referral_id="r"), do.NoteReferralEnd(referral_id="r")]),
    st.sampled_from([rated(A), rated(A, B), rated(B), rated()]),
    st.just("all tasks"),
)


@given(st.lists(st.tuples(st.sampled_from(["cw", "bo", "verifier"]), _ANY), max_size=30))
def test_however_it_goes_a_closed_case_is_settled_and_closed_by_another(steps: list[tuple[str, Any]]) -> None:
    case = after(rated(A))
    for by, body in steps:
        if body == "all tasks":
            case = work_off(case) if case.live else case
            continue
        before = case
        try:
            told, events = tell(case, body, by)
        except DuewatchError:
            continue
        assert told is not None
        assert (told == before) == (not events)
        case = told
        if case.state == "closed" and before.state != "closed" and isinstance(body, do.Close):
            assert by not in participants(case)
            assert all(task.state == "done" for task in case.tasks)
            assert all(balance.owed <= 0 for balance in balances(case.ledger))
            assert not any(referral.open for referral in case.referrals)
    assert CASES.decoder.decode(encode(case)) == case
