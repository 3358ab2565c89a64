"""The 50 % rule over a graph: exact, the least fixed point, whatever the order, circles included."""

from decimal import Decimal
from itertools import chain, combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.assessment.ownership import MAX_PATHS, Ownership, Stake

NAMES = "abcdef"


def stakes(*told):
    """`("a", "b", "60")`: b holds 60 % of a."""
    return [Stake(held, owner, None if percent is None else Decimal(percent), n) for n, (held, owner, percent) in enumerate(told)]


def shares(told, blocked, **line):
    """The blocked share of every entity in which somebody has a stake."""
    told = list(told)
    graph = Ownership(told, blocked, **line)
    return {held: graph.share(held) for held in sorted({stake.held for stake in told})}


def ways(paths):
    return ["".join([path[0].held, *(stake.owner for stake in path)]) for path in paths]


@pytest.mark.parametrize(
    ("told", "blocked", "percents"),
    [
        ([("a", "x", "50")], "x", {"a": "50"}),
        ([("a", "x", "49.9999")], "x", {"a": "49.9999"}),
        ([("a", "x", "25"), ("a", "y", "25")], "xy", {"a": "50"}),
        ([("a", "x", "25"), ("a", "y", "25"), ("b", "a", "30")], "xy", {"a": "50", "b": "30"}),
        (
            [("a", "x", "50"), ("b", "a", "50"), ("c", "b", "50")],
            "x",
            {"a": "50", "b": "50", "c": "50"},
        ),  # OFAC FAQ 401: 25 % would be wrong
        ([("a", "x", "49"), ("b", "a", "100")], "x", {"a": "49", "b": "0"}),
        ([("a", "x", "50"), ("b", "x", "10"), ("c", "a", "25"), ("c", "b", "25")], "x", {"a": "50", "b": "10", "c": "25"}),
        ([("a", "x", "50"), ("b", "x", "50"), ("c", "a", "25"), ("c", "b", "25")], "x", {"a": "50", "b": "50", "c": "50"}),
        ([("a", "b", "100"), ("b", "a", "100")], "", {"a": "0", "b": "0"}),
        ([("a", "x", "25"), ("a", "b", "25"), ("b", "a", "60")], "x", {"a": "25", "b": "0"}),
        ([("a", "x", "50"), ("a", "b", "25"), ("b", "a", "60")], "x", {"a": "75", "b": "60"}),
        ([("a", "x", "33.3333"), ("a", "y", "16.6667")], "xy", {"a": "50.0000"}),
        ([("a", "x", "0." + "1" * 60), ("a", "y", "49." + "8" * 59 + "9")], "xy", {"a": "50"}),
        ([("a", "x", "0." + "1" * 60), ("a", "y", "49." + "8" * 60)], "xy", {"a": "49." + "9" * 60}),
    ],
)
def test_examples(told, blocked, percents):
    found = shares(stakes(*told), set(blocked))
    assert {held: share.percent for held, share in found.items()} == {held: Decimal(percent) for held, percent in percents.items()}
    assert {held for held, share in found.items() if share.blocked} == {h for h, p in percents.items() if Decimal(p) >= 50}


def test_the_paths_make_up_the_share():
    found = shares(stakes(("a", "x", "20"), ("a", "m", "30"), ("m", "y", "25"), ("m", "z", "26"), ("m", "w", "9")), set("xyz"))
    assert ways(found["a"].paths) == ["amz", "ax", "amy"]
    assert [stake.percent for stake in found["a"].paths[0]] == [Decimal(30), Decimal(26)]


def test_shares_of_more_than_all_are_held_to_all_and_said():
    share = shares(stakes(("a", "x", "80"), ("a", "y", "40")), set("xy"))["a"]
    assert (share.percent, share.over) == (Decimal(100), True)
    assert not shares(stakes(("a", "x", "60"), ("a", "y", "40")), set("xy"))["a"].over


def test_an_unknown_share_is_never_counted_and_always_told():
    share = shares(stakes(("a", "x", None), ("a", "y", "49")), set("xy"))["a"]
    assert (share.percent, share.blocked, ways(share.unknown)) == (Decimal(49), False, ["ax"])
    found = shares(stakes(("a", "m", "60"), ("m", "x", None), ("b", "m", "10"), ("c", "m", None)), set("x"))
    assert [ways(found[name].unknown) for name in "abc"] == [["amx"], [], ["cmx"]]
    assert not any(share.blocked or share.percent for share in found.values())


def test_what_is_blocked_anyway_needs_no_unknown_owner_of_an_owner():
    found = shares(stakes(("a", "x", "50"), ("a", "m", "50"), ("m", "x", None)), set("x"))
    assert (found["a"].percent, ways(found["a"].paths), found["a"].unknown) == (Decimal(50), ["ax"], ())


def test_who_may_be_blocked_is_unknown():
    graph = Ownership(stakes(("a", "m", "60"), ("b", "m", "40")), set(), maybe={"m"})
    assert (ways(graph.share("a").unknown), graph.share("b").unknown, graph.share("a").percent) == (["am"], (), 0)


def test_many_paths_are_cut_but_each_stake_keeps_one():
    told = [("a", "m", "60"), ("a", "x0", "1"), *(("m", f"x{i}", "3") for i in range(30))]
    share = shares(stakes(*told), {f"x{i}" for i in range(30)})["a"]
    assert len(share.paths) == MAX_PATHS
    assert {"ax0"} < set(ways(share.paths))
    assert share.percent == 61


def test_a_long_chain_and_a_large_circle_end():
    told = [(f"n{i}", f"n{i - 1}", "50") for i in range(3000)] + [("n0", "n2999", "50")]
    found = shares(stakes(*told), {"n-1"})
    assert len(found) == 3000
    assert all(share.blocked for share in found.values())
    assert found["n0"].percent == 100
    assert not any(share.blocked for share in shares(stakes(*told), set()).values())


percents = st.none() | st.integers(0, 100).map(Decimal) | st.decimals(0, 100, places=4)
webs = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES), percents), max_size=14).map(lambda told: stakes(*told))
some = st.sets(st.sampled_from(NAMES), max_size=3)


def brute_force(web, blocked):
    """The smallest set that holds all that it blocks, of all sets there are."""
    for wanted in chain.from_iterable(combinations(NAMES, size) for size in range(len(NAMES) + 1)):
        everyone = set(wanted)
        if blocked <= everyone and all(name in everyone for name in NAMES if _sum_in(web, name, everyone) >= 50):
            return everyone
    raise AssertionError("the set of all is one")


def _sum_in(web, name, owners):
    return sum((stake.percent for stake in web if stake.held == name and stake.owner in owners and stake.percent is not None), Decimal(0))


@given(webs, some)
def test_it_is_the_least_fixed_point(web, blocked):
    least = brute_force(web, blocked)
    assert Ownership(web, blocked).certain.keys() == least
    for name, share in shares(web, blocked).items():
        assert share.percent == min(_sum_in(web, name, least), Decimal(100))
        assert share.over == (_sum_in(web, name, least) > 100)
        assert share.blocked == (_sum_in(web, name, least) >= 50)


@given(webs, some, st.sampled_from(NAMES))
def test_one_more_blocked_owner_never_lowers_a_share(web, blocked, more):
    before, after = shares(web, blocked), shares(web, blocked | {more})
    assert all(after[name].percent >= share.percent and (after[name].blocked or not share.blocked) for name, share in before.items())


@given(webs, some, st.randoms(use_true_random=False))
def test_the_order_does_not_matter(web, blocked, rng):
    other = rng.sample(web, len(web))
    assert shares(other, sorted(blocked, reverse=True)) == shares(web, blocked)


@given(webs, some)
def test_every_path_leads_from_the_entity_to_somebody_blocked_and_counts(web, blocked):
    graph = Ownership(web, blocked)
    for name in {stake.held for stake in web}:
        share = graph.share(name)
        for path in (*share.paths, *share.unknown):
            assert path[0].held == name
            assert path[-1].owner in blocked
            assert all(one.owner == other.held for one, other in pairwise(path))
            assert len({stake.owner for stake in path}) == len(path)
        assert all(stake.percent is not None for path in share.paths for stake in path)
        assert bool(share.paths) == any(stake.held == name and stake.owner in graph.certain and stake.percent is not None for stake in web)
        told = {path[0] for path in share.paths}
        if len(told) < MAX_PATHS:
            assert min(sum((stake.percent for stake in told), Decimal(0)), Decimal(100)) == share.percent


@given(webs, some)
def test_what_is_told_as_unknown_would_change_something_at_the_worst(web, blocked):
    worst = [stake._replace(percent=Decimal(100)) if stake.percent is None else stake for stake in web]
    sure, at_worst = shares(web, blocked), shares(worst, blocked)
    for name, share in sure.items():
        if at_worst[name].blocked and not share.blocked:
            assert share.unknown
