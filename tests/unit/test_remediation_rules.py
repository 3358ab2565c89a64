"""The playbook, where a finding belongs, and how a referral ends: pure rules beside the case."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from services.remediation import commands as do
from services.remediation.playbook import INDICATORS, PLAYBOOK, known_indicators, tasks_for
from services.remediation.reactions import _Known, place
from services.remediation.referral import REFERRALS
from services.remediation.referral import decide as decide_referral
from shared.errors import Conflict, NotFound
from shared.events.envelope import encode
from shared.events.followup import RaisedBy
from shared.kernel.aggregate import Cause, Message
from shared.security.sealing import Sealed

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def because(signal: str, *indicators: str) -> RaisedBy:
    return RaisedBy(id=f"evt_{signal}", type="duewatch.rating.changed.v1", at=NOW, signal_id=signal, kind="finding", indicators=indicators)


A, B = because("sig_a", "debt_bondage"), because("sig_b", "debt_bondage", "isolation")


@pytest.mark.parametrize("indicator", INDICATORS)
def test_each_kind_of_abuse_has_its_own_tasks_and_safety_comes_first(indicator: str) -> None:
    plays, always = tasks_for([indicator]), {play.key for play in tasks_for([])}
    assert {play.key for play in plays} - always
    assert [play.safety for play in plays] == sorted((play.safety for play in plays), reverse=True)
    assert all(play.source and 0 < play.due_days <= 90 for play in plays)
    assert all(play.due_days <= 7 for play in plays if play.safety)


def test_the_playbook_covers_ilos_eleven_and_says_one_thing_by_one_key() -> None:
    assert len(INDICATORS) == 13
    plays = {play for several in PLAYBOOK.values() for play in several}
    assert len({play.key for play in plays}) == len(plays)
    assert known_indicators(["abusive_conditions", "unheard of", "deception"]) == ("deception", "abusive_working_and_living_conditions")
    assert len(tasks_for(INDICATORS)) == len({play.key for play in tasks_for(INDICATORS)})


def known(state: Any, *causes: str, indicators: Sequence[str] = ("debt_bondage",), dropped: Sequence[str] = ()) -> _Known:
    return _Known(set(causes), set(indicators), set(dropped), state)


def test_where_a_finding_belongs() -> None:
    def placed(cause: RaisedBy, **cases: _Known) -> str:
        found = place(cases, "t", "sup_1", cause)
        return found if found in ("one", "two") else "new"

    assert placed(A, one=known("live", "sig_a")) == "one"
    assert placed(B, one=known("live", "sig_a")) == "new"
    assert placed(B, one=known("closed", "sig_a")) == "one"
    assert placed(because("sig_c", "isolation"), one=known("closed", "sig_a")) == "new"
    assert placed(because("sig_c"), one=known("closed", "sig_a", indicators=())) == "new"
    assert placed(B, one=known("cancelled", "sig_a")) == "new"
    assert placed(B, one=known("closed", "sig_a"), two=known("live", "sig_b")) == "two"
    assert placed(B, one=known("live", "sig_a", "sig_c", dropped=["sig_b"])) == "one"


def test_an_old_cause_of_a_closed_case_does_not_hide_that_it_can_be_reopened() -> None:
    cases, states = {"one": known("closed", "sig_a")}, []
    for cause in (A, B):
        assert place(cases, "t", "s", cause) == "one"
        states.append(cases["one"].state)
    assert states == ["closed", "live"]
    assert place(cases, "t", "s", because("sig_c", "debt_bondage")) != "one"  # open again: a further finding is a case of its own


def refer(state: Any, body: Any) -> Any:
    return decide_referral(state, Message(body, Cause("c", "test", actor="cw")), NOW)


def test_a_referral_ends_once() -> None:
    sealed = Sealed(key=b"k", nonce=b"n", text=b"t")
    opened = refer(None, do.OpenReferral(case_id="case_1", content=sealed)).state
    assert REFERRALS.decoder.decode(encode(opened)) == opened
    end = do.EndReferral(case_id="case_1", outcome="completed", note=None)
    with pytest.raises(NotFound):
        refer(opened, msgspec.structs.replace(end, case_id="case_2"))
    with pytest.raises(NotFound):
        refer(None, end)
    with pytest.raises(Conflict):
        refer(opened, do.OpenReferral(case_id="case_1", content=sealed))
    decided = refer(opened, end)
    assert decided.state.state == "completed"
    assert b"text" not in encode(decided.events[0])
    assert refer(decided.state, end) is None
    with pytest.raises(Conflict):
        refer(decided.state, msgspec.structs.replace(end, outcome="declined"))
