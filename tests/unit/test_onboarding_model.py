"""What becomes of a supplier and of an import: decisions alone."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.onboarding.imports.model import Advance, End, Receive
from services.onboarding.imports.model import decide as decide_import
from services.onboarding.model import (
    STATUS_OF,
    Acknowledge,
    Change,
    Deactivate,
    ImportRow,
    Reactivate,
    Register,
    Supplier,
    Take,
    decide,
    fold,
    row_seen,
    supplier_id_of,
)
from services.onboarding.profile import MOST, MOST_ACKNOWLEDGEMENTS, checked
from shared.errors import Conflict, Invalid, NotFound
from shared.events.onboarding import Counts, SupplierRated
from shared.events.ratings import TIERS, CauseRef, RatingChanged, Tier
from shared.events.suppliers import ExternalRef, Identifier, OtherName, Owner, Profile, SupplierStatusChanged, Upstream
from shared.kernel.aggregate import Cause, Message

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
MILLS = Profile(name="Mills", country="DE")
REF = ExternalRef(system="S4", number="1")


def said(body: Any, cause: str = "c1") -> Message:
    return Message(body, Cause(cause, "command.test", actor="ada"))


def supplier(profile: Profile = MILLS) -> Supplier:
    decided = decide(None, said(Register(supplier_id="sup_1", profile=profile)), NOW)
    assert decided is not None
    return decided.state


def rating(tier: Tier) -> RatingChanged:
    cause = CauseRef(id="e", type="t")
    return RatingChanged(
        supplier_id="sup_1", external_refs=(), country="DE", tier=tier, previous_tier=None, cause=cause, policy_version="1"
    )


def row(n: int, name: str = "Mills", import_id: str = "imp_1", **more: Any) -> Take:
    mark = ImportRow(import_id=import_id, row=n)
    return Take(supplier_id="sup_1", ref=REF, fields={"name": name, "country": "DE"}, row=mark, **more)


def after(state: Supplier | None, *bodies: Any) -> Supplier | None:
    for n, body in enumerate(bodies):
        decided = decide(state, said(body, f"c{n}"), LATER)
        state = decided.state if decided else state
    return state


def test_only_a_registration_or_a_row_begins_a_supplier() -> None:
    for body in (Change(supplier_id="sup_1", fields={}), Deactivate(reason="r"), Acknowledge(code_version="1", acknowledged_by="A")):
        with pytest.raises(NotFound):
            decide(None, said(body), NOW)
    assert decide(None, said(rating("high")), NOW) is None
    with pytest.raises(Conflict):
        decide(supplier(), said(Register(supplier_id="sup_1", profile=MILLS)), NOW)


def test_nothing_changed_is_no_event() -> None:
    one = supplier()
    assert decide(one, said(Change(supplier_id="sup_1", fields={"name": "Mills", "goods": ()})), NOW) is None
    assert decide(one, said(Reactivate(reason="r")), NOW) is None


@given(st.lists(st.sampled_from(TIERS), min_size=1), st.booleans())
def test_the_last_rating_sets_the_status_unless_somebody_ended_it(tiers: list[Tier], ended: bool) -> None:
    state = after(supplier(), *([Deactivate(reason="r")] if ended else []), *map(rating, tiers))
    assert state is not None
    assert state.tier == tiers[-1]
    assert state.status == ("inactive" if ended else STATUS_OF[tiers[-1]])
    back = after(state, Reactivate(reason="r"))
    assert back is not None
    assert back.status == STATUS_OF[tiers[-1]]


def test_a_rating_that_moves_no_status_is_noted_only_in_the_journal() -> None:
    decided = decide(supplier(), said(rating("medium")), NOW)
    assert decided is not None
    assert [type(e) for e in decided.events] == [SupplierRated]
    assert decide(decided.state, said(rating("medium")), NOW) is None
    decided = decide(decided.state, said(rating("critical"), "evt_9"), NOW)
    assert decided is not None
    assert [type(e) for e in decided.events] == [SupplierRated, SupplierStatusChanged]
    assert decided.state.status_cause.id == "evt_9"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"owners": tuple(Owner(name=n, kind="person", percent=Decimal("50.0001")) for n in "AB")}, "owners"),
        ({"owners": (Owner(name="A", kind="organisation", supplier_id="sup_1"),)}, "owners"),
        ({"owners": (Owner(name="A", kind="organisation", birth_date="1970"),)}, "owners"),
        ({"upstream": (Upstream(supplier_id="sup_1"),)}, "upstream"),
        ({"other_names": tuple(OtherName(name=str(n), kind="trade") for n in range(MOST["other_names"] + 1))}, "other_names"),
    ],
)
def test_a_profile_that_contradicts_itself_is_refused(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        decide(supplier(), said(Change(supplier_id="sup_1", fields=fields)), NOW)
    assert [e["field"] for e in refusal.value.errors] == [field]


def test_repetitions_in_a_profile_count_once() -> None:
    assert checked(Profile(name="M", country="DE", external_refs=(REF, REF)), "sup_1").external_refs == (REF,)


def test_a_row_that_comes_again_does_not_undo_what_came_after_it() -> None:
    state = after(None, row(1), row(5, "Mills Ltd"), Change(supplier_id="sup_1", fields={"name": "Renamed"}))
    assert state is not None
    assert row_seen(state, ImportRow(import_id="imp_1", row=5))
    assert decide(state, said(row(1)), NOW) is None
    assert decide(state, said(row(5, "Mills Ltd")), NOW) is None
    assert decide(state, said(row(6, "Mills Ltd")), NOW) is not None
    assert decide(state, said(row(1, import_id="imp_2")), NOW) is not None
    assert state.created_by == ImportRow(import_id="imp_1", row=1)


def test_a_row_keeps_other_references_and_other_kinds_of_identifiers() -> None:
    old = ExternalRef(system="OLD", number="7")
    lei, duns = Identifier(kind="lei", value="A"), Identifier(kind="duns", value="B")
    one = supplier(Profile(name="Mills", country="DE", external_refs=(old,), identifiers=(lei, duns)))
    new = Identifier(kind="lei", value="C")
    state = after(one, row(1, kinds=frozenset({"lei", "vat"}), identifiers=(new,)))
    assert state is not None
    assert state.profile.external_refs == (old, REF)
    assert state.profile.identifiers == (duns, new)
    same = supplier(Profile(name="Mills", country="DE", external_refs=(REF,), identifiers=(lei, duns)))
    assert decide(same, said(row(1, kinds=frozenset({"lei"}), identifiers=(lei,))), NOW) is None


def test_ids_of_numbers_are_one_to_one_and_neighbours_lie_together() -> None:
    ids = [supplier_id_of("t", "S4", f"{n:06}") for n in range(3000)]
    assert len(set(ids)) == 3000
    assert {len(i) for i in ids} == {30}
    assert len({i[:10] for i in ids}) == 3
    assert supplier_id_of("t", "S4", "1") != supplier_id_of("t", "S", "41")
    assert supplier_id_of("u", "S4", "1") != supplier_id_of("t", "S4", "1")


@pytest.mark.parametrize(("text", "folded"), [("ÖRNEK Mills", "ornek mills"), ("Straße", "strasse"), ("ﬁrm", "firm"), ("工厂", "工厂")])
def test_names_are_compared_without_case_and_accents(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_an_import_goes_forward_until_it_ends_and_no_further() -> None:
    received = Receive(source_system="S4", mode="apply", format="csv", upload="u", size=9, digest="d")
    decided = decide_import(None, said(received), NOW)
    assert decided is not None
    state = decided.state
    assert decide_import(state, said(received), NOW) is None
    step = Advance(counts=Counts(created=2, rejected=1), offset=5, results_bytes=7)
    decided = decide_import(state, said(step), NOW)
    assert decided is not None
    assert decide_import(decided.state, said(step), NOW) is None
    ended = decide_import(decided.state, said(End(state="done")), LATER)
    assert ended is not None
    assert (ended.state.state, ended.state.counts.rows, ended.state.ended_at) == ("done", 3, LATER)
    for body in (step, End(state="failed", reason="late"), Advance(counts=Counts(), offset=0, results_bytes=0)):
        assert decide_import(ended.state, said(body), LATER) is None


def test_acknowledgements_end_somewhere_and_a_repeated_one_is_none() -> None:
    state = supplier()
    for n in range(MOST_ACKNOWLEDGEMENTS):
        decided = decide(state, said(Acknowledge(code_version=str(n), acknowledged_by="Li")), NOW)
        assert decided is not None
        state = decided.state
    assert decide(state, said(Acknowledge(code_version="0", acknowledged_by="Li")), NOW) is None
    with pytest.raises(Conflict):
        decide(state, said(Acknowledge(code_version="new", acknowledged_by="Li")), NOW)
