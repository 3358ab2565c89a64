"""What a report is about, and the signal that a verified finding of it becomes. Pure."""

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

from shared.events.intelligence import AboutKind, Indicator
from shared.events.signals import ExposureSignal, PartySignal, Signal, SignalAddress, SignalName, Source

_CANONICAL = msgspec.json.Encoder(order="sorted")


class Party(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="party", tag_field="kind"):
    """A company or a person."""

    name: str
    country: str | None = None


class Exposure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="exposure", tag_field="kind"):
    """A good from an origin, or a region: whoever sources there is exposed, nobody accused."""

    origin: str
    hs: str | None = None
    region: str | None = None


class Site(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="site", tag_field="kind"):
    """A named factory, farm or mine. It is looked for by its name, as a party: its region alone would touch all its neighbours."""

    name: str
    country: str
    region: str | None = None


About = Party | Exposure | Site


def kind_of(about: About) -> AboutKind:
    """The tag that stands for its type."""
    match about:
        case Party():
            return "party"
        case Exposure():
            return "exposure"
        case Site():
            return "site"


def shown(about: About) -> dict[str, Any]:
    """As the API gives it."""
    found: dict[str, Any] = msgspec.to_builtins(about)
    return found


def signal_of(finding_id: str, about: About, indicators: Sequence[Indicator]) -> Signal:
    """What screening gets of a finding: whom or what it is about, and of which kind; none of the words that people wrote."""
    subject = _subject(about)
    content = [msgspec.to_builtins(subject), sorted(indicators)]
    source = Source(kind="finding", finding_id=finding_id, indicators=tuple(indicators))
    return Signal(subject=subject, source=source, digest=hashlib.sha256(_CANONICAL.encode(content)).hexdigest()[:32])


def _subject(about: About) -> PartySignal | ExposureSignal:
    match about:
        case Party(name=name, country=country):
            return PartySignal(names=(SignalName(name=name, kind="primary"),), countries=(country,) if country else ())
        case Site(name=name, country=country, region=region):
            place = SignalAddress(country=country, text=region)
            return PartySignal(names=(SignalName(name=name, kind="primary"),), countries=(country,), addresses=(place,))
        case Exposure(origin=origin, hs=hs, region=region):
            return ExposureSignal(hs=hs, origin=origin, region=region)
