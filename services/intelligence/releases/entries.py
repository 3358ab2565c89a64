"""An entry of a list as the API gives it, and what became of it from release to release."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import msgspec

from services.intelligence.releases.model import ENTRY, Entry
from shared.events.envelope import PUBLIC, Meta, decode
from shared.events.signals import Signal, SignalChanged, SignalPublished, SignalWithdrawn
from shared.kernel.aggregate import Document
from shared.kernel.journal import JournalRow
from shared.kernel.service import Context


def entry_view(found: Document[Entry]) -> dict[str, Any]:
    """An entry; `withdrawn_in` is the release that holds it no more, None while it is in force."""
    signal = found.state.signal
    subject: dict[str, Any] = msgspec.to_builtins(signal.subject)
    names = subject.get("names", [])
    return {
        "uid": signal.source.uid,
        "list": signal.source.list,
        "signal_id": found.id,
        "release_id": signal.source.release_id,
        "formerly": signal.formerly,
        "withdrawn_in": None if found.state.live else found.state.withdrawn_in,
        "name": names[0]["name"] if names else None,
        "programs": signal.source.programs,
        "remarks": signal.remarks or None,
        **subject,
    }


async def history(ctx: Context, id_: str) -> list[dict[str, Any]]:
    """Every change of an entry, oldest first: in which release, when, and for a MOD which parts of it became others."""
    found: list[dict[str, Any]] = []
    before: Signal | None = None
    async for row in _rows(ctx, id_):
        told, at = decode(row.type, row.data or b""), msgspec.json.decode(row.meta, type=Meta).time
        match told:
            case SignalPublished(signal=signal):
                found.append(_change("added", signal.source.release_id, at))
            case SignalChanged(signal=signal):
                found.append(_change("modified", signal.source.release_id, at, _differing(before, signal)))
            case SignalWithdrawn(signal=signal, release_id=release_id):
                found.append(_change("deleted", release_id, at))
            case _:
                continue
        before = signal
    return found


async def _rows(ctx: Context, id_: str) -> AsyncIterator[JournalRow]:
    after = (0, -1)
    while rows := await ctx.store.history(ENTRY.kind, PUBLIC, id_, after=after):
        for row in rows:
            yield row
        after = (rows[-1].version, rows[-1].n)


def _change(change: str, release_id: str | None, at: datetime | None, parts: list[str] | None = None) -> dict[str, Any]:
    return {"change": change, "release_id": release_id, "at": at, "parts": parts or []}


def _differing(old: Signal | None, new: Signal) -> list[str]:
    """Names of the parts of an entry that are not the same in both."""
    if old is None:
        return []
    a, b = _parts(old), _parts(new)
    return sorted(name for name in a.keys() | b.keys() if a.get(name) != b.get(name))


def _parts(signal: Signal) -> dict[str, Any]:
    subject: dict[str, Any] = msgspec.to_builtins(signal.subject)
    return {**subject, "programs": signal.source.programs, "remarks": signal.remarks, "formerly": signal.formerly}
