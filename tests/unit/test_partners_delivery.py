"""The course of a delivery: schedule, receivers' pauses, success, death, another series."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.partners.delivery import (
    SCHEDULE,
    Abandon,
    Attempt,
    Attempted,
    Deliver,
    Delivery,
    Queue,
    Redeliver,
    decide,
    delivery_id,
)
from shared.errors import Conflict, NotFound
from shared.kernel.aggregate import Cause, Message

NOW = datetime(2026, 1, 1, tzinfo=UTC)
EVENT = b'{"id":"evt_1"}'


def deliver(**fields: object) -> Deliver:
    return Deliver(**{"subscription_id": "sub_1", "event_id": "evt_1", "supplier_id": "sup_1", "event": EVENT, **fields})  # type: ignore[arg-type]


def after(state: Delivery | None, body: object, now: datetime = NOW) -> Delivery:
    decided = decide(state, Message(body, Cause("c", "test")), now)
    assert decided is not None
    assert len(decided.events) == 1
    return decided.state


def unmoved(state: Delivery | None, body: object) -> bool:
    return decide(state, Message(body, Cause("c", "test")), NOW) is None


def tried(now: datetime, status: int | None, retry_after: int | None = None, tries: int = 0) -> Attempted:
    attempt = Attempt(at=now, ms=3, status=status, error="" if status else "timeout")
    return Attempted(attempt=attempt, tries=tries, retry_after=retry_after)


def test_a_new_delivery_is_due_at_once_and_a_repeat_changes_nothing() -> None:
    state = after(None, deliver())
    assert (state.state, state.due_at, bytes(state.event)) == ("waiting", NOW, EVENT)
    assert unmoved(state, deliver())
    assert unmoved(state, deliver(again=True))


def test_a_delivered_one_lets_its_content_go() -> None:
    state = after(after(None, deliver()), tried(NOW, 204))
    assert (state.state, state.due_at, bytes(state.event), state.tries) == ("delivered", None, b"null", 1)
    assert unmoved(state, tried(NOW, 500))
    assert unmoved(state, deliver())


def test_failures_follow_the_schedule_and_then_it_is_dead() -> None:
    state, now = after(None, deliver()), NOW
    for n, step in enumerate(SCHEDULE):
        state = after(state, tried(now, 500, tries=n), now)
        assert state.due_at is not None
        wait = (state.due_at - now).total_seconds()
        assert step <= wait <= step * 1.1
        now = state.due_at
    state = after(state, tried(now, 500, tries=len(SCHEDULE)), now)
    assert (state.state, state.due_at, state.reason, state.tries) == ("dead", None, "schedule", 9)
    assert bytes(state.event) == EVENT


@pytest.mark.parametrize("status", [None, 301, 307, 400, 404, 410, 500])
def test_what_is_not_2xx_is_tried_again(status: int | None) -> None:
    assert after(after(None, deliver()), tried(NOW, status)).state == "waiting"


@pytest.mark.parametrize(("status", "asked", "least"), [(429, 900, 900), (503, 900, 900), (500, 900, 5), (429, 1, 5), (429, 10**8, 86_400)])
def test_a_pause_that_the_receiver_asks_for_is_kept_within_bounds(status: int, asked: int, least: int) -> None:
    state = after(after(None, deliver()), tried(NOW, status, asked))
    assert state.due_at is not None
    assert least <= (state.due_at - NOW).total_seconds() <= least * 1.1


def test_a_result_recorded_twice_counts_once() -> None:
    state = after(after(None, deliver()), tried(NOW, 500))
    assert unmoved(state, tried(NOW, 500))


def test_queued_ones_wait_for_their_lane_and_can_be_sent_from_there() -> None:
    queued = after(after(None, deliver()), Queue())
    assert (queued.state, queued.due_at) == ("queued", None)
    assert unmoved(queued, Queue())
    assert after(None, deliver(queued=True)).state == "queued"
    assert after(queued, tried(NOW, 200)).state == "delivered"
    assert after(queued, tried(NOW, 500)).state == "waiting"


def test_a_dead_one_can_be_sent_again_but_not_a_delivered_or_a_waiting_one() -> None:
    waiting = after(None, deliver())
    dead = after(waiting, Abandon("disabled"))
    assert (dead.state, dead.reason) == ("dead", "disabled")
    again = after(dead, Redeliver("sub_1"))
    assert (again.state, again.due_at, again.tries, again.reason) == ("waiting", NOW, 0, "")
    with pytest.raises(Conflict):
        decide(waiting, Message(Redeliver("sub_1"), Cause("c", "test")), NOW)
    with pytest.raises(Conflict):
        decide(after(waiting, tried(NOW, 200)), Message(Redeliver("sub_1"), Cause("c", "test")), NOW)
    with pytest.raises(NotFound):
        decide(dead, Message(Redeliver("sub_2"), Cause("c", "test")), NOW)


def test_a_replay_starts_a_new_series_of_what_has_ended() -> None:
    done = after(after(None, deliver()), tried(NOW, 200))
    again = after(done, deliver(again=True, queued=True))
    assert (again.state, again.tries, bytes(again.event)) == ("queued", 0, EVENT)
    assert len(again.attempts) == 1


def test_only_the_last_attempts_are_kept() -> None:
    state = after(None, deliver())
    for i in range(30):
        body = tried(NOW + timedelta(seconds=i), 500, tries=state.tries) if state.state == "waiting" else Redeliver("sub_1")
        state = after(state, body)
    assert len(state.attempts) == 20


MILLISECONDS = st.integers(1_500_000_000_000, 4_000_000_000_000)


@given(MILLISECONDS, MILLISECONDS)
def test_ids_sort_by_the_time_of_their_event(a: int, b: int) -> None:
    ids = [delivery_id(datetime.fromtimestamp(t / 1000, UTC), "evt_1", "sub_1")[:14] for t in (a, b)]
    assert (ids[0] < ids[1]) == (a < b)


def test_a_state_survives_its_encoding() -> None:
    state = after(after(None, deliver()), tried(NOW, 500))
    assert msgspec.json.decode(msgspec.json.encode(state), type=Delivery) == state
