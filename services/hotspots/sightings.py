"""From what the other services tell to observations at spots. Pure.

A finding about an exposure says itself where it is. A confirmed match does not: its supplier's profile does, so that both are kept for each
supplier. A word about one of them gives all observations that follow from both again: that costs little, because people confirm few matches,
and nothing is lost where a first try got half-way.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

import msgspec

from services.hotspots.fold import Observation
from services.hotspots.policy import Policy
from shared.events.envelope import Meta
from shared.events.hotspots import Spot
from shared.events.matches import MatchEvent, MatchReviewed
from shared.events.signals import ExposureSignal, PartySignal, Signal, SignalWithdrawn, Source
from shared.events.suppliers import Profile, SupplierEvent
from shared.ids import derive

_HEADING, _CHAPTER = 4, 2  # digits of the Harmonized System
_REGION = re.compile(r"[A-Z]{2}-[A-Z0-9]{1,3}")

Sighting = tuple[Spot, Observation]


class Places(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a supplier stands, by a version of its profile."""

    version: int
    own: tuple[Spot, ...] = ()
    groups: tuple[Spot, ...] = ()


class Confirmation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The latest word about a match (`sequence`), and when a person confirmed it (`reviewed` is that word's own sequence)."""

    sequence: int
    live: bool
    at: datetime
    source: str
    reviewed: int = 0
    owner: bool = False  # it names an owner, so that it says something of the group only
    indicators: tuple[str, ...] = ()


class Watched(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of a supplier. `seen`: every spot at which it was ever observed, so that it can be taken away from there."""

    places: Places
    matches: dict[str, Confirmation] = {}
    seen: tuple[Spot, ...] = ()


Word = Places | tuple[str, Confirmation]


def unheard(supplier_id: str) -> Watched:
    """Of a supplier that nothing is known of: it is the head of its own group, if of no other."""
    return Watched(places=Places(version=0, groups=(Spot(kind="group", group=supplier_id),)))


def word_of(payload: SupplierEvent | MatchEvent, meta: Meta, policy: Policy) -> Word | None:
    """What an event says of its supplier. None: nothing. Matches with exposures say nothing of it: what they touch is heard of by its own signal."""
    if isinstance(payload, SupplierEvent):
        return places_of(meta.subject, payload.profile, meta.sequence, policy)
    match = payload.match
    if match.about != "party" or match.signal.source.kind == "hotspot":
        return None
    confirmed = match.state == "confirmed"
    return meta.subject, Confirmation(
        sequence=meta.sequence,
        live=confirmed,
        at=meta.time,
        source=_voice(match.signal.source, match.signal.id, policy),
        reviewed=meta.sequence if confirmed and isinstance(payload, MatchReviewed) else 0,
        owner=match.party == "owner",
        indicators=match.signal.source.indicators,
    )


def supplier_of(payload: SupplierEvent | MatchEvent, meta: Meta) -> str:
    """Which supplier an event is about."""
    return payload.match.supplier_id if isinstance(payload, MatchEvent) else meta.subject


def learned(known: Watched, word: Word) -> Watched:
    """With what was said; the same where a later word is known, and where a new supplier without places or owners says no more than nothing would."""
    if isinstance(word, Places):
        if word.version <= known.places.version or word == msgspec.structs.replace(known.places, version=1):
            return known
        new = msgspec.structs.replace(known, places=word)
    else:
        match_id, told = word
        before = known.matches.get(match_id)
        after = told if before is None else _together(before, told)
        if after == before:
            return known
        new = msgspec.structs.replace(known, matches={**known.matches, match_id: after})
    return msgspec.structs.replace(new, seen=_seen(new))


def _together(one: Confirmation, other: Confirmation) -> Confirmation:
    """The later word; but the time of the confirmation itself, for what moves in a confirmed match makes it no younger."""
    last, first = (other, one) if other.sequence > one.sequence else (one, other)
    if first.reviewed > last.reviewed:
        return msgspec.structs.replace(last, at=first.at, reviewed=first.reviewed)
    return last


def _seen(watched: Watched) -> tuple[Spot, ...]:
    here = [spot for one in watched.matches.values() if one.live for spot in _where(watched.places, one)]
    return tuple(dict.fromkeys((*watched.seen, *here)))


def _where(places: Places, one: Confirmation) -> tuple[Spot, ...]:
    return places.groups if one.owner else (*places.own, *places.groups)


def sightings(watched: Watched) -> Iterator[Sighting]:
    """All that follows from what is known of a supplier, and what follows no more. Ranks grow with every word."""
    for match_id, one in sorted(watched.matches.items()):
        here = frozenset(_where(watched.places, one)) if one.live else frozenset[Spot]()
        rank = watched.places.version + one.sequence + one.reviewed
        for spot in watched.seen:
            yield (
                spot,
                Observation(id=match_id, source=one.source, at=one.at, rank=rank, live=spot in here, indicators=one.indicators),
            )


def of_signal(payload: object, signal: Signal, meta: Meta, policy: Policy) -> Iterator[Sighting]:
    """A verified finding's own; entries of lists say nothing here until a person confirms a match with one."""
    if signal.source.kind != "finding":
        return
    told = Observation(
        id=meta.subject,
        source=_voice(signal.source, meta.subject, policy),
        at=meta.time,
        rank=meta.sequence,
        live=not isinstance(payload, SignalWithdrawn),
        indicators=signal.source.indicators,
    )
    for spot in _of_subject(signal.subject):
        yield spot, told


def _of_subject(subject: ExposureSignal | PartySignal) -> list[Spot]:
    """Of a party only what a site's address says of its region: no finding about a party names a good."""
    if isinstance(subject, PartySignal):
        told = [a.text for a in subject.addresses if a.text and _REGION.fullmatch(a.text) and a.text[:2] == a.country]
        return [_region(region) for region in dict.fromkeys(told)]
    goods = list(dict.fromkeys(spot for code in subject.codes for spot in _of_good(code, subject.origin)))
    return goods + ([_region(subject.region)] if subject.region and _REGION.fullmatch(subject.region) else [])


def places_of(supplier_id: str, profile: Profile, version: int, policy: Policy) -> Places:
    """Where a supplier stands: nowhere in particular if it is everywhere."""
    own = [spot for good in profile.goods for spot in _of_good(good.hs, good.origin)]
    regions = [good.region for good in profile.goods] + [site.region for site in profile.sites]
    own += [_region(region) for region in regions if region and _REGION.fullmatch(region)]
    own = list(dict.fromkeys(own))
    heads = [
        owner.supplier_id for owner in profile.owners
        if owner.supplier_id and owner.percent is not None and owner.percent >= policy.group_share_percent
    ]  # fmt: skip
    groups = tuple(Spot(kind="group", group=head) for head in dict.fromkeys((supplier_id, *heads)))
    return Places(version=version, own=tuple(own) if len(own) <= policy.places_at_most else (), groups=groups)


def _of_good(hs: str, origin: str | None) -> list[Spot]:
    """A good that is named no closer than by its chapter is one of the sector only."""
    found = [Spot(kind="good_origin", hs=hs[:_HEADING], origin=origin)] if origin and len(hs) >= _HEADING else []
    return found + ([Spot(kind="sector", hs=hs[:_CHAPTER])] if len(hs) >= _CHAPTER else [])


def _region(code: str) -> Spot:
    return Spot(kind="region", origin=code[:2], region=code)


def _voice(source: Source, signal_id: str, policy: Policy) -> str:
    """Who says so: a list's publisher, a finding's report. Of whom reports are, nobody may know outside of intelligence."""
    if source.kind == "list_entry":
        return f"publisher/{policy.publisher(source.list or '')}"
    return f"finding/{source.finding_id or signal_id}"


def spot_id(tenant: str, spot: Spot) -> str:
    """The same for the same spot, wherever it is computed."""
    return derive("hot", tenant, spot.kind, spot.hs or "", spot.origin or "", spot.region or "", spot.group or "")


def by_spot(found: Iterable[Sighting]) -> Mapping[Spot, list[Observation]]:
    """Observations of each spot, in the order of their coming."""
    together: dict[Spot, list[Observation]] = {}
    for spot, observation in found:
        together.setdefault(spot, []).append(observation)
    return together
