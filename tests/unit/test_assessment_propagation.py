"""What suppliers hand on to each other: damping, limits, circles, holdings of holdings, and that it all unwinds."""

from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_assessment_examples import NOW, POLICY, finding, having, link, listed, rated, supplier

from services.assessment.facts import dependencies, with_inherited, with_match, without_match
from services.assessment.holdings import told_of_owners
from services.assessment.rating import MAX_HANDED, handed_on
from shared.events.ratings import ExposurePropagated, Inherited, Link
from shared.events.suppliers import Owner, Upstream


class World:
    """Suppliers that tell each other, one event at a time, until nobody has news."""

    def __init__(self, *suppliers):
        self.facts = {facts.supplier_id: facts for facts in suppliers}
        self.told = dict.fromkeys(self.facts, ())
        self.owned = dict.fromkeys(self.facts, ())
        self.events = 0

    def rest(self, limit=5000):
        waiting = list(self.facts)
        while waiting:
            mine = waiting.pop(0)
            rating = rated(self.facts[mine])
            vector = handed_on(self.facts[mine], rating, POLICY)
            owned = told_of_owners(self.facts[mine], POLICY, self.owned[mine], self.events + 1, heard=True)
            if (vector, owned) == (self.told[mine], self.owned[mine]):
                continue
            self.told[mine], self.owned[mine], self.events = vector, owned, self.events + 1
            assert self.events < limit
            told = ExposurePropagated(supplier_id=mine, prohibited=rating.tier == "prohibited", inherited=vector, owned=owned)
            link = Link(service="assessment", type="duewatch.exposure.propagated.v1", id=f"event-{self.events}", time=NOW)
            for other, facts in self.facts.items():
                if mine in dependencies(facts):
                    self.facts[other] = with_inherited(facts, told, link)
                    waiting.append(other)
        return self

    def tiers(self):
        return {supplier_id: rated(facts).tier for supplier_id, facts in self.facts.items()}

    def match(self, supplier_id, match):
        self.facts[supplier_id] = with_match(self.facts[supplier_id], "m", match, link("opened"), NOW)
        return self.rest()

    def clear(self, supplier_id):
        self.facts[supplier_id] = without_match(self.facts[supplier_id], "m")
        return self.rest()


def buys(supplier_id, *upstream):
    return supplier(supplier_id, upstream=tuple(Upstream(supplier_id=u) for u in upstream))


def held(supplier_id, *owners):
    made = [Owner(name=f"Holding {o}", kind="organisation", percent=None if p is None else Decimal(p), supplier_id=o) for o, p in owners]
    return supplier(supplier_id, owners=tuple(made))


def test_a_risk_is_damped_at_each_step_and_ends_at_the_limit():
    world = World(buys("s1"), buys("a", "s1"), buys("b", "a"), buys("c", "b"), buys("d", "c")).rest().match("s1", finding())
    own = rated(world.facts["s1"]).score
    found = [rated(world.facts[name]).score for name in "abcd"]
    assert found == pytest.approx([own / 2, own / 4, own / 8, 0], abs=0.005)
    assert world.tiers()["a"] == "medium"
    assert [risk.hops for name in "sab" for risk in world.told.get(name, ()) if risk.supplier_id == "s1"] == [1, 2]
    assert world.told["c"] == ()
    chain = rated(world.facts["b"]).drivers[0].chain
    assert [one.type for one in chain] == ["duewatch.exposure.propagated.v1", "duewatch.match.opened.v1", "duewatch.signal.published.v1"]
    assert rated(world.facts["b"]).drivers[0].signal.source.finding_id == "f1"
    assert rated(world.facts["b"]).drivers[0].supplier_id == "s1"
    assert set(world.clear("s1").tiers().values()) == {"low"}


def test_who_buys_from_a_prohibited_supplier_is_reviewed_never_prohibited():
    world = World(buys("s1"), buys("a", "s1"), buys("b", "a")).match("s1", listed())
    assert world.tiers() == {"s1": "prohibited", "a": "high", "b": "low"}
    assert rated(world.facts["a"]).drivers[0].code == "upstream_prohibited"


def test_a_hundred_prohibited_sources_do_not_block():
    sources = [having(buys(f"x{i}"), listed()) for i in range(100)]
    world = World(*sources, buys("a", *(f"x{i}" for i in range(100))), buys("b", "a")).rest()
    assert world.tiers()["a"] == "high"
    assert len(world.told["a"]) == MAX_HANDED


def test_the_shortest_way_counts_once():
    world = World(buys("s1"), buys("a", "s1"), buys("b", "a", "s1"), buys("c", "b")).match("s1", finding())
    assert rated(world.facts["b"]).score == pytest.approx(rated(world.facts["s1"]).score / 2, abs=0.01)
    assert [(risk.supplier_id, risk.hops) for risk in world.told["b"] if risk.supplier_id == "s1"] == [("s1", 1)]


def test_a_low_supplier_hands_nothing_on():
    assert World(supplier("s1", country="IR")).rest().told["s1"] == ()


@pytest.mark.parametrize("names", ["ab", "abc", "abcde"])
def test_a_circle_comes_to_rest_and_nobody_inherits_from_itself(names):
    circle = [buys(name, names[i - 1]) for i, name in enumerate(names)]
    world = World(*circle).match("a", finding(supplier_id="a"))
    assert rated(world.facts["a"]).score == rated(having(buys("a"), finding())).score
    assert all(risk.supplier_id != name or risk.hops == 0 for name in names for risk in world.told[name])
    assert set(world.clear("a").tiers().values()) == {"low"}


def test_holdings_of_holdings_are_blocked_along_the_chain_and_released_again():
    world = World(supplier("s1"), held("a", ("s1", "60")), held("b", ("a", "50")), held("c", ("b", "49")), buys("d", "b")).match(
        "s1", listed()
    )
    assert world.tiers() == {"s1": "prohibited", "a": "prohibited", "b": "prohibited", "c": "high", "d": "high"}
    assert rated(world.facts["b"]).drivers[0].signal.source.list == "us_ofac_sdn"
    assert set(world.clear("s1").tiers().values()) == {"low"}


def test_who_is_blocked_by_its_owners_hands_that_on_as_its_own():
    world = World(supplier("s1"), held("o", ("s1", "100")), held("a", ("s1", "40"), ("o", "30")), buys("b", "a")).match("s1", listed())
    assert [(risk.supplier_id, risk.tier, risk.hops) for risk in world.told["a"]] == [("a", "prohibited", 0)]
    (driver,) = rated(world.facts["b"]).drivers
    assert (driver.code, driver.supplier_id, driver.signal.source.list) == ("upstream_prohibited", "a", "us_ofac_sdn")


def test_prohibited_owners_and_listed_owners_add_up():
    facts = held("a", ("s1", "25"), ("s2", "20"), (None, "5"))
    world = World(supplier("s1"), supplier("s2"), facts).match("s1", listed()).match("s2", listed())
    assert world.tiers()["a"] == "high"
    both = having(world.facts["a"], listed(party="owner", party_name="Holding None"))
    assert rated(both).tier == "prohibited"
    assert "50 %" in rated(both).drivers[0].text


def test_an_owner_that_is_prohibited_and_listed_by_name_counts_once():
    facts = held("a", ("s1", "30"))
    world = World(supplier("s1"), facts).match("s1", listed())
    assert "30 %" in rated(having(world.facts["a"], listed(party="owner", party_name="holding s1"))).drivers[0].text


def test_a_prohibited_owner_of_unknown_share_is_reviewed():
    world = World(supplier("s1"), held("a", ("s1", None))).match("s1", listed())
    assert world.tiers()["a"] == "high"


def test_an_owner_that_buys_from_a_prohibited_supplier_is_not_a_blocked_owner():
    world = World(buys("s1"), buys("o", "s1"), held("a", ("o", "100"))).match("s1", listed())
    assert world.tiers() == {"s1": "prohibited", "o": "high", "a": "low"}


@pytest.mark.parametrize("outside", [False, True])
def test_suppliers_that_own_each_other_do_not_keep_each_other_blocked(outside):
    listed_one = "x" if outside else "a"
    circle = [held("a", ("c", "60"), ("x", "60")), held("b", ("a", "60")), held("c", ("b", "60")), supplier("x")]
    world = World(*circle).match(listed_one, listed())
    assert {world.tiers()[name] for name in "abc"} == {"prohibited"}
    assert set(world.clear(listed_one).tiers().values()) == {"low"}


def test_an_owner_can_be_a_source_as_well():
    both = supplier(
        "a", upstream=(Upstream(supplier_id="s1"),), owners=(Owner(name="H", kind="organisation", percent=Decimal(70), supplier_id="s1"),)
    )
    world = World(supplier("s1"), both).match("s1", listed())
    assert world.tiers()["a"] == "prohibited"


def test_the_vector_keeps_prohibitions_when_it_is_full():
    risks = tuple(Inherited(supplier_id=f"r{i:03}", score=0.99, tier="critical", hops=0) for i in range(80))
    facts = having(buys("a", "u"), listed())
    told = handed_on(
        with_inherited(facts, ExposurePropagated(supplier_id="u", prohibited=False, inherited=risks), link()), rated(facts), POLICY
    )
    assert len(told) == MAX_HANDED
    assert told[0].supplier_id == "a"


def test_a_minutes_decay_is_no_news():
    facts, later = having(buys("a"), finding()), NOW + timedelta(minutes=1)
    assert rated(facts, now=later).score < rated(facts).score
    assert handed_on(facts, rated(facts, now=later), POLICY) == handed_on(facts, rated(facts), POLICY)


names = st.sampled_from("abcdef")
edges = st.lists(st.tuples(names, names, st.sampled_from(["buys", "owns"])), max_size=16)
hits = st.dictionaries(names, st.sampled_from([listed(), finding(), listed(strength="weak")]), min_size=1, max_size=3)


@settings(max_examples=60, deadline=None)
@given(edges, hits)
def test_any_web_comes_to_rest_and_unwinds(edges, hits):
    made = []
    for name in "abcdef":
        upstream = tuple(Upstream(supplier_id=other) for mine, other, kind in edges if mine == name and kind == "buys")
        owners = tuple(
            Owner(name=other, kind="organisation", percent=Decimal(50), supplier_id=other)
            for mine, other, kind in edges
            if mine == name and kind == "owns"
        )
        made.append(supplier(name, upstream=upstream, owners=owners))
    world = World(*made).rest()
    for name, match in hits.items():
        world.match(name, msgspec.structs.replace(match, supplier_id=name))
    for name in hits:
        world.clear(name)
    assert set(world.tiers().values()) == {"low"}
    assert set(world.told.values()) == {()}
    assert set(world.owned.values()) == {()}
