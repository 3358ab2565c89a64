"""What onboarding tells: every event carries the supplier's whole profile, so that the last one is enough."""

from datetime import datetime
from decimal import Decimal
from typing import Literal

import msgspec

from shared.events.envelope import Payload, event

Status = Literal["active", "on_hold", "blocked", "inactive"]


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Base of the parts of a profile."""


class ExternalRef(Part, frozen=True, kw_only=True, omit_defaults=True):
    """The supplier's number in a procurement system."""

    system: str
    number: str


class OtherName(Part, frozen=True, kw_only=True, omit_defaults=True):
    name: str
    kind: Literal["trade", "local", "former"]


class Identifier(Part, frozen=True, kw_only=True, omit_defaults=True):
    kind: Literal["lei", "vat", "duns", "gln", "register", "tax"]
    value: str
    country: str | None = None


class Address(Part, frozen=True, kw_only=True, omit_defaults=True):
    text: str | None = None
    city: str | None = None
    country: str | None = None


class Site(Part, frozen=True, kw_only=True, omit_defaults=True):
    name: str
    country: str
    region: str | None = None  # ISO 3166-2
    address: str | None = None


class Owner(Part, frozen=True, kw_only=True, omit_defaults=True):
    name: str
    kind: Literal["person", "organisation"]
    country: str | None = None
    percent: Decimal | None = None  # 0..100 of the shares
    supplier_id: str | None = None  # where the owner is a supplier, too
    birth_date: str | None = None  # of a person; ISO 8601, reduced to the month or the year where no more is known


class Upstream(Part, frozen=True, kw_only=True, omit_defaults=True):
    supplier_id: str


class SourcedGood(Part, frozen=True, kw_only=True, omit_defaults=True):
    """A good (HS code) with its country, and perhaps region, of origin."""

    hs: str
    origin: str
    region: str | None = None


class Profile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """All that screening and assessment need to know of a supplier."""

    name: str
    country: str
    external_refs: tuple[ExternalRef, ...] = ()
    other_names: tuple[OtherName, ...] = ()
    identifiers: tuple[Identifier, ...] = ()
    addresses: tuple[Address, ...] = ()
    sites: tuple[Site, ...] = ()
    owners: tuple[Owner, ...] = ()
    upstream: tuple[Upstream, ...] = ()
    goods: tuple[SourcedGood, ...] = ()


class StatusCause(Part, frozen=True, kw_only=True, omit_defaults=True):
    """Who or what set a status: a rating (event id), or a person."""

    id: str
    type: str
    actor: str = ""
    reason: str = ""


class SupplierEvent(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """Base: the subject is the supplier's id."""

    profile: Profile
    status: Status = "active"


@event("supplier.registered.v1", "suppliers")
class SupplierRegistered(SupplierEvent, frozen=True, kw_only=True, omit_defaults=True):
    """A new supplier."""


@event("supplier.changed.v1", "suppliers")
class SupplierChanged(SupplierEvent, frozen=True, kw_only=True, omit_defaults=True):
    """Its profile changed."""


@event("supplier.status_changed.v1", "suppliers")
class SupplierStatusChanged(SupplierEvent, frozen=True, kw_only=True, omit_defaults=True):
    """A rating or a person put it on hold, blocked it, let it go on, or ended it."""

    cause: StatusCause


@event("supplier.code_acknowledged.v1", "suppliers")
class CodeAcknowledged(SupplierEvent, frozen=True, kw_only=True, omit_defaults=True):
    """It acknowledged a version of the code of conduct."""

    code_version: str
    acknowledged_by: str
    acknowledged_at: datetime
