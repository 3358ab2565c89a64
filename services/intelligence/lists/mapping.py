"""The mapping of a list of one's own: which columns of its file say what. YAML, uploaded by an operator and kept with the list.

list: own_blocked                     # `own_` and small letters, digits or _
title: Suppliers we do not buy from
publisher: Example AG                 # optional
format: csv                           # or jsonl: a JSON object a line
between: ";"                          # what parts several values in one cell
dates: "%d.%m.%Y"                     # how days are written; ISO 8601 where it is left out
type: organisation                    # what a record is whose type is not told
columns:                              # each a column, or several
  uid: Number                         # where it is left out, an id is derived from name, countries and birth dates
  name: Company
  aliases: [Other names, Short name]
  countries: Country
identifiers:
  LEI: Lei code
"""

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec
import yaml

from services.intelligence.lists.tables import fold
from shared.errors import Invalid
from shared.events.signals import Schema

MAX_BYTES = 64_000
LIST_ID = r"^own_[a-z0-9_]{1,40}$"
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
_Names = _Name | Annotated[list[_Name], msgspec.Meta(min_length=1, max_length=20)]


class Columns(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Names of columns, however they are written; only `name` is required."""

    name: _Name
    uid: _Name | None = None
    type: _Name | None = None
    aliases: _Names = []
    weak_aliases: _Names = []
    former_names: _Names = []
    countries: _Names = []
    address: _Names = []  # several are parts of one address
    city: _Name | None = None
    birth_dates: _Names = []
    programs: _Names = []
    remarks: _Names = []
    listed_on: _Name | None = None


class Mapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a mapping file says."""

    list: Annotated[str, msgspec.Meta(pattern=LIST_ID)]
    title: _Name
    columns: Columns
    format: Literal["csv", "jsonl"] = "csv"
    publisher: Annotated[str, msgspec.Meta(max_length=200)] = ""
    licence: Annotated[str, msgspec.Meta(max_length=200)] = ""
    between: Annotated[str, msgspec.Meta(min_length=1, max_length=5)] = ";"
    dates: Annotated[str, msgspec.Meta(max_length=40)] = ""
    type: Schema = "organisation"
    identifiers: dict[_Name, _Name] = {}
    minimum_entries: Annotated[int, msgspec.Meta(ge=0, le=10_000_000)] = 1
    max_shrink_share: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.2


def parse(content: bytes) -> Mapping:
    """A mapping file; `Invalid` saying what is wrong with which part of it."""
    if len(content) > MAX_BYTES:
        raise Invalid(f"A mapping has at most {MAX_BYTES // 1000} KB")
    try:
        told = _read(content.decode("utf-8-sig"))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise Invalid("The mapping is no YAML") from error
    return checked(told)


def checked(told: Any) -> Mapping:
    """A mapping from what YAML or JSON holds."""
    try:
        mapping = msgspec.convert(told, Mapping, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid("The mapping does not say which columns of a list say what", errors=[_fault(str(error))]) from error
    if mapping.dates:
        _check_dates(mapping.dates)
    if len(mapping.identifiers) > 50:
        raise Invalid("A mapping names at most 50 identifiers")
    for column in (mapping.columns.name, mapping.columns.uid):
        if column is not None and not fold(column):
            raise Invalid("The column of the name or the id has no letter or digit in its name")
    return mapping


class _Texts(yaml.BaseLoader):
    """YAML whose values are texts (a column may be called `No`), without aliases: a few lines of them can unfold to more than memory holds."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not read")
        return super().compose_node(parent, index)


def _read(text: str) -> Any:
    return yaml.load(text, Loader=_Texts)  # noqa: S506 - texts only


def _check_dates(form: str) -> None:
    day = date(2001, 2, 3)
    try:
        sound = datetime.strptime(day.strftime(form), form).date() == day  # noqa: DTZ007 - a day has no zone
    except ValueError:
        sound = False
    if not sound:
        raise Invalid(
            "`dates` does not tell year, month and day, as %d.%m.%Y does", errors=[{"field": "dates", "message": "tells no whole day"}]
        )


def _fault(message: str) -> dict[str, str]:
    """msgspec's sentence, its path apart; what stood in the file is not repeated (it quotes names of unknown fields only)."""
    text, _, path = message.partition(" - at `")
    return {"field": path.rstrip("`").removeprefix("$").lstrip(".") or "mapping", "message": re.sub(r"`[^`]{60,}`", "a name", text)[:200]}
