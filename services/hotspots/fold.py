"""The fold of one window: what was seen, put together, and whether so many independent sources make it hot. Pure: no I/O, no clock.

What is kept is a set of observations, each the latest word about one finding or match. Two such sets are put together by taking of each
observation the later word, so that order, repetition and the way by which observations come change nothing (a join-semilattice).
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, NamedTuple

import msgspec

Observations = Mapping[str, "Observation"]
Days = Annotated[int, msgspec.Meta(ge=1, le=3650)]


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From how many independent sources on a window is hot, how long it is, and for how long it must have been calm to count as cooled."""

    sources: Annotated[int, msgspec.Meta(ge=2, le=1000)]
    window_days: Days
    cooling_days: Days

    @property
    def kept(self) -> timedelta:
        """How long an observation can matter."""
        return timedelta(days=self.window_days + self.cooling_days)


class Observation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The word about one finding or confirmed match. Of two words of the same id the one of higher rank is the later one.

    `at`: when the world said so; `live`: it still does; `indicators`: ILO's, of a finding.
    """

    id: str
    source: str
    at: datetime
    rank: int
    live: bool = True
    indicators: tuple[str, ...] = ()


class Verdict(NamedTuple):
    """`sources`: how many spoke within the window; `closes_at`: when it has cooled if nothing more comes, None where too few speak at all."""

    hot: bool
    sources: int
    closes_at: datetime | None


def _order(one: Observation) -> tuple[Any, ...]:
    """By rank; of equal ranks, which only a rebuilt stream gives, any order that is always the same."""
    return one.rank, one.at, not one.live, one.source, one.indicators


def merged(known: Observations, news: Iterable[Observation]) -> dict[str, Observation]:
    """Both together."""
    together = dict(known)
    for one in news:
        before = together.get(one.id)
        if before is None or _order(one) > _order(before):
            together[one.id] = one
    return together


def current(observations: Iterable[Observation], rule: Rule, now: datetime) -> list[Observation]:
    """Without what is so old that it cannot matter any more, taken back or not: an earlier word of the same id would be no younger."""
    return [one for one in observations if one.at + rule.kept > now]


def judged(observations: Observations, rule: Rule, now: datetime) -> Verdict:
    """What a window is at `now`. A time that lies ahead (another machine's clock) counts as now."""
    last: dict[str, datetime] = {}
    for one in observations.values():
        if one.live:
            at = min(one.at, now)
            last[one.source] = max(at, last.get(one.source, at))
    times = sorted(last.values(), reverse=True)
    since = now - timedelta(days=rule.window_days)
    count = sum(at > since for at in times)
    if len(times) < rule.sources:
        return Verdict(False, count, None)
    return Verdict(count >= rule.sources, count, times[rule.sources - 1] + rule.kept)


def evidence(observations: Observations, rule: Rule, now: datetime) -> list[Observation]:
    """What a window rests on at `now`, latest first."""
    live = [one for one in observations.values() if one.live and one.at + rule.kept > now]
    return sorted(live, key=lambda one: (one.at, one.id), reverse=True)
