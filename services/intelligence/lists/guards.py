"""Whether a release may act without a person. Pure."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime

import msgspec

from services.intelligence.lists.spec import Attached, ListSpec

FEW = 100  # entries: below, a small list that grows, or is reworded, is no landslide


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What a release holds and what it changes. `entries`: of the publisher's list as the release has it, a delta's base included.

    Always `records == entries + quarantined`, or for a delta the entries it names, those it removes and those quarantined.
    `nameless`: records of which not even the publisher's uid could be read.
    """

    records: int = 0
    entries: int = 0
    removed: int = 0
    quarantined: int = 0
    nameless: int = 0
    in_force: int = 0  # entries before it
    added: int = 0
    modified: int = 0
    deleted: int = 0
    delta: bool = False
    attached: Mapping[str, Attached] = {}

    @property
    def changes(self) -> int:
        return self.added + self.modified + self.deleted


def older(dated: str, acts: str, found: Found) -> str | None:
    """Why a whole release that its publisher dated before the one in force must wait for a named person, though it changed nothing, or None.

    A mirror that lags behind, or a file sent again, would bring back who was delisted and let go who was listed since, and make the list look
    freshly checked. Days as the releases have them; silent where one of them is unknown, or for a delta, which its versions order.
    """
    day, acting = _day(dated), _day(acts)
    if found.delta or day is None or acting is None or day >= acting:
        return None
    return (
        f"The release is dated {day}, the one in force {acting}: it would add {found.added}, change {found.modified} and remove {found.deleted} "
        "entries; an older release must be accepted by a person"
    )


def _day(told: str) -> date | None:
    """A publisher may also put words in the place of a day."""
    try:
        return datetime.fromisoformat(told).date()
    except ValueError:
        return None


def objection(spec: ListSpec, found: Found, attached_before: Mapping[str, int] | None = None) -> str | None:
    """Why a release must wait for a named person, or None.

    `attached_before`: rows that the files beside the primary one had in the release in force; None where that was of another layout, which says
    the same in other words and files.
    """
    return next((reason for reason in _objections(spec, found, attached_before) if reason), None)


def _objections(spec: ListSpec, found: Found, attached_before: Mapping[str, int] | None) -> Iterator[str | None]:
    yield _small(spec, found)
    yield _nameless(found)
    yield _shrinks(spec, found)
    yield _unreadable(spec, found)
    yield _grows(spec, found)
    if attached_before is not None:
        yield _reworded(spec, found)
        yield None if found.delta else _thinned(spec, found, attached_before)
    yield _damaged(found)


def _small(spec: ListSpec, found: Found) -> str | None:
    if found.entries >= spec.minimum_entries:
        return None
    unread = f"; of {found.records} records {found.quarantined} could not be read" if found.quarantined else ""
    return f"The release holds {found.entries} entries; at least {spec.minimum_entries} are expected{unread}"


def _nameless(found: Found) -> str | None:
    """An entry that goes may stand in a record that is nobody's. A delta says itself what goes."""
    if found.delta or not (found.nameless and found.deleted):
        return None
    return (
        f"Of {found.nameless} damaged rows it is not known whose they are, and {found.deleted} of the entries in force stand in no other row; "
        "that these go must be accepted by a person"
    )


def _shrinks(spec: ListSpec, found: Found) -> str | None:
    """Measures what goes, not only the difference of the counts: a release that swaps most entries for others is as suspicious as a short one."""
    if not found.in_force or found.deleted / found.in_force <= spec.max_shrink_share:
        return None
    return (
        f"The release holds {found.entries} entries and removes {found.deleted} of the {found.in_force} in force "
        f"({found.deleted / found.in_force:.1%}); more than {spec.max_shrink_share:.1%} must be accepted by a person"
    )


def _unreadable(spec: ListSpec, found: Found) -> str | None:
    """Its publisher may have changed the layout."""
    if found.quarantined <= spec.max_quarantined_share * found.records:
        return None
    return (
        f"Of {found.records} records {found.quarantined} could not be read; "
        f"more than {spec.max_quarantined_share:.1%} must be accepted by a person"
    )


def _grows(spec: ListSpec, found: Found) -> str | None:
    """Another publisher's file, or the same entries under other ids."""
    if found.in_force < FEW or found.added <= max(FEW, spec.max_growth_share * found.in_force):
        return None
    return (
        f"The release adds {found.added} entries to the {found.in_force} in force; "
        f"more than {spec.max_growth_share:.1%} must be accepted by a person"
    )


def _reworded(spec: ListSpec, found: Found) -> str | None:
    """Columns that moved change every entry."""
    if not found.in_force or found.modified <= max(FEW, spec.max_change_share * found.in_force):
        return None
    return (
        f"The release changes {found.modified} of the {found.in_force} entries in force; "
        f"more than {spec.max_change_share:.1%} must be accepted by a person"
    )


def _thinned(spec: ListSpec, found: Found, before: Mapping[str, int]) -> str | None:
    """A release without the aliases (or addresses) that the one in force had would quietly find fewer suppliers."""
    for role, rows in before.items():
        now = found.attached[role].rows if role in found.attached else 0
        if rows and now < rows * (1 - spec.max_shrink_share):
            return f"The file of {role} holds {now} rows, that of the release in force {rows}; a person must accept it"
    return None


def _damaged(found: Found) -> str | None:
    """An entry may have changed only because a row with an alias or an address of it cannot be read: damage must weaken no entry either."""
    for role, attached in found.attached.items():
        if attached.unread and found.modified:
            return (
                f"{attached.unread} rows of the file of {role} cannot be read, and {found.modified} entries change; a person must accept it"
            )
    return None
