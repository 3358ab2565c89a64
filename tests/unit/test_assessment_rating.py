"""Each rule of the standard policy, that more never weighs less, and how findings fade."""

from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_assessment_examples import CAUSE, NOW, POLICY, finding, full, having, link, listed, rated, supplier

from services.assessment.facts import with_audit, with_case, with_match
from services.assessment.policy import ILO_INDICATORS, RANK
from services.assessment.rating import MAX_DRIVERS, next_change
from shared.events.followup import AuditChanged, CaseChanged, NonConformityCount
from shared.events.suppliers import Owner, Site, SourcedGood

DAY = timedelta(days=1)
OWNED = {"party": "owner", "party_name": "Ada O."}


def owned(*percents, name="Ada O."):
    shares = [None if percent is None else Decimal(percent) for percent in percents]
    return supplier(owners=tuple(Owner(name=f"{name}{i or ''}", kind="person", percent=share) for i, share in enumerate(shares)))


def exposure(match):
    return msgspec.structs.replace(match, about="exposure")


def codes(rating):
    return [driver.code for driver in rating.drivers]


@pytest.mark.parametrize(
    ("facts", "tier", "code"),
    [
        (having(supplier(), listed()), "prohibited", "list_strong"),
        (having(supplier(), listed(state="escalated")), "prohibited", "list_strong"),
        (having(supplier(), listed(strength="weak")), "high", "list_weak"),
        (having(supplier(), listed(strength="weak", state="escalated")), "high", "list_weak"),
        (having(supplier(), listed(strength="weak", state="confirmed")), "prohibited", "list_confirmed"),
        (having(supplier(), listed(list_id="us_ofac_cons")), "high", "list_review"),
        (having(supplier(), finding()), "critical", "finding_strong"),
        (having(supplier(), finding(indicators=("excessive_overtime",))), "high", "finding_strong"),
        (having(supplier(), finding(indicators=("child_labour",))), "critical", "finding_strong"),
        (having(supplier(), finding(indicators=("trafficking",))), "critical", "finding_strong"),
        (having(supplier(), finding(indicators=("never heard of",))), "high", "finding_strong"),
        (having(supplier(), finding(strength="weak", indicators=("deception",))), "medium", "finding_weak"),
        (having(supplier(), finding(strength="weak", indicators=("deception",), state="confirmed")), "high", "finding_confirmed"),
        (having(supplier(), finding(party="owner", indicators=("debt_bondage",))), "medium", "owner_finding"),
        (having(supplier(), exposure(finding())), "high", "exposure_finding"),
        (having(supplier(), exposure(listed(list_id="us_cbp_wro"))), "high", "exposure_list"),
        (having(supplier(), exposure(listed(list_id="us_ilab_tvpra"))), "medium", "exposure_list"),
        (supplier(sites=(Site(name="Mill", country="CN", region="CN-XJ"),)), "high", "region"),
        (supplier(goods=(SourcedGood(hs="5201", origin="CN", region="CN-XJ"),)), "high", "region"),
        (supplier(country="IR"), "low", "country"),
        (supplier(goods=(SourcedGood(hs="27", origin="MM"),)), "low", "country"),
        (having(owned("50"), listed(**OWNED)), "prohibited", "blocked_share"),
        (having(owned("49.99"), listed(**OWNED)), "high", "owner_share"),
        (having(owned("1"), listed(**OWNED)), "medium", "owner_share"),
        (having(owned(None), listed(**OWNED)), "high", "owner_share_unknown"),
        (having(owned(None), listed(**OWNED, owner_percent="60")), "prohibited", "blocked_share"),
        (having(owned("60"), listed(**OWNED, strength="weak")), "high", "list_weak"),
        (having(owned("60"), listed(**OWNED, strength="weak", state="confirmed")), "prohibited", "blocked_share"),
        (having(owned("60"), listed(**OWNED, list_id="us_ofac_cons")), "high", "list_review"),
    ],
)
def test_each_rule(facts, tier, code):
    rating = rated(facts)
    assert (rating.tier, rating.drivers[0].code) == (tier, code)
    assert rating.policy_version == POLICY.version
    assert (rating.as_of, rating.cause) == (NOW, CAUSE)


@pytest.mark.parametrize("strength", ["strong", "weak"])
def test_of_equal_entries_the_likeliest_is_the_reason(strength):
    """Whichever was found first, and whatever their ids."""
    several = [listed(uid, score=score, strength=strength) for uid, score in (("3", 0.92), ("1", 0.93), ("2", 0.97))]
    for matches in (several, several[::-1]):
        assert [driver.signal.source.uid for driver in rated(having(supplier(), *matches)).drivers] == ["2", "1", "3"]


def test_of_entries_that_name_one_owner_the_likeliest_is_told():
    several = [listed(uid, **OWNED, score=score) for uid, score in (("3", 0.92), ("1", 0.93), ("2", 0.97))]
    for matches in (several, several[::-1]):
        assert rated(having(owned("60"), *matches)).drivers[0].signal.source.uid == "2"


@pytest.mark.parametrize(("percent", "tier"), [("0", "high"), ("49", "critical"), ("60", "prohibited")])
@pytest.mark.parametrize("facts", [supplier(), owned(None)])
def test_two_owners_of_one_name_of_whom_one_holds_an_unknown_share(percent, tier, facts):
    """What is known of the one does not make the other's less: told in either order."""
    seen = [listed(**OWNED), listed("2", **OWNED, owner_percent=percent)]
    for matches in (seen, seen[::-1]):
        rating = rated(having(facts, *matches))
        assert rating.tier == tier
        assert "owner_share_unknown" in codes(rating) or tier == "prohibited"


@pytest.mark.parametrize("state", ["cleared", "withdrawn"])
@pytest.mark.parametrize("match", [listed(), finding(), exposure(finding()), listed(**OWNED, owner_percent="100")])
def test_cleared_and_withdrawn_matches_give_nothing(state, match):
    rating = rated(having(supplier(), msgspec.structs.replace(match, state=state)))
    assert (rating.tier, rating.score, rating.drivers) == ("low", 0.0, ())


@pytest.mark.parametrize("country", ["PT", "US", "CN", "RU", "IR", "KP", "MM", "NO", ""])
def test_a_country_alone_leaves_a_supplier_low(country):
    assert rated(supplier(country=country)).tier == "low"


def test_an_inactive_supplier_is_rated_like_any_other():
    assert rated(msgspec.structs.replace(having(supplier(), listed()), status="inactive")).tier == "prohibited"


@pytest.mark.parametrize(
    ("counts", "tier"),
    [
        ({"minor": 5}, "low"),
        ({"major": 2}, "medium"),
        ({"critical": 1}, "medium"),
        ({"critical": 2}, "high"),
        ({"business_critical": 1}, "high"),
        ({"business_critical": 2}, "critical"),
    ],
)
def test_open_non_conformities(counts, tier):
    audit = AuditChanged(supplier_id="s1", state="corrective_action", open_non_conformities=NonConformityCount(**counts))
    rating = rated(with_audit(supplier(), "a", audit, link()))
    assert (rating.tier, codes(rating)) == (tier, ["non_conformity"])


def test_overdue_and_reopened_follow_up():
    late = with_audit(supplier(), "a", AuditChanged(supplier_id="s1", state="assigned", overdue=True), link())
    assert (rated(late).tier, codes(rated(late))) == ("medium", ["audit_overdue"])
    again = with_case(supplier(), "c", CaseChanged(supplier_id="s1", state="reopened", overdue=True), link())
    assert codes(rated(again)) == ["case_reopened", "case_overdue"]
    on_time = with_case(supplier(), "c", CaseChanged(supplier_id="s1", state="open"), link())
    assert rated(on_time).score == 0


def test_shares_of_several_owners_add_up_and_each_counts_once():
    facts = owned("20", "29", "51")
    one = listed("1", party="owner", party_name="Ada O.")
    two = listed("2", party="owner", party_name="ADA  o.1")
    same = listed("3", party="owner", party_name="Ada O.")
    assert rated(having(facts, one, same)).drivers[0].text.startswith("Blocked owners hold 20 %")
    assert rated(having(facts, one, two)).tier == "high"
    assert rated(having(owned("21", "29"), one, two)).tier == "prohibited"
    assert rated(having(owned("21", None), one, two)).tier == "high"
    assert codes(rated(having(owned("60", None), one, two)))[:2] == ["blocked_share", "owner_share_unknown"]


@pytest.mark.parametrize("told", ["NaN", "-5", "1e9", "Infinity", "half"])
def test_a_share_that_is_no_share_is_unknown(told):
    assert codes(rated(having(supplier(), listed(**OWNED, owner_percent=told)))) == ["owner_share_unknown"]


def test_an_owners_name_never_stands_in_a_text():
    for facts in (having(owned("60"), listed(**OWNED)), having(owned(None), listed(**OWNED)), having(owned("5"), finding(**OWNED))):
        assert "Ada" not in repr([(driver.text, driver.code) for driver in rated(facts).drivers])


def test_namesakes_alone_never_block():
    many = having(supplier(), *(listed(str(i), strength="weak") for i in range(200)))
    rating = rated(many)
    assert (rating.tier, rating.score, len(rating.drivers)) == ("high", 0.6, MAX_DRIVERS)


def test_points_explain_the_score():
    rating = rated(having(full(), *(listed(str(i), strength="weak") for i in range(5))))
    left = 1.0
    for driver in rating.drivers:
        left *= 1 - driver.points
    assert rating.score == pytest.approx(1 - left, abs=1e-4)


def test_what_decides_comes_first_with_its_chain():
    rating = rated(having(supplier(country="IR"), listed("9", strength="weak"), finding(), listed("7")))
    assert codes(rating) == ["list_strong", "finding_strong", "list_weak", "country"]
    assert [one.id for one in rating.drivers[0].chain] == ["opened-2", "sig-7"]
    assert rating.drivers[0].signal.source.uid == "7"
    assert rating.drivers[1].indicators == ("debt_bondage", "retention_of_documents")
    assert [one.id for one in rating.drivers[3].chain] == ["scr"]


def test_of_equal_drivers_the_order_is_that_of_what_they_are_about():
    """Event ids derive from the release, which has another id on every system: they would put them in another order on each."""
    uids = ["3", "1", "2"]
    rating = rated(having(supplier(), *(listed(uid, strength="weak") for uid in uids)))
    assert [one.signal.source.uid for one in rating.drivers] == ["1", "2", "3"]


def test_duties_arise_once_with_the_soonest_date():
    duties = {duty.code: duty for duty in rated(having(supplier(), finding("f1"), finding("f2"))).obligations}
    assert len(duties) == len(rated(having(supplier(), finding("f1"), finding("f2"))).obligations)
    assert (duties["for_cause_audit"].due_days, duties["remediation_case"].kind, duties["review"].due_days) == (14, "case", 2)
    milder = {duty.code: duty.due_days for duty in rated(having(supplier(), finding(indicators=("deception",)))).obligations}
    assert milder["for_cause_audit"] == 45
    assert "for_cause_audit" not in {duty.code for duty in rated(having(supplier(), listed(strength="weak"))).obligations}
    assert rated(supplier()).obligations == ()
    stopped = {duty.code: (duty.kind, duty.due_days) for duty in rated(having(supplier(), listed())).obligations}
    assert (stopped["for_cause_audit"], stopped["remediation_case"]) == (("audit", 30), ("case", 60))
    possibly = {duty.kind for duty in rated(having(supplier(), listed(strength="weak"))).obligations}
    assert possibly.isdisjoint({"audit", "case"})
    assert "origin_evidence" in {duty.code for duty in rated(having(supplier(), exposure(finding()))).obligations}


def test_a_verified_finding_fades_and_a_list_entry_does_not():
    facts, entry = having(supplier(), finding()), having(supplier(), listed())
    half_life = POLICY.fading.party_finding.half_life_days * DAY
    assert rated(facts, now=NOW + half_life).score == pytest.approx(rated(facts).score / 2, abs=1e-5)
    assert rated(facts, now=NOW - 5 * DAY).score == rated(facts).score
    end = NOW + POLICY.fading.party_finding.expires_days * DAY
    assert rated(facts, now=end - timedelta(seconds=1)).score > 0
    assert rated(facts, now=end).drivers == ()
    assert rated(entry, now=NOW + 9999 * DAY).tier == "prohibited"
    assert next_change(entry, POLICY, NOW) is None
    assert next_change(supplier(country="IR"), POLICY, NOW) is None


@pytest.mark.parametrize("facts", [having(supplier(), finding()), having(full(), exposure(finding("f2", at=NOW - 300 * DAY)))])
@pytest.mark.parametrize("begin", [NOW, NOW + timedelta(seconds=7, microseconds=250_000)])
def test_alarms_come_at_each_change_and_never_early(facts, begin):
    now, tiers = begin, [rated(facts, now=begin).tier]
    while (at := next_change(facts, POLICY, now)) is not None:
        assert at > now
        before = rated(facts, now=at - timedelta(seconds=1))
        assert before.tier == tiers[-1]
        after = rated(facts, now=at)
        assert after.tier != before.tier or len(after.drivers) < len(before.drivers)
        tiers.append(after.tier)
        now = at
        assert len(tiers) < 20
    assert [RANK[t] for t in tiers] == sorted((RANK[t] for t in tiers), reverse=True)


def test_a_fading_finding_passes_every_tier():
    facts, now, tiers = having(supplier(), finding()), NOW, []
    while now is not None:
        tiers.append(rated(facts, now=now).tier)
        now = next_change(facts, POLICY, now)
    assert tiers == ["critical", "high", "medium", "low", "low"]  # the last: the finding is forgotten


states = st.sampled_from(["open", "escalated", "confirmed", "cleared", "withdrawn"])
strengths = st.sampled_from(["strong", "weak"])
shares = st.none() | st.integers(0, 100).map(str)
lists = st.builds(
    lambda uid, list_id, state, strength, about, party, name, percent: listed(
        str(uid), list_id, state=state, strength=strength, about=about, party=party, party_name=name, owner_percent=percent
    ),
    st.integers(0, 30),
    st.sampled_from(["us_ofac_sdn", "us_ofac_cons", "us_cbp_wro"]),
    states,
    strengths,
    st.sampled_from(["party", "exposure"]),
    st.sampled_from(["supplier", "owner"]),
    st.sampled_from(["Ada O.", "Bo", "Ada O.1", "Gone"]),
    shares,
)
findings = st.builds(
    lambda indicators, days, state, strength, about: finding(
        "f", tuple(indicators), NOW - days * DAY, state=state, strength=strength, about=about
    ),
    st.lists(st.sampled_from(ILO_INDICATORS), unique=True, max_size=4),
    st.integers(0, 3000),
    states,
    strengths,
    st.sampled_from(["party", "exposure"]),
)


@given(st.lists(lists | findings, max_size=8), lists | findings, st.lists(st.none() | st.integers(0, 60), max_size=3))
def test_one_more_match_never_lowers_score_or_tier(matches, more, percents):
    before = having(owned(*percents), *matches)
    one, two = rated(before), rated(with_match(before, "one more", more, link("more"), NOW))
    assert two.score >= one.score - 1e-9
    assert RANK[two.tier] >= RANK[one.tier]
    assert 0 <= one.score <= 1


@given(st.lists(lists | findings, max_size=8))
def test_the_order_of_facts_does_not_matter(matches):
    facts = having(supplier(), *matches)
    turned = msgspec.structs.replace(facts, matches=dict(reversed(facts.matches.items())))
    assert rated(facts).tier == rated(turned).tier
    assert rated(facts).score == pytest.approx(rated(turned).score, abs=1e-6)
