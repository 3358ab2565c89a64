"""One delivery: telling one subscriber of one event, over as many attempts as the schedule has. Pure."""

import zlib
from datetime import datetime, timedelta

import msgspec

from shared.errors import Conflict, NotFound
from shared.events.partners import DeliveryChanged, DeliveryState
from shared.ids import derive
from shared.kernel.aggregate import Aggregate, Decided, Index, Message

# Waits after a failed attempt, in seconds: the schedule that the Standard Webhooks specification suggests, 29 hours in all.
SCHEDULE = (5, 30, 120, 600, 3_600, 18_000, 36_000, 50_400)
_JITTER = 0.1  # at most this share longer
_PAUSE_STATUSES = (429, 503)  # whose Retry-After counts (RFC 9110 15.6.4, RFC 6585 4)
_LONGEST_PAUSE_S = 86_400
_KEPT = 20  # attempts
_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"


class Attempt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One try: the answer's HTTP status, or why there was none (refused, dns, tls, connection, timeout)."""

    at: datetime
    ms: int
    status: int | None = None
    error: str = ""


class Delivery(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A delivery's state.

    `waiting` for `due_at`; `queued` behind others of its subscriber; `delivered`; `dead` after the schedule, or because its subscription
    ended. `event` is the CloudEvent to be sent; it is let go of once delivered (the feed has it).
    """

    subscription_id: str
    event_id: str
    supplier_id: str
    created_at: datetime
    state: DeliveryState
    due_at: datetime | None = None
    tries: int = 0  # failed ones of this series
    attempts: tuple[Attempt, ...] = ()  # the last ones
    reason: str = ""  # why it is dead
    event: msgspec.Raw = msgspec.Raw(b"null")


class Deliver(msgspec.Struct, frozen=True, kw_only=True):
    """Tell a subscriber of an event. `again`: also where that was done already, or is to be tried later. `queued`: there are others before it."""

    subscription_id: str
    event_id: str
    supplier_id: str
    event: bytes
    again: bool = False
    queued: bool = False


class Attempted(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt has ended: the one after `tries` failed ones of its series; `retry_after` in seconds."""

    attempt: Attempt
    tries: int
    retry_after: int | None = None


class Queue(msgspec.Struct, frozen=True):
    """Others of the same subscriber come first."""


class Abandon(msgspec.Struct, frozen=True):
    """Its subscription is disabled or deleted."""

    reason: str


class Redeliver(msgspec.Struct, frozen=True):
    """Somebody asks for a new series of attempts."""

    subscription_id: str


def delivery_id(time: datetime, event_id: str, subscription_id: str) -> str:
    """The same for the same event and subscription; ids sort by the event's time (ms), and so do listings and queues."""
    ms = int(time.timestamp() * 1000)
    stamp = "".join(_DIGITS[(ms >> shift) & 31] for shift in range(45, -1, -5))
    return f"dlv_{stamp}{derive('', event_id, subscription_id)[1:17]}"


def is_success(status: int | None) -> bool:
    """2xx; a redirect is none (it is not followed)."""
    return status is not None and 200 <= status < 300


def decide(state: Delivery | None, message: Message, now: datetime) -> Decided[Delivery] | None:
    """The course of a delivery. Only Redeliver is ever refused (NotFound, Conflict)."""
    match message.body:
        case Deliver() as asked:
            return _deliver(state, asked, now)
        case Redeliver(subscription_id):
            if state is None or state.subscription_id != subscription_id:
                raise NotFound("No delivery with this id")
            return _redeliver(state, now)
    if state is None or state.state in ("delivered", "dead"):
        return None
    match message.body:
        case Attempted() as tried:
            return _attempted(state, tried, now)
        case Queue() if state.state == "waiting":
            return _told(msgspec.structs.replace(state, state="queued", due_at=None))
        case Abandon(reason):
            return _told(msgspec.structs.replace(state, state="dead", due_at=None, reason=reason))
    return None


def _deliver(state: Delivery | None, asked: Deliver, now: datetime) -> Decided[Delivery] | None:
    word: DeliveryState = "queued" if asked.queued else "waiting"
    due, event = None if asked.queued else now, msgspec.Raw(asked.event)
    if state is None:
        return _told(
            Delivery(
                subscription_id=asked.subscription_id, event_id=asked.event_id, supplier_id=asked.supplier_id,
                created_at=now, state=word, due_at=due, event=event,
            )
        )  # fmt: skip
    if not asked.again or state.state == "queued" or (state.due_at is not None and state.due_at <= now):
        return None  # known, or under way; one that waits for a later attempt is hurried
    return _told(msgspec.structs.replace(state, state=word, due_at=due, tries=0, reason="", event=event))


def _redeliver(state: Delivery, now: datetime) -> Decided[Delivery]:
    if state.state in ("waiting", "queued"):
        raise Conflict("It is still under way")
    if bytes(state.event) == b"null":
        raise Conflict("It was delivered; replay the subscription from a cursor of the feed to get it again")
    return _told(msgspec.structs.replace(state, state="waiting", due_at=now, tries=0, reason=""))


def _attempted(state: Delivery, tried: Attempted, now: datetime) -> Decided[Delivery] | None:
    if tried.tries != state.tries:  # recorded already, though the sender was not told so
        return None
    attempts = (*state.attempts, tried.attempt)[-_KEPT:]
    tries = state.tries + 1
    if is_success(tried.attempt.status):
        done = msgspec.structs.replace(state, state="delivered", due_at=None, attempts=attempts, tries=tries, event=msgspec.Raw(b"null"))
        return _told(done, tried.attempt)
    if tries > len(SCHEDULE):
        dead = msgspec.structs.replace(state, state="dead", due_at=None, attempts=attempts, tries=tries, reason="schedule")
        return _told(dead, tried.attempt)
    due = now + timedelta(seconds=max(_wait_s(state, tries), pause_s(tried)))
    return _told(msgspec.structs.replace(state, state="waiting", due_at=due, attempts=attempts, tries=tries), tried.attempt)


def _wait_s(state: Delivery, tries: int) -> float:
    """The schedule's wait, longer by a share that the ids decide, so that what failed together does not return together."""
    share = zlib.crc32(f"{state.event_id}/{state.subscription_id}/{tries}".encode()) / 2**32
    return SCHEDULE[tries - 1] * (1 + _JITTER * share)


def pause_s(tried: Attempted) -> float:
    """The pause that a receiver asked for with 429 or 503, at most a day; 0 where it asked for none."""
    asked = tried.retry_after if tried.attempt.status in _PAUSE_STATUSES else None
    return float(min(asked or 0, _LONGEST_PAUSE_S))


def _told(state: Delivery, attempt: Attempt | None = None) -> Decided[Delivery]:
    status, error = (attempt.status, attempt.error) if attempt else (None, state.reason)
    told = DeliveryChanged(
        subscription_id=state.subscription_id, event_id=state.event_id, state=state.state,
        attempt=state.tries if attempt else 0, status=status, error=error,
    )  # fmt: skip
    return Decided(state, [told])


def lane_key(subscription_id: str, state: DeliveryState) -> str:
    """By which deliveries of one subscription in one state are found."""
    return f"{subscription_id}/{state}"


DELIVERY: Aggregate[Delivery] = Aggregate(
    kind="delivery",
    state=Delivery,
    decide=decide,
    indexes=(Index("subscription", lambda s: s.subscription_id), Index("lane", lambda s: lane_key(s.subscription_id, s.state))),
    wake=lambda s: s.due_at,
    goes_on=True,
    rings=False,  # the sender looks for what is due itself: an attempt is no decision
)
