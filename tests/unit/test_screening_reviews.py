"""What people say of a match: how many it takes, for which reasons, and what is remembered of it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.screening.consequence import consequence, priority, rank
from services.screening.model import MATCH, Rank, Touched, Untouched
from services.screening.reviews import Approve, Review, reason_of
from services.screening.state import Carried, Judged, MatchDocument, MatchRanked, Sides
from shared.errors import Conflict, Forbidden, Invalid
from shared.events.envelope import Payload
from shared.events.matches import Match, SignalRef
from shared.events.signals import Source
from shared.kernel.aggregate import Cause, Message

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def match(
    list_: str | None = "us_ofac_sdn", *, kind: Any = "list_entry", strength: Any = "strong", score: float = 0.97, **more: Any
) -> Match:
    signal = SignalRef(id=f"{list_}:36", source=Source(kind=kind, list=list_))
    return Match(**{"supplier_id": "sup_1", "signal": signal, "about": "party", "score": score, "strength": strength, **more})


class Told:
    """One match as messages come to it."""

    def __init__(self, one: Match, content: str = "a", **more: Any) -> None:
        self.match, self.seen = one, 0
        self.state: MatchDocument | None = None
        self.events: list[Payload] = []
        self.found(content, **more)

    def tell(self, body: Any) -> "Told":
        self.seen += 1
        decided = MATCH.decide(self.state, Message(body, Cause("c", "t")), NOW + timedelta(seconds=self.seen))
        self.events = list(decided.events) if decided else []
        self.state = decided.state if decided else self.state
        return self

    def found(self, content: str, **more: Any) -> "Told":
        return self.tell(Touched(match=self.match, content=content, sides=Sides(1, self.seen + 1), **more))

    def gone(self) -> "Told":
        return self.tell(Untouched(Sides(1, self.seen + 1)))

    def said(self, outcome: Any, by: str, reason: str = "different_name") -> "Told":
        return self.tell(Review(outcome, "same_party" if outcome == "confirmed" else reason, "", by))

    def agreed(self, by: str, approved: bool = True) -> "Told":
        return self.tell(Approve(approved, "seen, too", by))

    @property
    def types(self) -> list[str]:
        return [event.type.split(".")[2] for event in self.events]

    @property
    def now(self) -> tuple[str, str, str, bool]:
        """State, who said so, who agreed, and whether something is proposed."""
        assert self.state
        m = self.state.match
        return m.state, m.reviewed_by, m.agreed_by, self.state.proposal is not None


@pytest.mark.parametrize(
    ("one", "does"),
    [
        (match(), "prohibiting"), (match("eu_fsf"), "prohibiting"), (match("opensanctions", party="owner"), "prohibiting"),
        (match("us_ofac_cons"), "conditioning"), (match("us_uflpa", about="exposure"), "conditioning"),
        (match(None, kind="finding"), "conditioning"), (match("us_ilab_tvpra", about="exposure"), "informing"),
        (match(None, kind="hotspot", about="exposure"), "informing"),
    ],
)  # fmt: skip
def test_what_a_match_would_do(one: Match, does: str) -> None:
    assert consequence(one) == does


def test_the_queue_goes_by_probability_times_consequence() -> None:
    ordered = [
        (match(score=0.9), True), (match(score=0.6), True), (match("us_ofac_cons", score=0.9), True), (match(score=0.9), False),
        (match("us_ilab_tvpra", about="exposure", score=1.0), True), (match("us_ofac_cons", score=0.9), False),
    ]  # fmt: skip
    ranks = [rank(one, bought=bought, proposed=False, opened_at=NOW) for one, bought in ordered]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) == len(ranks)
    assert priority(match(score=0.5), bought=True) == 0.5
    later = rank(match(score=0.9), bought=True, proposed=False, opened_at=NOW + timedelta(days=1))
    assert ranks[0] < later < ranks[1]


def test_what_waits_for_nobody_is_in_no_queue() -> None:
    assert rank(match(state="cleared"), bought=True, proposed=False, opened_at=NOW) == ""
    assert rank(match(state="withdrawn"), bought=True, proposed=False, opened_at=NOW) == ""
    assert rank(match(state="cleared"), bought=True, proposed=True, opened_at=NOW).startswith("proposed/")


@pytest.mark.parametrize(
    ("one", "outcome", "two"),
    [
        (match(), "cleared", True), (match(), "confirmed", True), (match(), "escalated", False),
        (match(strength="weak"), "confirmed", True), (match(strength="weak"), "cleared", False),
        (match("us_ofac_cons"), "cleared", False), (match("us_ofac_cons"), "confirmed", False),
        (match(None, kind="finding"), "cleared", False), (match(None, kind="finding"), "confirmed", False),
    ],
)  # fmt: skip
def test_how_many_people_it_takes(one: Match, outcome: str, two: bool) -> None:
    told = Told(one).said(outcome, "ada")
    assert told.types == (["proposed"] if two else ["reviewed"])
    assert told.now == (("open", "", "", True) if two else (outcome, "ada", "", False))
    if two:
        assert told.agreed("bo").now == (outcome, "ada", "bo", False)
        assert told.types == ["proposal_decided", "reviewed"]


def test_a_score_that_only_other_names_moved_is_no_news() -> None:
    told = Told(match(score=0.8)).tell(Touched(match=match(score=0.9), content="a", sides=Sides(1, 7, 1, "p")))
    rarer = match(score=0.91, strength="weak")
    assert not told.tell(Touched(match=rarer, content="a", sides=Sides(2, 7, 1, "p"))).events
    assert not told.tell(Untouched(Sides(3, 7, 1, "p"))).events
    assert told.tell(Touched(match=rarer, content="a", sides=Sides(4, 7, 1, "p"), bought=False)).types == ["ranked"]
    assert told.state
    assert (told.state.match.score, told.state.bought) == (0.9, False)
    for other in (Sides(5, 7, 1, "q"), Sides(5, 8, 1, "q"), Sides(5, 8, 2, "q")):  # the supplier, the signal, the settings
        rarer = match(score=rarer.score + 0.01)
        assert told.tell(Touched(match=rarer, content="a", sides=other, bought=False)).types == ["changed"]
    assert told.tell(Untouched(Sides(6, 9, 2, "q"))).types == ["withdrawn"]


def test_who_proposed_does_not_decide() -> None:
    told = Told(match()).said("cleared", "ada")
    with pytest.raises(Forbidden):
        told.agreed("ada")
    with pytest.raises(Forbidden):
        told.agreed("ada", approved=False)
    assert told.said("cleared", "ada").now == ("open", "", "", True)
    assert told.said("cleared", "bo").now == ("cleared", "ada", "bo", False), "another person's own review of the same outcome agrees"


def test_a_refused_proposal_changes_nothing() -> None:
    told = Told(match()).said("confirmed", "ada").agreed("bo", approved=False)
    assert (told.types, told.now) == (["proposal_decided"], ("open", "", "", False))
    with pytest.raises(Conflict):
        told.agreed("bo")


def test_against_a_proposal_nobody_goes_by_another_review_but_its_own_author() -> None:
    told = Told(match()).said("confirmed", "ada")
    for outcome in ("cleared", "escalated"):
        with pytest.raises(Conflict):
            told.said(outcome, "bo")
    assert told.said("escalated", "ada").now == ("escalated", "ada", "", False)


def test_what_was_confirmed_takes_two_to_be_taken_back_by_whatever_detour() -> None:
    told = Told(match(strength="weak")).said("confirmed", "ada").agreed("bo")
    with pytest.raises(Forbidden):
        told.said("cleared", "ada")
    told.said("escalated", "bo")
    assert told.now == ("confirmed", "ada", "bo", True)
    told.agreed("cem")
    assert told.said("cleared", "dora").now == ("escalated", "bo", "cem", True), "weak, but people had confirmed it"
    with pytest.raises(Forbidden):
        told.agreed("ada")
    assert told.agreed("bo").now == ("cleared", "dora", "bo", False)


def test_a_proposal_is_no_more_where_the_world_has_changed() -> None:
    assert Told(match()).said("cleared", "ada").found("b").now == ("open", "", "", False)
    assert Told(match()).said("cleared", "ada").gone().now == ("withdrawn", "", "", False)
    told = Told(match()).said("cleared", "ada")
    told.match = match(score=0.99)
    assert told.found("a").now == ("open", "", "", True)


@pytest.mark.parametrize(
    ("outcome", "code", "note", "kept"),
    [
        ("cleared", None, "", None), ("cleared", "same_party", "", None), ("cleared", "insufficient_information", "x", None),
        ("cleared", "other", " ", None), ("cleared", "other", "x", "other"), ("cleared", "different_birth_date", "", "different_birth_date"),
        ("cleared", "nonsense", "x", None), ("confirmed", None, "", "same_party"), ("confirmed", "other", "", None),
        ("escalated", None, "", "insufficient_information"), ("escalated", "other", "", "other"), ("escalated", "same_name_only", "", "same_name_only"),
    ],
)  # fmt: skip
def test_reasons(outcome: Any, code: str | None, note: str, kept: str | None) -> None:
    if kept is None:
        with pytest.raises(Invalid):
            reason_of(outcome, code, note)
    else:
        assert reason_of(outcome, code, note) == kept


def test_a_pair_that_goes_back_and_forth_is_judged_once_a_content() -> None:
    told = Told(match(strength="weak")).said("cleared", "ada")
    assert told.found("b").now == ("open", "", "", False)
    told.said("cleared", "bo", "different_country")
    assert told.found("a").now == ("cleared", "ada", "", False)
    assert told.found("b").now == ("cleared", "bo", "", False)
    assert told.gone().found("a").now == ("cleared", "ada", "", False)
    assert told.state
    assert told.state.match.reason_code == "different_name"
    assert told.found("c").now[0] == "open"


def test_who_doubts_doubts_what_was_settled_before() -> None:
    told = Told(match(strength="weak")).said("cleared", "ada").found("b").said("escalated", "bo")
    assert told.found("a").now == ("escalated", "bo", "", False)


def test_what_was_confirmed_of_one_content_ends_what_was_cleared_of_another() -> None:
    told = Told(match("us_ofac_cons")).said("cleared", "ada").found("b").said("confirmed", "bo")
    assert told.found("a").now == ("confirmed", "bo", "", False)
    assert told.gone().found("a").now[0] == "open"


def test_the_same_party_by_another_of_its_names_is_no_other_party() -> None:
    told = Told(match(strength="weak"), "a", alike=("b",)).said("cleared", "ada")
    assert told.found("b", alike=("a",)).now[0] == "cleared"
    assert told.gone().found("b", alike=("a",)).now[0] == "cleared"
    assert told.found("c", alike=("a", "b")).now[0] == "open"


def test_of_equal_pairs_only_the_place_in_the_queue_moves_with_what_is_bought() -> None:
    told = Told(match())
    told.found("a", bought=False)
    assert [type(event) for event in told.events] == [MatchRanked]
    assert told.state
    assert told.state.rank > Told(match()).state.rank  # type: ignore[union-attr]
    assert told.found("a", bought=False).events == []
    assert told.tell(Rank()).events == []


CARRIED = Carried(
    "us_ofac_sdn:1", (Judged(content="a", state="confirmed", reviewed_by="ada", reason_code="same_party", agreed_by="bo"),), "ada"
)


def test_a_review_follows_the_party_to_its_new_id() -> None:
    told = Told(match(), "a", carried=CARRIED)
    assert (told.types, told.now) == (["opened"], ("confirmed", "ada", "bo", False))
    assert told.state
    assert told.state.match.carried_from == "us_ofac_sdn:1"
    with pytest.raises(Forbidden):
        told.said("cleared", "ada")
    assert told.gone().found("a").now == ("confirmed", "ada", "bo", False)


def test_but_not_over_other_material_nor_over_what_people_said_there() -> None:
    assert Told(match(), "other", carried=CARRIED).now == ("open", "", "", False)
    told = Told(match("us_ofac_cons")).said("cleared", "cem")
    assert told.found("a", carried=CARRIED).now == ("cleared", "cem", "", False)
    told = Told(match())
    assert told.found("a", carried=CARRIED).now == ("confirmed", "ada", "bo", False), "nobody had said anything yet"
    assert told.types == ["changed"]
