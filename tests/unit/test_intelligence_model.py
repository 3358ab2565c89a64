"""The decisions of intelligence, without anything around them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.intelligence.findings.about import Exposure, Party, Site, signal_of
from services.intelligence.findings.model import FINDING, Draft, Finding, Retract, Shred, Verify
from services.intelligence.findings.reports import REPORT, REPORTER_KEY, KeepKey, OpenSender
from services.intelligence.releases.model import (
    ENTRY,
    MARKER,
    RELEASE,
    Done,
    Judge,
    LetIn,
    Mark,
    Publish,
    Receive,
    Release,
    Supersede,
    Withdraw,
)
from shared.errors import Conflict, DuewatchError, Forbidden, NotFound
from shared.events.intelligence import Counts, FindingErased, FindingRejected, ReleaseMoved
from shared.events.signals import (
    PartySignal,
    ReleaseAccepted,
    ReleasePublished,
    Signal,
    SignalChanged,
    SignalName,
    SignalPublished,
    SignalWithdrawn,
    Source,
    sweep_id,
)
from shared.kernel.aggregate import Aggregate, Cause, Message
from shared.security.sealing import Sealed

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SEALED = Sealed(key=b"k", nonce=b"n", text=b"t")
ABOUT = Party(name="Acme", country="DE")


def decide(aggregate: Aggregate[Any], state: Any, body: Any, actor: str = "ada") -> Any:
    return aggregate.decide(state, Message(body, Cause("c", "test", "rel_1", actor)), NOW)


def received(**changes: Any) -> Release:
    return Release(
        **{"list": "l", "state": "received", "sha256": "aa", "size": 1, "source": "upload", "loaded_by": "op", "received_at": NOW} | changes
    )


def signal(digest: str, release: str = "rel_1") -> Signal:
    source = Source(kind="list_entry", list="l", uid="1", release_id=release)
    return Signal(subject=PartySignal(names=(SignalName(name="X"),)), source=source, digest=digest)


def finding(**changes: Any) -> Finding:
    made = decide(FINDING, None, Draft(finding_id="fnd_1", report_id="rep_1", about=ABOUT, indicators=(), summary=SEALED)).state
    return Finding(**{name: getattr(made, name) for name in made.__struct_fields__} | changes)


def test_a_release_is_accepted_before_it_is_published() -> None:
    state, events = decide(RELEASE, None, Receive("l", "aa", 1, "upload"))
    assert (state, [type(e) for e in events]) == (received(loaded_by="ada"), [ReleaseMoved])
    state, events = decide(RELEASE, state, Judge("accepted", Counts(entries=3, added=2, deleted=1)))
    told = ReleaseAccepted(list="l", sweep_id=sweep_id("rel_1"), entries=3, added=2, modified=0, deleted=1, accepted_at=NOW)
    assert (state.accepted_at, state.published, events) == (NOW, False, [told])
    assert decide(RELEASE, state, Judge("refused", Counts(), "too late", "guard")) is None
    state, _ = decide(RELEASE, state, Done())
    assert state.published
    assert decide(RELEASE, state, Done()) is None
    state, _ = decide(RELEASE, state, Supersede("rel_2"))
    assert decide(RELEASE, state, Supersede("rel_3")) is None
    assert state.superseded_by == "rel_2"


def test_only_one_release_of_a_list_is_in_force() -> None:
    (index,) = [i for i in RELEASE.indexes if i.name == "in_force"]
    shown = [received(state=s) for s in ("received", "refused", "unchanged")] + [received(state="accepted", superseded_by="rel_2")]
    assert [index.get(s) for s in shown] == [None] * 4
    assert index.get(received(state="accepted")) == "l"


def test_what_is_left_to_do() -> None:
    (todo,) = [i for i in RELEASE.indexes if i.name == "todo"]
    left = [received(), received(state="accepted")]
    done = [received(state="accepted", published=True), received(state="refused"), received(state="unchanged")]
    assert [todo.get(s) for s in left + done] == [1, 1, None, None, None]


def test_only_a_guards_refusal_can_be_overruled() -> None:
    refused = received(state="refused", refusal="guard", reason="small")
    state, _ = decide(RELEASE, refused, LetIn("checked"), "olga")
    assert (state.state, state.reason, state.accepted_by, state.accepted_because) == ("received", "", "olga", "checked")
    for other in (received(), received(state="accepted"), received(state="unchanged"), received(state="refused", refusal="unreadable")):
        with pytest.raises(Conflict):
            decide(RELEASE, other, LetIn("checked"))


def test_a_repeated_receipt_must_be_of_the_same_bytes() -> None:
    assert decide(RELEASE, received(), Receive("l", "aa", 1, "upload")) is None
    for other in (Receive("l", "bb", 1, "upload"), Receive("m", "aa", 1, "upload")):
        with pytest.raises(Conflict):
            decide(RELEASE, received(), other)


def test_the_marker_is_set_once() -> None:
    state, events = decide(MARKER, None, Mark("l", 7))
    assert events == [ReleasePublished(list="l", sweep_id=sweep_id("rel_1"), signals=7)]
    assert decide(MARKER, state, Mark("l", 7)) is None


def test_an_entry_comes_changes_goes_and_comes_back() -> None:
    state, events = decide(ENTRY, None, Publish(signal("a")))
    assert events == [SignalPublished(signal=signal("a"))]
    assert decide(ENTRY, state, Publish(signal("a", "rel_2"))) is None  # the same content: what was applied before a crash
    state, events = decide(ENTRY, state, Publish(signal("b", "rel_2")))
    assert events == [SignalChanged(signal=signal("b", "rel_2"))]
    state, events = decide(ENTRY, state, Withdraw("rel_3"))
    assert [(type(e), e.release_id) for e in events] == [(SignalWithdrawn, "rel_3")]
    assert decide(ENTRY, state, Withdraw("rel_3")) is None
    assert decide(ENTRY, None, Withdraw("rel_3")) is None
    state, events = decide(ENTRY, state, Publish(signal("b", "rel_4")))
    assert (state.live, [type(e) for e in events]) == (True, [SignalPublished])


@pytest.mark.parametrize("aggregate", [RELEASE, FINDING, REPORT])
def test_nothing_is_done_to_what_is_not_there(aggregate: Aggregate[Any]) -> None:
    bodies = {
        "release": [Done(), LetIn("x"), Judge("accepted", Counts())],
        "finding": [Shred(), Retract(SEALED)],
        "report": [OpenSender("x")],
    }
    for body in bodies[aggregate.kind]:
        with pytest.raises(NotFound):
            decide(aggregate, None, body)


def test_a_finding_needs_a_second_person_who_is_not_its_source() -> None:
    for actor, by_sender in (("ada", False), ("bo", True)):
        for outcome in ("verified", "rejected"):
            with pytest.raises(Forbidden):
                decide(FINDING, finding(), Verify(outcome=outcome, reason=SEALED, by_sender=by_sender), actor)
    state, events = decide(FINDING, finding(), Verify(outcome="verified", reason=SEALED, by_sender=False), "bo")
    assert (state.state, state.decided_by, state.decided_at) == ("verified", "bo", NOW)
    assert events == [SignalPublished(signal=signal_of("fnd_1", ABOUT, ()))]


@pytest.mark.parametrize("state", ["draft", "verified", "rejected", "retracted"])
def test_each_state_of_a_finding_has_its_ways_out(state: str) -> None:
    def may(body: Any) -> bool:
        try:
            decide(FINDING, finding(state=state), body, "bo")
        except DuewatchError:
            return False
        return True

    verify = Verify(outcome="verified", reason=SEALED, by_sender=False)
    assert (may(verify), may(Retract(SEALED))) == (state == "draft", state == "verified")


def test_erasing_a_finding_takes_its_keys_and_ends_a_draft() -> None:
    state, events = decide(FINDING, finding(), Shred())
    assert (state.state, state.summary.key, events) == ("rejected", b"", [FindingRejected(report_id="rep_1", erased=True)])
    assert decide(FINDING, state, Shred()) is None
    state, events = decide(FINDING, finding(state="verified", reason=SEALED, retraction=SEALED), Shred())
    assert (state.state, state.reason.key, state.retraction.key, events) == ("verified", b"", b"", [FindingErased(report_id="rep_1")])


def test_the_reporter_key_is_made_once() -> None:
    state, _ = decide(REPORTER_KEY, None, KeepKey(SEALED))
    assert decide(REPORTER_KEY, state, KeepKey(SEALED)) is None


def test_the_digest_of_a_signal_is_of_its_content_only() -> None:
    assert signal_of("fnd_1", ABOUT, ("deception",)).digest == signal_of("fnd_2", ABOUT, ("deception",)).digest
    abouts = (ABOUT, Party(name="Acme"), Site(name="Acme", country="DE"), Exposure(origin="DE", hs="5201"))
    digests = [signal_of("fnd_1", about, ()).digest for about in abouts]
    assert len({*digests, signal_of("fnd_1", ABOUT, ("deception",)).digest}) == 5
