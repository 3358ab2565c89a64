"""The feed and the subscriptions: their states and decisions. Pure; secrets come in sealed and are never opened here."""

from datetime import datetime, timedelta

import msgspec

from shared.errors import Conflict, NotFound
from shared.events.envelope import Payload, event
from shared.events.partners import FeedAppended, Filters, SubscriptionChanged, SubscriptionState, SubscriptionStep
from shared.kernel.aggregate import Aggregate, Decided, Index, Message
from shared.security.sealing import Sealed

OLD_SECRET_VALID = timedelta(hours=24)
_SECRETS = 5


class Append(msgspec.Struct, frozen=True):
    """One more item of the feed: a CloudEvent in JSON."""

    event: bytes


class Feed(msgspec.Struct, frozen=True):
    """How long a tenant's feed is; its items stand in the journal alone. Its id is the tenant's."""

    count: int


def decide_feed(state: Feed | None, message: Message, _now: datetime) -> Decided[Feed] | None:
    """Appends."""
    body = message.body
    if not isinstance(body, Append):
        return None
    return Decided(Feed(state.count + 1 if state else 1), [FeedAppended(event=msgspec.Raw(body.event))])


FEED: Aggregate[Feed] = Aggregate(kind="feed", state=Feed, decide=decide_feed)


@event("feed.sighted.v1", None)
class FeedSighted(Payload, frozen=True, kw_only=True):
    """An event of the feed was met for the first time."""


class See(msgspec.Struct, frozen=True):
    """A change of a tier was met in the log."""

    partition: int
    position: int


class Sighting(msgspec.Struct, frozen=True):
    """Where an event of the feed stood when it was first met: a copy of it, as a producer leaves that was cut off, stands elsewhere."""

    partition: int
    position: int


def decide_sighting(state: Sighting | None, message: Message, _now: datetime) -> Decided[Sighting] | None:
    """The first place counts."""
    body = message.body
    if state is not None or not isinstance(body, See):
        return None
    return Decided(Sighting(body.partition, body.position), [FeedSighted()])


SIGHTING: Aggregate[Sighting] = Aggregate(kind="feed_sighting", state=Sighting, decide=decide_sighting)


class Secret(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A signing secret; an old one signs, too, until it ends."""

    sealed: Sealed
    until: datetime | None = None


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """What of the feed is to be sent again: what stands behind version `done`, up to version `upto`."""

    done: int
    upto: int


class Subscription(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A partner's wish to know. `secrets`: the present one first. `reason`: why it is disabled."""

    url: str
    filters: Filters
    secrets: tuple[Secret, ...]
    created_at: datetime
    changed_at: datetime
    state: SubscriptionState = "enabled"
    reason: str = ""
    replay: Replay | None = None

    def must_be_enabled(self) -> None:
        """Conflict where it is not: nothing could be sent."""
        if self.state != "enabled":
            raise Conflict("The subscription is disabled; enable it first")


class Subscribe(msgspec.Struct, frozen=True):
    """A new subscription."""

    url: str
    filters: Filters
    secret: Sealed


class Change(msgspec.Struct, frozen=True):
    """Replaces what is given."""

    url: str | None = None
    filters: Filters | None = None
    enabled: bool | None = None


class Delete(msgspec.Struct, frozen=True):
    """No longer wanted."""


class Rotate(msgspec.Struct, frozen=True):
    """A new secret; the ones before sign, too, for 24 hours."""

    secret: Sealed


class Gone(msgspec.Struct, frozen=True):
    """The receiver answered 410 at `url`: it wants no more."""

    url: str


class StartReplay(msgspec.Struct, frozen=True):
    """Send again what stands in the feed behind version `after`, up to version `upto`."""

    after: int
    upto: int


class AdvanceReplay(msgspec.Struct, frozen=True):
    """Of a replay that was done up to version `before`, deliveries are made up to version `done`."""

    before: int
    done: int


def decide_subscription(state: Subscription | None, message: Message, now: datetime) -> Decided[Subscription] | None:
    """What a subscriber, or their receiver, asks for. Raises NotFound, Conflict."""
    body = message.body
    if isinstance(body, Subscribe):
        if state is not None:
            raise Conflict("This subscription is there already")
        new = Subscription(url=body.url, filters=body.filters, secrets=(Secret(sealed=body.secret),), created_at=now, changed_at=now)
        return _told("created", new)
    if state is None or state.state == "deleted":
        if isinstance(body, Gone | AdvanceReplay):
            return None
        raise NotFound("No subscription with this id")
    match body:
        case Change():
            return _change(state, body, now)
        case Delete():
            return _told("deleted", msgspec.structs.replace(state, changed_at=now, state="deleted", secrets=(), replay=None, reason=""))
        case Rotate(sealed):
            old = [s for s in state.secrets if s.until is None or s.until > now][: _SECRETS - 1]
            ending = tuple(s if s.until else Secret(sealed=s.sealed, until=now + OLD_SECRET_VALID) for s in old)
            return _told("secret_rotated", msgspec.structs.replace(state, changed_at=now, secrets=(Secret(sealed=sealed), *ending)))
        case Gone(url):
            if state.state != "enabled" or state.url != url:  # it has moved meanwhile: another address said so
                return None
            return _told("disabled", msgspec.structs.replace(state, changed_at=now, state="disabled", reason="gone", replay=None))
        case StartReplay(after, upto):
            state.must_be_enabled()
            if state.replay is not None:
                raise Conflict("A replay is under way; wait for its end")
            return _told(
                "replay_asked", msgspec.structs.replace(state, replay=Replay(done=after, upto=upto) if after < upto else None), after
            )
        case AdvanceReplay(before, done):
            if state.replay is None or state.replay.done != before:
                return None
            left = Replay(done=done, upto=state.replay.upto) if done < state.replay.upto else None
            return _told("replay_advanced", msgspec.structs.replace(state, replay=left), done)
    return None


def _change(state: Subscription, asked: Change, now: datetime) -> Decided[Subscription] | None:
    url, filters = asked.url or state.url, state.filters if asked.filters is None else asked.filters
    enabled = state.state == "enabled" if asked.enabled is None else asked.enabled
    reason = "" if enabled else state.reason or "asked"
    replay = state.replay if enabled else None
    word: SubscriptionState = "enabled" if enabled else "disabled"
    changed = msgspec.structs.replace(state, url=url, filters=filters, state=word, reason=reason, replay=replay)
    return None if changed == state else _told("changed", msgspec.structs.replace(changed, changed_at=now))


def _told(what: SubscriptionStep, state: Subscription, replayed: int | None = None) -> Decided[Subscription]:
    told = SubscriptionChanged(what=what, url=state.url, filters=state.filters, state=state.state, reason=state.reason, replayed=replayed)
    return Decided(state, [told])


def live_secrets(state: Subscription, now: datetime) -> list[Sealed]:
    """Those that sign at `now`, the present one first."""
    return [secret.sealed for secret in state.secrets if secret.until is None or secret.until > now]


SUBSCRIPTION: Aggregate[Subscription] = Aggregate(
    kind="subscription",
    state=Subscription,
    decide=decide_subscription,
    indexes=(Index("state", lambda s: s.state), Index("there", lambda s: None if s.state == "deleted" else "yes")),
    wake=lambda s: s.changed_at if s.replay else None,
    goes_on=True,
    rings=False,  # replays look for what is due themselves: each step reads the feed, which a decision cannot
)
