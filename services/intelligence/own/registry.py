"""All lists that can be loaded: those of the catalogue, and those of one's own, which are documents that every process reads."""

import re

from services.intelligence.lists import catalogue
from services.intelligence.lists.mapping import LIST_ID
from services.intelligence.lists.own import spec_of
from services.intelligence.lists.spec import ListSpec
from services.intelligence.own.model import OWN_LIST
from shared.events.envelope import PUBLIC
from shared.kernel.kernel import document
from shared.kernel.service import Context

MOST = 100  # lists of one's own
_OWN = re.compile(LIST_ID)


async def find(ctx: Context, list_id: str) -> ListSpec:
    """The list's description; `NotFound` for an id that is none."""
    if _OWN.match(list_id) and (found := await ctx.kernel.get(OWN_LIST, PUBLIC, list_id)):
        return spec_of(found.state.mapping)
    return catalogue.find(list_id)


async def all_lists(ctx: Context) -> list[ListSpec]:
    """All of them, by id."""
    own = [spec_of(document(OWN_LIST, stored).state.mapping) for stored in await ctx.store.find(OWN_LIST.kind, PUBLIC, {}, limit=MOST)]
    return sorted([*catalogue.CATALOGUE.values(), *own], key=lambda spec: spec.id)
