"""Lists, releases and entries as the API documents them; `view` and `entry_view` make what these describe.

Tuples where a field is called `list`, which then is no type.
"""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, Field

from services.intelligence.releases.model import Refusal
from services.intelligence.releases.status import Health
from shared.events.intelligence import ReleaseState
from shared.events.signals import Schema


class Received(BaseModel):
    """A release that came in; what became of it is asked by its id."""

    id: str


class UnreadRowView(BaseModel):
    """A row of the primary file that became no entry: where it stands, from 1, and why."""

    row: int
    reason: str


class QuarantinedView(UnreadRowView):
    """The same, of all that became no entry; `uid` where it could be read."""

    uid: str | None


class LetInView(BaseModel):
    """Who may let in a release that a guard refused, and with which command."""

    role: str
    command: str


class ReleaseView(BaseModel):
    """One release. `records` of its primary file were read, each an entry or `quarantined`; `added`, `modified`, `deleted` count entries, `attached`
    rows of the other files. `reasons`: how many were quarantined for what. A delta (`base`) names only what changes; its `entries` are the list's.

    `dated`, `version`: the publisher's own. `refusal`, where it is refused: by a `guard` of counts, `older` than the release in force by their dates, `unreadable`, or a delta upon another version (`base`); `reason` says it in words. `let_in_by`: who may let in a refused one, and how. `accepted_by` and `accepted_because`: who let it in past a guard, and why. `seen_at`: when the publisher's files were last the same.
    """

    id: str
    list: str
    state: ReleaseState
    layout: str | None
    dated: str | None
    version: str | None
    base: str | None
    records: int
    entries: int
    quarantined: int
    reasons: dict[str, int]
    unread: tuple[UnreadRowView, ...]
    attached: dict[str, int]
    added: int
    modified: int
    deleted: int
    sweep_id: str | None
    accepted_at: datetime | None
    published: bool
    reason: str | None
    refusal: Refusal | None
    may_be_let_in: bool
    let_in_by: LetInView | None
    accepted_by: str | None
    accepted_because: str | None
    superseded_by: str | None
    received_at: datetime
    seen_at: datetime | None
    loaded_by: str
    source: Literal["upload", "pull"]
    sha256: str
    size: int


class FileView(BaseModel):
    """An official file, and where its publisher has it."""

    role: str
    name: str
    address: str


class LayoutView(BaseModel):
    """An official form of a list; content tells which one came."""

    name: str
    files: list[FileView]


class StatusView(BaseModel):
    """How a list stands. `age_s`: since the date that its publisher puts on the release, or since that came into force where there is none.

    `records`: entries in force; `added`, `modified`, `deleted`: by the release in force. `reason`: why its health is not `ok`.
    """

    list: str
    title: str
    release_id: str | None
    version: str | None
    dated: str | None
    accepted_at: datetime | None
    checked_at: datetime | None
    age_s: int | None
    records: int
    quarantined: int
    added: int
    modified: int
    deleted: int
    health: Health
    reason: str | None
    next_pull: datetime | None


class ListView(BaseModel):
    """A list that can be loaded, with the release that acts.

    `files` are those that are pulled, of the first of its `layouts`. `licence`: what its use is bound to. `age_s`: since that came into force. `checked_at`: when its publisher's files were last known to be that release.
    """

    id: str
    title: str
    publisher: str
    licence: str | None
    files: list[FileView]
    layouts: list[LayoutView]
    addresses: Literal["verified", "unverified"]
    entries: int
    release: ReleaseView | None
    age_s: int | None
    checked_at: datetime | None
    last_refused: ReleaseView | None


class NameView(BaseModel):
    name: str
    kind: Literal["primary", "alias", "former"] = "alias"
    weak: bool = False


class AddressView(BaseModel):
    text: str | None = None
    city: str | None = None
    country: str | None = None


class IdentifierView(BaseModel):
    kind: str
    value: str
    country: str | None = None


class EntryView(BaseModel):
    """An entry of a list; of a party, or of an exposure (a good, a place). What its publisher does not say is left out.

    `formerly`: ids of the signals under which its publisher had the same party before.
    """

    uid: str
    list: str
    signal_id: str
    release_id: str | None
    formerly: tuple[str, ...] = ()
    withdrawn_in: str | None
    name: str | None
    programs: tuple[str, ...]
    remarks: str | None
    about: Literal["party", "exposure"]
    names: tuple[NameView, ...] = ()
    kind: Schema = Field("organisation", alias="schema")
    countries: tuple[str, ...] = ()
    addresses: tuple[AddressView, ...] = ()
    identifiers: tuple[IdentifierView, ...] = ()
    birth_dates: tuple[str, ...] = ()
    hs: str | None = None
    more_hs: tuple[str, ...] = ()
    origin: str | None = None
    region: str | None = None
    good: str | None = None
    abuses: tuple[str, ...] = ()
    valid_from: date | None = None
    valid_until: date | None = None
    advancement: str | None = None


class ChangeView(BaseModel):
    """What a release did to an entry; `parts` of it that a MOD changed."""

    change: Literal["added", "modified", "deleted"]
    release_id: str | None
    at: datetime
    parts: list[str]


class AlsoListed(BaseModel):
    """Another entry of the same party, on this list or another."""

    list: str
    uid: str
    signal_id: str
    name: str | None
    programs: tuple[str, ...] = ()


class EntryWithHistory(EntryView):
    """One entry, with all its changes, oldest first, and where else its party is listed: a shared number, or a name with a day of birth, joins
    listings; each stays its own, and names alone join none."""

    history: tuple[ChangeView, ...]
    also_listed_as: tuple[AlsoListed, ...] = ()
