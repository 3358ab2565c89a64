"""The suppliers' side of the join in a file, kept between two runs: a start reads it, and from the log only what came since.

It says nothing that the log does not say: one that is torn, made by other code, or ahead of the store (somebody put an older one back) is
thrown away, and the log read from its beginning.
"""

import contextlib
import hashlib
import logging
import os
import sys
from collections.abc import Collection, Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path

import msgspec

from services.screening.join import Join
from services.screening.side import SupplierSide
from shared.events import suppliers
from shared.faults import crash_point

log = logging.getLogger("duewatch.screening")
_DIGEST = 32  # bytes in front
_FEW, _SHARE = 1_000, 0.1  # fewer new suppliers, or a smaller share of all, are read from the log again


class Snapshot(msgspec.Struct, frozen=True, array_like=True):
    """A side as it was when the log had been read up to these positions."""

    made_by: str
    positions: dict[str, int]
    side: SupplierSide


class Kept:
    """The files of a service's processes, one for each set of partitions that one held when it ended."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.behind = 0  # suppliers put into the join since it was kept

    def restore(self, join: Join, partitions: Collection[int], upto: Mapping[str, int]) -> Mapping[str, int]:
        """Puts what was kept of these partitions into a join that knows no suppliers; up to where in the log these are."""
        found = _read(self._path(partitions), _of(partitions, upto))
        if found is None:
            return {}
        join.restore(found.side)
        return found.positions

    def save(self, join: Join, partitions: Collection[int], upto: Mapping[str, int]) -> None:
        """Keeps the join's suppliers, if enough of them are new; `upto` is how far the log is read for certain."""
        if self.behind >= max(_FEW, len(join) * _SHARE):
            _write(self._path(partitions), Snapshot(_made_by(), _of(partitions, upto), join.side()))
            self.behind = 0

    def _path(self, partitions: Collection[int]) -> Path:
        return self._folder / f"suppliers-{'-'.join(map(str, sorted(partitions)))}.index"


def _of(partitions: Collection[int], upto: Mapping[str, int]) -> dict[str, int]:
    return {place: upto.get(place, 0) for place in (f"suppliers/{partition}" for partition in sorted(partitions))}


def _write(path: Path, snapshot: Snapshot) -> None:
    """In place of the last one. Where that fails, the next start takes longer: no reason to fail now."""
    draft = path.with_suffix(".part")
    try:
        body = msgspec.msgpack.encode(snapshot)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(_digest(body))
            file.write(body)
        crash_point("index-kept")
        draft.replace(path)
    except (OSError, ValueError) as error:
        log.warning("the index cannot be kept for the next start", extra={"error": type(error).__name__})
        with contextlib.suppress(OSError):
            draft.unlink()


def _read(path: Path, upto: Mapping[str, int]) -> Snapshot | None:
    """The one kept, where it is whole, of this code, of these places of the log and not ahead of them; else None, and it is gone."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        log.warning("the index of the last run cannot be read", extra={"error": type(error).__name__})
        return None
    found = _decoded(content)
    if found and found.made_by == _made_by() and _behind(found.positions, upto):
        return found
    log.info("the index of the last run does not fit; it is made anew from the log")
    path.unlink(missing_ok=True)
    return None


def _decoded(content: bytes) -> Snapshot | None:
    body = memoryview(content)[_DIGEST:]
    if content[:_DIGEST] != _digest(body):  # the disk may have kept half of it, and half an index would miss matches in silence
        return None
    try:
        return msgspec.msgpack.decode(body, type=Snapshot)
    except msgspec.MsgspecError:  # other code had other fields
        return None


def _behind(positions: Mapping[str, int], upto: Mapping[str, int]) -> bool:
    return positions.keys() == upto.keys() and all(positions[name] <= at for name, at in upto.items())


def _digest(body: bytes | memoryview) -> bytes:
    return hashlib.blake2b(body, digest_size=_DIGEST).digest()


@cache
def _made_by() -> str:
    """All that a name's comparable form depends on: screening's own source and what is compiled of it, the libraries that know scripts and legal forms, the machine's bytes."""
    source = hashlib.blake2b(digest_size=16)
    own = Path(__file__).parent
    for path in (Path(suppliers.__file__), *sorted(own.rglob("*.py")), *sorted(own.rglob("*.so"))):
        source.update(path.read_bytes())
    return " ".join((source.hexdigest(), version("rigour"), version("rapidfuzz"), sys.version, sys.byteorder))
