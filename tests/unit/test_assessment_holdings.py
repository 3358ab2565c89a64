"""Owners' owners, as suppliers tell each other of them: in any order of messages everyone comes to what the whole graph says, and to rest."""

from decimal import Decimal
from itertools import pairwise

import msgspec
from assessment_telling import Telling
from hypothesis import given, settings
from hypothesis import strategies as st
from test_assessment_examples import POLICY, having, listed, rated, supplier

from services.assessment import holdings
from services.assessment.facts import Facts, with_inherited
from services.assessment.holdings import held
from services.assessment.model import handing_on
from services.assessment.ownership import Ownership
from shared.events.matches import MatchOpened
from shared.events.ratings import ExposurePropagated, Link, Owned, OwnerShare
from shared.events.suppliers import Owner


def test_the_path_is_shown_with_names_shares_and_the_entry():
    world = (
        Telling("abc").own("a", ("b", "60")).own("b", ("c", "50"), ("X", "10")).own("c", ("X", "70.5"), ("Y", "9")).match("c", "X").rest()
    )
    driver = world.driver("a")
    assert (driver.code, driver.tier) == ("blocked_share", "prohibited")
    assert driver.text.startswith("Blocked owners hold 60 % together, through other owners; from 50 % on")
    (path,) = driver.paths
    assert [(step.name, step.percent, step.supplier_id) for step in path.steps] == [
        ("b of a", Decimal(60), "b"), ("c of b", Decimal(50), "c"), ("X of c", Decimal("70.5"), None)
    ]  # fmt: skip
    assert (path.signal.source.list, path.signal.source.uid) == ("us_ofac_sdn", "cX")
    assert [link.type for link in driver.chain] == [
        "duewatch.exposure.propagated.v1", "duewatch.match.opened.v1", "duewatch.signal.published.v1"
    ]  # fmt: skip
    assert world.states["a"].rating.cause.type == "duewatch.exposure.propagated.v1"
    assert "X of" not in repr([(d.text, d.code) for d in world.states["a"].rating.drivers])


def test_two_that_hold_each_other_are_released_with_the_owner_who_lifted_them_over_the_line():
    """What stays, 25 % from outside and 25 % held by itself, is below the line and must not hold itself up."""
    world = Telling("ab").own("a", ("X", "25"), ("Y", "25"), ("b", "25")).own("b", ("a", "60")).match("a", "X").match("a", "Y").rest()
    assert world.tiers() == {"a": "prohibited", "b": "prohibited"}
    assert "75 %" in world.driver("a").text
    world.match("a", "Y", on=False).rest()
    assert world.tiers() == {"a": "medium", "b": "low"}
    assert "25 %" in world.driver("a").text
    world.match("a", "X", on=False).rest()
    assert set(world.tiers().values()) == {"low"}


def test_a_share_that_changes_far_above_is_heard_below():
    world = Telling("abcd").own("a", ("b", "50")).own("b", ("c", "50")).own("c", ("d", "50")).own("d", ("X", "49")).match("d", "X").rest()
    assert world.tiers()["a"] == "low"
    world.own("d", ("X", "50")).rest()
    assert set(world.tiers().values()) == {"prohibited"}
    world.own("c", ("d", "49")).rest()
    assert (world.tiers()["a"], world.tiers()["d"]) == ("low", "prohibited")


def test_an_unknown_share_far_above_asks_for_a_review_all_the_way_down():
    world = Telling("abc").own("a", ("b", "60")).own("b", ("c", "70")).own("c", ("X", None)).match("c", "X").rest()
    assert {name: world.driver(name).code for name in "abc"} == dict.fromkeys("abc", "owner_share_unknown")
    assert set(world.tiers().values()) == {"high"}
    assert [step.percent for step in world.driver("a").paths[0].steps] == [Decimal(60), Decimal(70), None]
    world.own("c", ("X", "10")).rest()
    assert world.driver("c").code == "owner_share"
    assert world.tiers()["a"] == "low"


def test_a_share_below_the_line_counts_nothing_further_down():
    world = Telling("abc").own("a", ("b", "100")).own("b", ("c", "100")).own("c", ("X", "49")).match("c", "X").rest()
    assert held(world.states["b"].facts, POLICY) is None
    assert "owner_share" not in {driver.code for driver in world.states["a"].rating.drivers}


def test_a_review_clears_the_whole_chain_and_a_confirmed_weak_match_blocks_it():
    world = Telling("ab").own("a", ("b", "100")).own("b", ("X", "100"))
    for state, strength, tier in (("open", "weak", "low"), ("confirmed", "weak", "prohibited"), ("cleared", "strong", "low")):
        match = listed("1", supplier_id="b", party="owner", party_name="X of b", state=state, strength=strength)
        world.hear("b", MatchOpened(match=match), "match.reviewed", "match/m1")
        world.rest()
        assert world.driver("a").code == "blocked_share" if tier == "prohibited" else world.tiers()["a"] != "prohibited", state


def test_shares_of_more_than_all_are_said():
    facts = having(supplier(owners=(Owner(name="A", kind="person", percent=Decimal(80)),)), listed("1", party="owner", party_name="A"))
    facts = having(facts, listed("2", party="owner", party_name="Gone", owner_percent="30"))
    (driver,) = [one for one in rated(facts).drivers if one.code == "blocked_share"]
    assert driver.text.startswith("Blocked owners hold 100 % together")
    assert "more than 100 %" in driver.text


def test_news_that_is_none_is_not_told_on():
    world = Telling("ab").own("a", ("b", "60")).match("b").rest()
    again = handing_on("b", world.states["b"])
    before = world.states["a"]
    world.hear("a", again, "exposure.propagated", "assessment/b")
    assert world.states["a"] is before


def told_by(owner, *owned, share="60", policy=POLICY):
    facts = supplier("a", owners=(Owner(name=owner, kind="organisation", percent=Decimal(share), supplier_id=owner),))
    return rated(
        with_inherited(facts, ExposurePropagated(supplier_id=owner, prohibited=True, owned=owned), Link(service="s", type="t", id="e")),
        policy,
    )


def above(name, *owners, revision=1, **rest):
    shares = tuple(OwnerShare(name=o, percent=Decimal(60), supplier_id=o) for o in owners)
    return Owned(supplier_id=name, revision=revision, shares=shares, **rest)


def test_a_supplier_is_never_the_reason_of_its_own_prohibition():
    signal = listed().signal
    assert told_by("o", above("o", signal=signal)).tier == "prohibited"
    assert told_by("o", above("o", "a"), above("a", signal=signal)).drivers == ()


def test_a_chain_that_goes_on_behind_the_limit_is_reviewed_never_passed_over():
    def chained(length):
        chain = [above(f"o{i}", f"o{i + 1}") for i in range(length - 1)]
        return told_by("o0", *chain, above(f"o{length - 1}", signal=listed().signal))

    assert chained(POLICY.owners.hops).drivers[0].code == "blocked_share"
    far = chained(POLICY.owners.hops + 1)
    assert (far.tier, far.drivers[0].code) == ("high", "owner_share_unknown")
    assert "further away" in far.drivers[0].text


def test_a_chain_longer_than_the_limit_blocks_up_to_it_and_asks_for_a_review_behind_it():
    names = "abcdefghijkl"
    world = Telling(names)
    for lower, upper in pairwise(names):
        world.own(lower, (upper, "60"))
    world.match("l").rest()
    last = len(names) - 1 - POLICY.owners.hops
    assert all(world.tiers()[name] == "prohibited" for name in names[last:])
    assert world.driver(names[last - 1]).code == "owner_share_unknown"
    world.match("l", on=False).rest()
    assert set(world.tiers().values()) == {"low"}


def test_who_has_more_above_it_than_are_handed_on_says_so(monkeypatch):
    monkeypatch.setattr(holdings, "MAX_OWNED", 3)
    world = Telling("abcde").own("a", ("b", "50")).own("b", ("c", "25"), ("d", "25"), ("e", "25"))
    for name in "cde":
        world.match(name)
    world.rest()
    assert (world.driver("b").code, world.driver("a").code) == ("blocked_share", "owner_share_unknown")
    for name in "cde":
        world.match(name, on=False)
    assert set(world.rest().tiers().values()) == {"low"}


NAMES = "abcdef"
shares = st.sampled_from(["5", "20", "25", "30", "50", "60", None])
owning = st.tuples(
    st.just("own"), st.sampled_from(NAMES), st.lists(st.tuples(st.sampled_from(NAMES + "XY"), shares), max_size=4, unique_by=lambda o: o[0])
)
listing = st.tuples(st.just("match"), st.sampled_from(NAMES), st.sampled_from(["", *NAMES, "X", "Y"]), st.booleans())
deliveries = st.tuples(st.just("deliver"), st.integers(1, 6))
acts = st.lists(st.one_of(owning, listing, listing, deliveries), max_size=25)


def play(acts, seed):
    world = Telling(NAMES, seed)
    for what, *told in acts:
        if what == "own":
            name, owners = told
            world.own(name, *((owner, percent) for owner, percent in owners if owner != name))
        elif what == "match":
            name, owner, on = told
            if not on or not owner or owner in dict(world.owners[name]):
                world.match(name, owner, on=on)
        else:
            for _ in range(told[0]):
                world.deliver()
        for name, owner in sorted(world.listed):  # screening withdraws the match of an owner that the profile no longer has
            if owner and owner not in dict(world.owners[name]):
                world.match(name, owner, on=False)
    return world


@settings(deadline=None)
@given(acts, st.integers(0, 9))
def test_everyone_comes_to_what_the_whole_graph_says(acts, seed):
    world = play(acts, seed).rest()
    for name, state in world.states.items():
        true = world.whole(name)
        found = held(state.facts, POLICY)
        share = found.share if found else Ownership((), ()).share(name)
        assert (share.percent, share.over, share.blocked, bool(share.unknown)) == (
            true.percent,
            true.over,
            true.blocked,
            bool(true.unknown),
        )
        assert (state.rating.tier == "prohibited") == (true.blocked or (name, "") in world.listed)
        assert found is None or all(path.signal for path in (*found.paths, *found.unknown))
    for name, owner in sorted(world.listed):
        world.match(name, owner, on=False)
    world.rest()
    assert set(world.tiers().values()) == {"low"}
    assert all(state.owned == () for state in world.states.values())


@settings(deadline=None)
@given(acts, st.integers(0, 9), st.integers(1, 4))
def test_it_comes_to_rest_where_there_are_too_many_to_tell_of(acts, seed, most):
    before, holdings.MAX_OWNED = holdings.MAX_OWNED, most
    try:
        world = play(acts, seed).rest()
        assert all(len(state.owned) <= most for state in world.states.values())
        for name, owner in sorted(world.listed):
            world.match(name, owner, on=False)
        assert "prohibited" not in world.rest().tiers().values()
    finally:
        holdings.MAX_OWNED = before


def test_facts_with_owners_survive_the_store():
    world = Telling("ab").own("a", ("b", "60")).match("b").rest()
    facts = world.states["a"].facts
    assert facts.inherited["b"].owned
    assert msgspec.json.decode(msgspec.json.encode(facts), type=Facts) == facts
