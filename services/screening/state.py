"""A match as it is kept: the pair, what people settled or proposed of it, and where it stands in their queue. Pure."""

from datetime import datetime
from typing import Any, Literal, NamedTuple

import msgspec

from services.screening.consequence import rank
from shared.events.envelope import Payload, event
from shared.events.matches import Match

Outcome = Literal["confirmed", "cleared", "escalated"]


class Sides(NamedTuple):
    """The versions of both sides that were held against each other, and of the tenant's settings by which they were.

    `profile`: a fingerprint of what the supplier's version says; its next version may say the same, as where only its status moved.
    """

    supplier: int
    signal: int
    settings: int = 0
    profile: str = ""


class Said(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one person said of a match."""

    outcome: Outcome
    reason_code: str
    note: str = ""
    by: str
    at: datetime


class Judged(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What people last settled, and the content that it was said of; `alike`: the same pair under another of the supplier's names known then."""

    content: str
    state: Literal["confirmed", "cleared"]
    reviewed_by: str
    reason_code: str
    agreed_by: str = ""
    alike: tuple[str, ...] = ()
    note: str = ""
    at: datetime | None = None

    def holds(self, content: str) -> bool:
        """Was it said of this content?"""
        return content == self.content or content in self.alike


class Carried(msgspec.Struct, frozen=True):
    """What was settled of the pair while the list had the same party under another id, `signal_id`."""

    signal_id: str
    judged: tuple[Judged, ...]  # the last one first
    confirmed_by: str


class MatchDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`judged` holds while the content is the same, though the pair be withdrawn and come back. The note stays in this service.

    `earlier`: what was settled likewise of other contents; a list that goes back and forth asks nobody twice.

    `confirmed_by`: who may not clear it, escalated in between or not, until it is opened anew.

    `sides`: the versions that it was last found, or not found, with. Who compares an older version of either side, because messages come again,
    has nothing to say: a watermark of one side cannot tell that, for what a message means depends on the other side, too.

    `bought`: the supplier is one that things are bought from. `rank`: see `consequence.rank`.
    """

    match: Match
    content: str
    sides: Sides
    opened_at: datetime
    updated_at: datetime
    alike: tuple[str, ...] = ()
    judged: Judged | None = None
    earlier: tuple[Judged, ...] = ()
    proposal: Said | None = None
    confirmed_by: str = ""
    note: str = ""
    reviewed_at: datetime | None = None
    bought: bool = True
    rank: str = ""

    def with_match(self, **fields: Any) -> "MatchDocument":
        """The same with other fields of its match."""
        return msgspec.structs.replace(self, match=msgspec.structs.replace(self.match, **fields))

    def ranked(self) -> str:
        """Its place in the queue, as it is now."""
        return rank(self.match, bought=self.bought, proposed=self.proposal is not None, opened_at=self.opened_at)

    def judgement_of(self, content: str) -> Judged | None:
        """What was settled of this content, whenever it was."""
        said = (self.judged, *self.earlier) if self.judged else self.earlier
        return next((one for one in said if one.holds(content)), None)


@event("match.proposed.v1", None)
class MatchProposed(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A person proposes what takes two; the match is what it was. Only the journal has it."""

    match: Match
    outcome: Outcome
    reason_code: str
    note: str = ""


@event("match.proposal_decided.v1", None)
class MatchProposalDecided(Payload, frozen=True, kw_only=True):
    """A second person agrees to what was proposed, or does not, and why; the match is what it was before. Only the journal has it."""

    match: Match
    outcome: Outcome
    approved: bool
    reason: str


@event("match.ranked.v1", None)
class MatchRanked(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """Its place in the queue moved, and nothing else."""

    rank: str
