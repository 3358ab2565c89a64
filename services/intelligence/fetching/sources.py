"""Where a list is fetched from, where it is not its publisher's own addresses: the file that DUEWATCH_LISTS names, YAML by list id."""

from pathlib import Path
from typing import Annotated

import msgspec

from services.intelligence.lists.spec import ListFile, ListSpec
from shared.documents import read
from shared.errors import DuewatchError, Invalid, Unavailable

_KEY_HEADER = "X-API-KEY"  # as the US Department of Labor's API wants it: https://dataportal.dol.gov/user-guide
_Address = Annotated[str, msgspec.Meta(max_length=2_000)]


class Source(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One list's own settings.

    `address`: one file, or a zip with all; `files`: an address by role. `sha256`: of the one or the primary file, 64 hex digits or the address of
    a file that holds them. `key_file`: holds the key that goes as X-API-KEY. `max_age_days`: from when on the gate says that it is stale.
    """

    address: _Address = ""
    files: dict[str, _Address] = {}
    sha256: _Address = ""
    key_file: str = ""
    max_age_days: Annotated[float, msgspec.Meta(gt=0, le=3_650)] | None = None

    def key(self) -> dict[str, str]:
        """The header with the key, read anew each time so that it can be exchanged; never to be logged."""
        if not self.key_file:
            return {}
        try:
            key = Path(self.key_file).read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            raise Unavailable("The file with this list's key cannot be read; see key_file in DUEWATCH_LISTS") from None
        if not key.isprintable() or not 1 <= len(key) <= 1_000:
            raise Unavailable("The file with this list's key holds none; see key_file in DUEWATCH_LISTS")
        return {_KEY_HEADER: key}

    def wanted(self, spec: ListSpec) -> tuple[ListFile, ...]:
        """What to fetch: one file of role `all`, or the list's own; none where no address is known and the list is uploaded."""
        if self.address:
            return (ListFile(role="all", name="fetched", address=self.address),)
        files = tuple(msgspec.structs.replace(f, address=self.files.get(f.role, f.address)) for f in spec.files)
        return files if all(f.address for f in files) else ()


def of_file(name: str) -> dict[str, Source]:
    """What the file says, by list. Invalid or OSError where it is none; nothing for no file."""
    if not name:
        return {}
    try:
        return read(Path(name).read_text(encoding="utf-8"), dict[str, Source])
    except UnicodeDecodeError:
        raise Invalid("DUEWATCH_LISTS: the file is YAML in UTF-8") from None
    except DuewatchError as wrong:
        raise Invalid(f"DUEWATCH_LISTS: {wrong.detail}", errors=wrong.errors) from None
