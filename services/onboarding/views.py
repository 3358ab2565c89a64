"""Suppliers as the HTTP interface has them: bodies that come in, the answer that goes out."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

import msgspec
from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from services.onboarding.model import Acknowledgement, Supplier
from services.onboarding.profile import MOST
from shared.errors import Invalid
from shared.events import suppliers as part
from shared.events.envelope import encode
from shared.events.ratings import Tier
from shared.http.application import Body
from shared.http.checks import check_region, clean_name, clean_text
from shared.http.parties import IdentifierBody
from shared.http.strings import BirthDate, Country, HsCode, Name, Percent, Region
from shared.kernel.aggregate import Document

MAX_NUMBER_CHARS = 100
MAX_ADDRESS_CHARS = 1000


def _own(error: Invalid) -> PydanticCustomError:
    """One of our own refusals as Pydantic collects them."""
    return PydanticCustomError("duewatch", "{message}", {"message": error.errors[0]["message"]})


def _number(value: str) -> str:
    try:
        return clean_name(value, most=MAX_NUMBER_CHARS)
    except Invalid as error:
        raise _own(error) from None


def _address(value: str) -> str:
    try:
        return clean_text(value, most=MAX_ADDRESS_CHARS)
    except Invalid as error:
        raise _own(error) from None


System = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,49}$", examples=["S4"])]  # no colon: it parts system and number
Number = Annotated[str, AfterValidator(_number), Field(examples=["100001"])]
SupplierId = Annotated[str, Field(pattern=r"^sup_[0-9a-z]{26}$")]
AddressText = Annotated[str, AfterValidator(_address)]


class _InCountry(Body):
    """Base of what has a region that must lie in its country."""

    def _check_region(self, region: str | None, country: str) -> None:
        if region is not None:
            try:
                check_region(region, country=country)
            except Invalid as error:
                raise _own(error) from None


class ExternalRefBody(Body):
    """The supplier's number in a procurement system."""

    system: System
    number: Number


class OtherNameBody(Body):
    name: Name
    kind: Literal["trade", "local", "former"]


class AddressBody(Body):
    text: AddressText | None = None
    city: Name | None = None
    country: Country | None = None


class SiteBody(_InCountry):
    name: Name
    country: Country
    region: Region | None = None
    address: AddressText | None = None

    @model_validator(mode="after")
    def _checked(self) -> Self:
        self._check_region(self.region, self.country)
        return self


class OwnerBody(Body):
    name: Name
    kind: Literal["person", "organisation"]
    country: Country | None = None
    percent: Percent | None = None
    supplier_id: SupplierId | None = None
    birth_date: Annotated[BirthDate | None, Field(description="of a person; the month or the year alone where no more is known")] = None


class UpstreamBody(Body):
    supplier_id: SupplierId


class GoodBody(_InCountry):
    hs: HsCode
    origin: Country
    region: Region | None = None

    @model_validator(mode="after")
    def _checked(self) -> Self:
        self._check_region(self.region, self.origin)
        return self


class ProfileLists(Body):
    """The lists of a profile; each that is given replaces the one that stands."""

    external_refs: list[ExternalRefBody] = Field([], max_length=MOST["external_refs"])
    other_names: list[OtherNameBody] = Field([], max_length=MOST["other_names"])
    identifiers: list[IdentifierBody] = Field([], max_length=MOST["identifiers"])
    addresses: list[AddressBody] = Field([], max_length=MOST["addresses"])
    sites: list[SiteBody] = Field([], max_length=MOST["sites"])
    owners: list[OwnerBody] = Field([], max_length=MOST["owners"])
    upstream: list[UpstreamBody] = Field([], max_length=MOST["upstream"])
    goods: list[GoodBody] = Field([], max_length=MOST["goods"])

    def stated(self) -> dict[str, Any]:
        """The fields that were given, as a Profile has them."""
        return {name: _part(name, getattr(self, name)) for name in self.model_fields_set}


class SupplierBody(ProfileLists):
    """A supplier to be registered."""

    name: Name
    country: Country


class ChangeBody(ProfileLists):
    """What changes of a supplier."""

    name: Name = ""
    country: Country = ""


class ReasonBody(Body):
    """Why somebody decides so."""

    reason: Annotated[str, AfterValidator(_address)]


class AcknowledgementBody(Body):
    """A version of the code of conduct, and the person who acknowledged it for the supplier."""

    code_version: Name
    acknowledged_by: Name


_PARTS: dict[str, type[part.Part]] = {
    "external_refs": part.ExternalRef,
    "other_names": part.OtherName,
    "identifiers": part.Identifier,
    "addresses": part.Address,
    "sites": part.Site,
    "owners": part.Owner,
    "upstream": part.Upstream,
    "goods": part.SourcedGood,
}


def _part(name: str, value: Any) -> Any:
    kind = _PARTS.get(name)
    if kind is None:
        return value
    return tuple(kind(**{f: getattr(one, f) for f in one.model_fields_set}) for one in value)


class StatusCauseView(Body):
    """The rating (event) or the person and reason that set a status."""

    id: str
    type: str
    actor: str = ""
    reason: str = ""


class AcknowledgementView(AcknowledgementBody):
    acknowledged_at: datetime


class SupplierView(SupplierBody):
    """A supplier as it is read."""

    id: str
    version: int
    status: part.Status
    status_cause: StatusCauseView
    tier: Tier | None = Field(None, description="of its last rating; null where none was worse than low")
    code_acknowledgements: list[AcknowledgementView] = []
    created_at: datetime
    updated_at: datetime
    import_id: str | None = Field(None, description="the import that it came with")


class _View(msgspec.Struct, frozen=True, kw_only=True):
    """SupplierView without its checks: what stands was checked when it came."""

    id: str
    version: int
    name: str
    country: str
    external_refs: tuple[part.ExternalRef, ...]
    other_names: tuple[part.OtherName, ...]
    identifiers: tuple[part.Identifier, ...]
    addresses: tuple[part.Address, ...]
    sites: tuple[part.Site, ...]
    owners: tuple[part.Owner, ...]
    upstream: tuple[part.Upstream, ...]
    goods: tuple[part.SourcedGood, ...]
    status: part.Status
    status_cause: part.StatusCause
    tier: Tier | None
    code_acknowledgements: tuple[Acknowledgement, ...]
    created_at: datetime
    updated_at: datetime
    import_id: str | None


def view(document: Document[Supplier]) -> _View:
    """A supplier as the interface shows it."""
    s = document.state
    return _View(
        id=document.id,
        version=document.version,
        **{f: getattr(s.profile, f) for f in part.Profile.__struct_fields__},
        status=s.status,
        status_cause=s.status_cause,
        tier=s.tier,
        code_acknowledgements=s.acknowledgements,
        created_at=s.created_at,
        updated_at=s.updated_at,
        import_id=s.created_by.import_id if s.created_by else None,
    )


def render(document: Document[Supplier]) -> bytes:
    """The JSON of `view`."""
    return encode(view(document))
