"""What screening matches suppliers against: entries of official lists and verified findings, and the markers that bracket a release."""

from datetime import date, datetime
from typing import Literal

import msgspec

from shared.events.envelope import Payload, event
from shared.ids import derive

Schema = Literal["organisation", "person", "vessel", "aircraft"]
# What is done to the people who make a good. `derived`: not to them, but to those who make something that goes into it (ILAB's "derived" goods).
Abuse = Literal["child_labour", "forced_labour", "forced_child_labour", "derived"]
# How far a country is in ending child labour, as ILAB assesses it each year: of the country alone, of no good and nobody in it.
Advancement = Literal["none", "minimal", "moderate", "significant", "not_assessed"]


class SignalName(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One name of a party; a weak alias (OFAC's term) is broad or generic and proves little alone."""

    name: str
    kind: Literal["primary", "alias", "former"] = "alias"
    weak: bool = False


class SignalIdentifier(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A number that the publisher gives: kind as published, in words."""

    kind: str
    value: str
    country: str | None = None


class SignalAddress(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    text: str | None = None
    city: str | None = None
    country: str | None = None  # ISO 3166-1 alpha-2 where the publisher's word is known


class PartySignal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="party", tag_field="about"):
    """About a named party."""

    names: tuple[SignalName, ...]
    schema: Schema = "organisation"
    countries: tuple[str, ...] = ()
    addresses: tuple[SignalAddress, ...] = ()
    identifiers: tuple[SignalIdentifier, ...] = ()
    birth_dates: tuple[str, ...] = ()


class ExposureSignal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="exposure", tag_field="about"):
    """About a good from an origin, a region, a site or a corporate group: never an accusation of a supplier. At least one field is set.

    `hs` matches by prefix, and so does each of `more_hs` beside it: any of them is enough. `group` is the supplier at a group's head, and stands alone.
    A `good` without a code touches nobody: which goods it means is not known, and it does not mean all of its origin. Without `good` and code all
    goods are meant. `advancement`: an assessment of the country `origin`, which touches only where there is little or none.
    """

    hs: str | None = None
    origin: str | None = None
    region: str | None = None  # ISO 3166-2
    group: str | None = None
    more_hs: tuple[str, ...] = ()
    good: str = ""  # in the publisher's words
    abuses: tuple[Abuse, ...] = ()
    valid_from: date | None = None  # the first day on which it holds; None: as long as it is listed
    valid_until: date | None = None  # the last one
    advancement: Advancement | None = None

    @property
    def codes(self) -> tuple[str, ...]:
        """All HS prefixes."""
        return (self.hs, *self.more_hs) if self.hs is not None else self.more_hs


class Source(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a signal comes from: an entry of a release of a list, a verified finding, or a hot-spot of both."""

    kind: Literal["list_entry", "finding", "hotspot"]
    list: str | None = None
    uid: str | None = None  # the publisher's own
    release_id: str | None = None
    finding_id: str | None = None
    programs: tuple[str, ...] = ()
    indicators: tuple[str, ...] = ()  # ILO's, of a finding or of those behind a hot-spot


class Signal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A signal's whole content; its id is the event's subject, its tenant the event's (`public` for lists)."""

    subject: PartySignal | ExposureSignal
    source: Source
    remarks: str = ""
    digest: str = ""  # of the content without the release, hex: equal digests are the same entry
    formerly: tuple[str, ...] = ()  # ids of the signals under which its publisher had the same party before, the last one first


@event("signal.published.v1", "signals")
class SignalPublished(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A new signal (ADD)."""

    signal: Signal


@event("signal.changed.v1", "signals")
class SignalChanged(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """Its content changed (MOD)."""

    signal: Signal


@event("signal.withdrawn.v1", "signals")
class SignalWithdrawn(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """It holds no more (DEL, or a finding retracted): what it was, and in which release it went."""

    signal: Signal
    release_id: str | None = None
    reason: str = ""


@event("release.accepted.v1", "signals")
class ReleaseAccepted(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A release begins to act; its changes follow, then `ReleasePublished`."""

    list: str
    sweep_id: str
    entries: int
    added: int
    modified: int
    deleted: int
    accepted_at: datetime


@event("release.published.v1", "signals")
class ReleasePublished(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """The marker behind the last change: who passes it has seen all of the release."""

    list: str
    sweep_id: str
    signals: int  # changes sent between the two markers


SIGNAL_EVENTS = (SignalPublished, SignalChanged, SignalWithdrawn)


def sweep_id(release_id: str) -> str:
    """The sweep that a release causes: who publishes it and who sweeps must agree on it without asking each other."""
    return derive("swp", release_id)
