"""How old what governments say may be: which lists are older than they may, as intelligence tells it. Time alone makes a list stale; pure but for `Ages`."""

from datetime import datetime, timedelta

import msgspec

from shared.events.envelope import PUBLIC, Payload, event
from shared.events.intelligence import ListWatched
from shared.kernel.aggregate import Aggregate, Decided, Message
from shared.kernel.service import Context


class ListAge(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One list, as told last."""

    told: ListWatched


@event("list_age.heard.v1", None)
class ListAgeHeard(Payload, frozen=True, kw_only=True):
    """What is known here of a list's age."""

    told: ListWatched


def _decide(state: ListAge | None, message: Message, _now: datetime) -> Decided[ListAge] | None:
    assert isinstance(message.body, ListWatched)
    if state is not None and state.told == message.body:
        return None
    return Decided(ListAge(told=message.body), [ListAgeHeard(told=message.body)])


LIST_AGE = Aggregate(kind="list_age", state=ListAge, decide=_decide)


class Ages:
    """The ages of all lists, in one process; `refresh` reads them anew."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._until: dict[str, datetime] = {}  # list -> until when it is fresh

    async def refresh(self) -> None:
        """As they stand in the store."""
        until = {}
        for stored in await self._ctx.stores["assessment"].find(LIST_AGE.kind, PUBLIC, {}, limit=500):
            told = LIST_AGE.decoder.decode(stored.state).told
            if told.max_age_s is not None:
                until[stored.id] = (told.checked_at or told.since) + timedelta(seconds=told.max_age_s)
        self._until = until

    def stale(self, now: datetime) -> tuple[str, ...]:
        """Lists older than they may be, by id."""
        return tuple(sorted(list_id for list_id, until in self._until.items() if now > until))
