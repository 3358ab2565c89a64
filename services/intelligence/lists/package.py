"""What was sent, or lies in a folder, to the official files of a list. Content decides: a zip archive, or the primary file alone; and which layout.

An archive is hostile until read: its members are found by name only, written under our own names, counted while they are unpacked, and nothing that it
says is repeated.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, NamedTuple, TypeVar

from services.intelligence.lists.spec import HEAD_BYTES, Layout, ListSpec
from shared.errors import Malformed, TooLarge

MAX_MEMBERS = 64
MAX_DIRECTORY = 64_000  # bytes of an archive's table of contents
MAX_RATIO = 100  # unpacked to packed; lists in text reach about 10
RATIO_FROM = 1_000_000  # unpacked bytes from which the ratio counts
CHUNK = 256 * 1024
_UNKNOWN = "The file is in none of the official layouts of this list"
_ARCHIVE = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_END = struct.Struct("<4s4H2LH")  # end of central directory, PKWARE APPNOTE 4.3.16
# What zipfile and zlib raise on bytes that are no sound archive (NotImplementedError is a RuntimeError, UnicodeDecodeError a ValueError).
_DAMAGE = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, RuntimeError)
_There = TypeVar("_There")


class Files(NamedTuple):
    """The official files of one layout, by role."""

    layout: Layout
    files: dict[str, Path]


def unpack(spec: ListSpec, sent: Path, work: Path) -> Files:
    """The official files in `sent`, an archive unpacked into the folder `work`; `Malformed` or `TooLarge` where it is not to be trusted.

    On failure `work` may hold parts: it is the caller's to remove.
    """
    with sent.open("rb") as file:
        if not (magic := file.read(4)):
            raise Malformed("The file is empty")
        if magic in _ARCHIVE:
            return _from_archive(spec, file, work)
    _check_size(spec, sent.stat().st_size)
    return _whole(_layout_of(spec, sent), {"primary": sent})


def from_folder(spec: ListSpec, folder: Path) -> Files:
    """The official files that lie in a folder, whatever the case of their names; others are passed over."""
    if not folder.is_dir():
        raise Malformed("There is no such folder")
    found: dict[str, Path] = {}
    official = {f.name.upper() for layout in spec.layouts for f in layout.files}
    for path in sorted(folder.iterdir()):
        name = path.name.upper()
        if name not in official or not path.is_file():
            continue
        if name in found:
            raise Malformed(f"The folder holds {name} twice, in different spellings")
        found[name] = path
    total = 0

    def take(name: str) -> Path:
        nonlocal total
        size = found[name].stat().st_size
        _check_size(spec, size)
        total += size
        _check_total(spec, total)
        return found[name]

    return _chosen(spec, {name: name for name in found}, take)


def _from_archive(spec: ListSpec, file: BinaryIO, work: Path) -> Files:
    _check_directory(file)
    try:
        archive = zipfile.ZipFile(file)
    except _DAMAGE as error:
        raise Malformed("The archive is damaged or cut off") from error
    total = 0

    def take(member: zipfile.ZipInfo) -> Path:
        nonlocal total
        if member.file_size > spec.max_file_bytes:
            raise TooLarge(f"A member of the archive is larger than {spec.max_file_bytes // 1_000_000} MB")
        target = work / official.get(member.filename.upper(), "primary")
        total += _extract(spec, archive, member, target, total)
        return target

    with archive:
        official = {f.name.upper(): f.name for layout in spec.layouts for f in layout.files}
        members = _members(archive)
        if len(members) == 1 and not members.keys() & official.keys():  # one file under a name of its own: a body like any other, packed
            path = take(next(iter(members.values())))
            return _whole(_layout_of(spec, path), {"primary": path})
        return _chosen(spec, members, take)


def _chosen(spec: ListSpec, there: dict[str, _There], take: Callable[[_There], Path]) -> Files:
    """The first layout whose primary file is `there` under its official name, in capitals, and is recognised, with its other files; else one that
    recognises such a file under the name of another layout's.

    A primary file that is the only one by its name and yet is not recognised goes to its reader, which says what is wrong with it.
    """
    named = [layout for layout in spec.layouts if layout.primary.name.upper() in there]
    if not named:
        raise Malformed(f"The primary file {' or '.join(layout.primary.name for layout in spec.layouts)} is missing")
    taken: dict[str, Path] = {}

    def complete(layout: Layout, primary: Path) -> Files:
        others = {f.role: take(there[f.name.upper()]) for f in layout.files if f.role != "primary" and f.name.upper() in there}
        return _whole(layout, {"primary": primary, **others})

    for layout in named:
        name = layout.primary.name.upper()
        if name not in taken:
            taken[name] = take(there[name])
        if layout.recognises(_head(taken[name])):
            return complete(layout, taken[name])
    for path in taken.values():
        for layout in spec.layouts:
            if layout.recognises(_head(path)):
                return complete(layout, path)
    if len(named) == 1:
        return complete(named[0], next(iter(taken.values())))
    raise Malformed(_UNKNOWN)


def _whole(layout: Layout, files: dict[str, Path]) -> Files:
    if lacking := [f.name for f in layout.files if f.required and f.role not in files]:
        raise Malformed(f"The file {lacking[0]} is missing")
    return Files(layout, files)


def _layout_of(spec: ListSpec, path: Path) -> Layout:
    """Of a file without a name; where a list has one layout only, its reader says what is wrong with it."""
    if len(spec.layouts) == 1:
        return spec.layouts[0]
    head = _head(path)
    for layout in spec.layouts:
        if layout.recognises(head):
            return layout
    raise Malformed(_UNKNOWN)


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(HEAD_BYTES)


def _check_directory(file: BinaryIO) -> None:
    """Refuses a table of contents that would fill the memory when `zipfile` reads it whole."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - _END.size - 0xFFFF - 20))
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END.size:
        raise Malformed("The archive is damaged or cut off")
    _, _, _, _, members, directory, _, _ = _END.unpack_from(tail, at)
    if members > MAX_MEMBERS or directory > MAX_DIRECTORY or tail[max(0, at - 20) : at].startswith(b"PK\x06\x07"):
        raise Malformed(
            f"The archive has more than {MAX_MEMBERS} members, a long table of contents or the ZIP64 format; send only the official files"
        )


def _members(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The members by name, in capitals, after all of them were found harmless."""
    infos = archive.infolist()
    if len(infos) > MAX_MEMBERS:
        raise Malformed(f"The archive has more than {MAX_MEMBERS} members; send only the official files")
    names = [info.orig_filename for info in infos]
    if any(mark in name for name in names for mark in ("/", "\\", ":", "..", "\0")):
        raise Malformed("The archive holds folders or paths; put the official files at its top")
    if len({name.upper() for name in names}) < len(names):
        raise Malformed("The archive holds two members of one name")
    if any(info.flag_bits & 0x41 for info in infos):  # encrypted, strongly encrypted
        raise Malformed("The archive is encrypted; send it without a password")
    if any(info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for info in infos):
        raise Malformed("The archive uses a compression other than deflate")
    return {info.filename.upper(): info for info in infos}


def _extract(spec: ListSpec, archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, before: int) -> int:
    """Bytes written; counted as they come, since the sizes that an archive declares are its own claims."""
    written = 0
    try:
        source = archive.open(member)
    except _DAMAGE as error:
        raise Malformed("The archive is damaged or cut off") from error
    with source, target.open("wb") as out:
        while True:
            try:
                chunk = source.read(CHUNK)
            except _DAMAGE as error:
                raise Malformed("The archive is damaged or cut off") from error
            if not chunk:
                return written
            written += len(chunk)
            _check_size(spec, written)
            _check_total(spec, before + written)
            if written > RATIO_FROM and written > MAX_RATIO * member.compress_size:
                raise TooLarge(f"The archive unpacks to more than {MAX_RATIO} times its size")
            out.write(chunk)


def _check_size(spec: ListSpec, size: int) -> None:
    if size > spec.max_file_bytes:
        raise TooLarge(f"A file of this list may have at most {spec.max_file_bytes // 1_000_000} MB")


def _check_total(spec: ListSpec, size: int) -> None:
    if size > spec.max_total_bytes:
        raise TooLarge(f"The files of this list may have at most {spec.max_total_bytes // 1_000_000} MB together")
