"""What a match would do, and by it which one people look at first. Pure.

A list forbids dealings unless it is known not to: the same reading as the shipped rating policy (`review_only_lists`), which a tenant may change;
here it decides only about order and about how many people a review takes, and the stricter reading does no harm.
"""

from datetime import datetime
from typing import Final, Literal

from shared.events.matches import Match

Consequence = Literal["prohibiting", "conditioning", "informing"]
RESTRICTING: Final = frozenset(("us_ofac_cons", "us_cbp_wro"))  # restrict some dealings, or hold goods at a border; property is not blocked
INFORMING: Final = frozenset(("us_ilab_tvpra", "us_eo13126", "us_ilab_countries"))  # whole sectors of a country: a reason to look
QUEUES: Final = ("open", "escalated", "proposed")
RANKING: Final = 2  # the version of what follows: raise it, and all matches that wait are ranked anew at the next start

_WEIGHTS: Final[dict[Consequence, float]] = {"prohibiting": 1.0, "conditioning": 0.3, "informing": 0.1}
_NOT_BOUGHT: Final = 0.2  # from a supplier that was deactivated nothing new is ordered; what is owed is still paid
_STEPS: Final = 1_000_000


def consequence(match: Match) -> Consequence:
    """What it does where the two are the same: forbid dealings, ask for conditions, or give a reason to look."""
    source, party = match.signal.source, match.about == "party"
    if source.kind == "hotspot":
        return "informing"
    if source.kind == "finding":
        return "conditioning"
    if source.list in INFORMING:
        return "conditioning" if party else "informing"
    return "prohibiting" if party and source.list not in RESTRICTING else "conditioning"


def priority(match: Match, *, bought: bool) -> float:
    """Probability times consequence, 0..1; `bought`: is the supplier one that things are bought from?"""
    return round(match.score * _WEIGHTS[consequence(match)] * (1.0 if bought else _NOT_BOUGHT), 6)


def rank(match: Match, *, bought: bool, proposed: bool, opened_at: datetime) -> str:
    """Its place, as a text that sorts: which queue, the highest priority first, then the one that waits longest; "" where it waits for nobody.

    What somebody has proposed waits for another person only, so that it stands in a queue of its own.
    """
    queue = "proposed" if proposed else match.state
    if queue not in QUEUES or _asks_nobody(match, opened_at):
        return ""
    behind = round((1 - priority(match, bought=bought)) * _STEPS)
    return f"{queue}/{behind:07d}/{opened_at:%Y%m%dT%H%M%S}"


def _asks_nobody(match: Match, opened_at: datetime) -> bool:
    """An assessment of a whole country, or an exposure that had ended before it was found: the rating knows what to make of them."""
    ended = match.signal.valid_until
    return match.signal.advancement is not None or (ended is not None and ended < opened_at.date())
