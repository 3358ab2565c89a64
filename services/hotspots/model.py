"""A hot-spot: the window of one place, and the signal that it is while it is hot; and what is known of one supplier. Pure."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from services.hotspots.fold import Observation, Observations, Rule, Verdict, current, evidence, judged, merged
from services.hotspots.sightings import Watched, Word, learned, unheard
from shared.events.envelope import Payload, encode
from shared.events.hotspots import MAX_EVIDENCE, HotspotChanged, HotspotClosed, HotspotDetected, HotspotObserved, Spot, SupplierWatched
from shared.events.signals import ExposureSignal, Signal, Source
from shared.kernel.aggregate import Aggregate, Alarm, Decided, Document, Index, Message


class Seen(msgspec.Struct, frozen=True):
    """Observations at a spot, by today's rule for it: those that are new, or all of a window that was folded elsewhere."""

    spot: Spot
    observations: Sequence[Observation]
    rule: Rule


class Heard(msgspec.Struct, frozen=True):
    """Something about a supplier."""

    supplier_id: str
    word: Word


class Hotspot(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A window by the rule that it was last judged by. `told`: the signal that it is; None: it is none now."""

    spot: Spot
    observations: dict[str, Observation]
    rule: Rule
    told: Signal | None = None
    opened_at: datetime | None = None
    closes_at: datetime | None = None  # if nothing more comes
    closed_at: datetime | None = None


def _decide(state: Hotspot | None, message: Message, now: datetime) -> Decided[Hotspot] | None:
    body = message.body
    if isinstance(body, Alarm):
        if state is None:
            return None
        return _settled(state, msgspec.structs.replace(state, observations=_pruned(state.observations, state.rule, now)), now)
    assert isinstance(body, Seen)
    known = state.observations if state else {}
    together = merged(known, current(body.observations, body.rule, now))
    if state is None and not together:
        return None
    if together != known:  # else a repeated word would tidy up, and repeating would change something
        together = _pruned(together, body.rule, now)
    base = state or Hotspot(spot=body.spot, observations={}, rule=body.rule)
    return _settled(state, msgspec.structs.replace(base, observations=together, rule=body.rule), now)


def _pruned(observations: Observations, rule: Rule, now: datetime) -> dict[str, Observation]:
    return {one.id: one for one in current(observations.values(), rule, now)}


def _settled(before: Hotspot | None, new: Hotspot, now: datetime) -> Decided[Hotspot] | None:
    """What the window is now, and what of it others must hear."""
    verdict = judged(new.observations, new.rule, now)
    resting = evidence(new.observations, new.rule, now)
    ids = tuple(one.id for one in resting[:MAX_EVIDENCE])
    told: Payload
    if new.told is None and verdict.hot:
        signal = _signal(new.spot, resting)
        new = msgspec.structs.replace(new, told=signal, opened_at=now, closed_at=None, closes_at=verdict.closes_at)
        told = HotspotDetected(signal=signal, spot=new.spot, sources=verdict.sources, evidence=ids)
    elif new.told is not None and _over(verdict, now):
        reason = "cooled" if new.closes_at is not None and new.closes_at <= now else "withdrawn"
        told = HotspotClosed(signal=new.told, spot=new.spot, reason=reason)
        new = msgspec.structs.replace(new, told=None, closes_at=None, closed_at=now)
    elif new.told is not None and (signal := _signal(new.spot, resting)) != new.told:
        new = msgspec.structs.replace(new, told=signal, closes_at=verdict.closes_at)
        told = HotspotChanged(signal=signal, spot=new.spot, sources=verdict.sources, evidence=ids)
    else:
        new = msgspec.structs.replace(new, closes_at=verdict.closes_at if new.told else None)
        told = HotspotObserved(spot=new.spot, sources=verdict.sources, evidence=ids)
    return None if new == before else Decided(new, [told])


def _over(verdict: Verdict, now: datetime) -> bool:
    return verdict.closes_at is None or verdict.closes_at <= now


def _signal(spot: Spot, resting: Sequence[Observation]) -> Signal:
    """The exposure that a hot-spot is: whoever stands there is exposed, nobody accused."""
    subject = ExposureSignal(hs=spot.hs, origin=spot.origin, region=spot.region, group=spot.group)
    source = Source(kind="hotspot", indicators=tuple(sorted({i for one in resting for i in one.indicators})))
    return Signal(subject=subject, source=source, digest=hashlib.sha256(encode((subject, source))).hexdigest()[:32])


def _decide_watched(state: Watched | None, message: Message, _now: datetime) -> Decided[Watched] | None:
    body = message.body
    assert isinstance(body, Heard)
    before = state or unheard(body.supplier_id)
    new = learned(before, body.word)
    if new == before:
        return None
    return Decided(new, [SupplierWatched(version=new.places.version, confirmed=sum(one.live for one in new.matches.values()))])


HOTSPOT: Aggregate[Hotspot] = Aggregate(
    kind="hotspot",
    state=Hotspot,
    decide=_decide,
    wake=lambda s: s.closes_at,
    indexes=(Index("state", lambda s: "open" if s.told else "closed" if s.closed_at else "quiet"), Index("kind", lambda s: s.spot.kind)),
)
WATCHED: Aggregate[Watched] = Aggregate(kind="watched", state=Watched, decide=_decide_watched)


def view(found: Document[Hotspot], now: datetime) -> dict[str, Any]:
    """A hot-spot as the API gives it."""
    s = found.state
    verdict = judged(s.observations, s.rule, now)
    return {
        "id": found.id,
        "state": "open" if s.told else "closed" if s.closed_at else "quiet",
        "spot": {"kind": s.spot.kind, "hs": s.spot.hs, "origin": s.spot.origin, "region": s.spot.region, "group": s.spot.group},
        "sources": verdict.sources,
        "rule": {"sources": s.rule.sources, "window_days": s.rule.window_days, "cooling_days": s.rule.cooling_days},
        "indicators": list(s.told.source.indicators) if s.told else [],
        "evidence": [{"id": one.id, "at": one.at} for one in evidence(s.observations, s.rule, now)[:MAX_EVIDENCE]],
        "opened_at": s.opened_at,
        "closes_at": s.closes_at,
        "closed_at": s.closed_at,
    }
