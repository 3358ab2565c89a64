"""The work on a release: unpack, read, compare with what is in force, guard, publish the changes between two markers.

One after the other, oldest first. A release that was cut off is compared again with what stands: what was published already is equal.
"""

import asyncio
import logging
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from services.intelligence.lists import catalogue
from services.intelligence.lists.diff import Changes, compare, guard
from services.intelligence.lists.package import unpack
from services.intelligence.lists.spec import Attached, ListSpec, Quarantined, Record
from services.intelligence.lists.spec import Entry as Listed
from services.intelligence.lists.successors import successors
from services.intelligence.releases.model import (
    ENTRY,
    MARKER,
    MAX_UNREAD_TOLD,
    RELEASE,
    Done,
    Entry,
    Judge,
    Mark,
    Publish,
    Release,
    Seen,
    Supersede,
    UnreadRow,
    Withdraw,
    entry_id,
)
from services.intelligence.releases.raw import discard_parts, raw_file
from shared.errors import DuewatchError, Unavailable
from shared.events.envelope import PUBLIC
from shared.events.intelligence import Counts
from shared.events.signals import Signal
from shared.faults import crash_point
from shared.ids import derive
from shared.kernel.aggregate import Cause, Document, Item, Message
from shared.kernel.kernel import document
from shared.kernel.service import Context
from shared.telemetry import tracing

log = logging.getLogger("duewatch.releases")
_BATCH = 500
_WORK = "release-"


class _Held(msgspec.Struct, frozen=True):
    """What a release holds, made ready beside the event loop."""

    signals: dict[str, Signal]
    quarantined: list[Quarantined]
    attached: dict[str, Attached]

    @classmethod
    def of(cls, records: Iterator[Record]) -> "_Held":
        held = cls({}, [], {})
        for record in records:
            match record:
                case Listed(uid=uid, signal=signal):
                    held.signals[uid] = signal
                case Quarantined():
                    held.quarantined.append(record)
                case Attached(role=role):
                    held.attached[role] = record
        return held

    @property
    def digests(self) -> dict[str, str]:
        return {uid: signal.digest for uid, signal in self.signals.items()}

    @property
    def nameless(self) -> int:
        """Rows of which it is not even known whose they are."""
        return sum(q.uid is None for q in self.quarantined)

    @property
    def kept(self) -> frozenset[str]:
        """Entries that the release holds but that could not be read."""
        return frozenset(q.uid for q in self.quarantined if q.uid is not None) - self.signals.keys()


class Loader:
    """Works on what was received. One in the whole system."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self._in_force: dict[str, dict[str, str]] = {}  # list -> uid -> digest, as this loader left it

    async def run(self) -> None:
        """For ever."""
        self._in_force.clear()  # another process may have been at work since
        for left in self.ctx.folder.glob(f"{_WORK}*"):
            shutil.rmtree(left, ignore_errors=True)
        discard_parts(self.ctx, time.time())
        waits = self.ctx.nudged()
        while True:
            if not await self.step():
                await waits.wait(1.0)

    async def step(self) -> bool:
        """Works on all that waits; False where nothing did, or something must be tried again. A list whose release fails holds up no other."""
        waiting = await releases(self.ctx, {"todo": 1})
        stuck: set[str] = set()
        for release in sorted(waiting, key=lambda d: (d.state.state != "accepted", d.state.received_at, d.id)):
            if release.state.list in stuck:  # the next one of a list must not overtake
                continue
            try:
                # One step for all of a release: its changes are caused by it, and none has one of its own.
                with tracing.step("load release", parent=release.traceparent, attributes={"duewatch.list": release.state.list}):
                    await self.load(release)
            except Exception:  # of whatever kind: the store's, the disk's, ours
                log.exception("work on a release of %s failed, and is tried again", release.state.list, extra={"release_id": release.id})
                self._in_force.pop(release.state.list, None)
                stuck.add(release.state.list)
        return bool(waiting) and not stuck

    async def load(self, release: Document[Release]) -> None:
        """Works on one release, whatever was done of it before."""
        spec = self._spec(release.state.list)
        held = await self._held(spec, release)
        if held is None:
            return
        old = await self._digests(spec.id)
        changes = compare(old, held.digests, unread=held.kept)
        crash_point("release-compared")
        if release.state.state == "accepted":  # cut off
            await self._publish(release, await self._changes(release, changes, held.signals))
        elif not await self._accept(spec, release, held, old, changes):
            return
        self._in_force[spec.id] = {uid: digest for uid, digest in old.items() if uid in held.kept} | held.digests

    def _spec(self, list_id: str) -> ListSpec:
        """The list's description, with the operator's own guard rail."""
        spec, share = catalogue.find(list_id), self.ctx.settings.list_shrink_share
        return spec if share is None else msgspec.structs.replace(spec, max_shrink_share=share)

    async def _held(self, spec: ListSpec, release: Document[Release]) -> _Held | None:
        """What it holds; None where it is refused as unreadable. One that was accepted once could be read: what fails then is ours, and raised."""
        try:
            return await asyncio.to_thread(self._read, spec, release)
        except DuewatchError as refusal:
            reason = refusal.detail[:900]
        except Exception:
            log.exception("reading a release of %s failed", spec.id, extra={"release_id": release.id})
            reason = "The release could not be read; the log says more"
        if release.state.state == "accepted":
            raise Unavailable("An accepted release could not be read again")
        await self._judge(release, Judge("refused", Counts(), reason, "unreadable"))
        return None

    def _read(self, spec: ListSpec, release: Document[Release]) -> _Held:
        work = Path(tempfile.mkdtemp(prefix=_WORK, dir=self.ctx.folder))
        try:
            layout, files = unpack(spec, raw_file(self.ctx, release.state.sha256), work)
            return _Held.of(layout.read(files, list_id=spec.id, release_id=release.id))
        finally:
            shutil.rmtree(work, ignore_errors=True)

    async def _digests(self, list_id: str) -> dict[str, str]:
        """What is in force, by uid."""
        if list_id not in self._in_force:
            found: dict[str, str] = {}
            async for stored in self.ctx.store.documents(ENTRY.kind):
                if stored.id.startswith(f"{list_id}:"):
                    state = ENTRY.decoder.decode(stored.state)
                    if state.live:
                        found[stored.id.removeprefix(f"{list_id}:")] = state.signal.digest
            self._in_force[list_id] = found
        return self._in_force[list_id]

    async def _accept(self, spec: ListSpec, release: Document[Release], held: _Held, old: dict[str, str], changes: Changes) -> bool:
        """Judges a release and, where it may act, publishes it; the changes of a small one in the commit that lets it in. True where it acts."""
        counts = Counts(
            entries=len(held.signals), quarantined=len(held.quarantined), added=len(changes.added),
            modified=len(changes.modified), deleted=len(changes.deleted), attached={r: a.rows for r, a in held.attached.items()},
        )  # fmt: skip
        before = await in_force(self.ctx, spec.id)
        unread = tuple(UnreadRow(row.row, row.reason) for row in held.quarantined[:MAX_UNREAD_TOLD])
        if not (changes.added or changes.modified or changes.deleted):
            seen = [Item(RELEASE, PUBLIC, before.id, Message(Seen(), self._cause(release, "seen")))] if before else []
            await self._judge(release, Judge("unchanged", counts, unread=unread), *seen)
            return False
        if not release.state.accepted_by and (
            reason := guard(spec, len(old), changes, len(held.signals), nameless=held.nameless)
            or _thinned(spec, before, counts)
            or _damaged(held, changes)
        ):
            await self._judge(release, Judge("refused", counts, reason, "guard", unread))
            return False
        items = await self._changes(release, changes, held.signals)
        judged = [self._item(release, Judge("accepted", counts, unread=unread), "judge")]
        if before:
            judged.append(Item(RELEASE, PUBLIC, before.id, Message(Supersede(release.id), self._cause(release, "supersede"))))
        if len(items) <= _BATCH:
            await self.ctx.kernel.apply_many([*judged, *items], strict=True)
            await self._end(release, len(items))
            return True
        await self.ctx.kernel.apply_many(judged, strict=True)
        await self._publish(release, items)
        return True

    async def _publish(self, release: Document[Release], items: list[Item]) -> None:
        for at in range(0, len(items), _BATCH):
            await self.ctx.kernel.apply_many(items[at : at + _BATCH], strict=True)
            crash_point("release-batch")
        counted = release.state.counts  # by the first comparison, where it was cut off: part of the changes stands by now
        total = counted.added + counted.modified + counted.deleted if release.state.state == "accepted" else len(items)
        await self._end(release, total)

    async def _changes(self, release: Document[Release], changes: Changes, signals: dict[str, Signal]) -> list[Item]:
        """What a release publishes, and then what it takes away. An entry that takes the place of one that goes says so, though it were unchanged."""
        former = await self._former(release, changes, signals)

        def item(uid: str, body: Publish | Withdraw) -> Item:
            cause = Cause(derive("chg", release.id, uid), "duewatch.release.accepted.v1", release.id, release.state.loaded_by)
            return Item(ENTRY, PUBLIC, entry_id(release.state.list, uid), Message(body, cause))

        uids = dict.fromkeys((*changes.added, *changes.modified, *sorted(former)))
        published = [item(uid, Publish(msgspec.structs.replace(signals[uid], formerly=former.get(uid, ())))) for uid in uids]
        return published + [item(uid, Withdraw(release.id)) for uid in changes.deleted]

    async def _former(self, release: Document[Release], changes: Changes, signals: dict[str, Signal]) -> dict[str, tuple[str, ...]]:
        """uid -> ids of the signals that were the same party in the release before; of one that was cut off also what it had withdrawn by then."""
        list_id, gone = release.state.list, dict[str, Entry]()
        keys = [(PUBLIC, entry_id(list_id, uid)) for uid in changes.deleted]
        for (_, id_), stored in (await self.ctx.store.load(ENTRY.kind, keys)).items() if keys else ():
            gone[id_] = ENTRY.decoder.decode(stored.state)
        if release.state.state == "accepted":
            async for stored in self.ctx.store.documents(ENTRY.kind):
                if (state := ENTRY.decoder.decode(stored.state)).withdrawn_in == release.id and not state.live:
                    gone[stored.id] = state
        found = successors({id_: state.signal for id_, state in gone.items()}, signals)
        chains = {uid: tuple(id_ for old in ids for id_ in (old, *gone[old].signal.formerly)) for uid, ids in found.items()}
        return {uid: tuple(id_ for id_ in chain if id_ != entry_id(list_id, uid)) for uid, chain in chains.items()}

    async def _end(self, release: Document[Release], signals: int) -> None:
        """The marker, and then the note that the release is done, each in a commit of its own: where documents lie apart, a crash may leave the
        rest of a commit unwritten, and nobody would go on with a release that is done."""
        marked = Message(Mark(release.state.list, signals), self._cause(release, "mark"))
        await self.ctx.kernel.apply_many([Item(MARKER, PUBLIC, release.id, marked)], strict=True)
        await self.ctx.kernel.apply_many([self._item(release, Done(), "done")], strict=True)

    async def _judge(self, release: Document[Release], judge: Judge, *more: Item) -> None:
        await self.ctx.kernel.apply_many([self._item(release, judge, "judge"), *more], strict=True)

    def _item(self, release: Document[Release], body: Judge | Done, what: str) -> Item:
        return Item(RELEASE, PUBLIC, release.id, Message(body, self._cause(release, what)))

    @staticmethod
    def _cause(release: Document[Release], what: str) -> Cause:
        """Its id tells a judgement from that of the same release once a person let it in."""
        id_ = derive("cmd", release.id, what, str(release.version))
        return Cause(id_, f"command.release.{what}", release.id, release.state.loaded_by)


async def releases(ctx: Context, where: dict[str, str | int]) -> list[Document[Release]]:
    """All releases with these values, by id."""
    found: list[Document[Release]] = []
    after = ""
    while page := await ctx.store.find(RELEASE.kind, PUBLIC, where, after=after, limit=500):
        found += [document(RELEASE, stored) for stored in page]
        after = page[-1].id
    return found


async def in_force(ctx: Context, list_id: str) -> Document[Release] | None:
    """The release of a list that acts now."""
    return next(iter(await releases(ctx, {"in_force": list_id})), None)


def _thinned(spec: ListSpec, before: Document[Release] | None, counts: Counts) -> str | None:
    """A release without the aliases (or addresses) that the one in force had would quietly find fewer suppliers."""
    for role, rows in before.state.counts.attached.items() if before else ():
        if rows and counts.attached.get(role, 0) < rows * (1 - spec.max_shrink_share):
            return f"The file of {role} holds {counts.attached.get(role, 0)} rows, that of the release in force {rows}; a person must accept it"
    return None


def _damaged(held: _Held, changes: Changes) -> str | None:
    """An entry may have changed only because a row with an alias or an address of it cannot be read: damage must weaken no entry either."""
    for role, attached in held.attached.items():
        if attached.unread and changes.modified:
            return f"{attached.unread} rows of the file of {role} cannot be read, and {len(changes.modified)} entries change; a person must accept it"
    return None
