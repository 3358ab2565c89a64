"""The mapping of a list of one's own, as the last operator gave it. Pure."""

from datetime import datetime

import msgspec

from services.intelligence.lists.mapping import Mapping
from shared.events.intelligence import OwnListMapped
from shared.kernel.aggregate import Aggregate, Decided, Message


class Map(msgspec.Struct, frozen=True):
    """How the list's files are to be read from now on."""

    mapping: Mapping


class OwnList(msgspec.Struct, frozen=True, kw_only=True):
    mapping: Mapping
    mapped_by: str
    mapped_at: datetime


def _decide(state: OwnList | None, message: Message, now: datetime) -> Decided[OwnList] | None:
    mapping = message.body.mapping
    if state is not None and state.mapping == mapping:
        return None
    columns = msgspec.to_builtins(mapping.columns)
    told = OwnListMapped(list=mapping.list, columns=tuple(sorted(name for name, value in columns.items() if value)))
    return Decided(OwnList(mapping=mapping, mapped_by=message.cause.actor, mapped_at=now), [told])


OWN_LIST = Aggregate(kind="own_list", state=OwnList, decide=_decide)
