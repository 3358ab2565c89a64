"""A victim handed to a service that helps: a document of its own, whose content and outcome are sealed before they get here. Pure."""

from datetime import datetime
from typing import Literal

import msgspec

from services.remediation.commands import EndReferral, OpenReferral
from services.remediation.state import Value
from shared.errors import Conflict, NotFound
from shared.events.followup import ReferralDetail
from shared.kernel.aggregate import Aggregate, Decided, Index, Message
from shared.security.sealing import Sealed

ReferralState = Literal["open", "completed", "declined"]


class Referral(Value, frozen=True, kw_only=True, omit_defaults=True):
    """`content` and `note` open only with the master key, and only as parts of this very referral."""

    case_id: str
    content: Sealed
    opened_by: str
    opened_at: datetime
    state: ReferralState = "open"
    note: Sealed | None = None
    ended_by: str = ""
    ended_at: datetime | None = None


def decide(referral: Referral | None, message: Message, now: datetime) -> Decided[Referral] | None:
    """See `shared.kernel.aggregate`. Ending it twice in the same way is one end."""
    body, by = message.body, message.cause.actor
    match body:
        case OpenReferral():
            if referral is not None:
                raise Conflict("There is such a referral already")
            new = Referral(case_id=body.case_id, content=body.content, opened_by=by, opened_at=now)
            return Decided(new, [ReferralDetail(case_id=body.case_id, state="open")])
        case EndReferral():
            if referral is None or referral.case_id != body.case_id:
                raise NotFound("No referral with this id in this case")
            if referral.state == body.outcome:
                return None
            if referral.state != "open":
                raise Conflict("This referral has ended otherwise")
            ended = msgspec.structs.replace(referral, state=body.outcome, note=body.note, ended_by=by, ended_at=now)
            return Decided(ended, [ReferralDetail(case_id=body.case_id, state=body.outcome)])
        case _:
            raise AssertionError(f"No referral knows {type(body).__name__}")


REFERRALS: Aggregate[Referral] = Aggregate(
    kind="referral", state=Referral, decide=decide, indexes=(Index("case_id", lambda referral: referral.case_id),)
)
