"""The gate's answers and the chain behind them."""

from datetime import timedelta

import msgspec
import pytest
from test_assessment_examples import NOW, POLICY, finding, full, having, link, listed, rated, supplier

from services.assessment.chain import why
from services.assessment.gate import MAX_REASONS, GateView, answer, effects
from shared.events.envelope import encode
from shared.events.ratings import Decision

EFFECTS = ("purchase_order", "new_site", "payment")


def view(*matches):
    return effects(rated(having(supplier(), *matches)), POLICY)


@pytest.mark.parametrize(
    ("matches", "words"),
    [
        ([], ("allow", "allow", "allow")),
        ([finding(strength="weak", indicators=("deception",))], ("allow_with_conditions", "review", "allow")),
        ([listed(strength="weak")], ("review", "review", "review")),
        ([finding(about="exposure")], ("review", "review", "review")),
        ([finding()], ("block", "block", "review")),
        ([listed()], ("block", "block", "block")),
    ],
)
def test_what_each_tier_does(matches, words):
    asked = [answer(view(*matches), effect, NOW, POLICY) for effect in EFFECTS]
    assert tuple(one.decision for one in asked) == words
    for one in asked:
        assert bool(one.reasons) == (one.decision != "allow")
        assert bool(one.conditions) == (one.decision == "allow_with_conditions")
        assert one.policy_version == POLICY.version
        assert one.data_as_of == NOW


def test_an_answer_holds_for_the_tiers_time():
    later = NOW + timedelta(hours=5)
    assert answer(view(), "payment", later, POLICY).valid_until == later + timedelta(seconds=POLICY.effects.low.valid_seconds)
    assert answer(view(listed()), "payment", later, POLICY).valid_until == later + timedelta(
        seconds=POLICY.effects.prohibited.valid_seconds
    )


def test_an_unknown_supplier_is_reviewed():
    told = answer(None, "purchase_order", NOW, POLICY)
    assert (told.decision, [reason.code for reason in told.reasons], told.data_as_of) == ("review", ["unknown_supplier"], None)
    assert told.valid_until > NOW


def test_a_view_survives_the_store_and_says_who_reviews():
    made = effects(rated(full()), POLICY)
    assert msgspec.json.decode(encode(made), type=GateView) == made
    assert (made.review.by, made.review.days) == ("analyst", 1)
    assert view().review is None


def test_reasons_are_few_and_each_stands_once():
    made = view(*(listed("1") for _ in range(3)), *(listed(str(i), strength="weak") for i in range(2, 40)))
    assert len(made.reasons) <= MAX_REASONS
    assert len({(one.code, one.text) for one in made.reasons}) == len(made.reasons)
    assert made.reasons[0].code == "list_strong"


def chain_of(facts, word="block"):
    rating = rated(facts)
    decision = Decision(decision=word, effect="purchase_order", supplier_id="s1", policy_version=POLICY.version, reasons=("list_strong",))
    told = why(link("d.0", "decisions.taken", "assessment"), decision, link("rt", "rating.reassessed", "assessment"), rating)
    assert msgspec.json.decode(encode(told))["chain"]
    return told


def test_a_chain_leads_to_the_list_entry():
    told = chain_of(having(supplier(), listed("36"), finding()))
    assert [one.id for one in told.chain] == ["d.0", "rt", "opened-0", "sig-36"]
    assert [one.service for one in told.chain] == ["assessment", "assessment", "screening", "intelligence"]
    last = told.chain[-1]
    assert {key: last.data[key] for key in ("list", "uid", "release_id", "name")} == {
        "list": "us_ofac_sdn", "uid": "36", "release_id": "r7", "name": "ACME TRADING",
    }  # fmt: skip
    assert last.time == NOW
    assert [other["code"] for other in told.others] == ["finding_strong"]
    assert told.others[0]["leads_to"].data["finding_id"] == "f1"


def test_a_chain_leads_to_the_finding_without_its_name():
    told = chain_of(having(supplier(), finding("f77")))
    assert told.chain[-1].data["finding_id"] == "f77"
    assert "A Name" not in encode(told).decode()


def test_an_allow_leads_to_the_ratings_cause():
    told = chain_of(supplier(country="IR"), "allow")
    assert [one.id for one in told.chain] == ["d.0", "rt", "cause"]
    assert told.chain[-1].service == "screening"
    assert [other["code"] for other in told.others] == ["country"]


def test_a_driver_without_a_signal_ends_at_its_event():
    told = chain_of(msgspec.structs.replace(full(), matches={}, inherited={}, audits={}, cases={}), "review")
    assert [one.id for one in told.chain] == ["d.0", "rt", "scr"]


def test_an_unknown_supplier_has_only_its_decision():
    decision = Decision(decision="review", effect="payment", reasons=("unknown_supplier",))
    told = why(link("d.3", "decisions.taken", "assessment"), decision, None, None)
    assert ([one.id for one in told.chain], told.others) == (["d.3"], ())


def test_an_override_is_named():
    rating = rated(having(supplier(), listed()))
    decision = Decision(decision="allow", effect="payment", supplier_id="s1", override_id="o9")
    told = why(link("d"), decision, link("r"), rating)
    assert told.chain[0].data["override_id"] == "o9"
