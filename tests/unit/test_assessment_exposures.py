"""Exposures in a rating: their interval, the tiers of a supply chain that they travel through, and assessments of countries."""

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from test_assessment_examples import NOW, POLICY, finding, having, listed, rated, supplier
from test_assessment_propagation import World, buys, held

from services.assessment.inheritance import MAX_TIERS
from services.assessment.rating import MAX_EXPOSURES, next_change

DAY = timedelta(days=1)
TODAY = NOW.date()


def exposed(list_id="us_ilab_tvpra", uid="1", at=NOW, **told):
    """A match with an exposure of a list; `told` of its signal."""
    match = listed(uid, list_id, at)
    signal = msgspec.structs.replace(match.signal, schema="exposure", name="Cotton from CN", **told)
    return msgspec.structs.replace(match, about="exposure", signal=signal)


def codes(facts, now=NOW):
    return [driver.code for driver in rated(facts, now=now).drivers]


@pytest.mark.parametrize(
    ("told", "holds"),
    [
        ({}, True),
        ({"valid_until": TODAY}, True),
        ({"valid_until": TODAY - DAY}, False),
        ({"valid_from": TODAY}, True),
        ({"valid_from": TODAY + DAY}, False),
        ({"valid_from": TODAY - DAY, "valid_until": TODAY + DAY}, True),
        ({"valid_from": date.min, "valid_until": date.max}, True),
    ],
)
def test_an_exposure_counts_within_its_interval(told, holds):
    assert codes(having(supplier(), exposed(**told))) == (["exposure_list"] if holds else [])


def test_the_rating_wakes_at_the_midnight_that_ends_an_exposure_or_begins_one():
    facts = having(supplier(), exposed(valid_from=TODAY + 2 * DAY, valid_until=TODAY + 9 * DAY))
    begins = next_change(facts, POLICY, NOW)
    assert begins == datetime.combine(TODAY + 2 * DAY, datetime.min.time(), UTC)
    assert codes(facts, begins - timedelta(seconds=1)) == []
    assert codes(facts, begins) == ["exposure_list"]
    ends = next_change(facts, POLICY, begins)
    assert ends == datetime.combine(TODAY + 10 * DAY, datetime.min.time(), UTC)
    assert codes(facts, ends - timedelta(seconds=1)) == ["exposure_list"]
    assert codes(facts, ends) == []
    assert next_change(facts, POLICY, ends) is None


def test_an_exposure_does_not_fade_and_an_earlier_begin_is_not_missed():
    facts = having(
        supplier(), exposed(at=NOW - 1000 * DAY, valid_until=TODAY + 900 * DAY), exposed(uid="2", valid_from=TODAY + DAY), finding()
    )
    assert rated(facts).drivers[-1].points == POLICY.points.exposure.by_list["us_ilab_tvpra"]
    assert next_change(facts, POLICY, NOW) == datetime.combine(TODAY + DAY, datetime.min.time(), UTC)


def chain(length):
    """Suppliers t0 <- t1 <- ... each buying from the one before."""
    return World(buys("t0"), *(buys(f"t{i}", f"t{i - 1}") for i in range(1, length)))


@pytest.mark.parametrize("strength", ["strong", "weak"])
def test_an_exposure_reaches_buyers_through_every_tier_and_leaves_again(strength):
    told = msgspec.structs.replace(exposed("us_cbp_wro", abuses=("forced_labour",)), strength=strength)
    world = chain(MAX_TIERS + 3).rest().match("t0", told)
    for tier in range(1, MAX_TIERS + 1):
        found = [driver for driver in rated(world.facts[f"t{tier}"]).drivers if driver.code == "exposure_upstream"]
        assert [(one.supplier_id, one.signal.id, one.points) for one in found] == [("t0", "us_cbp_wro:1", 0.0)]
    assert codes(world.facts[f"t{MAX_TIERS + 1}"]) == []
    assert rated(world.facts["t4"]).score == 0  # beyond the policy's hops it is told, and weighs nothing
    assert rated(world.facts["t4"]).obligations[0].code == "origin_evidence"
    assert "exposure_list" not in {code for t in range(1, 5) for code in codes(world.facts[f"t{t}"])}
    world.clear("t0")
    assert {code for facts in world.facts.values() for code in codes(facts)} == set()


def test_a_circle_comes_to_rest():
    world = World(buys("a", "b"), buys("b", "a", "c"), buys("c", "a")).rest().match("a", exposed())
    assert [codes(world.facts[name]).count("exposure_upstream") for name in "abc"] == [0, 1, 1]
    world.clear("a")
    assert {code for facts in world.facts.values() for code in codes(facts)} == set()


def test_an_exposure_is_told_once_by_the_nearest_and_not_more_than_a_few_of_each():
    near, far = having(buys("near"), exposed()), having(buys("far"), *(exposed(uid=str(n)) for n in range(9)))
    world = World(near, far, buys("between", "far"), buys("me", "near", "between")).rest()
    found = {d.signal.id: d.supplier_id for d in rated(world.facts["me"]).drivers if d.code == "exposure_upstream"}
    assert found["us_ilab_tvpra:1"] == "near"
    assert len([origin for origin in found.values() if origin == "far"]) in (MAX_EXPOSURES - 1, MAX_EXPOSURES)


def test_a_good_stains_buyers_not_who_is_owned():
    world = World(buys("owner"), held("mine", ("owner", "60"))).rest().match("owner", exposed("us_cbp_wro"))
    assert "exposure_upstream" not in codes(world.facts["mine"])
    weak = msgspec.structs.replace(exposed(), strength="weak")
    assert codes(world.match("owner", weak).facts["mine"]) == []


def country(uid, advancement="none", **told):
    return exposed("us_ilab_countries", uid, advancement=advancement, **told)


def test_countries_alone_never_lift_a_supplier_out_of_low_however_many():
    facts = having(supplier(country="IR"), *(country(str(n)) for n in range(8)))
    rating = rated(facts)
    assert (rating.tier, [d.code for d in rating.drivers]) == ("low", ["country"])
    assert rating.drivers[0].points == POLICY.points.countries["IR"]
    alone = rated(having(supplier(), country("1"), country("2", valid_until=TODAY - DAY)))
    assert [(d.code, d.points, d.signal.id) for d in alone.drivers] == [("country", 0.1, "us_ilab_countries:1")]
    assert "origin_evidence" not in {duty.code for duty in alone.obligations}


def test_a_policy_that_does_not_name_the_list_gives_countries_no_weight():
    exposure = POLICY.points.exposure
    named = {name: weight for name, weight in exposure.by_list.items() if name != "us_ilab_countries"}
    points = msgspec.structs.replace(POLICY.points, exposure=msgspec.structs.replace(exposure, by_list=named))
    assert rated(having(supplier(), country("1")), msgspec.structs.replace(POLICY, points=points)).drivers == ()


def test_an_order_of_the_customs_is_reviewed_and_not_a_ban_of_all_dealings():
    assert rated(having(supplier(), listed(list_id="us_cbp_wro"))).tier == "high"
