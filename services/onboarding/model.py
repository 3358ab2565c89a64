"""A supplier and its decisions: who we buy from, under which status, and who or what set that.

A profile is changed by people, programs and imports; a status by ratings and by people. Nothing changed is no event, so that a repeated
import costs screening nothing.
"""

import unicodedata
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec

from services.onboarding.profile import MOST_ACKNOWLEDGEMENTS, checked
from shared.errors import Conflict, NotFound
from shared.events.onboarding import SupplierRated
from shared.events.ratings import RatingChanged, Tier
from shared.events.suppliers import (
    CodeAcknowledged,
    ExternalRef,
    Identifier,
    Part,
    Profile,
    Status,
    StatusCause,
    SupplierChanged,
    SupplierRegistered,
    SupplierStatusChanged,
)
from shared.ids import derive
from shared.kernel.aggregate import Aggregate, Cause, Decided, Index, Message

STATUS_OF: dict[Tier, Status] = {"low": "active", "medium": "active", "high": "on_hold", "critical": "blocked", "prohibited": "blocked"}


class ImportRow(Part, frozen=True, kw_only=True, omit_defaults=True):
    """A row of an import, numbered from 1."""

    import_id: str
    row: int


class Acknowledgement(Part, frozen=True, kw_only=True, omit_defaults=True):
    """A version of our code of conduct, and who at the supplier put a name to it."""

    code_version: str
    acknowledged_by: str
    acknowledged_at: datetime


class Supplier(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A supplier's state. `tier` is that of the last rating told, None before one.

    `created_by` is the row that it came with, None where somebody registered it; `imported` the last row that changed it: how a row that comes
    a second time, after a crash, is known.
    """

    profile: Profile
    status: Status
    status_cause: StatusCause
    created_at: datetime
    updated_at: datetime
    tier: Tier | None = None
    acknowledgements: tuple[Acknowledgement, ...] = ()
    created_by: ImportRow | None = None
    imported: ImportRow | None = None


class Register(msgspec.Struct, frozen=True, kw_only=True):
    """A new supplier."""

    supplier_id: str
    profile: Profile


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """Replaces the fields of the profile that are given."""

    supplier_id: str
    fields: Mapping[str, Any]


class Take(msgspec.Struct, frozen=True, kw_only=True):
    """What a row of an import says of the supplier with this number: registers or changes it.

    `fields` replace; of identifiers those of `kinds` give way to `identifiers`; other external references stay.
    """

    supplier_id: str
    ref: ExternalRef
    fields: Mapping[str, Any]
    row: ImportRow
    kinds: frozenset[str] = frozenset()
    identifiers: tuple[Identifier, ...] = ()


class Deactivate(msgspec.Struct, frozen=True, kw_only=True):
    """We buy no more from it; no rating changes that."""

    reason: str


class Reactivate(msgspec.Struct, frozen=True, kw_only=True):
    """We buy from it again, as far as its last rating lets us."""

    reason: str


class Acknowledge(msgspec.Struct, frozen=True, kw_only=True):
    """It acknowledged a version of the code of conduct."""

    code_version: str
    acknowledged_by: str


def decide(state: Supplier | None, message: Message, now: datetime) -> Decided[Supplier] | None:
    """What becomes of a supplier by a command or a rating."""
    match message.body:
        case Take() as row:
            return _take(state, row, message.cause, now)
        case RatingChanged() as rating:
            return _rated(state, rating, message.cause, now) if state else None
        case Register(supplier_id=id_, profile=profile):
            if state is not None:
                raise Conflict("This supplier is registered already")
            return _registered(checked(profile, id_), message.cause, now)
    if state is None:
        raise NotFound("No supplier with this id")
    match message.body:
        case Change(supplier_id=id_, fields=fields):
            return _changed(state, msgspec.structs.replace(state.profile, **fields), id_, now)
        case Deactivate(reason=reason):
            return None if state.status == "inactive" else _moved(state, "inactive", _person(message.cause, reason), now)
        case Reactivate(reason=reason):
            wanted = STATUS_OF[state.tier or "low"]
            return _moved(state, wanted, _person(message.cause, reason), now) if state.status == "inactive" else None
        case Acknowledge() as said:
            return _acknowledged(state, said, now)
    raise TypeError(f"a supplier does not understand {type(message.body).__name__}")


def row_seen(state: Supplier, row: ImportRow) -> bool:
    """Whether this row, or a later one of its import, has changed the supplier already."""
    return state.imported is not None and state.imported.import_id == row.import_id and state.imported.row >= row.row


def _take(state: Supplier | None, said: Take, cause: Cause, now: datetime) -> Decided[Supplier] | None:
    if state is None:
        profile = Profile(**{"external_refs": (said.ref,), **said.fields, "identifiers": said.fields.get("identifiers", said.identifiers)})
        return _registered(checked(profile, said.supplier_id), cause, now, said.row)
    if row_seen(state, said.row):
        return None
    old = state.profile
    fields = dict(said.fields)
    if said.ref not in fields.get("external_refs", old.external_refs):
        fields["external_refs"] = (*old.external_refs, said.ref)
    if said.kinds:
        kept = tuple(i for i in old.identifiers if i.kind not in said.kinds)
        merged = (*kept, *said.identifiers)
        fields["identifiers"] = old.identifiers if set(merged) == set(old.identifiers) else merged
    return _changed(state, msgspec.structs.replace(old, **fields), said.supplier_id, now, said.row)


def _registered(profile: Profile, cause: Cause, now: datetime, row: ImportRow | None = None) -> Decided[Supplier]:
    set_by = StatusCause(id=cause.id, type=cause.type, actor=cause.actor)
    new = Supplier(profile=profile, status="active", status_cause=set_by, created_at=now, updated_at=now, created_by=row, imported=row)
    return Decided(new, (SupplierRegistered(profile=profile),))


def _changed(state: Supplier, profile: Profile, supplier_id: str, now: datetime, row: ImportRow | None = None) -> Decided[Supplier] | None:
    profile = checked(profile, supplier_id)
    if profile == state.profile:
        return None
    new = msgspec.structs.replace(state, profile=profile, updated_at=now, imported=row or state.imported)
    return Decided(new, (SupplierChanged(profile=profile, status=state.status),))


def _rated(state: Supplier, rating: RatingChanged, cause: Cause, now: datetime) -> Decided[Supplier] | None:
    if rating.tier == state.tier:
        return None
    rated = msgspec.structs.replace(state, tier=rating.tier)
    noted = SupplierRated(tier=rating.tier, rating_event=cause.id)
    wanted = STATUS_OF[rating.tier]
    if state.status in ("inactive", wanted):
        return Decided(rated, (noted,))
    new, events = _moved(rated, wanted, StatusCause(id=cause.id, type=cause.type), now)
    return Decided(new, (noted, *events))


def _moved(state: Supplier, status: Status, cause: StatusCause, now: datetime) -> Decided[Supplier]:
    new = msgspec.structs.replace(state, status=status, status_cause=cause, updated_at=now)
    return Decided(new, (SupplierStatusChanged(profile=state.profile, status=status, cause=cause),))


def _person(cause: Cause, reason: str) -> StatusCause:
    return StatusCause(id=cause.id, type=cause.type, actor=cause.actor, reason=reason)


def _acknowledged(state: Supplier, said: Acknowledge, now: datetime) -> Decided[Supplier] | None:
    if acknowledgement(state, said.code_version, said.acknowledged_by):
        return None
    if len(state.acknowledgements) >= MOST_ACKNOWLEDGEMENTS:
        raise Conflict(f"A supplier has at most {MOST_ACKNOWLEDGEMENTS} acknowledgements")
    new = Acknowledgement(code_version=said.code_version, acknowledged_by=said.acknowledged_by, acknowledged_at=now)
    told = CodeAcknowledged(
        profile=state.profile, status=state.status, code_version=new.code_version, acknowledged_by=new.acknowledged_by, acknowledged_at=now
    )
    return Decided(msgspec.structs.replace(state, acknowledgements=(*state.acknowledgements, new), updated_at=now), (told,))


def acknowledgement(state: Supplier, code_version: str, acknowledged_by: str) -> Acknowledgement | None:
    """That of this version by this person, where there is one."""
    return next((a for a in state.acknowledgements if (a.code_version, a.acknowledged_by) == (code_version, acknowledged_by)), None)


def fold(text: str) -> str:
    """Text as `q=` compares it: without case and accents, widths and ligatures of Unicode (NFKD) levelled."""
    if text.isascii():
        return text.lower()
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


def ref_key(system: str, number: str) -> str:
    """How the index `external_ref` spells a reference; a system's name holds no colon."""
    return f"{system}:{number}"


def supplier_id_of(tenant: str, system: str, number: str) -> str:
    """The id of a supplier that comes with an import: equal for equal numbers, so that a repeated row finds it.

    Neighbouring numbers get neighbouring ids: a file in the order of its numbers then writes few pages of each index, and imports
    faster. 80 bits are the number's own.
    """
    return _neighbourhood(tenant, system, number[:-3]) + derive("", tenant, system, number)[1:21]


@lru_cache(maxsize=4096)
def _neighbourhood(tenant: str, system: str, begin: str) -> str:
    return derive("sup", tenant, system, begin)[:10]


def _refs(state: Supplier) -> tuple[str, ...]:
    return tuple(ref_key(r.system, r.number) for r in state.profile.external_refs)


def _names(state: Supplier) -> str:
    return fold("\n".join((state.profile.name, *(n.name for n in state.profile.other_names))))


SUPPLIERS: Aggregate[Supplier] = Aggregate(
    "supplier",
    Supplier,
    decide,
    indexes=(
        Index("external_ref", _refs, many=True, unique=True),
        Index("name_folded", _names),
        Index("status", lambda s: s.status),
        Index("country", lambda s: s.profile.country),
        Index("tier", lambda s: s.tier or "low"),  # who was never rated worse is not told as low: it is no news
    ),
)
