"""Pulling a list: a round of fetching, what came kept by its hash and registered as a release, and the attempt noted with its schedule."""

import asyncio
import logging
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import msgspec

from services.intelligence.fetching.deltas import steps
from services.intelligence.fetching.fetch import Known, Round, check_sources
from services.intelligence.fetching.model import SCHEDULE, Attempted, Outcome, Schedule
from services.intelligence.fetching.sources import Source, of_file
from services.intelligence.lists.spec import ListFile, ListSpec
from services.intelligence.own import registry
from services.intelligence.releases import raw
from services.intelligence.releases.loading import in_force
from services.intelligence.releases.model import RELEASE, Receive, Seen
from shared.errors import DuewatchError
from shared.events.envelope import PUBLIC, encode
from shared.files import Streamed
from shared.ids import derive
from shared.kernel.aggregate import Cause, Item, Message
from shared.kernel.service import Context
from shared.security.download import Downloader, NotFetched
from shared.telemetry.metrics import count_pulls

log = logging.getLogger("duewatch.fetching")


class Pulled(NamedTuple):
    """What became of it, and the release that came or that it still is."""

    outcome: Outcome
    release_id: str


class Puller:
    """Pulls for one process."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.sources = of_file(ctx.settings.lists)

    def source(self, list_id: str) -> Source:
        """The list's own settings."""
        return self.sources.get(list_id) or Source()

    async def pull(
        self,
        list_id: str,
        actor: str,
        *,
        release_id: str = "",
        scheduled: bool = False,
        seconds: float = 0.0,
        key: str = "",
        digest: str = "",
    ) -> Pulled:
        """From the list's own addresses; the attempt is noted, a failed one too, and raised."""
        spec, source = await registry.find(self.ctx, list_id), self.source(list_id)
        wanted = check_sources(spec, source)
        found = await self.ctx.kernel.get(SCHEDULE, PUBLIC, list_id)
        before = found.state if found else Schedule()
        tried = Attempted(outcome="failed", reason="It could not be done; the log says more", scheduled=scheduled)
        try:
            known = before.known if await self._stands(list_id, before.release_id) else ()
            if (
                spec.versions
                and not source.address
                and (by_steps := await self._steps(spec, source, actor, release_id, key, digest, seconds))
            ):
                tried = Attempted(outcome=by_steps.outcome, release_id=by_steps.release_id, scheduled=scheduled)
                return by_steps
            kept, known = await self._fetch(spec, source, wanted, known, seconds)
            same = kept is None or (await self._is(before.release_id, kept.digest) and await self._stands(list_id, before.release_id))
            if same:
                await self._seen(list_id, before.release_id, actor)
                tried = Attempted(outcome="unchanged", release_id=before.release_id, known=known, scheduled=scheduled)
            else:
                assert kept is not None
                id_ = release_id or self.ctx.ids.new("rel")
                await register(self.ctx, id_, actor, Receive(list_id, kept.digest, kept.size, "pull"), key, digest)
                tried = Attempted(outcome="received", release_id=id_, known=known, scheduled=scheduled)
        except DuewatchError as error:
            wait = error.retry_after or 0 if isinstance(error, NotFetched) else 0
            tried = Attempted(outcome="failed", reason=error.detail[:300], wait_s=wait, scheduled=scheduled)
            raise
        finally:
            count_pulls([tried.outcome])
            cause = Cause(self.ctx.ids.new("cmd"), "command.list.pull", actor=actor)
            await self.ctx.kernel.execute(Item(SCHEDULE, PUBLIC, list_id, Message(tried, cause)))
        return Pulled(tried.outcome, tried.release_id)

    async def fetch_from(self, spec: ListSpec, address: str, seconds: float) -> Streamed:
        """One file or archive from an address that a person gave; nothing is remembered of it."""
        kept, _ = await self._fetch(spec, Source(), (ListFile(role="all", name="fetched", address=address),), (), seconds)
        assert kept is not None  # nothing was known
        return kept

    async def _steps(
        self, spec: ListSpec, source: Source, actor: str, release_id: str, key: str, digest: str, seconds: float
    ) -> Pulled | None:
        """By deltas upon the version in force, each a release, the last one under the id asked for; None where all of the list must be fetched."""
        acts = await in_force(self.ctx, spec.id)
        index = next(f for f in spec.files if f.role == spec.versions)
        index = msgspec.structs.replace(index, address=source.files.get(index.role, index.address))
        async with self._round(spec, source, seconds) as fetching:
            found = await steps(fetching, index, acts.state.named.version if acts else "")
            if acts is None or found is None:
                return None
            ids = [derive("rel", release_id or acts.id, step.version) for step in found]
            if release_id and ids:
                ids[-1] = release_id
            for n, (id_, step) in enumerate(zip(ids, found, strict=True)):
                kept = await asyncio.to_thread(raw.keep_synchronised, self.ctx, step.whole)
                last = n == len(ids) - 1
                await register(
                    self.ctx, id_, actor, Receive(spec.id, kept.digest, kept.size, "pull", n), key if last else "", digest if last else ""
                )
        if not ids:
            await self._seen(spec.id, acts.id, actor)
        return Pulled("received" if ids else "unchanged", ids[-1] if ids else acts.id)

    @asynccontextmanager
    async def _round(self, spec: ListSpec, source: Source, seconds: float) -> AsyncIterator[Round]:
        """One round with a folder of its own, which goes with it; `seconds` where somebody waits for less than the setting allows."""
        work, most = raw.new_pull(self.ctx), self.ctx.settings.lists_pull_s
        downloader = Downloader(self.ctx.networks, proxy=self.ctx.settings.lists_proxy)
        try:
            yield Round(downloader, spec, source, work, min(seconds, most) if seconds else most)
        finally:
            try:
                await downloader.close()
            finally:
                await asyncio.to_thread(shutil.rmtree, work, ignore_errors=True)

    async def _fetch(
        self, spec: ListSpec, source: Source, wanted: tuple[ListFile, ...], known: tuple[Known, ...], seconds: float
    ) -> tuple[Streamed | None, tuple[Known, ...]]:
        async with self._round(spec, source, seconds) as fetching:
            got = await fetching.run(wanted, known)
            kept = await asyncio.to_thread(raw.keep_synchronised, self.ctx, got.whole) if got.whole else None
            return kept, got.known

    async def _stands(self, list_id: str, release_id: str) -> bool:
        """Is what the addresses gave last still the last word on the list: in force, the same as what is, refused, or waiting?"""
        found = await self.ctx.kernel.get(RELEASE, PUBLIC, release_id) if release_id else None
        if found is None or found.state.superseded_by:
            return False
        acts = await in_force(self.ctx, list_id)
        return acts is None or acts.id == release_id or acts.state.received_at <= found.state.received_at

    async def _is(self, release_id: str, sha256: str) -> bool:
        found = await self.ctx.kernel.get(RELEASE, PUBLIC, release_id) if release_id else None
        return found is not None and found.state.sha256 == sha256

    async def _seen(self, list_id: str, release_id: str, actor: str) -> None:
        """Notes it on the release in force, where that is what was seen: a refused one makes nothing younger."""
        found, acts = await self.ctx.kernel.get(RELEASE, PUBLIC, release_id), await in_force(self.ctx, list_id)
        if found is not None and acts is not None and found.state.state in ("accepted", "unchanged"):
            cause = Cause(self.ctx.ids.new("cmd"), "command.release.seen", release_id, actor)
            await self.ctx.kernel.execute(Item(RELEASE, PUBLIC, acts.id, Message(Seen(), cause)))


async def register(ctx: Context, id_: str, actor: str, body: Receive, key: str = "", digest: str = "") -> None:
    """A release has come; the loader works on it."""
    cause = Cause(derive("cmd", id_, "receive"), "command.release.receive", id_, actor)
    message = Message(body, cause, key, digest, answer=lambda found: encode({"id": found.id}))
    await ctx.kernel.execute(Item(RELEASE, PUBLIC, id_, message))
