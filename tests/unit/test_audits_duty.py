"""What a rating obliges audits and remediation to, and because of what."""

from datetime import UTC, datetime
from typing import Any

from shared.events.envelope import Meta
from shared.events.followup import due_after, duty_of
from shared.events.matches import SignalRef
from shared.events.ratings import CauseRef, Driver, Link, Obligation, RatingChanged
from shared.events.signals import Source

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def driver(code: str, signal: str = "", kind: Any = "finding", supplier_id: str | None = None) -> Driver:
    ref = SignalRef(id=signal, source=Source(kind=kind, indicators=("debt_bondage",))) if signal else None
    return Driver(
        code=code, text="t", points=0.5, signal=ref, supplier_id=supplier_id, chain=(Link(service="s", type="t", id="e", subject="case_1"),)
    )


META = Meta(id="evt_r", source="/services/assessment", type=RatingChanged.type, subject="x", time=NOW, tenant="t", sequence=1)


def rating(
    *drivers: Driver, obligations: tuple[Obligation, ...] = (Obligation(code="a", text="t", kind="audit", due_days=14),)
) -> RatingChanged:
    return RatingChanged(
        supplier_id="sup_1",
        external_refs=(),
        country="IN",
        tier="high",
        previous_tier=None,
        cause=CauseRef(id="c", type="t"),
        policy_version="p",
        drivers=drivers,
        obligations=obligations,
    )


def causes(*drivers: Driver) -> list[str]:
    return [one.signal_id for one in duty_of(rating(*drivers), META, "audit").raised]


def test_the_causes_of_a_duty_are_what_lies_nearest() -> None:
    strong, weak, exposure = driver("finding_strong", "f1"), driver("finding_weak", "f2"), driver("exposure_finding", "f3")
    listed, inherited = driver("list_strong", "l1", "list_entry"), driver("upstream", "f4", supplier_id="sup_2")
    assert set(causes(listed, inherited, strong, driver("finding_confirmed", "f5"), weak, exposure)) == {"f1", "f5"}
    assert causes(exposure, inherited) == ["f3"]
    assert causes(driver("list_weak", "l2", "list_entry"), listed, inherited) == ["l2"]
    assert causes(driver("case_reopened")) == ["case_1"]
    assert causes(strong, driver("finding_strong", "f1")) == ["f1"]
    assert causes() == []


def test_no_duty_without_an_obligation_and_the_soonest_of_several() -> None:
    strong = driver("finding_strong", "f1")
    assert duty_of(rating(strong), META, "case").raised == ()
    two = tuple(Obligation(code=str(d), text="t", kind="audit", due_days=d) for d in (45, None, 14))
    assert duty_of(rating(strong, obligations=two), META, "audit").due_days == 14
    assert due_after(NOW, None) is None


def test_a_list_of_drivers_that_may_be_cut_proves_no_retraction() -> None:
    many = [driver("list_weak", f"l{i}", "list_entry") for i in range(20)]
    assert duty_of(rating(*many), META, "audit").held is None
    assert duty_of(rating(*many[1:]), META, "audit").held == frozenset(f"{way}l{i}" for i in range(1, 20) for way in ("", "linked "))


def test_ones_own_risk_that_comes_back_through_others_holds_nothing_of_ones_own() -> None:
    own, back = duty_of(rating(driver("finding_strong", "f1")), META, "audit"), driver("upstream", "f1", supplier_id="sup_2")
    through = duty_of(rating(back), META, "audit")
    assert own.held is not None
    assert through.held is not None
    assert own.raised[0].ground not in through.held
    assert through.raised[0].ground in through.held & own.held
