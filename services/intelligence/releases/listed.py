"""Where else the party of an entry is listed: the other entries in force of its cluster, found by what they have in common."""

from typing import Any

from services.intelligence.lists.clusters import keys
from services.intelligence.releases.model import ENTRY, SAME, Entry
from shared.events.envelope import PUBLIC
from shared.events.signals import PartySignal
from shared.kernel.aggregate import Document
from shared.kernel.kernel import document
from shared.kernel.service import Context

MOST = 50  # others that are told; a party stands on some ten lists at most
_MOST_LOOKS = 200


async def also_listed(ctx: Context, entry: Document[Entry]) -> list[dict[str, Any]]:
    """The other entries of its party, by list and id; also those that another one between joins to it."""
    found: dict[str, Document[Entry]] = {}
    asked: set[str] = set()
    waiting = list(keys(entry.state.signal))
    while waiting and len(found) < MOST and len(asked) < _MOST_LOOKS:
        if (key := waiting.pop(0)) in asked:
            continue
        asked.add(key)
        for stored in await ctx.store.find(ENTRY.kind, PUBLIC, {SAME: key}, limit=MOST):
            if stored.id != entry.id and stored.id not in found and len(found) < MOST:
                found[stored.id] = document(ENTRY, stored)
                waiting += keys(found[stored.id].state.signal)
    return [_view(found[id_]) for id_ in sorted(found, key=lambda one: (found[one].state.signal.source.list or "", one))]


def _view(entry: Document[Entry]) -> dict[str, Any]:
    signal = entry.state.signal
    name = signal.subject.names[0].name if isinstance(signal.subject, PartySignal) else None
    return {
        "list": signal.source.list,
        "uid": signal.source.uid,
        "signal_id": entry.id,
        "name": name,
        "programs": signal.source.programs,
    }
