"""Subscriptions: what they are told of, their secrets, their replays; and how many deliveries a receiver gets at once."""

from datetime import UTC, datetime, timedelta

import pytest

from services.partners.delivery import Delivery
from services.partners.filters import kinds_of, wants
from services.partners.lanes import Job, Lane
from services.partners.model import (
    AdvanceReplay,
    Change,
    Delete,
    Gone,
    Rotate,
    StartReplay,
    Subscribe,
    Subscription,
    decide_subscription,
    live_secrets,
)
from shared.errors import Conflict, NotFound
from shared.events.matches import SignalRef
from shared.events.partners import Filters
from shared.events.ratings import CauseRef, Driver, Link, RatingChanged
from shared.events.signals import Source
from shared.kernel.aggregate import Cause, Message
from shared.security.sealing import Sealed

NOW = datetime(2026, 1, 1, tzinfo=UTC)
URL = "https://example.com/hook"


def sealed(n: int) -> Sealed:
    return Sealed(key=b"k", nonce=b"n", text=bytes([n]))


def after(state: Subscription | None, body: object, now: datetime = NOW) -> Subscription:
    decided = decide_subscription(state, Message(body, Cause("c", "test")), now)
    assert decided is not None
    assert decided.events
    return decided.state


def unmoved(state: Subscription | None, body: object) -> bool:
    return decide_subscription(state, Message(body, Cause("c", "test")), NOW) is None


@pytest.fixture
def fresh() -> Subscription:
    return after(None, Subscribe(URL, Filters(), sealed(1)))


def change(cause: str, *drivers: Driver) -> RatingChanged:
    return RatingChanged(
        supplier_id="sup_1", external_refs=(), country="CN", tier="high", previous_tier="low",
        cause=CauseRef(id="evt_c", type=cause), policy_version="1", drivers=drivers,
    )  # fmt: skip


def driver(kind: str, link: str) -> Driver:
    signal = SignalRef(id="sig", source=Source(kind=kind))  # type: ignore[arg-type]
    chain = (Link(service="screening", type="duewatch.match.opened.v1", id=link),)
    return Driver(code="x", text="x", points=0.1, chain=chain, signal=signal)


@pytest.mark.parametrize(
    ("told", "kinds"),
    [
        (change("duewatch.match.opened.v1", driver("list_entry", "evt_c"), driver("finding", "evt_other")), {"list_entry"}),
        (change("duewatch.match.reviewed.v1", driver("finding", "evt_c")), {"finding"}),
        (change("duewatch.match.withdrawn.v1", driver("finding", "evt_other")), {"list_entry", "finding", "hotspot"}),
        (change("duewatch.match.opened.v1", driver("hotspot", "evt_c")), {"hotspot"}),
        (change("duewatch.supplier.screened.v1", driver("list_entry", "evt_other")), {"supplier", "list_entry"}),
        (change("duewatch.supplier.screened.v1"), {"supplier"}),
        (change("duewatch.audit.changed.v1", driver("finding", "evt_c")), {"audit"}),
        (change("duewatch.case.changed.v1"), {"case"}),
        (change("duewatch.exposure.propagated.v1"), {"upstream"}),
        (change("duewatch.policy.changed.v1"), {"policy"}),
        (change("duewatch.alarm"), {"time"}),
        (change("strange"), {"other"}),
    ],
)
def test_kinds_are_those_of_what_caused_the_change(told: RatingChanged, kinds: set[str]) -> None:
    assert kinds_of(told) == kinds


@pytest.mark.parametrize(
    ("filters", "passes"),
    [
        (Filters(), True),
        (Filters(tiers=("high", "critical")), True),
        (Filters(tiers=("low",)), False),
        (Filters(countries=("CN",), supplier_ids=("sup_1",), kinds=("audit",)), True),
        (Filters(countries=("DE",)), False),
        (Filters(supplier_ids=("sup_2",)), False),
        (Filters(kinds=("list_entry",)), False),
        (Filters(tiers=("high",), countries=("DE",)), False),
    ],
)
def test_all_filters_must_pass_and_an_empty_one_does(filters: Filters, passes: bool) -> None:
    assert wants(filters, change("duewatch.audit.changed.v1"), frozenset({"audit"})) is passes


def test_an_old_secret_signs_for_a_day(fresh: Subscription) -> None:
    rotated = after(fresh, Rotate(sealed(2)))
    assert live_secrets(rotated, NOW + timedelta(hours=23)) == [sealed(2), sealed(1)]
    assert live_secrets(rotated, NOW + timedelta(hours=24)) == [sealed(2)]
    later = NOW + timedelta(hours=12)
    twice = after(rotated, Rotate(sealed(3)), later)
    assert live_secrets(twice, later) == [sealed(3), sealed(2), sealed(1)]
    assert live_secrets(twice, NOW + timedelta(hours=25)) == [sealed(3), sealed(2)]
    for n in range(4, 20):
        twice = after(twice, Rotate(sealed(n)), later)
    assert len(twice.secrets) == 5


def test_410_disables_only_the_address_that_said_it(fresh: Subscription) -> None:
    gone = after(fresh, Gone(URL))
    assert (gone.state, gone.reason) == ("disabled", "gone")
    assert unmoved(after(fresh, Change(url="https://example.com/new")), Gone(URL))
    enabled = after(gone, Change(enabled=True))
    assert (enabled.state, enabled.reason) == ("enabled", "")
    assert unmoved(enabled, Change(enabled=True))


def test_a_deleted_one_is_not_there_any_more(fresh: Subscription) -> None:
    deleted = after(fresh, Delete())
    assert (deleted.state, deleted.secrets) == ("deleted", ())
    for body in (Delete(), Change(enabled=True), Rotate(sealed(2)), StartReplay(0, 1)):
        with pytest.raises(NotFound):
            after(deleted, body)
    assert unmoved(deleted, Gone(URL))
    with pytest.raises(Conflict):
        after(deleted, Subscribe(URL, Filters(), sealed(1)))


def test_a_replay_goes_on_page_by_page_and_ends(fresh: Subscription) -> None:
    state = after(fresh, StartReplay(2, 9))
    with pytest.raises(Conflict):
        after(state, StartReplay(0, 9))
    assert unmoved(state, AdvanceReplay(0, 5))
    state = after(state, AdvanceReplay(2, 5))
    assert state.replay is not None
    assert state.replay.done == 5
    assert after(state, AdvanceReplay(5, 9)).replay is None
    assert after(state, Change(enabled=False)).replay is None
    assert after(fresh, StartReplay(9, 9)).replay is None


def job(n: int, supplier_id: str) -> Job:
    delivery = Delivery(subscription_id="sub_1", event_id="e", supplier_id=supplier_id, created_at=NOW, state="waiting")
    return Job(("default", str(n)), delivery)


def lane(jobs: int = 0) -> Lane:
    made = Lane("default", "sub_1")
    for n in range(jobs):
        made.take(job(n, f"s{n}"))
    return made


def sent(made: Lane, seconds: float, ok: bool, *, times: int, now: float = 0.0, pause_s: float = 0.0) -> None:
    for _ in range(times):
        made.in_flight += 1
        made.ended(job(0, "s"), seconds, ok, pause_s, now)


def test_a_quick_receiver_gets_many_at_once_and_a_dead_one_one() -> None:
    quick, slow, dead = lane(), lane(), lane()
    sent(quick, 0.005, True, times=50)
    sent(slow, 1.0, True, times=50)
    sent(dead, 10.0, False, times=50)
    assert (quick.at_once, slow.at_once, dead.at_once) == (50, 5, 1)
    assert (quick.most, slow.most, dead.most) == (1_000, 5, 2)
    sent(dead, 0.005, True, times=50)
    assert dead.at_once == 50


def test_one_that_only_fails_is_asked_once_a_second() -> None:
    failing = lane(10)
    sent(failing, 0.001, False, times=4, now=100.0)
    assert failing.may_send(100.0)
    sent(failing, 0.001, False, times=1, now=100.0)
    assert not failing.may_send(100.9)
    assert failing.may_send(101.0)


def test_a_pause_holds_for_the_whole_lane() -> None:
    paused = lane(10)
    sent(paused, 0.001, False, times=1, now=100.0, pause_s=60.0)
    assert not paused.may_send(159.0)
    assert paused.may_send(160.0)


def test_what_finds_no_room_makes_way_at_once_if_slow_and_after_a_while_if_quick() -> None:
    quick, slow = lane(), lane()
    sent(quick, 0.001, True, times=50)
    sent(slow, 1.0, True, times=50)
    quick.crowding_since = slow.crowding_since = 100.0
    assert slow.must_queue(100.0)
    assert not quick.must_queue(104.9)
    assert quick.must_queue(105.0)


def test_of_one_supplier_only_one_is_in_flight_and_others_go_past_it() -> None:
    made = lane()
    first, second, other = job(1, "a"), job(2, "a"), job(3, "b")
    for each in (first, second, other):
        made.take(each)
    assert (made.next(), made.next(), made.next()) == (first, other, None)
    made.ended(first, 0.001, True, 0.0, 0.0)
    assert (made.next(), made.in_flight) == (second, 2)


@pytest.mark.parametrize("asked", [Change(url="https://example.com/other"), Change(enabled=True)])
def test_what_a_receiver_was_like_holds_no_more_once_it_has_moved_or_is_enabled_again(fresh: Subscription, asked: Change) -> None:
    made = lane(10)
    stopped = after(fresh, Change(enabled=False)) if asked.enabled else fresh
    made.become(stopped, 1)
    sent(made, 10.0, False, times=10, now=100.0, pause_s=86_400.0)
    made.become(after(stopped, Rotate(sealed(2))), 2)
    assert (made.may_send(200.0), made.more) == (False, True)
    made.become(after(stopped, asked), 3)
    assert made.may_send(200.0)
    assert made.at_once == lane().at_once == 10
