"""What intelligence only journals: how releases, reports and findings moved. Never what a report says, who sent it, or why a person decided."""

from datetime import datetime
from typing import Literal

import msgspec

from shared.events.envelope import Payload, event

ReleaseState = Literal["received", "accepted", "unchanged", "refused"]
AboutKind = Literal["party", "exposure", "site"]
Indicator = Literal[  # ILO indicators of forced labour (SAP-FL, 2012), in ILO's order, and the two that stand beside them
    "abuse_of_vulnerability", "deception", "restriction_of_movement", "isolation", "physical_and_sexual_violence",
    "intimidation_and_threats", "retention_of_documents", "withholding_of_wages", "debt_bondage", "abusive_conditions", "excessive_overtime",
    "child_labour", "trafficking",
]  # fmt: skip
ErasureReason = Literal["data_subject_request", "retention_ended", "sent_by_mistake", "legal_order"]


class Counts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Of the publisher's own records: `records` were read in all, `entries` of them or `quarantined`, and what changed.

    A delta reads fewer: its `entries` are those of the list that it leads to.
    """

    records: int = 0
    entries: int = 0
    quarantined: int = 0
    reasons: dict[str, int] = {}  # why records were quarantined, each with how many
    added: int = 0
    modified: int = 0
    deleted: int = 0
    attached: dict[str, int] = {}  # rows of the files that add to entries


@event("release.moved.v1", None)
class ReleaseMoved(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A release came, was refused, was let in, changed nothing, or is done."""

    list: str
    state: ReleaseState
    sha256: str
    counts: Counts = Counts()
    reason: str = ""


@event("report.received.v1", None)
class ReportReceived(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody told us something; its sender stands nowhere in the journal."""

    about: AboutKind
    indicators: tuple[str, ...]


@event("report.sender_opened.v1", None)
class SenderOpened(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A custodian (the event's actor) read who sent it."""

    reason: str


@event("report.erased.v1", None)
class ReportErased(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """Its keys are gone: nobody can read it or its sender again."""

    reason: ErasureReason


@event("reporter_key.made.v1", None)
class ReporterKeyMade(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """The tenant has a key under which senders are recognised."""


@event("finding.drafted.v1", None)
class FindingDrafted(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """An analyst (the event's actor) asserts what a report says; somebody else must verify it."""

    report_id: str
    about: AboutKind
    indicators: tuple[str, ...]


@event("finding.rejected.v1", None)
class FindingRejected(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """It ends as a draft. `erased`: because its report was erased."""

    report_id: str
    erased: bool = False


@event("finding.erased.v1", None)
class FindingErased(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """What people wrote about it cannot be read any more; that it was verified stands."""

    report_id: str


@event("own_list.mapped.v1", None)
class OwnListMapped(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """An operator (the event's actor) said how the files of a list of one's own are to be read."""

    list: str
    columns: tuple[str, ...]  # what the mapping takes from a file, by our names


@event("list.watched.v1", "lists")
class ListWatched(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """How old a list is and may be; the subject is its id. `checked_at`: when its publisher's files were last known to be what acts, None while
    nothing does; its age then counts from `since`, when that was first asked. `max_age_s` None: any age."""

    list: str
    since: datetime
    checked_at: datetime | None = None
    max_age_s: int | None = None
