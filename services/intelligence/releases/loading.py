"""The work on a release: unpack, read, compare with what is in force, guard, publish the changes between two markers.

One after the other, oldest first. A release that was cut off is compared again with what stands: what was published already is equal.
"""

import asyncio
import errno
import logging
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec

from services.intelligence.lists.guards import Found, objection, older
from services.intelligence.lists.package import Files, unpack
from services.intelligence.lists.spec import ListSpec
from services.intelligence.own import registry
from services.intelligence.releases import publishing
from services.intelligence.releases.model import (
    ENTRY,
    MAX_UNREAD_TOLD,
    RELEASE,
    Judge,
    Named,
    Release,
    Seen,
    Supersede,
    UnreadRow,
)
from services.intelligence.releases.publishing import cause, release_item
from services.intelligence.releases.quarantine import keep_quarantined
from services.intelligence.releases.raw import discard_parts, raw_file
from services.intelligence.releases.spool import WORK, InForce, Spool
from shared.errors import DuewatchError, Unavailable
from shared.events.envelope import PUBLIC
from shared.events.intelligence import Counts
from shared.faults import crash_point
from shared.kernel.aggregate import Document, Item, Message
from shared.kernel.kernel import document
from shared.kernel.service import Context
from shared.telemetry import tracing

log = logging.getLogger("duewatch.releases")
_PAGE = 2_000  # entries in force that are read at once
_T = TypeVar("_T")


class _Digest(msgspec.Struct):
    digest: str


class _Known(msgspec.Struct):
    """What is needed of an entry in force; the rest of it is skipped, not decoded."""

    signal: _Digest


_known = msgspec.json.Decoder(_Known).decode


class Loader:
    """Works on what was received. One in the whole system."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self._in_force: InForce | None = None  # as this loader left it

    async def run(self) -> None:
        """For ever."""
        self._forget()  # another process may have been at work since
        for left in self.ctx.folder.glob(f"{WORK}*"):
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
        for release in sorted(waiting, key=lambda d: (d.state.state != "accepted", d.state.received_at, d.state.step, d.id)):
            if release.state.list in stuck:  # the next one of a list must not overtake
                continue
            try:
                # One step for all of a release: its changes are caused by it, and none has one of its own.
                with tracing.step("load release", parent=release.traceparent, attributes={"duewatch.list": release.state.list}):
                    await self.load(release)
            except Exception:  # of whatever kind: the store's, the disk's, ours
                log.exception("work on a release of %s failed, and is tried again", release.state.list, extra={"release_id": release.id})
                self._forget()
                stuck.add(release.state.list)
        return bool(waiting) and not stuck

    async def load(self, release: Document[Release]) -> None:
        """Works on one release, whatever was done of it before."""
        spec = await self._spec(release.state.list)
        work = Path(tempfile.mkdtemp(prefix=WORK, dir=self.ctx.folder))
        try:
            raw, unpacked = raw_file(self.ctx, release.state.sha256), work / "files"
            unpacked.mkdir()
            found = await self._tried(release, lambda: unpack(spec, raw, unpacked))
            if found is not None:
                await self._compare(spec, release, found, work)
        finally:
            shutil.rmtree(work, ignore_errors=True)

    async def _compare(self, spec: ListSpec, release: Document[Release], sent: Files, work: Path) -> None:
        spool = Spool(await self._standing(spec.id), spec.id, work)
        try:

            def read() -> bool:
                spool.read(sent.layout.read(sent.files, list_id=spec.id, release_id=release.id))
                return True

            if await self._tried(release, read) is None:
                return
            crash_point("release-compared")
            if release.state.state == "accepted":  # cut off
                await publishing.publish(self.ctx, release, spool)
            elif not await self._accept(spec, release, spool, sent.layout.name):
                return
            spool.settle()
        finally:
            spool.close()

    def _forget(self) -> None:
        if self._in_force is not None:
            self._in_force.close()
        self._in_force = None

    async def _spec(self, list_id: str) -> ListSpec:
        """The list's description, with the operator's own guard rail."""
        spec, share = await registry.find(self.ctx, list_id), self.ctx.settings.list_shrink_share
        return spec if share is None else msgspec.structs.replace(spec, max_shrink_share=share)

    async def _tried(self, release: Document[Release], read: Callable[[], _T]) -> _T | None:
        """What reading gives, beside the event loop; None where the release is refused as unreadable. A full disk is no fault of it, and one that was
        accepted once could be read: what fails then is ours, and raised."""
        try:
            return await asyncio.to_thread(read)
        except DuewatchError as refusal:
            reason = refusal.detail[:900]
        except sqlite3.OperationalError:
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno == errno.ENOSPC:
                raise
            log.exception("reading a release of %s failed", release.state.list, extra={"release_id": release.id})
            reason = "The release could not be read; the log says more"
        if release.state.state == "accepted":
            raise Unavailable("An accepted release could not be read again")
        await self._judge(release, Judge("refused", Counts(), reason, "unreadable"))
        return None

    async def _standing(self, list_id: str) -> InForce:
        """What is in force, with the entries of this list."""
        if self._in_force is None:
            self._in_force = InForce(self.ctx.folder)
        held, after, prefix = self._in_force, "", f"{list_id}:"
        if list_id not in held.lists:
            while page := await self.ctx.store.find(ENTRY.kind, PUBLIC, {"list": list_id}, after=after, limit=_PAGE):
                held.put(list_id, ((stored.id.removeprefix(prefix), _known(stored.state).signal.digest) for stored in page))
                after = page[-1].id
            held.lists.add(list_id)
        return held

    async def _accept(self, spec: ListSpec, release: Document[Release], spool: Spool, layout: str) -> bool:
        """Judges a release and, where it may act, publishes it; the changes of a small one in the commit that lets it in. True where it acts."""
        found, about = spool.found(), spool.about
        named = Named(about.dated or "", about.version or "", about.base or "", layout)
        counts = Counts(
            records=found.records, entries=found.entries, quarantined=found.quarantined, reasons=spool.reasons(), added=found.added,
            modified=found.modified, deleted=found.deleted, attached={r: a.rows for r, a in found.attached.items()},
        )  # fmt: skip
        unread = await asyncio.to_thread(keep_quarantined, self.ctx, release.id, spool.quarantined(), MAX_UNREAD_TOLD)
        before = await in_force(self.ctx, spec.id)
        judge = Judge("accepted", counts, unread=tuple(UnreadRow(row.row, row.reason) for row in unread), named=named)
        if reason := _misplaced(found, named, before):
            await self._judge(release, msgspec.structs.replace(judge, state="refused", reason=reason, refusal="base"))
            return False
        if not release.state.accepted_by and before and (reason := older(named.dated, before.state.named.dated, found)):
            await self._judge(release, msgspec.structs.replace(judge, state="refused", reason=reason, refusal="older"))
            return False
        if not found.changes:
            seen = [Item(RELEASE, PUBLIC, before.id, Message(Seen(named), cause(release, "seen")))] if before else []
            await self._judge(release, msgspec.structs.replace(judge, state="unchanged"), *seen)
            return False
        same_layout = before is not None and before.state.named.layout in ("", layout)
        if not release.state.accepted_by and (
            reason := objection(spec, found, before.state.counts.attached if before and same_layout else None)
        ):
            await self._judge(release, msgspec.structs.replace(judge, state="refused", reason=reason, refusal="guard"))
            return False
        judged = [release_item(release, judge, "judge")]
        if before:
            judged.append(Item(RELEASE, PUBLIC, before.id, Message(Supersede(release.id), cause(release, "supersede"))))
        await publishing.publish(self.ctx, release, spool, judged)
        return True

    async def _judge(self, release: Document[Release], judge: Judge, *more: Item) -> None:
        await self.ctx.kernel.apply_many([release_item(release, judge, "judge"), *more], strict=True)


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


def _misplaced(found: Found, named: Named, before: Document[Release] | None) -> str | None:
    """A delta is upon one version, and upon no other; sent twice it changes nothing."""
    acts = before.state.named.version if before else ""
    if not named.base or named.base == acts or (named.version == acts and not found.changes):
        return None
    return "It is a delta upon another version of the list than the one in force: an operator must load the full list, upon which deltas follow again"
