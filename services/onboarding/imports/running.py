"""The work of imports: one file after the other, tenants taking turns, batch by batch, from where a crash left it.

A batch is one commit of its suppliers. How far the import is becomes known with the next commit, when the results of the batch are on disk:
so a crash repeats at most two batches, whose rows their suppliers recognise.
"""

import asyncio
import logging
import os
import time
import traceback
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO

import msgspec

from services.onboarding.imports.applying import Applier, Rehearsal, Result, refused
from services.onboarding.imports.files import Files, Waiting
from services.onboarding.imports.model import IMPORTS, Advance, End, Import
from services.onboarding.imports.records import Lines, Unreadable, begin, csv_header, csv_records, text_records
from services.onboarding.imports.rows import CsvRows, Refused, Row, read_json
from shared.events.onboarding import Counts
from shared.faults import crash_point
from shared.ids import derive
from shared.kernel.aggregate import Cause, Item, Message
from shared.kernel.kernel import document
from shared.kernel.reactor import TRANSIENT
from shared.kernel.service import Context, Task
from shared.telemetry import tracing
from shared.telemetry.metrics import count_rows

log = logging.getLogger("duewatch.imports")
_DAY_S = 86_400.0
_TIDY_S = 60.0
_ATTEMPTS = 3
_PAUSE_S = 1.0
_BATCH_BYTES = 8_000_000  # of a file, and a row more: large rows come in smaller batches
_FAR_BEHIND = 2_000  # suppliers: less than a second of screening
_LOOKED_AT = 20  # lines that tell whether a file is NDJSON at all; one bad row among them costs no other
_GONE = "The stored file is not there any more"
_encoder = msgspec.json.Encoder()


class Importer:
    """Takes waiting imports; `step` does one of them whole, `run` goes on for ever. `batch`: rows of a commit. Dealt out to two screening workers
    each of them gets somewhat less than a slice (shared.bus.kafka)."""

    def __init__(self, ctx: Context, batch: int = 1000) -> None:
        self._ctx, self._batch, self._files = ctx, batch, Files(ctx.folder)
        self._failures: dict[str, int] = {}
        self._turns: dict[str, int] = {}  # tenant -> when it had its last turn

    async def run(self) -> None:
        """Works on what waits, until cancelled."""
        await self.end_lost()
        waits, tidied = self._ctx.nudged(), float("-inf")
        while True:
            if time.monotonic() - tidied > _TIDY_S:
                self._files.discard_parts(_TIDY_S, time.time())
                tidied = time.monotonic()
            if not await self.step():
                await waits.wait(1.0)

    async def end_lost(self) -> None:
        """Imports whose file somebody took away, and which would wait for ever. Looked for at start only.

        Each file is looked for after its import was read: it is there before its import is, and others go on receiving.
        """
        async for stored in self._ctx.store.documents(IMPORTS.kind):
            state = document(IMPORTS, stored).state
            if state.state == "running" and not self._files.upload(state.upload).exists():
                await self._end(Waiting(state.upload, stored.tenant, stored.id), _GONE)

    async def step(self) -> bool:
        """Works on the import that has waited longest, of the tenant that has; False where none waits.

        So a tenant's many files stand before another's one only while the one that is under way is read.
        """
        for waiting in sorted(self._files.waiting(), key=lambda w: (self._turns.get(w.tenant, 0), w.name)):
            found = await self._ctx.kernel.get(IMPORTS, waiting.tenant, waiting.import_id)
            if found is not None and found.state.upload == waiting.name and found.state.state == "running":
                self._turns[waiting.tenant] = max(self._turns.values(), default=0) + 1
                # One step for the whole file: its rows are caused by it, and none has one of its own.
                with tracing.step("import suppliers", parent=found.traceparent, attributes={"duewatch.import.mode": found.state.mode}):
                    await self._guarded(waiting, found.state)
                return True
            ended = found is not None and found.state.upload == waiting.name
            if ended or self._files.age_s(waiting.name, self._ctx.clock.now()) > _DAY_S:  # else its import may just be on its way
                self._files.discard(waiting.name)
        return False

    async def _guarded(self, waiting: Waiting, state: Import) -> None:
        """One import that fails never stops those behind it."""
        try:
            await _Run(self._ctx, self._files, waiting, state, self._batch).whole()
        except Unreadable as reason:
            await self._end(waiting, str(reason))
        except TRANSIENT as error:
            log.warning("import waits", extra={**_whose(waiting), "error": type(error).__name__})
            await asyncio.sleep(_PAUSE_S)
        except Exception as error:  # a defect of ours: tried again, for it may have been the moment's, then told
            self._failures[waiting.import_id] = failures = self._failures.get(waiting.import_id, 0) + 1
            place = traceback.extract_tb(error.__traceback__)[-1]
            log.error("import failed", extra={**_whose(waiting), "times": failures, "error": type(error).__name__, "at": place.name})
            if failures >= _ATTEMPTS:
                await self._end(waiting, "An internal error, which our log names; rows before it stand")
            else:
                await asyncio.sleep(_PAUSE_S)
        else:
            self._files.discard(waiting.name)

    async def _end(self, waiting: Waiting, reason: str) -> None:
        self._failures.pop(waiting.import_id, None)
        await self._ctx.kernel.execute(_item(waiting, End(state="failed", reason=reason), "end"))
        self._files.discard(waiting.name)


def _whose(waiting: Waiting) -> dict[str, str]:
    """What a log carries of an import; its id is the correlation of all that it causes."""
    return {"tenant": waiting.tenant, "correlation": waiting.import_id}


def _item(waiting: Waiting, body: Advance | End, name: str, at: int = 0) -> Item:
    cause = Cause(derive("cmd", waiting.import_id, name, str(at)), f"command.import-{name}", correlation=waiting.import_id)
    return Item(IMPORTS, waiting.tenant, waiting.import_id, Message(body, cause))


class _Run:
    """One import from where it stands to its end."""

    def __init__(self, ctx: Context, files: Files, waiting: Waiting, state: Import, batch: int) -> None:
        self._ctx, self._files, self._waiting, self._batch = ctx, files, waiting, batch
        self._dry = state.mode == "dry_run"
        if self._dry:  # begins anew: what it would have written is not remembered
            state = msgspec.structs.replace(state, counts=Counts(), offset=0, results_bytes=0)
        self._state = state
        apply = Rehearsal(ctx, waiting.tenant).apply if self._dry else ctx.kernel.apply_many
        self._applier = Applier(ctx, waiting.tenant, waiting.import_id, state, apply)

    async def whole(self) -> None:
        """Reads all rows that are left."""
        state, loop = self._state, asyncio.get_running_loop()
        counts, offset, written = state.counts, state.offset, state.results_bytes
        progress = [self._advance(counts, offset, written)]
        with self._open() as file, self._files.open_results(self._waiting.import_id, state.results_bytes) as results:
            rows = _rows(file, state)
            synced: asyncio.Future[None] | None = None
            while batch := _taken(rows, self._batch, offset + _BATCH_BYTES):
                if synced is not None:
                    await synced
                told = await self._apply(batch, counts.rows + 1, progress)
                counts = _added(counts, told)
                count_rows([one.outcome for one in told])
                written += results.write(b"".join(_encoder.encode(one) + b"\n" for one in told))
                synced = loop.run_in_executor(None, _sync, results)  # beside the reading of the next batch
                offset = batch[-1][0]
                progress = [self._advance(counts, offset, written)]
                crash_point("import-batch")
                await self._keep_pace()
            if synced is not None:
                await synced
        await self._ctx.kernel.apply_many([*progress, _item(self._waiting, End(state="done"), "end")], strict=True)

    async def _keep_pace(self) -> None:
        """Waits while screening is far behind: what piles up there would stand before everybody's next supplier."""
        waits = self._ctx.nudged()
        await asyncio.sleep(0)
        while await self._ctx.bus.behind("screening", "suppliers") > _FAR_BEHIND:
            await waits.wait(0.1)

    def _open(self) -> BinaryIO:
        try:
            file = self._files.upload(self._waiting.name).open("rb", buffering=1 << 20)
        except (FileNotFoundError, PermissionError):
            raise Unreadable(_GONE) from None
        if os.fstat(file.fileno()).st_size != self._state.size:
            file.close()
            raise Unreadable("The stored file is not as it was received")
        return file

    def _advance(self, counts: Counts, offset: int, results_bytes: int) -> Item:
        body = Advance(counts=counts, offset=offset, results_bytes=results_bytes)
        return _item(self._waiting, body, "advance", counts.rows)

    async def _apply(self, batch: "list[tuple[int, Row | Refused]]", first: int, progress: list[Item]) -> list[Result]:
        """Results in the order of the rows; those at fault never reach a supplier."""
        numbered = list(enumerate((row for _, row in batch), first))
        good = [(n, row) for n, row in numbered if isinstance(row, Row)]
        if self._dry:
            await self._ctx.kernel.apply_many(progress)
        applied = iter(await self._applier.results(good, () if self._dry else progress))
        return [next(applied) if isinstance(row, Row) else refused(n, row.number, row.faults) for n, row in numbered]


def _rows(file: BinaryIO, state: Import) -> "Iterator[tuple[int, Row | Refused]]":
    """The rows from where the import stands, each with the offset behind it."""
    lines = begin(file)
    if state.format == "csv":
        columns = csv_header(lines)
        parser = CsvRows(columns)
        for record in csv_records(Lines(file, state.offset) if state.offset else lines, columns):
            yield record.end, Refused([record.fault]) if record.fault else parser.read(record.cells)
        return
    if not any((lines.peek(n) or b"").lstrip().startswith(b"{") for n in range(_LOOKED_AT)):
        raise Unreadable(f"None of the first {_LOOKED_AT} lines is a JSON object")
    for record in text_records(Lines(file, state.offset) if state.offset else lines):
        yield record.end, Refused([record.fault]) if record.fault else read_json(record.text, state.source_system)


def _taken(rows: "Iterator[tuple[int, Row | Refused]]", most: int, upto: int) -> "list[tuple[int, Row | Refused]]":
    """The next rows, at most so many, up to the one that ends at or behind an offset."""
    taken = []
    for offset, row in islice(rows, most):
        taken.append((offset, row))
        if offset >= upto:
            break
    return taken


def _added(counts: Counts, told: list[Result]) -> Counts:
    words = [one.outcome for one in told]
    return Counts(
        created=counts.created + words.count("created"),
        updated=counts.updated + words.count("updated"),
        unchanged=counts.unchanged + words.count("unchanged"),
        rejected=counts.rejected + words.count("rejected"),
    )


def _sync(file: BinaryIO) -> None:
    file.flush()
    os.fdatasync(file.fileno())


def tasks(ctx: Context) -> list[Task]:
    """One importer, in the process for heavy work."""
    return [Task("supplier-imports", "bulk", Importer(ctx).run)]
