"""How documents lie in MongoDB: one collection a kind, the declared index fields beside the state, and the entries that made them; the journal of what came
later; and batches whose events are not known to be told.

Ids carry their tenant (`tenant US id`), so that no query can leave it out, and pages of a tenant are a range of `_id`. So do values of `many`,
unique and ordered fields, whose index is then a plain one; that of unique ones is sparse, for a document without a value must not be one of its double.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from bson import Timestamp
from bson.objectid import ObjectId

from shared.kernel.journal import JournalRow
from shared.store.port import LAST, Collection, Field, Stored, Write

US: Final = "\x1f"
_NOW: Final = Timestamp(0, 0)  # for which the server puts its own clock, where a document comes new
_BEHIND: Final = " "  # the character after US: all ids of a tenant lie between them
Document = dict[str, Any]


def place(tenant: str, id_: str) -> str:
    """The `_id` of a document, and how a tenant's value of an indexed field is written."""
    return f"{tenant}{US}{id_}"


def pages(tenant: str, after: str = "") -> Document:
    """All `_id` of a tenant behind one."""
    return {"$gt": place(tenant, after), "$lt": f"{tenant}{_BEHIND}"}


def behind(tenant: str, name: str, begins: str, after: tuple[str, str] | None) -> Document:
    """The documents whose value of an ordered field begins so, from behind (value, id)."""
    field, value = f"f_{name}", after[0] if after else begins
    query: Document = {field: {"$gte": place(tenant, value), "$lt": place(tenant, begins + LAST)}}
    return {**query, "$or": [{field: {"$gt": place(tenant, value)}}, {"_id": {"$gt": place(tenant, after[1])}}]} if after else query


def entry_id(kind: str, tenant: str, subject: str, version: int, n: int) -> str:
    """The `_id` of a journal entry: those of one aggregate are a range, oldest first."""
    return US.join((kind, tenant, subject, f"{version:012d}", f"{n:06d}"))


def entries_of(kind: str, tenant: str, subject: str, after: tuple[int, int] = (0, -1)) -> Document:
    """All `_id` of an aggregate's journal entries behind (version, n)."""
    behind = entry_id(kind, tenant, subject, *after) if after[1] >= 0 else US.join((kind, tenant, subject, f"{after[0]:012d}", ""))
    return {"$gt": behind, "$lt": US.join((kind, tenant, subject)) + _BEHIND}


def prefixed(field: Field) -> bool:
    """Are its values written with their tenant?"""
    return field.many or field.unique or field.ordered


def asked(fields: Mapping[str, Field], tenant: str, name: str, value: Any) -> tuple[str, Any]:
    """A field and the value to ask it for."""
    return f"f_{name}", place(tenant, str(value)) if prefixed(fields[name]) and value is not None else value


def _values(write: Write, fields: Iterable[Field]) -> tuple[Document, list[str]]:
    """Index fields to be set, and those that hold nothing any more; `many` ones of None stay as they are."""
    put: Document = {}
    empty: list[str] = []
    for field in fields:
        name = f"f_{field.name}"
        value: Any = None
        if not field.many:
            value = write.single.get(field.name)
            value = place(write.tenant, str(value)) if prefixed(field) and value is not None else value
        elif write.many is None:
            continue
        else:
            value = [place(write.tenant, str(one)) for one in write.many.get(field.name, ())] or None
        if value is None:
            empty.append(name)
        else:
            put[name] = value
    return put, empty


def contents(write: Write, fields: Sequence[Field], token: ObjectId) -> tuple[Document, list[str]]:
    """What a write sets, with its batch, and what it takes away."""
    put, empty = _values(write, fields)
    put |= {"v": write.version, "s": write.state, "h": write.head, "n": write.notes, "by": token}
    if write.wake_at is None:
        empty.append("w")
    else:
        put["w"] = write.wake_at
    return put, empty


def new_document(write: Write, put: Document) -> Document:
    """A document that was not there before, with the batch that makes it (`made`) and its entries, whose place is here and not in the journal. The
    server writes its own clock into `ts`, which never goes back: the order of the journal."""
    first = [_entry(row) for row in write.rows]
    return {
        "_id": place(write.tenant, write.id), "t": write.tenant, "i": write.id, **put, "made": put["by"], "ts": _NOW, "first": first,
    }  # fmt: skip


def first(kind: str, found: Document) -> list[Document]:
    """The entries that made a document, as the journal has others; none where an earlier version of this code made it."""
    tenant, subject = found["t"], found["i"]
    return [
        {"_id": entry_id(kind, tenant, subject, one["version"], one["n"]), "kind": kind, "tenant": tenant, "subject": subject, **one}
        for one in found.get("first", ())
    ]


def stored(found: Document) -> Stored:
    """A document as the port gives it."""
    return Stored(found["t"], found["i"], found["v"], found["s"], found["h"], found["n"], found.get("w"))


def entry_of(row: JournalRow) -> str:
    """The `_id` of a row's entry."""
    return entry_id(row.kind, row.tenant, row.subject, row.version, row.n)


def subject_of(entry: str) -> tuple[str, str, str]:
    """The kind, tenant and id of whose entry an `_id` is."""
    kind, tenant, subject, _, _ = entry.split(US)
    return kind, tenant, subject


def _entry(row: JournalRow) -> Document:
    return {
        "version": row.version, "n": row.n, "type": row.type, "meta": row.meta, "data": row.data, "salt": row.salt, "digest": row.digest,
        "hash": row.hash,
    }  # fmt: skip


def _whole_entry(row: JournalRow) -> Document:
    return {"_id": entry_of(row), "kind": row.kind, "tenant": row.tenant, "subject": row.subject, **_entry(row)}


def announced(row: JournalRow, *, new: bool) -> Document:
    """An entry as its batch has it, with where it is told. That of a new document will be there, and is only named."""
    named = {"_id": entry_of(row)} if new else _whole_entry(row)
    return {**named, "topic": row.topic, "partitions": list(row.partitions), "key": row.key}


def kept_entry(row: JournalRow, token: ObjectId) -> Document:
    """An entry as the journal has it, with its batch; `ts` as in a new document."""
    return {**_whole_entry(row), "by": token, "ts": _NOW}


def row(found: Document) -> JournalRow:
    """A journal entry as the port gives it; where it is told is known of those in a batch only."""
    return JournalRow(
        found["kind"], found["tenant"], found["subject"], found["version"], found["n"], found["type"], found["meta"], found["data"],
        found["salt"], found["digest"], found["hash"], found.get("topic"), tuple(found.get("partitions", ())), found.get("key"),
    )  # fmt: skip


def indexes(collection: Collection) -> list[tuple[list[tuple[str, int]], dict[str, Any]]]:
    """Keys and options of the indexes that a collection must have."""
    made: list[tuple[list[tuple[str, int]], dict[str, Any]]] = [([("w", 1)], {"sparse": True}), ([("ts", 1)], {"sparse": True})]
    for field in collection.fields:
        name = f"f_{field.name}"
        if field.unique:
            made.append(([(name, 1)], {"sparse": True, "unique": True}))
        else:
            made.append(([(name, 1), ("_id", 1)], {}))
    return made


def moment(at: datetime) -> Timestamp:
    """A time of the journal's order."""
    return Timestamp(int(at.timestamp()), 0)
