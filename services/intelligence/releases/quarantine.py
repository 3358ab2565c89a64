"""The records of a release that became no entry, all of them, in a file beside its raw one: where each stands and why, never what it says."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import msgspec

from services.intelligence.lists.spec import Quarantined
from services.intelligence.releases.raw import raw_folder
from shared.errors import Malformed
from shared.kernel.service import Context

_decode = msgspec.json.Decoder(Quarantined).decode


def keep_quarantined(ctx: Context, release_id: str, rows: Iterator[Quarantined], told: int) -> list[Quarantined]:
    """Writes all of them down, and gives the first ones, `told` so many; where there are none, nothing is written."""
    first = list(islice(rows, told))
    if first:
        with _file(ctx, release_id).open("wb") as file:
            for part in (first, rows):
                file.writelines(msgspec.json.encode(row) + b"\n" for row in part)
    return first


def quarantined(ctx: Context, release_id: str, after: int, limit: int) -> tuple[list[Quarantined], int | None] | None:
    """At most `limit` of them from byte `after` of the file, and where to go on; None where nothing was written down."""
    try:
        file = _file(ctx, release_id).open("rb")
    except FileNotFoundError:
        return None
    with file:
        file.seek(max(0, after - 1))
        if after and file.read(1) != b"\n":
            raise Malformed("The cursor is not one of ours; take it from `next` as it is, or begin without one")
        rows = [_decode(line) for line in islice(file, limit)]
        return rows, file.tell() if file.peek(1) else None


def _file(ctx: Context, release_id: str) -> Path:
    return raw_folder(ctx) / f"{release_id}.quarantined.jsonl"
