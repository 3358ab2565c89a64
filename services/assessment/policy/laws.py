"""The catalogue of laws (`laws.yaml`): typed, checked when it is loaded, and asked which duties a driver of a rating brings. Pure but for the loading."""

import re
from collections.abc import Iterable
from datetime import date
from functools import cache, lru_cache
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from services.assessment.policy import ILO_INDICATORS, Code, DriverCode, Part, Region, Text
from shared.documents import read
from shared.errors import Invalid
from shared.events.ratings import Driver
from shared.events.signals import Abuse

FILE = Path(__file__).with_name("laws.yaml")
Duration = Annotated[
    str, msgspec.Meta(pattern=r"^P(?=[0-9])([0-9]{1,3}Y)?([0-9]{1,3}M)?([0-9]{1,3}W)?([0-9]{1,4}D)?$")
]  # ISO 8601, of days and longer
MonthDay = Annotated[str, msgspec.Meta(pattern="^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")]
Words = Annotated[str, msgspec.Meta(min_length=1, max_length=600)]
Address = Annotated[str, msgspec.Meta(pattern=r"^https://[^\s]+$", max_length=300)]
Jurisdiction = Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$")]  # ISO 3166-1, or EU

_UPSTREAM = frozenset({"upstream", "upstream_prohibited", "exposure_upstream"})
_FORCED = frozenset((*ILO_INDICATORS, "trafficking"))


class Clock(Part, frozen=True, kw_only=True):
    """When something is due: `period` after its start, or each year `by` a day; `every`: how often it comes again."""

    starts: Text
    period: Duration | None = None
    every: Duration | None = None
    by: MonthDay | None = None
    days: Literal["calendar", "working"] = "calendar"


class Retention(Part, frozen=True, kw_only=True):
    """How long to keep what proves that a duty was met, and which rule says so."""

    period: Duration
    starts: Text
    rule: Text


class Arises(Part, frozen=True, kw_only=True):
    """What brings a duty: any of these. `chain`: also where it lies further up the supply chain."""

    lists: tuple[Code, ...] = ()
    drivers: tuple[DriverCode, ...] = ()
    regions: tuple[Region, ...] = ()
    abuses: tuple[Abuse, ...] = ()
    chain: bool = False


class LawDuty(Part, frozen=True, kw_only=True):
    """One thing that a law asks for."""

    id: Code
    text: Text
    arises: Arises
    clock: Clock | None = None


class Law(Part, frozen=True, kw_only=True):
    """One law. `verified` None: its own words could not be read; `read` says what the entry rests on."""

    id: Code
    name: Text
    jurisdiction: Jurisdiction
    reference: Text
    applies_from: date
    binds: Words
    source: Address
    checked: date
    verified: date | None
    read: Words
    retention: Retention | None
    duties: Annotated[tuple[LawDuty, ...], msgspec.Meta(min_length=1, max_length=20)]


class Catalogue(Part, frozen=True, kw_only=True):
    """The document as written."""

    laws: Annotated[tuple[Law, ...], msgspec.Meta(min_length=1, max_length=200)]


def load(text: str) -> tuple[Law, ...]:
    """The laws in `text` (YAML). `Malformed`: no such format; `Invalid`: `errors` names each field at fault; neither repeats the text."""
    laws = read(text, Catalogue).laws
    if errors := [{"field": field, "message": message} for field, message in _contradictions(laws)]:
        raise Invalid("The catalogue of laws contradicts itself; correct the fields named", errors=errors)
    return laws


@cache
def shipped() -> tuple[Law, ...]:
    """The catalogue that comes with this version."""
    return load(FILE.read_text(encoding="utf-8"))


def _contradictions(laws: tuple[Law, ...]) -> Iterable[tuple[str, str]]:
    seen: set[str] = set()
    for i, law in enumerate(laws):
        if law.id in seen:
            yield f"laws.{i}.id", "stands on an earlier law"
        seen.add(law.id)
        if law.verified is not None and law.verified > law.checked:
            yield f"laws.{i}.verified", "must not be later than checked"
        duties: set[str] = set()
        for n, duty in enumerate(law.duties):
            at = f"laws.{i}.duties.{n}"
            if duty.id in duties:
                yield f"{at}.id", "stands on an earlier duty of this law"
            duties.add(duty.id)
            if not (duty.arises.lists or duty.arises.drivers or duty.arises.regions or duty.arises.abuses):
                yield f"{at}.arises", "names nothing that brings the duty"
            if duty.clock is not None and duty.clock.period is None and duty.clock.every is None and duty.clock.by is None:
                yield f"{at}.clock", "gives neither period nor every nor by"


def duties_of(driver: Driver, region: str = "") -> tuple[str, ...]:
    """What laws ask because of a driver, as LAW.DUTY in the catalogue's order; `region` where the driver is of one. Whom they bind is not known here.

    Ids alone go into ratings: a rating of a supplier that sources much would else be longer by the words of all laws than by all that is said of it.
    """
    signal = driver.signal
    listed = (signal.source.list or "") if signal is not None and signal.source.kind == "list_entry" else ""
    abuses = frozenset(signal.abuses) if signal is not None else frozenset[Abuse]()
    indicators = signal.source.indicators if signal is not None else ()
    return _duties(driver.code, listed, region, abuses | _abuses(indicators))


def _abuses(indicators: Iterable[str]) -> frozenset[Abuse]:
    """What a finding's indicators come to: any of ILO's is of forced labour, and so is trafficking."""
    found: set[Abuse] = set()
    for indicator in indicators:
        if indicator == "child_labour":
            found.add("child_labour")
        elif indicator in _FORCED:
            found.add("forced_labour")
    return frozenset(found)


@lru_cache(maxsize=4096)
def _duties(code: str, listed: str, region: str, abuses: frozenset[Abuse]) -> tuple[str, ...]:
    return tuple(
        f"{law.id}.{duty.id}"
        for law in shipped()
        for duty in law.duties
        if (code not in _UPSTREAM or duty.arises.chain) and _brings(duty.arises, code, listed, region, abuses)
    )


def in_short(ids: Iterable[str]) -> list[dict[str, str]]:
    """Duties with a short text; of one that this version's catalogue does not have the id alone."""
    return [{"id": one, "text": _texts().get(one, one)} for one in ids]


@cache
def _texts() -> dict[str, str]:
    return {f"{law.id}.{duty.id}": f"{_called(law)}: {duty.text}" for law in shipped() for duty in law.duties}


def _called(law: Law) -> str:
    """Its name, with the day from which it applies where that lay ahead when the entry was checked."""
    return law.name if law.applies_from <= law.checked else f"{law.name} (from {law.applies_from})"


def _brings(arises: Arises, code: str, listed: str, region: str, abuses: frozenset[Abuse]) -> bool:
    return bool(listed in arises.lists or code in arises.drivers or region in arises.regions or abuses.intersection(arises.abuses))


def in_words(clock: Clock | None) -> str:
    """A clock as people read it; empty without one."""
    if clock is None:
        return ""
    parts = [
        _within(clock),
        f"by {clock.by} each year" if clock.by else "",
        f"every {_spelled(clock.every)}" if clock.every and not clock.by else "",
    ]
    return ", ".join(part for part in parts if part) + f", from {clock.starts}"


def _within(clock: Clock) -> str:
    if clock.period is None:
        return ""
    return f"within {_spelled(clock.period, 'working ' if clock.days == 'working' else '')}"


_UNITS = {"Y": "year", "M": "month", "W": "week", "D": "day"}


def _spelled(duration: str, kind: str = "") -> str:
    """`P10D` -> `10 days`."""
    parts = [(int(n), _UNITS[unit]) for n, unit in re.findall(r"([0-9]+)([YMWD])", duration)]
    return " ".join(f"{n} {kind if unit == 'day' else ''}{unit}{'' if n == 1 else 's'}" for n, unit in parts)
