"""The same party under another id, and who is only called the same."""

from collections import defaultdict
from typing import Any

import pytest

from services.intelligence.lists.successors import party as who
from services.intelligence.lists.successors import successors as found
from shared.events.signals import ExposureSignal, PartySignal, Signal, SignalAddress, SignalIdentifier, SignalName, Source

TAX = SignalIdentifier(kind="Tax ID No.", value="7701", country="RU")


def party(*names: str, **told: Any) -> Signal:
    subject = PartySignal(names=tuple(SignalName(name=name) for name in names), **told)
    return Signal(subject=subject, source=Source(kind="list_entry", list="us_ofac_sdn"))


def successors(gone: dict[str, Signal], held: dict[str, Signal]) -> dict[str, tuple[str, ...]]:
    parties = defaultdict[bytes, list[str]](list)
    for id_, signal in gone.items():
        if same := who(signal):
            parties[same].append(id_)
    return found(parties, held.items())


OLD = party("ZELMAR FREIGHT", "ZELMAR", identifiers=(TAX,), birth_dates=("1970",))


@pytest.mark.parametrize(
    ("new", "same"),
    [
        (OLD, True),
        (party("Zelmar", "Zelmar  Freight", identifiers=(TAX,), birth_dates=("1970",), countries=("RU",)), True),
        (party("ZELMAR FREIGHT", "ZELMAR", identifiers=(TAX,), birth_dates=("1970",), addresses=(SignalAddress(city="Omsk"),)), True),
        (party("ZELMAR FREIGHT", "ZELMAR", "ZELMAR LLC", identifiers=(TAX,), birth_dates=("1970",)), False),
        (party("ZELMAR FREIGHT", "ZELMAR", identifiers=(TAX,)), False),
        (party("ZELMAR FREIGHT", "ZELMAR", birth_dates=("1970",)), False),
        (party("ZELMAR FREIGHT", "ZELMAR", identifiers=(TAX,), birth_dates=("1971",)), False),
        (party("ZELMAR FREIGHT", "ZELMAR", schema="person", identifiers=(TAX,), birth_dates=("1970",)), False),
        (Signal(subject=ExposureSignal(hs="5201"), source=Source(kind="list_entry")), False),
    ],
)
def test_names_and_particulars_must_be_the_same(new: Signal, same: bool) -> None:
    assert successors({"1": OLD}, {"9": new, "8": party("QUIET MILL", identifiers=(TAX,))}) == ({"9": ("1",)} if same else {})


def test_names_alone_are_never_enough() -> None:
    assert successors({"1": party("ZELMAR")}, {"9": party("ZELMAR")}) == {}


def test_several_entries_become_one_but_one_does_not_become_several() -> None:
    assert successors({"2": OLD, "1": OLD}, {"9": OLD}) == {"9": ("1", "2")}
    assert successors({"1": OLD}, {"8": OLD, "9": OLD}) == {}
