"""When an exposure by a list holds, and what an assessment of a country weighs. Pure.

An exposure has an interval of days, by UTC. Its first day, its last one and the rating's alarm in between are looked at here, at the date: no other event
comes when a day is over. If its list takes it away before, its match is withdrawn, whichever comes first.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from services.assessment.facts import Facts, MatchFact
from services.assessment.listings import ACTIVE
from services.assessment.policy import Policy
from shared.events.matches import SignalRef

_DAY = timedelta(days=1)


def holds(signal: SignalRef, now: datetime) -> bool:
    """Is `now` within the interval? Without one it always is."""
    end = ends(signal)
    return (signal.valid_from is None or _midnight(signal.valid_from) <= now) and (end is None or now < end)


def ends(signal: SignalRef) -> datetime | None:
    """The moment from which it holds no more: the midnight that closes its last day."""
    return None if signal.valid_until is None else _midnight(signal.valid_until) + _DAY


def begins(facts: Facts, now: datetime) -> list[datetime]:
    """When exposures that do not hold yet begin to."""
    days = [fact.match.signal.valid_from for fact in facts.matches.values() if fact.match.state in ACTIVE]
    return [at for day in days if day is not None and (at := _midnight(day)) > now]


def assessed_countries(facts: Facts, policy: Policy, now: datetime) -> Iterator[tuple[MatchFact, float]]:
    """Assessments of countries that the supplier sources from or has sites in; a list that the policy does not name weighs nothing."""
    for fact in facts.matches.values():
        signal = fact.match.signal
        if signal.advancement is None or fact.match.state not in ACTIVE or not holds(signal, now):
            continue
        if weight := policy.points.exposure.by_list.get(signal.source.list or ""):
            yield fact, weight


def _midnight(day: date) -> datetime:
    """Its beginning; the last day that there is has no end that could be told."""
    return datetime.combine(min(day, date.max - _DAY), time(), UTC)
