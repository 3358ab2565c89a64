"""FollowTheMoney entities as OpenSanctions publishes them, one JSON object a line: which are parties, and what they say.

Dates of when an entity was last seen are no part of what it says: they change with every export.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from services.intelligence.lists.countries import country_of
from services.intelligence.lists.parties import (
    LONG_NAME,
    MAX_UID,
    NO_NAME,
    NO_UID,
    UNKNOWN_TYPE,
    no_countries,
    no_identifiers,
    sorted_addresses,
    sorted_identifiers,
)
from services.intelligence.lists.records import MAX_NAME, entry, party_names
from services.intelligence.lists.spec import Entry, Quarantined
from shared.events.signals import PartySignal, Schema, SignalAddress, SignalIdentifier, SignalName

PARTIES: dict[str, Schema] = {
    "Person": "person", "Company": "organisation", "Organization": "organisation", "LegalEntity": "organisation", "PublicBody": "organisation",
    "Vessel": "vessel", "Airplane": "aircraft",
}  # fmt: skip
# What else the model has (its version of 2026): things, links between entities, and documents.
OTHERS = frozenset({
    "Address", "Analyzable", "Article", "Assessment", "Asset", "Associate", "Audio", "BankAccount", "Call", "CallForTenders",
    "Concession", "Contract", "ContractAward", "ContractLot", "CourtCase", "CourtCaseParty", "CryptoWallet", "Debt", "Directorship",
    "Document", "Documentation", "EconomicActivity", "Email", "Employment", "Event", "Family", "Folder", "HyperText", "Identification",
    "Image", "Interest", "Interval", "License", "Membership", "Mention", "Message", "Note", "Occupancy", "Ownership", "Package",
    "Page", "Pages", "Passport", "Payment", "Permit", "PlainText", "Position", "Post", "Project", "ProjectParticipant", "RealEstate",
    "Relationship", "Representation", "Risk", "Sanction", "Security", "Similar", "Succession", "Table", "TaxRoll", "Thing", "Trip",
    "UnknownLink", "UserAccount", "Value", "Vehicle", "Video", "Workbook",
})  # fmt: skip
_NUMBERS = {
    "registrationNumber": "Registration Number", "idNumber": "ID Number", "taxNumber": "Tax Number", "vatCode": "VAT Number", "leiCode": "LEI",
    "innCode": "INN", "ogrnCode": "OGRN", "kppCode": "KPP", "okpoCode": "OKPO", "bikCode": "BIK", "swiftBic": "SWIFT/BIC", "dunsCode": "D-U-N-S Number",
    "npiCode": "NPI", "uscCode": "Unified Social Credit Code", "uniqueEntityId": "UEI", "jibCode": "JIB", "giiNumber": "GIIN", "permId": "PermID",
    "isinCode": "ISIN", "ibcRuc": "IBC RUC", "cikCode": "CIK", "caemCode": "CAEM", "fnsCode": "FNS", "amlcCode": "AMLC", "voenCode": "VOEN",
    "coatoCode": "COATO", "mbsCode": "MBS", "ticker": "Ticker", "passportNumber": "Passport", "socialSecurityNumber": "Social Security Number",
    "imoNumber": "IMO", "mmsi": "MMSI", "callSign": "Call Sign", "crsNumber": "CRS Number", "serialNumber": "Serial Number", "icaoCode": "ICAO Code",
}  # fmt: skip
_COUNTRIES = ("country", "jurisdiction", "nationality", "citizenship", "mainCountry", "flag")
_ALIASES = (("alias", False), ("abbreviation", True), ("weakAlias", True))
_STARTS_WITH_ID = re.compile(r'\s*\{\s*(?:"op"\s*:\s*"\w{1,10}"\s*,\s*"entity"\s*:\s*\{\s*)?"id"\s*:\s*"([^"\\]{1,200})"')
_MOST_FORMER = 200


class Entity(msgspec.Struct, frozen=True):
    """What of a line is read; properties have lists of values."""

    id: str = ""
    schema: str = ""
    caption: str = ""
    properties: dict[str, Any] = {}
    referents: list[str] = []
    datasets: list[str] = []
    target: bool | None = None


class Change(msgspec.Struct, frozen=True):
    """A line of a delta; `version` and `base` only in a line of its own above the changes."""

    op: str = ""
    entity: Entity = Entity()
    version: str = ""
    base: str = ""


_entity, _change = msgspec.json.Decoder(Entity).decode, msgspec.json.Decoder(Change).decode


def decode(line: str) -> Entity:
    """A line of entities; `ValueError` where it is none."""
    try:
        return _entity(line)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise ValueError from error


def decode_change(line: str) -> Change:
    """A line of a delta; `ValueError` where it is none."""
    try:
        return _change(line)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise ValueError from error


def id_of_damaged(line: str) -> str | None:
    """Whose a line is that cannot be read, where its beginning says so."""
    begins = _STARTS_WITH_ID.match(line)
    return begins[1] if begins else None


def is_no_target(entity: Entity) -> bool:
    """A party that a target has to do with, and that no list names itself."""
    return entity.target is False


def party(at: int, entity: Entity, list_id: str, release_id: str) -> Entry | Quarantined:
    """A party's entry, or why it is none."""
    schema = PARTIES.get(entity.schema)
    names = sorted(set(_texts(entity, "name")))
    primary = " ".join(entity.caption.split()) if entity.caption in names or not names else names[0]
    if reason := _objection(entity, schema, primary):
        return Quarantined(row=at, reason=reason, uid=entity.id if 0 < len(entity.id) <= MAX_UID else None)
    words = [word for one in _COUNTRIES for word in _texts(entity, one)]
    numbers = [SignalIdentifier(kind=kind, value=value) for one, kind in _NUMBERS.items() for value in _texts(entity, one)]
    subject = PartySignal(
        names=party_names(primary, _names(entity, names)),
        schema=schema or "organisation",
        countries=tuple(sorted({code for word in words if (code := country_of(word))})),
        addresses=sorted_addresses(SignalAddress(text=text[:1000]) for text in _texts(entity, "address")),
        identifiers=sorted_identifiers(numbers),
        birth_dates=tuple(sorted({day[:40] for day in _texts(entity, "birthDate")})),
    )
    programs = tuple(sorted({*_texts(entity, "programId"), *_texts(entity, "topics")}))
    notes = [f"From {', '.join(sorted(set(entity.datasets)))}"] if entity.datasets else []
    made = entry(
        list_id,
        release_id,
        entity.id,
        subject,
        programs=programs,
        remarks="; ".join([*notes, *no_countries(words), *no_identifiers(numbers), *sorted(set(_texts(entity, "notes")))])[:20_000],
    )
    return msgspec.structs.replace(made, signal=msgspec.structs.replace(made.signal, formerly=_former(entity, list_id)))


def _objection(entity: Entity, schema: Schema | None, primary: str) -> str:
    if not entity.id or len(entity.id) > MAX_UID:
        return NO_UID
    if schema is None:
        return UNKNOWN_TYPE
    return NO_NAME if not primary else LONG_NAME if len(primary) > MAX_NAME else ""


def _names(entity: Entity, names: list[str]) -> Iterator[SignalName]:
    yield from (SignalName(name=name) for name in names)
    for one, weak in _ALIASES:
        yield from (SignalName(name=name, weak=weak) for name in _texts(entity, one))
    yield from (SignalName(name=name, kind="former") for name in _texts(entity, "previousName"))


def _texts(entity: Entity, name: str) -> list[str]:
    """Values of a property that are text or numbers; entities that stand inside are none."""
    told = entity.properties.get(name)
    found = told if isinstance(told, list) else [told]
    plain = (str(one) for one in found if isinstance(one, str | int | float) and not isinstance(one, bool))
    return [text for one in plain if (text := " ".join(one.split()))]


def _former(entity: Entity, list_id: str) -> tuple[str, ...]:
    """Ids of signals under which the same party may have stood: of the ids that were merged into this one, its publisher's own (NK-, Q) first."""
    others = {one for one in entity.referents if one != entity.id and 0 < len(one) <= MAX_UID}
    ordered = sorted(others, key=lambda one: (not one.startswith(("NK-", "Q")), one))
    return tuple(f"{list_id}:{one}" for one in ordered[:_MOST_FORMER])
