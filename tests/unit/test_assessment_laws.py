"""The catalogue of laws: what stands in it, what it refuses, and which duties a driver brings."""

import re
from datetime import date

import msgspec
import pytest
from test_assessment_examples import NOW, finding, having, listed, rated, supplier
from test_assessment_exposures import exposed
from test_assessment_propagation import World, buys

from services.assessment.model import rating_view
from services.assessment.policy.laws import FILE, Clock, in_short, in_words, load, shipped
from shared.errors import DuewatchError, Invalid
from shared.events.suppliers import SourcedGood

TEXT = FILE.read_text(encoding="utf-8")


def laws(facts, code=None):
    return {one.partition(".")[0] for driver in rated(facts).drivers if code in (None, driver.code) for one in driver.laws}


def test_every_law_that_is_asked_for_stands_there_and_says_how_far_it_is_known():
    found = {law.id: law for law in shipped()}
    assert set(found) >= {
        "us_uflpa", "us_tariff_307", "us_ofac_50", "us_ofac_records", "eu_csddd", "eu_flr", "de_lksg", "uk_msa", "au_msa", "ca_s211",
        "no_transparency", "fr_vigilance",
    }  # fmt: skip
    for law in found.values():
        assert law.checked >= date(2026, 11, 28)
        assert law.verified is None or law.verified >= law.applies_from
    assert found["us_ofac_records"].retention.period == "P10Y"
    assert found["no_transparency"].jurisdiction == "NO"  # and no boolean
    assert not any(law.verified for law in found.values())  # no official text could be read yet


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("period: P30D, starts: the day", "period: thirty days, starts: the day", "laws[].duties[].clock.period"),
        ("{period: P30D, starts: the day", "{period: P, starts: the day", "laws[].duties[].clock.period"),
        ("by: 09-30", "by: 13-30", "laws[].duties[].clock.by"),
        ("applies_from: 2022-06-21", "applies_from: soon", "laws[].applies_from"),
        ("drivers: [blocked_share]", "drivers: [blocked_shares]", "laws[].duties[].arises.drivers[]"),
        ("regions: [CN-XJ]", "regions: [Xinjiang]", "laws[].duties[].arises.regions[]"),
        ("    binds: Importers", "    bounds: Importers", "laws[]"),
        ("source: https://www.congress", "source: http://www.congress", "laws[].source"),
        ("id: us_tariff_307", "id: us_uflpa", "laws.1.id"),
        ("id: protest", "id: presumption", "laws.0.duties.1.id"),
        ("verified: null", "verified: 2026-11-29", "laws.0.verified"),
        ("arises: {lists: [us_eo13126], chain: true}", "arises: {chain: true}", "laws.4.duties.0.arises"),
        ("{period: P3W, starts: the request}", "{starts: the request}", "laws.11.duties.1.clock"),
    ],
)
def test_a_catalogue_at_fault_is_refused_by_the_field(old, new, field):
    assert old in TEXT
    with pytest.raises(Invalid) as refused:
        load(TEXT.replace(old, new, 1))
    assert field in [re.sub(r"\[\d+\]", "[]", error["field"]) for error in refused.value.errors]


@pytest.mark.parametrize("text", ["", "laws: []", "laws: {}", "x", "laws: [{}]", TEXT[:900]])
def test_what_is_no_catalogue_is_refused(text):
    with pytest.raises(DuewatchError):
        load(text)


@pytest.mark.parametrize(
    ("clock", "words"),
    [
        (None, ""),
        (Clock(starts="the request", period="P3W"), "within 3 weeks, from the request"),
        (Clock(starts="the blocking", period="P10D", days="working"), "within 10 working days, from the blocking"),
        (Clock(starts="the year's end", period="P1Y6M", every="P1Y"), "within 1 year 6 months, every 1 year, from the year's end"),
        (Clock(starts="the year's end", every="P1Y", by="05-31"), "by 05-31 each year, from the year's end"),
    ],
)
def test_clocks_in_words(clock, words):
    assert in_words(clock) == words


def test_each_kind_of_driver_brings_the_laws_that_name_it():
    assert laws(having(supplier(), listed())) == {"us_ofac_50", "us_ofac_records"}
    assert laws(having(supplier(), exposed("us_cbp_wro", abuses=("forced_labour",)))) >= {"us_tariff_307", "eu_flr", "uk_msa", "eu_csddd"}
    child = laws(having(supplier(), exposed(abuses=("child_labour",))))
    assert child >= {"eu_csddd", "de_lksg", "ca_s211", "no_transparency", "fr_vigilance", "au_msa"}
    assert not child & {"eu_flr", "uk_msa", "us_tariff_307", "us_uflpa"}
    assert "us_eo13126" in laws(having(supplier(), exposed("us_eo13126", abuses=("forced_child_labour",))))
    assert laws(having(supplier(), finding(indicators=("debt_bondage",)))) >= {"eu_flr", "de_lksg"}
    assert "eu_flr" not in laws(having(supplier(), finding(indicators=("child_labour",))))
    assert laws(having(supplier(), finding(indicators=()))) == {"de_lksg"}  # a finding of no known kind
    assert laws(supplier(goods=(SourcedGood(hs="5201", origin="CN", region="CN-XJ"),))) == {"us_uflpa", "eu_flr"}
    assert laws(supplier(country="IR")) == set()


def test_laws_on_goods_reach_buyers_through_the_chain_those_on_persons_do_not():
    world = World(buys("mill"), buys("weaver", "mill"), buys("shop", "weaver")).rest()
    world.match("mill", exposed("us_cbp_wro", abuses=("forced_labour",)))
    assert laws(world.facts["shop"], "exposure_upstream") >= {"us_tariff_307", "eu_flr", "eu_csddd"}
    assert "fr_vigilance" not in laws(world.facts["shop"])
    assert laws(World(buys("s"), buys("shop", "s")).rest().match("s", listed()).facts["shop"]) == set()
    party = World(buys("s"), buys("shop", "s")).rest().match("s", listed(list_id="us_uflpa")).facts["shop"]
    assert "us_uflpa" in laws(party)


def test_the_view_names_duties_with_a_short_text_and_each_once_for_the_whole_rating():
    facts = having(supplier(), exposed(uid="1", abuses=("forced_labour",)), exposed("us_cbp_wro", "2", abuses=("forced_labour",)))
    view = rating_view(rated(facts))
    for driver in view["drivers"]:
        assert "laws" not in driver
        assert driver["obligations"] == in_short(one["id"] for one in driver["obligations"])
    ids = [duty["id"] for duty in view["legal_obligations"]]
    assert len(ids) == len(set(ids)) >= 8
    flr = next(duty for duty in view["legal_obligations"] if duty["id"] == "eu_flr.no_placing")
    assert flr == {
        "id": "eu_flr.no_placing",
        "text": "EU Forced Labour Regulation (from 2027-12-14): Place no product made with forced labour at any stage on the EU market, and export none",
        "drivers": ["exposure_list"],
    }
    assert rating_view(rated(supplier()))["legal_obligations"] == []
    assert in_short(["eu_old.duty"]) == [{"id": "eu_old.duty", "text": "eu_old.duty"}]


def test_what_laws_ask_ends_with_the_exposure():
    told = exposed(abuses=("forced_labour",), valid_until=NOW.date())
    facts = having(supplier(), told)
    assert laws(facts)
    assert rated(facts, now=msgspec.convert("2025-03-02T00:00:00Z", type(NOW))).drivers == ()
