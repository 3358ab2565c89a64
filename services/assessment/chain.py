"""Why: from a decision back through its rating to what the world said, from what was stored then, not from what holds now."""

from datetime import datetime
from typing import Any

import msgspec

from services.assessment.policy.laws import in_short
from shared.events.envelope import CATALOGUE
from shared.events.matches import SignalRef
from shared.events.ratings import Decision, Driver, Link, Rating
from shared.events.topics import TOPICS

_SUMMARIES = {
    "duewatch.supplier.screened.v1": "The supplier's profile was held against all signals",
    "duewatch.match.opened.v1": "Screening found the match",
    "duewatch.match.changed.v1": "The match changed",
    "duewatch.match.reviewed.v1": "A person reviewed the match",
    "duewatch.match.withdrawn.v1": "The match was withdrawn",
    "duewatch.audit.changed.v1": "An audit changed its state",
    "duewatch.case.changed.v1": "A remediation case changed its state",
    "duewatch.exposure.propagated.v1": "A linked supplier handed on its risk",
    "duewatch.rating.reassessed.v1": "A linked supplier was rated",
    "duewatch.policy.changed.v1": "The rating policy was changed",
    "duewatch.alarm": "Time alone moved the rating",
}


class ChainLink(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a chain of causes, as INTERFACE gives it."""

    service: str
    type: str
    id: str
    time: datetime | None
    summary: str
    data: dict[str, Any]


class Why(msgspec.Struct, frozen=True, kw_only=True):
    """The chain of the main driver, nearest first; `others`: the further drivers, each with its code, text, points and last link."""

    chain: tuple[ChainLink, ...]
    others: tuple[dict[str, Any], ...]


def why(decided: Link, decision: Decision, rated: Link | None, rating: Rating | None) -> Why:
    """The reasons of `decision`, told by event `decided`, resting on `rating`, told by event `rated`; both None for an unknown supplier.

    A decision that stops anything follows the main driver to its signal; an allow follows its rating to the rating's cause.
    """
    chain = [_decision(decided, decision)]
    if rated is None or rating is None:
        return Why(chain=tuple(chain), others=())
    chain.append(_rating(rated, rating))
    if decision.decision == "allow" or not rating.drivers:
        cause = rating.cause
        chain.append(_link(Link(service=_service(cause.type), type=cause.type, id=cause.id, time=cause.time), None))
        return Why(chain=tuple(chain), others=tuple(_other(driver) for driver in rating.drivers))
    main, *others = rating.drivers
    chain += _driver(main)
    return Why(chain=tuple(chain), others=tuple(_other(driver) for driver in others))


def _decision(decided: Link, decision: Decision) -> ChainLink:
    asked = decision.effect.replace("_", " ")
    data = {
        "decision": decision.decision,
        "effect": decision.effect,
        "supplier_id": decision.supplier_id,
        "policy_version": decision.policy_version,
        "reasons": list(decision.reasons),
    }
    if decision.override_id:
        data["override_id"] = decision.override_id
    summary = f"The gate answered {decision.decision.replace('_', ' ')} for a {asked}"
    return ChainLink(service=decided.service, type=decided.type, id=decided.id, time=decided.time, summary=summary, data=data)


def _rating(rated: Link, rating: Rating) -> ChainLink:
    data: dict[str, Any] = {"tier": rating.tier, "score": rating.score, "policy_version": rating.policy_version, "as_of": rating.as_of}
    summary = f"The supplier was rated {rating.tier}"
    if rating.drivers:
        main = rating.drivers[0]
        data["driver"] = {"code": main.code, "text": main.text, "points": main.points, **_paths(main), **_duties(main)}
        summary = f"{summary}: {main.text}"
    return ChainLink(service=rated.service, type=rated.type, id=rated.id, time=rated.time, summary=summary, data=data)


def _driver(driver: Driver) -> list[ChainLink]:
    """The driver's links; where it rests on a signal the last one is the signal's."""
    last = len(driver.chain) - 1
    return [_link(link, driver.signal if i == last else None) for i, link in enumerate(driver.chain)]


def _link(link: Link, signal: SignalRef | None) -> ChainLink:
    data: dict[str, Any] = {"subject": link.subject} if link.subject else {}
    summary = _SUMMARIES.get(link.type, link.type)
    if signal is not None:
        source = signal.source
        data["signal_id"] = signal.id
        if source.kind == "finding":
            summary = "A finding was verified by two people"
            data |= {"finding_id": source.finding_id, "indicators": list(source.indicators)}
        elif source.kind == "hotspot":
            summary = f"Independent sources together make a hot-spot {signal.name}"
            data |= {"name": signal.name, "indicators": list(source.indicators)}
        else:
            summary = f"{signal.name or 'An entry'} stands on list {source.list}"
            data |= {
                "list": source.list,
                "uid": source.uid,
                "release_id": source.release_id,
                "name": signal.name,
                "programs": list(source.programs),
            }
    return ChainLink(service=link.service, type=link.type, id=link.id, time=link.time, summary=summary, data=data)


def _other(driver: Driver) -> dict[str, Any]:
    chain = _driver(driver)
    return {
        "code": driver.code,
        "text": driver.text,
        "points": driver.points,
        **_paths(driver),
        **_duties(driver),
        "leads_to": chain[-1] if chain else None,
    }


def _paths(driver: Driver) -> dict[str, Any]:
    """Through whom a share is held, where the driver is one."""
    return {"paths": msgspec.to_builtins(driver.paths)} if driver.paths else {}


def _duties(driver: Driver) -> dict[str, Any]:
    """What laws ask because of the driver."""
    return {"obligations": in_short(driver.laws)} if driver.laws else {}


def _service(event_type: str) -> str:
    """Who tells events of a type; what only the journal keeps, alarms and commands are assessment's own."""
    known = CATALOGUE.get(event_type)
    return TOPICS[known.topic].owner if known is not None and known.topic is not None else "assessment"
