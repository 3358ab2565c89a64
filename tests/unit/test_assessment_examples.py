"""Small examples for the tests of assessment, and that facts keep their meaning on their way through the store."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from services.assessment.facts import (
    Facts,
    dependencies,
    with_audit,
    with_case,
    with_inherited,
    with_match,
    with_screened,
    without_match,
)
from services.assessment.policy import STANDARD, load
from services.assessment.rating import rate
from shared.events.envelope import encode
from shared.events.followup import AuditChanged, CaseChanged, NonConformityCount
from shared.events.matches import Match, SignalRef, SupplierScreened
from shared.events.ratings import CauseRef, ExposurePropagated, Inherited, Link
from shared.events.signals import Source
from shared.events.suppliers import ExternalRef, Owner, Profile, Site, SourcedGood, Upstream

NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
CAUSE = CauseRef(id="cause", type="duewatch.match.opened.v1")
POLICY = load(STANDARD.read_text())


def link(event_id="e1", kind="match.opened", service="screening"):
    return Link(service=service, type=f"duewatch.{kind}.v1", id=event_id, time=NOW)


def listed(uid="1", list_id="us_ofac_sdn", at=NOW, **over):
    """A match with a list entry: strong, about the supplier, unless told otherwise."""
    source = Source(kind="list_entry", list=list_id, uid=uid, release_id="r7")
    signal = SignalRef(
        id=f"{list_id}:{uid}",
        source=source,
        name="ACME TRADING",
        event_id=f"sig-{uid}",
        event_type="duewatch.signal.published.v1",
        event_time=at,
    )
    return Match(**{"supplier_id": "s1", "signal": signal, "about": "party", "score": 0.97, "strength": "strong"} | over)


def finding(finding_id="f1", indicators=("debt_bondage", "retention_of_documents"), at=NOW, **over):
    source = Source(kind="finding", finding_id=finding_id, indicators=indicators)
    signal = SignalRef(
        id=f"finding:{finding_id}",
        source=source,
        name="A Name",
        event_id=f"sig-{finding_id}",
        event_type="duewatch.signal.published.v1",
        event_time=at,
    )
    return Match(**{"supplier_id": "s1", "signal": signal, "about": "party", "score": 0.97, "strength": "strong"} | over)


def supplier(supplier_id="s1", version=1, **profile):
    screened = SupplierScreened(
        supplier_id=supplier_id,
        supplier_version=version,
        profile=Profile(**{"name": "Lakeside Berry House", "country": "PT"} | profile),
        status="active",
        matches=0,
    )
    return with_screened(Facts(supplier_id=supplier_id), screened, link("scr", "supplier.screened"))


def having(facts, *matches):
    for match in matches:
        facts = with_match(facts, f"m{len(facts.matches)}", match, link(f"opened-{len(facts.matches)}"), NOW)
    return facts


def rated(facts, policy=POLICY, now=NOW):
    return rate(facts, policy, now, CAUSE)


def full():
    facts = supplier(
        external_refs=(ExternalRef(system="S4", number="1"),),
        sites=(Site(name="Mill", country="CN", region="CN-XJ"),),
        goods=(SourcedGood(hs="5201", origin="CN", region="CN-XJ"),),
        owners=(Owner(name="Ada O.", kind="person", percent=Decimal("12.50")), Owner(name="H", kind="organisation", supplier_id="h1")),
        upstream=(Upstream(supplier_id="u1"), Upstream(supplier_id="u1")),
    )
    facts = having(facts, listed(), finding(state="confirmed"))
    facts = with_audit(
        facts,
        "a1",
        AuditChanged(supplier_id="s1", state="reported", open_non_conformities=NonConformityCount(major=2)),
        link("au", "audit.changed"),
    )
    facts = with_case(
        facts, "c1", CaseChanged(supplier_id="s1", state="reopened", overdue=True, indicators=("deception",)), link("ca", "case.changed")
    )
    risk = Inherited(supplier_id="u1", score=0.9, tier="critical", hops=0, chain=(link("far"),))
    return with_inherited(
        facts, ExposurePropagated(supplier_id="u1", prohibited=False, inherited=(risk,)), link("exp", "exposure.propagated")
    )


@pytest.mark.parametrize("facts", [Facts(supplier_id="s1"), supplier(), full()])
def test_facts_survive_the_store(facts):
    assert msgspec.json.decode(encode(facts), type=Facts) == facts


def test_a_rating_survives_the_store():
    rating = rated(full())
    assert len(rating.drivers) >= 6
    assert msgspec.json.decode(encode(rating), type=type(rating)) == rating


def test_updates_leave_the_old_facts_alone():
    before = full()
    copy = msgspec.json.decode(encode(before), type=Facts)
    having(before, listed("9"))
    without_match(before, "m0")
    with_case(before, "c1", CaseChanged(supplier_id="s1", state="closed"), link())
    assert before == copy


def test_an_older_screening_changes_nothing():
    new = supplier(version=5, country="DE")
    old = SupplierScreened(supplier_id="s1", supplier_version=4, profile=Profile(name="x", country="FR"), status="inactive", matches=0)
    assert with_screened(new, old, link("late")) is new


def test_risks_of_former_dependencies_go_with_them():
    facts = full()
    assert dependencies(facts) == {"u1", "h1"}
    screened = SupplierScreened(supplier_id="s1", supplier_version=2, profile=Profile(name="x", country="PT"), status="active", matches=0)
    assert with_screened(facts, screened, link("scr2")).inherited == {}


def test_only_dependencies_hand_anything_on_and_an_empty_vector_is_forgotten():
    facts = full()
    risk = Inherited(supplier_id="z", score=0.9, tier="critical", hops=0)
    assert with_inherited(facts, ExposurePropagated(supplier_id="stranger", prohibited=True, inherited=(risk,)), link()) is facts
    assert with_inherited(facts, ExposurePropagated(supplier_id="u1", prohibited=False), link()).inherited == {}


def test_an_older_word_or_the_same_again_changes_nothing():
    risk = Inherited(supplier_id="u1", score=0.9, tier="critical", hops=0)
    told = ExposurePropagated(supplier_id="u1", prohibited=False, revision=5, inherited=(risk,))
    facts = with_inherited(full(), told, link())
    assert with_inherited(facts, ExposurePropagated(supplier_id="u1", prohibited=False, revision=4), link()) is facts
    assert with_inherited(facts, msgspec.structs.replace(told, revision=6), link("again")) is facts
    assert with_inherited(facts, ExposurePropagated(supplier_id="u1", prohibited=False, revision=6), link()).inherited == {}


def test_a_supplier_is_no_dependency_of_its_own():
    assert dependencies(supplier(upstream=(Upstream(supplier_id="s1"),))) == frozenset()


def test_a_change_of_the_pair_does_not_make_a_match_younger_and_its_first_event_stays_in_the_chain():
    undated = msgspec.structs.replace(finding(), signal=msgspec.structs.replace(finding().signal, event_time=None))
    facts = with_match(supplier(), "m", undated, link("first"), NOW)
    facts = with_match(facts, "m", undated, link("second", "match.changed"), NOW + timedelta(days=9))
    facts = with_match(facts, "m", undated, link("third", "match.reviewed"), NOW + timedelta(days=99))
    assert facts.matches["m"].since == NOW
    assert [one.id for one in facts.matches["m"].links] == ["third", "first"]


def test_ended_audits_and_cases_are_forgotten_but_not_what_an_audit_left_open():
    facts = supplier()
    open_ones = NonConformityCount(critical=1)
    kept = with_audit(facts, "a", AuditChanged(supplier_id="s1", state="closed", open_non_conformities=open_ones), link())
    assert set(kept.audits) == {"a"}
    assert with_audit(kept, "a", AuditChanged(supplier_id="s1", state="closed"), link()).audits == {}
    assert with_audit(kept, "a", AuditChanged(supplier_id="s1", state="cancelled", open_non_conformities=open_ones), link()).audits == {}
    assert with_case(facts, "c", CaseChanged(supplier_id="s1", state="closed"), link()).cases == {}
