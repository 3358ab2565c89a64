"""What readers make their records with: one way to an entry's digest and to its names, whatever the list."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from typing import ParamSpec

import msgspec

from services.intelligence.lists.spec import Entry, Quarantined, Record
from shared.errors import Malformed
from shared.events.signals import ExposureSignal, PartySignal, Signal, SignalName, Source

MAX_NAME = 1000  # characters; OFAC's specification allows 350
_Given = ParamSpec("_Given")
_CANONICAL = msgspec.json.Encoder(order="sorted")


def entry(
    list_id: str,
    release_id: str,
    uid: str,
    subject: PartySignal | ExposureSignal,
    *,
    programs: tuple[str, ...] = (),
    remarks: str = "",
    listed_on: str | None = None,
) -> Entry:
    """One entry. Its digest is of all but the release, so that the same entry is equal from release to release: what has several values must come
    in an order that does not depend on the file. `listed_on`, the day its publisher put it there, is part of the remarks."""
    remarks = "; ".join(part for part in (f"Listed on {listed_on}" if listed_on else "", remarks) if part)
    source = Source(kind="list_entry", list=list_id, uid=uid, programs=programs)
    digest = hashlib.sha256(_CANONICAL.encode(Signal(subject=subject, source=source, remarks=remarks))).hexdigest()[:32]
    source = Source(kind="list_entry", list=list_id, uid=uid, release_id=release_id, programs=programs)
    return Entry(uid=uid, signal=Signal(subject=subject, source=source, remarks=remarks, digest=digest))


def party_names(primary: str, others: Iterable[SignalName]) -> tuple[SignalName, ...]:
    """The primary name first; a name that is given twice counts as the stronger one, and one beyond all bounds is cut there."""
    found: dict[str, SignalName] = {}
    for other in others:
        if len(other.name) > MAX_NAME:
            other = msgspec.structs.replace(other, name=other.name[:MAX_NAME].rstrip())
        known = found.get(other.name)
        if other.name not in ("", primary) and (known is None or _strength(other) < _strength(known)):
            found[other.name] = other
    return (SignalName(name=primary, kind="primary"), *(found[name] for name in sorted(found)))


def _strength(name: SignalName) -> tuple[bool, bool]:
    return name.weak, name.kind == "former"


def holding_records(reads: Callable[_Given, Iterator[Record]]) -> Callable[_Given, Iterator[Record]]:
    """The same reader; `Malformed` behind the last where none was an entry or quarantined: the file is another one than it seems. Of a file whose
    records are all quarantined the guard rail says what is wrong with them."""

    @wraps(reads)
    def read(*args: _Given.args, **named: _Given.kwargs) -> Iterator[Record]:
        any_record = False
        for record in reads(*args, **named):
            any_record = any_record or isinstance(record, Entry | Quarantined)
            yield record
        if not any_record:
            raise Malformed("The primary file holds no record of its layout")

    return read
