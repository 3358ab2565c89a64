"""How a release's changes leave the service: in batches, behind the judgement that lets it in, before the marker."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from itertools import chain, islice

import msgspec

from services.intelligence.lists.successors import party, successors
from services.intelligence.releases.model import (
    ENTRY,
    MARKER,
    RELEASE,
    Done,
    Entry,
    Judge,
    Mark,
    Publish,
    Release,
    Withdraw,
    entry_id,
)
from services.intelligence.releases.spool import Spool
from shared.events.envelope import PUBLIC
from shared.faults import crash_point
from shared.ids import derive
from shared.kernel.aggregate import Cause, Document, Item, Message
from shared.kernel.service import Context

_BATCH = 500
_Former = dict[str, tuple[str, ...]]


class _Gone(msgspec.Struct):
    """What tells of an entry that it was withdrawn, and by whom; the rest is skipped."""

    live: bool = True
    withdrawn_in: str | None = None


_gone = msgspec.json.Decoder(_Gone).decode


async def publish(ctx: Context, release: Document[Release], spool: Spool, judged: list[Item] | None = None) -> None:
    """Publishes what a release changes, and then its marker. `judged` lets it in: in one commit with the changes where they are few. Without it the
    release was let in before, and cut off."""
    former = await _former(ctx, release, spool)
    added = sum(not spool.is_changed(uid) for uid in former)  # though it were unchanged, an entry says whose place it takes
    items, total = _items(release, spool, former), spool.found().changes + added
    if judged is None:  # part of the changes stands by now: they were counted by the first comparison
        counted = release.state.counts
        total = counted.added + counted.modified + counted.deleted
    elif total <= _BATCH:
        await ctx.kernel.apply_many([*judged, *items], strict=True)
    else:
        await ctx.kernel.apply_many(judged, strict=True)
    while batch := list(islice(items, _BATCH)):
        await ctx.kernel.apply_many(batch, strict=True)
        crash_point("release-batch")
    await _end(ctx, release, total)


def release_item(release: Document[Release], body: Judge | Done, what: str) -> Item:
    """What befalls the release itself."""
    return Item(RELEASE, PUBLIC, release.id, Message(body, cause(release, what)))


def cause(release: Document[Release], what: str) -> Cause:
    """Its id tells a judgement from that of the same release once a person let it in."""
    id_ = derive("cmd", release.id, what, str(release.version))
    return Cause(id_, f"command.release.{what}", release.id, release.state.loaded_by)


def _items(release: Document[Release], spool: Spool, former: _Former) -> Iterator[Item]:
    """What a release publishes, and then what it takes away, made as it is asked for."""

    def item(uid: str, body: Publish | Withdraw) -> Item:
        because = Cause(derive("chg", release.id, uid), "duewatch.release.accepted.v1", release.id, release.state.loaded_by)
        return Item(ENTRY, PUBLIC, entry_id(release.state.list, uid), Message(body, because))

    more = (uid for uid in sorted(former) if not spool.is_changed(uid))
    for uid in chain(spool.changed("added"), spool.changed("modified"), more):
        yield item(uid, Publish(msgspec.structs.replace(spool.signal(uid), formerly=former.get(uid, ()))))
    for uid in spool.changed("deleted"):
        yield item(uid, Withdraw(release.id))


async def _former(ctx: Context, release: Document[Release], spool: Spool) -> _Former:
    """uid -> ids of the signals that were the same party in the release before; of one that was cut off also what it had withdrawn by then.

    Its publisher may say so itself (a signal's `formerly`, as it was read), whatever else became of the party; only ids that go now count.
    """
    gone, before, leaving = defaultdict[bytes, list[str]](list), _Former(), set[str]()
    async for id_, entry in _leaving(ctx, release, spool):
        leaving.add(id_)
        if entry.signal.formerly:
            before[id_] = entry.signal.formerly
        if leaves := party(entry.signal):
            gone[leaves].append(id_)
    found = await asyncio.to_thread(successors, gone, spool.signals()) if gone else {}
    if leaving:
        found = await asyncio.to_thread(_told, spool, leaving, found)
    chains = {uid: tuple(id_ for old in ids for id_ in (old, *before.get(old, ()))) for uid, ids in found.items()}
    return {uid: tuple(id_ for id_ in ids if id_ != entry_id(release.state.list, uid)) for uid, ids in chains.items()}


def _told(spool: Spool, leaving: set[str], found: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """What was found, and beside it what the publisher says of the entries that it adds or changes; who is told to be one party is no other's."""
    told = {
        uid: ids
        for uid in chain(spool.changed("added"), spool.changed("modified"))
        if (ids := tuple(id_ for id_ in spool.signal(uid).formerly if id_ in leaving))
    }
    taken = {id_ for ids in told.values() for id_ in ids}
    guessed = {uid: rest for uid, ids in found.items() if (rest := tuple(id_ for id_ in ids if id_ not in taken))}
    return {uid: tuple(dict.fromkeys((*told.get(uid, ()), *guessed.get(uid, ())))) for uid in told.keys() | guessed.keys()}


async def _leaving(ctx: Context, release: Document[Release], spool: Spool) -> AsyncIterator[tuple[str, Entry]]:
    """The entries that a release takes away, by id."""
    deleted = spool.changed("deleted")
    while part := [(PUBLIC, entry_id(release.state.list, uid)) for uid in islice(deleted, _BATCH)]:
        for (_, id_), stored in (await ctx.store.load(ENTRY.kind, part)).items():
            yield id_, ENTRY.decoder.decode(stored.state)
    if release.state.state == "accepted":
        async for stored in ctx.store.documents(ENTRY.kind):
            if (told := _gone(stored.state)).withdrawn_in == release.id and not told.live:
                yield stored.id, ENTRY.decoder.decode(stored.state)


async def _end(ctx: Context, release: Document[Release], signals: int) -> None:
    """The marker, and then the note that the release is done, each in a commit of its own: where documents lie apart, a crash may leave the
    rest of a commit unwritten, and nobody would go on with a release that is done."""
    marked = Message(Mark(release.state.list, signals), cause(release, "mark"))
    await ctx.kernel.apply_many([Item(MARKER, PUBLIC, release.id, marked)], strict=True)
    await ctx.kernel.apply_many([release_item(release, Done(), "done")], strict=True)
