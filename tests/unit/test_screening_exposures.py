"""Exposures against goods and places: several codes, a good without one, countries, and what of it is material to a review."""

from datetime import UTC, date, datetime

import pytest

from services.screening import material
from services.screening.consequence import rank
from services.screening.exposures import ExposureIndex, describe, expose
from services.screening.names import ref_of
from shared.events.envelope import Meta
from shared.events.matches import Match
from shared.events.signals import ExposureSignal, Signal, Source
from shared.events.suppliers import Profile, Site, SourcedGood

COTTON = ExposureSignal(hs="5201", more_hs=("5203", "61"), origin="CN", region="CN-XJ", good="Cotton products", abuses=("forced_labour",))


def buyer(*goods: tuple[str, ...], sites: tuple[Site, ...] = ()) -> Profile:
    made = tuple(SourcedGood(hs=good[0], origin=good[1], region=good[2] if len(good) > 2 else None) for good in goods)
    return Profile(name="Quiet Bakery", country="PT", goods=made, sites=sites)


@pytest.mark.parametrize(
    ("good", "strength", "kind"),
    [
        (("520100", "CN", "CN-XJ"), "strong", "good"),
        (("520300", "CN", "CN-XJ"), "strong", "good"),
        (("610910", "CN", "CN-XJ"), "strong", "good"),
        (("52", "CN", "CN-XJ"), "weak", "wider_good"),
        (("5201", "CN"), "weak", "good"),
        (("5202", "CN", "CN-XJ"), None, ""),
        (("5201", "CN", "CN-GD"), None, ""),
        (("5201", "IN", None), None, ""),
    ],
)
def test_any_of_several_codes_is_enough(good: tuple[str, ...], strength: str | None, kind: str) -> None:
    found = expose(buyer(good), COTTON)
    assert (found and found.strength, found.why[0].kind if found else "") == (strength, kind)


def test_a_site_in_the_region_is_not_touched_by_a_good_but_by_the_region_alone() -> None:
    mill = buyer(sites=(Site(name="Mill", country="CN", region="CN-XJ"),))
    assert expose(mill, COTTON) is None
    assert expose(mill, ExposureSignal(region="CN-XJ")) is not None


def test_the_longest_code_is_what_is_told() -> None:
    found = expose(buyer(("520100", "CN")), ExposureSignal(hs="52", more_hs=("5201",), origin="CN"))
    assert found is not None
    assert found.why[0].found == "5201"


def test_a_good_without_a_code_touches_nobody() -> None:
    everything = buyer(("520100", "CN"), ("01", "CN"), sites=(Site(name="Mill", country="CN"),))
    assert expose(everything, ExposureSignal(good="Pornography", origin="CN")) is None
    index = ExposureIndex()
    index.put_signal("s", ExposureSignal(good="Pornography", origin="CN"))
    index.put_supplier("me", everything)
    assert list(index.of_supplier(everything)) == []


@pytest.mark.parametrize(
    ("level", "touches"), [("none", True), ("minimal", True), ("moderate", False), ("significant", False), ("not_assessed", False)]
)
def test_a_country_touches_where_little_is_done(level: str, touches: bool) -> None:
    told = ExposureSignal(origin="CN", advancement=level)  # type: ignore[arg-type]
    assert (expose(buyer(("520100", "CN")), told) is not None) == touches
    assert expose(buyer(("520100", "IN")), told) is None


def test_in_words() -> None:
    assert describe(COTTON) == "Cotton products (HS 5201 5203 61) from CN in CN-XJ: forced labour"
    assert describe(ExposureSignal(hs="5201", origin="TM")) == "HS 5201 from TM"
    many = ExposureSignal(hs="1", more_hs=("2", "3", "4", "5"), good="Toys", abuses=("child_labour", "derived"))
    assert describe(many) == "Toys (HS 1 2 3 4 ...): child labour, made from goods of child or forced labour"
    assert describe(ExposureSignal(origin="AF", advancement="none")) == "AF, where none is the advancement in ending child labour"


def test_what_a_review_rests_on_is_not_how_long_it_holds() -> None:
    def identity(**change: object) -> str:
        fields = {name: getattr(COTTON, name) for name in COTTON.__struct_fields__}
        return material.identity(Signal(subject=ExposureSignal(**{**fields, **change}), source=Source(kind="list_entry")))  # type: ignore[arg-type]

    assert identity() == identity(good="Cotton and cotton products", valid_from=date(2020, 1, 1), valid_until=date(2030, 1, 1))
    assert len({identity(), identity(more_hs=("5203",)), identity(abuses=("child_labour",)), identity(region=None)}) == 4


def _match(told: ExposureSignal) -> Match:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    meta = Meta(
        id="e", source="/services/intelligence", type="duewatch.signal.published.v1", subject="s", time=now, tenant="public", sequence=1,
        causationid="", correlationid="", partitionkey="s",
    )  # fmt: skip
    ref = ref_of("s", Signal(subject=told, source=Source(kind="list_entry", list="us_ilab_tvpra")), describe(told), "exposure", meta)
    return Match(supplier_id="sup_1", signal=ref, about="exposure", score=1.0)


def test_a_match_tells_of_the_interval_and_waits_for_nobody_once_it_is_over() -> None:
    opened = datetime(2026, 1, 1, tzinfo=UTC)
    told = _match(
        ExposureSignal(hs="5201", origin="CN", abuses=("child_labour",), valid_from=date(2020, 1, 1), valid_until=date(2025, 12, 31))
    )
    assert (told.signal.abuses, told.signal.valid_from, told.signal.valid_until) == (
        ("child_labour",),
        date(2020, 1, 1),
        date(2025, 12, 31),
    )
    assert rank(told, bought=True, proposed=False, opened_at=opened) == ""
    today = _match(ExposureSignal(hs="5201", origin="CN", valid_until=date(2026, 1, 1)))
    assert rank(today, bought=True, proposed=False, opened_at=opened).startswith("open/")
    assert rank(_match(ExposureSignal(origin="CN", advancement="none")), bought=True, proposed=False, opened_at=opened) == ""
