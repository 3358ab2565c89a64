"""What `lists load` sends: one official file or archive as it is; a folder, or several files, as one zip with the publisher's names."""

import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO, Final, NamedTuple

from services.cli.failures import WrongUse

_ZIP: Final = b"PK"
_COMPRESSION_LEVEL: Final = 1  # lists shrink to a quarter even so; more only costs time


class Package(NamedTuple):
    """An open file, its bytes and its type."""

    file: BinaryIO
    size: int
    content_type: str


@contextmanager
def package(official: Sequence[str], paths: Sequence[Path]) -> Iterator[Package]:
    """The files at `paths` as one upload; `official` are the names that the publisher gives them, in any case."""
    if len(paths) == 1 and not paths[0].is_dir():
        with paths[0].open("rb") as file:
            is_zip = file.read(2) == _ZIP
            file.seek(0)
            yield Package(file, paths[0].stat().st_size, "application/zip" if is_zip else "application/octet-stream")
        return
    members = _members(official, paths)
    with TemporaryFile() as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=_COMPRESSION_LEVEL) as archive:
            for name, path in members.items():
                archive.write(path, name)
        size = file.tell()
        file.seek(0)
        yield Package(file, size, "application/zip")


def _members(official: Sequence[str], paths: Sequence[Path]) -> dict[str, Path]:
    """Files by their official name; others of a folder are passed over, others that were named are a mistake."""
    known = {name.casefold(): name for name in official}
    found: dict[str, Path] = {}
    for path in paths:
        for file in sorted(path.iterdir()) if path.is_dir() else [path]:
            name = known.get(file.name.casefold())
            if name in found:
                raise WrongUse(f"{name} is there twice")
            if name and file.is_file():
                found[name] = file
            elif not path.is_dir():
                raise WrongUse(f"{file.name} is no file of this list", f"Its files are {', '.join(official)}")
    if not found:
        raise WrongUse("The folder holds no file of this list", f"Its files are {', '.join(official)}")
    return found
