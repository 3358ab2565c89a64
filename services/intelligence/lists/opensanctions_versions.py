"""Versions of an OpenSanctions dataset: what its files say of them, and which deltas lead from the one in force to the newest. Pure but for small files.

`index.json` has `version` and `delta_url`; the document there has `versions`, each with the address of the changes that led to it, for a window of the
last ones. Versions begin with their time (`20241209074701-ofz`), so that their order is that of their text.
"""

import re
from itertools import pairwise
from pathlib import Path

import msgspec

from services.intelligence.lists.spec import About
from shared.errors import Malformed

MAX_BYTES = 8_000_000  # of an index
_VERSION = re.compile(r"\d{8,14}-[a-z0-9]{1,12}")
_DAY = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})")


class Delta(msgspec.Struct, frozen=True, kw_only=True):
    """The changes from one version to the next."""

    base: str
    version: str
    address: str


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How to come from the version in force to the newest: by all of it (`full`), or by deltas in this order; by nothing where it is the newest."""

    full: bool = False
    deltas: tuple[Delta, ...] = ()


class _Index(msgspec.Struct):
    version: str = ""
    base: str = ""
    last_export: str = ""
    delta_url: str | None = None


class _Deltas(msgspec.Struct):
    versions: dict[str, str]


def plan(deltas: bytes, in_force: str | None) -> Plan:
    """What to fetch, from the index of deltas (`delta.json`) and the version in force.

    All of it where none is in force, or one that the window of the index does not hold any more: what lies between is not known then.
    """
    try:
        told = msgspec.json.decode(deltas[:MAX_BYTES], type=_Deltas).versions
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise Malformed("The index of deltas is none: it has no versions with addresses") from error
    if any(not _VERSION.fullmatch(version) for version in told):
        raise Malformed("The index of deltas names a version that is none")
    versions = sorted(told)
    if in_force is None or in_force not in told:
        return Plan(full=True)
    steps = versions[versions.index(in_force) :]
    return Plan(deltas=tuple(Delta(base=base, version=version, address=told[version]) for base, version in pairwise(steps)))


def delta_index(index: bytes) -> tuple[str, str | None]:
    """The newest version, and the address of the index of deltas, from `index.json`."""
    told = _index(index)
    if not told.version:
        raise Malformed("index.json names no version")
    return told.version, told.delta_url


def said_in(path: Path) -> About:
    """What `index.json`, or the `version.json` beside a delta, says of a release."""
    with path.open("rb") as file:
        told = _index(file.read(MAX_BYTES + 1))
    day = _DAY.match(told.last_export or told.version)
    return About(dated="-".join(day.groups()) if day else None, version=told.version or None, base=told.base or None)


def _index(content: bytes) -> _Index:
    if len(content) > MAX_BYTES:
        raise Malformed(f"The index is longer than {MAX_BYTES // 1_000_000} MB")
    try:
        return msgspec.json.decode(content, type=_Index)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise Malformed("The index with the version is no JSON object") from error
