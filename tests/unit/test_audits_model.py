"""What may happen to an audit, and what may not: pure decisions."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.audits import commands as do
from services.audits.model import AUDITS, PLAN_DAYS, decide
from services.audits.state import Audit, Declarations, Evidence, next_deadline
from shared.errors import Conflict, DuewatchError, Forbidden, Invalid, NotFound
from shared.events.envelope import encode
from shared.events.followup import AuditChanged, RaisedBy
from shared.kernel.aggregate import Alarm, Cause, Message

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
FREE = Declarations(paid_by_supplier=False, adviser_to_supplier=False, author_of_plan=False)
RAISED = RaisedBy(id="evt_1", type="duewatch.rating.changed.v1", at=NOW, signal_id="sig_1", kind="finding", indicators=("debt_bondage",))
PROOF = (Evidence(ref="doc-1"),)


def rated(*, raised: RaisedBy | None = RAISED, days: int | None = 14, held: Sequence[str] | None = ("sig_1",)) -> do.Rated:
    return do.Rated(supplier_id="sup_1", raised=raised, due_days=days, held=None if held is None else frozenset(held))


def tell(audit: Audit | None, body: Any, by: str = "", now: datetime = NOW) -> tuple[Audit | None, list[Any]]:
    decided = decide(audit, Message(body, Cause("c", "test", actor=by)), now)
    return (audit, []) if decided is None else (decided.state, list(decided.events))


def after(*steps: tuple[str, Any], now: datetime = NOW, audit: Audit | None = None) -> Audit:
    for by, body in steps:
        audit, events = tell(audit, body, by, now)
        assert events
    assert audit is not None
    return audit


def planned(*ids: str, due: date = date(2026, 2, 1)) -> do.SubmitPlan:
    return do.SubmitPlan(actions=tuple(do.PlannedAction(i, "pay back", "works council", due, ()) for i in ids))


def found(grade: Any) -> do.RecordNonConformity:
    return do.RecordNonConformity(grade=grade, clause="ETI 1.1", text="Passports are kept", evidence=())


OPENED = ("", rated())
ASSIGNED = (OPENED, ("boss", do.Assign(auditor="ann", declarations=FREE)))
STARTED = (*ASSIGNED, ("ann", do.Start()))
REPORTED = (*STARTED, ("ann", found("minor")), ("ann", found("critical")), ("ann", do.GiveReport(summary="seen", evidence=())))
PLANNED = (*REPORTED, ("buyer", planned("nc1", "nc2")))


def proof(action: str, by: str = "buyer") -> tuple[str, do.SubmitEvidence]:
    return by, do.SubmitEvidence(action_id=action, evidence=PROOF)


def verdict(nc: str, outcome: Any = "verified", by: str = "ann") -> tuple[str, do.Verify]:
    return by, do.Verify(non_conformity_id=nc, outcome=outcome, note="seen on site")


def test_a_rating_opens_an_audit_due_as_the_policy_says() -> None:
    audit, events = tell(None, rated(days=14))
    assert audit is not None
    assert (audit.state, audit.due_at, audit.cause) == ("scheduled", NOW + timedelta(days=14), RAISED)
    assert events[1] == AuditChanged(supplier_id="sup_1", state="scheduled", signal_id="sig_1")
    assert AUDITS.wake is not None
    assert AUDITS.wake(audit) == audit.due_at


def test_the_same_rating_again_changes_nothing_and_a_more_urgent_one_hurries() -> None:
    audit = after(("", rated(days=45)))
    assert tell(audit, rated(days=45), now=NOW + timedelta(days=1))[1] == []
    hurried = after(("", rated(days=14)), audit=audit)
    assert hurried.due_at == NOW + timedelta(days=14)
    assert tell(hurried, rated(days=45))[1] == []


@pytest.mark.parametrize("steps", [(OPENED,), ASSIGNED])
def test_a_retraction_cancels_what_was_not_begun(steps: Any) -> None:
    audit, events = tell(after(*steps), rated(raised=None, held=()))
    assert audit is not None
    assert audit.state == "cancelled"
    assert events[-1].state == "cancelled"
    assert next_deadline(audit) is None


def test_a_retraction_lets_what_was_begun_go_on() -> None:
    audit, events = tell(after(*STARTED), rated(raised=None, held=()))
    assert audit is not None
    assert (audit.state, audit.cause_holds) == ("in_progress", False)
    assert [e.type for e in events] == ["duewatch.audit.detail.v1"]
    assert tell(audit, rated(raised=None, held=()))[1] == []


@pytest.mark.parametrize("held", [("sig_1",), None])
def test_a_lower_or_a_cut_rating_is_no_retraction(held: Any) -> None:
    assert tell(after(OPENED), rated(raised=None, held=held))[1] == []


def test_a_cancelled_audit_comes_back_when_its_cause_does() -> None:
    cancelled = after(("", rated(raised=None, held=())), audit=after(OPENED))
    later = msgspec.structs.replace(RAISED, id="evt_9", at=NOW + timedelta(days=30))
    again = after(("", rated(raised=later)), audit=cancelled, now=NOW + timedelta(days=30))
    assert (again.state, again.cause.id, again.due_at) == ("scheduled", "evt_9", NOW + timedelta(days=44))


@pytest.mark.parametrize("fault", Declarations.__struct_fields__)
def test_an_auditor_who_is_not_independent_is_refused(fault: str) -> None:
    declared = msgspec.structs.replace(FREE, **{fault: True})
    with pytest.raises(Invalid) as refused:
        tell(after(OPENED), do.Assign(auditor="ann", declarations=declared), "boss")
    assert refused.value.errors[0]["field"] == f"declarations.{fault}"


def test_the_author_of_the_plan_and_its_auditor_are_two() -> None:
    with pytest.raises(Conflict):
        tell(after(*REPORTED), planned("nc1", "nc2"), "ann")
    with pytest.raises(Conflict):
        tell(after(*PLANNED), do.Assign(auditor="buyer", declarations=FREE), "boss")
    relieved = ("boss", do.Assign(auditor="bob", declarations=FREE))  # who looked before is no more independent of what was found
    with pytest.raises(Conflict):
        tell(after(*REPORTED, relieved), planned("nc1", "nc2"), "ann")
    with pytest.raises(Conflict):
        tell(after(*PLANNED, relieved), proof("a1", "ann")[1], "ann")
    with pytest.raises(Conflict):
        tell(after(*PLANNED, proof("a1", "site")), do.Assign(auditor="site", declarations=FREE), "boss")


def test_only_the_assigned_auditor_looks() -> None:
    for steps, body in ((ASSIGNED, do.Start()), (STARTED, found("major")), (STARTED, do.GiveReport(summary="x", evidence=()))):
        with pytest.raises(Forbidden):
            tell(after(*steps), body, "somebody")


def test_what_is_found_is_told_at_once_by_grade() -> None:
    _, events = tell(after(*STARTED), found("business_critical"), "ann")
    assert events[-1].open_non_conformities.business_critical == 1


def test_the_unannounced_day_stays_in_the_state() -> None:
    day = date(2026, 1, 9)
    audit, events = tell(after(*ASSIGNED), do.PlanVisit(on=day, announced=False), "ann")
    assert audit is not None
    assert audit.visit is not None
    assert audit.visit.on == day
    assert all(b"2026-01-09" not in encode(event) for event in events)
    assert all(event.topic is None for event in events)
    with pytest.raises(Invalid):
        tell(audit, do.PlanVisit(on=date(2025, 12, 31), announced=False), "ann")


def test_nobody_answers_an_audit_before_its_report() -> None:
    for steps in ((OPENED,), STARTED):
        with pytest.raises(NotFound):
            tell(after(*steps), planned("nc1"), "buyer")


def test_a_plan_answers_every_non_conformity_and_no_other() -> None:
    with pytest.raises(Invalid):
        tell(after(*REPORTED), planned("nc1"), "buyer")
    with pytest.raises(Invalid) as refused:
        tell(after(*REPORTED), planned("nc1", "nc2", "nc3"), "buyer")
    assert refused.value.errors == [{"field": "actions.2.non_conformity_id", "message": "Not a non-conformity of this audit"}]
    with pytest.raises(Invalid):
        tell(after(*REPORTED), planned("nc1", "nc2", due=date(2025, 12, 31)), "buyer")


def test_a_plan_is_replaced_until_evidence_rests_on_it() -> None:
    replaced = after(("buyer", planned("nc1", "nc1", "nc2")), audit=after(*PLANNED))
    assert replaced.plan is not None
    assert len(replaced.plan.actions) == 3
    with pytest.raises(Conflict):
        tell(after(proof("a1"), audit=replaced), planned("nc1", "nc2"), "buyer")


def test_verified_by_another_with_evidence_then_closed() -> None:
    audit = after(*PLANNED)
    with pytest.raises(Conflict):
        tell(audit, verdict("nc1")[1], "ann")  # no evidence yet
    audit = after(proof("a1", "helper"), proof("a2"), audit=audit)
    for author in ("buyer", "helper"):
        with pytest.raises(Forbidden):
            tell(audit, verdict("nc1")[1], author)
    audit = after(verdict("nc1"), audit=audit)
    with pytest.raises(Conflict):
        tell(audit, do.Close(), "ann")
    verified, events = tell(audit, verdict("nc2")[1], "ann")
    assert verified is not None
    assert verified.state == "verified"
    assert events[-1] == AuditChanged(supplier_id="sup_1", state="verified", signal_id="sig_1")
    closed = after(("ann", do.Close()), audit=verified)
    assert (closed.state, closed.ended_by) == ("closed", "ann")
    with pytest.raises(Conflict):
        tell(closed, do.Close(), "ann")
    assert tell(closed, rated())[1] == []  # the old finding still holds: no second audit of it


def test_rejected_evidence_has_to_be_given_anew() -> None:
    audit = after(proof("a1"), verdict("nc1", "rejected"), audit=after(*PLANNED))
    with pytest.raises(Conflict):
        tell(audit, verdict("nc1")[1], "ann")
    assert after(proof("a1"), verdict("nc1"), audit=audit).non_conformities[0].verified


def test_an_audit_that_found_nothing_is_closed_after_its_report() -> None:
    audit = after(*STARTED)
    with pytest.raises(Conflict):
        tell(audit, do.Close(), "ann")
    reported = after(("ann", do.GiveReport(summary="clean", evidence=())), audit=audit)
    assert next_deadline(reported) is None
    assert after(("ann", do.Close()), audit=reported).state == "closed"


def ring(audit: Audit) -> tuple[Audit, list[Any]]:
    at = next_deadline(audit)
    assert at is not None
    rung, events = tell(audit, Alarm(at), now=at)
    assert rung is not None
    assert events
    assert next_deadline(rung) != at  # it would ring for ever
    return rung, events


def test_each_deadline_rings_once() -> None:
    late, events = ring(after(OPENED))
    assert events[-1].overdue
    assert next_deadline(late) is None
    late, events = ring(after(*REPORTED))
    assert late.looked_at == NOW + timedelta(days=PLAN_DAYS)
    assert events[-1].overdue
    two = do.SubmitPlan(actions=tuple(do.PlannedAction(n, "t", "r", date(2026, 2, i), ()) for i, n in enumerate(("nc1", "nc2"), 1)))
    late, events = ring(after(("buyer", two), audit=after(*REPORTED)))
    assert events[-1].overdue
    late, events = ring(late)  # the second one: overdue already, told no more
    assert [e.type for e in events] == ["duewatch.audit.detail.v1"]
    given = after(proof("a1"), proof("a2"), audit=late, now=late.looked_at or NOW)
    assert not given.overdue


def test_every_state_survives_its_journey_to_disk() -> None:
    audit = after(proof("a1"), verdict("nc1"), audit=after(*PLANNED))
    assert AUDITS.decoder.decode(encode(audit)) == audit


_ANY = st.one_of(
    st.just(do.Start()),
    st.just(do.Close()),
    st.sampled_from([found("minor"), found("critical")]),
    st.just(do.GiveReport(summary="s", evidence=())),
    st.builds(lambda who: do.Assign(auditor=who, declarations=FREE), st.sampled_from(["ann", "bob"])),
    st.builds(planned, st.just("nc1")),
    st.builds(planned, st.just("nc1"), st.just("nc2")),
    st.builds(lambda a: do.SubmitEvidence(action_id=a, evidence=PROOF), st.sampled_from(["a1", "a2"])),
    st.builds(
        lambda n, o: do.Verify(non_conformity_id=n, outcome=o, note="n"),
        st.sampled_from(["nc1", "nc2"]),
        st.sampled_from(["verified", "rejected"]),
    ),
    st.just(rated()),
    st.just(rated(raised=None, held=())),
)


@given(st.lists(st.tuples(st.sampled_from(["ann", "bob", "buyer"]), _ANY), max_size=30))
def test_however_it_goes_nobody_verifies_the_own_work(steps: list[tuple[str, Any]]) -> None:
    audit = after(OPENED)
    for by, body in steps:
        try:
            told, events = tell(audit, body, by)
        except DuewatchError:
            continue
        assert told is not None
        assert (told == audit) == (not events)
        audit = told
    if audit.plan is not None:
        givers = {(a.non_conformity_id, s.by) for a in audit.plan.actions for s in a.submissions}
        for nc in audit.non_conformities:
            for v in nc.verifications:
                assert v.by != audit.plan.author
                assert (nc.id, v.by) not in givers or not nc.verified
    if audit.state == "closed":
        assert audit.all_verified
