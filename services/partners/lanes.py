"""A lane: the deliveries of one subscription that are in memory, and how many of them its receiver can take at once.

Of one supplier at most one is in flight, so that a receiver that answers is told its changes in their order; one that is tried again comes
late all the same, and tells by its `sequence` that it is old.

Slow and dead receivers must not hold up others. So a lane's share of the slots follows how fast its receiver answers: one that answers in
milliseconds gets many, one that times out gets one, and one that only fails is asked once a second.
"""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from services.partners.delivery import Delivery
from services.partners.model import Subscription, live_secrets
from shared.security.sealing import Sealer

_MOST_AT_ONCE = 50  # of one receiver
_AT_FIRST = 10  # of one that has not answered yet: after a start, a few silent ones must not take all slots
_MOST_HELD = 1_000
_LOOKED_THROUGH = 100  # for one whose supplier has none in flight
_ANSWERS_AHEAD_S = 5.0  # so much of a receiver's time we take at once
_FAILURE_S = 10.0  # what a failure counts as: no sooner worth another try than the slowest answer
_PACE_S = 0.02  # of one that is not known yet
_WEIGHT = 0.2  # of the newest answer
_FAILING = 5  # failures in a row, after which it is asked once a second
_REST_S = 1.0
_CROWDING_S = 5.0  # so long a quick receiver's backlog may stand before others'

Key = tuple[str, str]  # tenant, delivery id


def secret_context(tenant: str, subscription_id: str) -> str:
    """Where a subscription's secrets are sealed to."""
    return f"{tenant}/subscription/{subscription_id}/secret"


@dataclass(frozen=True, slots=True)
class Job:
    """A delivery in memory."""

    key: Key
    delivery: Delivery
    traceparent: str = ""


@dataclass(slots=True)
class Lane:
    """See the module. Times are the clock's, in seconds; `pace` is the moving average of the seconds that an answer takes."""

    tenant: str
    subscription_id: str
    subscription: Subscription | None = None
    version: int = 0  # of the subscription
    jobs: deque[Job] = field(default_factory=deque)
    held: int = 0  # in memory: waiting for their turn, in flight, or ended but not recorded
    in_flight: int = 0
    known: bool = False  # an attempt has ended, so that `pace` says something
    pace: float = _PACE_S
    failures: int = 0
    not_before: float = 0.0
    more: bool = True  # the store may hold queued ones
    crowding_since: float | None = None  # since when it may hide others'
    suppliers: set[str] = field(default_factory=set)  # whose delivery is in flight
    listed: bool = False  # it stands in the sender's round
    _opened: dict[bytes, str] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        """Whether its subscription still wants deliveries."""
        return self.subscription is not None and self.subscription.state == "enabled"

    @property
    def is_over(self) -> bool:
        """Whether nothing can come of it any more."""
        return self.subscription is not None and self.subscription.state == "deleted" and not self.held and not self.more

    @property
    def at_once(self) -> int:
        """How many may be in flight."""
        return max(1, min(_MOST_AT_ONCE if self.known else _AT_FIRST, round(_ANSWERS_AHEAD_S / self.pace)))

    @property
    def most(self) -> int:
        """How many may be in memory: as many as go out in about a second."""
        return max(2, min(_MOST_HELD, int(self.at_once / self.pace)))

    def wants_more(self, now: float) -> bool:
        """Whether to look for queued ones: not for a few at a time, nor during a pause."""
        return self.more and 2 * self.held <= self.most and now >= self.not_before

    def may_send(self, now: float) -> bool:
        """Whether the next may go out."""
        return bool(self.jobs) and self.in_flight < self.at_once and now >= self.not_before

    def next(self) -> Job | None:
        """The first whose supplier has none in flight, which is now in flight; None: they all have, as far as it is worth looking."""
        for at, job in enumerate(islice(self.jobs, _LOOKED_THROUGH)):
            if job.delivery.supplier_id not in self.suppliers:
                del self.jobs[at]
                self.suppliers.add(job.delivery.supplier_id)
                self.in_flight += 1
                return job
        return None

    def take(self, job: Job) -> None:
        """One more is in memory."""
        self.jobs.append(job)
        self.held += 1

    def must_queue(self, now: float) -> bool:
        """Whether what finds no room makes way for others: for a quick receiver only if that lasts, for queueing costs a write."""
        return self.most < _MOST_HELD or now - (self.crowding_since or now) >= _CROWDING_S

    def ended(self, job: Job, seconds: float, ok: bool, pause_s: float, now: float) -> None:
        """Takes note of an attempt; `pause_s`: the receiver asked for a pause, which holds for all of its deliveries."""
        self.in_flight, self.known = self.in_flight - 1, True
        self.suppliers.discard(job.delivery.supplier_id)
        sample = seconds if ok else max(seconds, _FAILURE_S)
        self.pace = max(0.001, self.pace + _WEIGHT * (sample - self.pace))
        self.failures = 0 if ok else self.failures + 1
        rest = _REST_S if self.failures >= _FAILING else 0.0
        self.not_before = max(self.not_before, now + max(rest, pause_s))

    def become(self, subscription: Subscription, version: int) -> None:
        """The subscription as it stands now.

        With each page of a replay its version moves, and more may be queued. At another address, or switched on again, what the
        receiver was like, or asked for, holds no more.
        """
        if version == self.version:
            return
        before, self.subscription, self.version, self.more = self.subscription, subscription, version, True
        if before and (before.url != subscription.url or before.state != subscription.state):
            self.known, self.pace, self.failures, self.not_before = False, _PACE_S, 0, 0.0
        self._opened.clear()

    def secrets(self, sealer: Sealer, now: datetime) -> list[str]:
        """Those that sign at `now`, opened once."""
        assert self.subscription is not None
        found = []
        for sealed in live_secrets(self.subscription, now):
            if sealed.text not in self._opened:
                self._opened[sealed.text] = sealer.open(sealed, context=secret_context(self.tenant, self.subscription_id)).decode()
            found.append(self._opened[sealed.text])
        return found
