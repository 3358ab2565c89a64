"""The same party on several lists: by numbers that only one bears, by name and day of birth; never by names alone."""

from typing import Any

import pytest

from services.intelligence.lists.clusters import clusters, keys
from shared.events.signals import ExposureSignal, PartySignal, Signal, SignalIdentifier, SignalName, Source


def signal(*names: str, ids: tuple[tuple[str, ...], ...] = (), **more: Any) -> Signal:
    told = tuple(SignalIdentifier(kind=one[0], value=one[1], country=one[2] if len(one) > 2 else None) for one in ids)
    subject = PartySignal(names=tuple(SignalName(name=name) for name in names), identifiers=told, **more)
    return Signal(subject=subject, source=Source(kind="list_entry"))


JON = {"schema": "person", "birth_dates": ("1960-02-03",)}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (signal("A", ids=(("LEI", "529900T8BM49AURSDO55"),)), signal("B", ids=(("Legal Entity Identifier", "529900-T8BM49AURSDO55"),))),
        (signal("A", ids=(("Tax ID No.", "7707083893", "RU"),)), signal("B", ids=(("INN", "7707083893"),))),
        (signal("A", ids=(("Passport", "A-1234567", "IR"),), schema="person"), signal("B", ids=(("Passport number", "a1234567", "IR"),), schema="person")),
        (signal("A", ids=(("Passport", "B123456"),), schema="person", countries=("IR",)),
         signal("B", ids=(("Passport", "B123456", "IR"),), schema="person")),
        (signal("S", ids=(("Vessel Registration Identification", "IMO 8898831"),), schema="vessel"), signal("T", ids=(("IMO", "8898831"),), schema="vessel")),
        (signal("DOE, Jon", **JON), signal("Somebody", "Jón Doe", **JON)),
    ],
)  # fmt: skip
def test_one_party(one: Signal, other: Signal) -> None:
    assert clusters([("x", one), ("y", other)]) == {"x": ("y",), "y": ("x",)}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (signal("Acme Ltd"), signal("Acme Ltd")),
        (signal("Jon Doe", **JON), signal("Jon Doe", schema="person", birth_dates=("1960",))),
        (signal("Jon", **JON), signal("Jon", **JON)),  # one word
        (signal("A", ids=(("Passport", "B123456", "IR"),)), signal("B", ids=(("Passport", "B123456", "SY"),))),
        (signal("A", ids=(("Passport", "B123456"),)), signal("B", ids=(("Passport", "B123456"),))),  # of which country?
        (signal("A", ids=(("Registration Number", "000000000"),)), signal("B", ids=(("Registration Number", "000000000"),))),
        (signal("A", ids=(("Registration Number", "1027700132195"),)), signal("B", ids=(("Passport", "1027700132195"),))),
        (signal("A", ids=(("Website", "1027700132195"),)), signal("B", ids=(("Website", "1027700132195"),))),
    ],
)  # fmt: skip
def test_two_parties(one: Signal, other: Signal) -> None:
    assert clusters([("x", one), ("y", other)]) == {}


def test_a_cluster_goes_over_those_between_and_keeps_each_listing() -> None:
    lei, inn = ("LEI", "529900T8BM49AURSDO55"), ("INN", "7707083893")
    found = clusters(
        [("z", signal("Z", ids=(inn,))), ("a", signal("A", ids=(lei,))), ("b", signal("B", ids=(lei, inn))), ("c", signal("C"))]
    )
    assert found == {"a": ("b", "z"), "b": ("a", "z"), "z": ("a", "b")}


def test_a_weak_alias_joins_nobody() -> None:
    weak = Signal(
        subject=PartySignal(names=(SignalName(name="X Y"), SignalName(name="Jon Doe", weak=True)), **JON), source=Source(kind="list_entry")
    )  # fmt: skip
    assert clusters([("x", weak), ("y", signal("Jon Doe", **JON))]) == {}


def test_exposures_are_nobody() -> None:
    assert keys(Signal(subject=ExposureSignal(hs="5201"), source=Source(kind="list_entry"))) == ()
