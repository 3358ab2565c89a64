"""The fold of hot-spots: what order, repetition and time do to a window."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.hotspots.fold import Observation, Rule, current, judged, merged
from services.hotspots.model import HOTSPOT, Hotspot, Seen
from shared.events.envelope import Payload
from shared.events.hotspots import HotspotChanged, HotspotClosed, HotspotDetected, HotspotObserved, Spot
from shared.events.signals import ExposureSignal
from shared.kernel.aggregate import Alarm, Cause, Message

RULE = Rule(sources=3, window_days=30, cooling_days=10)
SPOT = Spot(kind="good_origin", hs="5201", origin="TM")
T0 = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def saw(id_: str, source: str, day: float = 0, rank: int = 1, **more: object) -> Observation:
    return Observation(id=id_, source=source, at=T0 + day * DAY, rank=rank, **more)  # type: ignore[arg-type]


class Window:
    """A hot-spot that is told one thing after the other."""

    def __init__(self) -> None:
        self.state: Hotspot | None = None
        self.told: list[Payload] = []

    def take(self, body: object, day: float) -> list[type[Payload]]:
        decided = HOTSPOT.decide(self.state, Message(body, Cause("c", "test")), T0 + day * DAY)
        if decided is None:
            return []
        self.state = decided.state
        self.told += decided.events
        return [type(event) for event in decided.events]

    def see(self, *observations: Observation, day: float, rule: Rule = RULE) -> list[type[Payload]]:
        return self.take(Seen(SPOT, observations, rule), day)

    def ring(self) -> list[type[Payload]]:
        assert self.state
        assert self.state.closes_at
        return self.take(Alarm(self.state.closes_at), (self.state.closes_at - T0) / DAY)


def test_three_independent_sources_in_a_window_are_a_hot_spot_and_three_words_of_one_are_none() -> None:
    window = Window()
    assert window.see(saw("a", "ofac"), saw("b", "ofac"), saw("c", "ofac"), day=0) == [HotspotObserved]
    assert window.see(saw("d", "finding/1", 1), day=1) == [HotspotObserved]
    assert window.see(saw("e", "finding/2", 2, indicators=("debt_bondage",)), day=2) == [HotspotDetected]
    (told,) = window.told[-1:]
    assert isinstance(told, HotspotDetected)
    assert told.signal.subject == ExposureSignal(hs="5201", origin="TM")
    assert (told.signal.source.kind, told.signal.source.indicators) == ("hotspot", ("debt_bondage",))
    assert (told.sources, told.evidence) == (3, ("e", "d", "c", "b", "a"))
    assert window.see(saw("e", "finding/2", 2, indicators=("debt_bondage",)), day=3) == []


def test_sources_too_far_apart_are_none() -> None:
    window = Window()
    for n in range(5):
        assert window.see(saw(f"o{n}", f"s{n}", 16 * n), day=16 * n) == [HotspotObserved]


def test_it_closes_when_it_has_been_calm_for_the_cooling_time_and_not_before() -> None:
    window = Window()
    window.see(saw("a", "1"), saw("b", "2", 1), saw("c", "3", 2), day=2)
    assert window.state
    assert window.state.closes_at == T0 + 40 * DAY  # the third newest source, a window and the cooling
    assert window.see(saw("d", "4", 35), day=35) == [HotspotObserved]  # cooling, and warm again by what is two sources only in the window
    assert window.state.closes_at == T0 + 41 * DAY
    assert window.ring() == [HotspotClosed]
    assert isinstance(window.told[-1], HotspotClosed)
    assert (window.told[-1].reason, window.state.told) == ("cooled", None)
    assert window.see(saw("e", "5", 42), day=42) == [HotspotObserved]
    assert window.see(saw("f", "6", 43), day=43) == [HotspotDetected]  # with d


def test_what_is_taken_back_closes_it_at_once() -> None:
    window = Window()
    window.see(saw("a", "1"), saw("b", "2"), saw("c", "3"), day=0)
    assert window.see(saw("b", "2", 1, rank=2, live=False), day=1) == [HotspotClosed]
    assert isinstance(window.told[-1], HotspotClosed)
    assert window.told[-1].reason == "withdrawn"
    assert window.see(saw("b", "2"), day=2) == []  # an old word that comes again
    assert window.see(saw("b", "2", 3, rank=3), day=3) == [HotspotDetected]


def test_other_indicators_are_another_signal() -> None:
    window = Window()
    window.see(saw("a", "1"), saw("b", "2"), saw("c", "3"), day=0)
    assert window.see(saw("d", "4", indicators=("isolation",)), day=0) == [HotspotChanged]


def test_a_source_heard_of_too_late_opens_nothing() -> None:
    window = Window()
    assert window.see(saw("a", "1"), saw("b", "2"), day=0) == [HotspotObserved]
    assert window.see(saw("c", "3", 1), day=35) == [HotspotObserved]
    assert window.see(saw("z", "9", -20), day=35) == []


def test_a_clock_that_runs_ahead_does_not_keep_it_open() -> None:
    window = Window()
    window.see(saw("a", "1", 300), saw("b", "2", 300), saw("c", "3", 300), day=0)
    assert window.state
    assert window.state.closes_at == T0 + 40 * DAY


def test_what_was_taken_back_before_it_was_heard_of_stays_taken_back() -> None:
    window = Window()
    assert window.see(saw("a", "1", rank=2, live=False), day=0) == [HotspotObserved]
    assert window.see(saw("a", "1"), saw("b", "2"), saw("c", "3"), day=0) == [HotspotObserved]
    assert Window().see(saw("a", "1", -40), day=0) == []  # too old to be anything


times = st.integers(-50, 60)


def _word(id_: int, source: int, rank: int, live: bool) -> Observation:
    """A later word of the same id is never older, as events of one aggregate are; sources may contradict each other, as only a fault could make them."""
    return saw(f"o{id_}", f"s{source}", 9 * id_ - 45 + 11 * rank, rank, live=live)


observations = st.builds(_word, st.integers(0, 6), st.integers(0, 4), st.integers(1, 4), st.booleans())


@given(st.lists(observations, max_size=25), st.data(), times)
def test_order_and_repetition_change_nothing_at_the_end(heard: list[Observation], data: st.DataObject, end: int) -> None:
    again = data.draw(st.permutations([*heard, *data.draw(st.lists(st.sampled_from(heard), max_size=10) if heard else st.just([]))]))
    cut = data.draw(st.integers(0, len(again)))
    now = T0 + end * DAY

    def whole(words: Sequence[Observation]) -> dict[str, Observation]:
        known: dict[str, Observation] = {}
        for word in words:
            known = merged(known, [word])
        return known

    one, other = whole(heard), whole(again)
    apart = merged(whole(again[:cut]), whole(again[cut:]).values())  # two workers, then what they know together
    assert one == other == apart
    assert judged(one, RULE, now) == judged({o.id: o for o in reversed(other.values())}, RULE, now)


@given(st.lists(observations, max_size=25), st.data(), times)
def test_a_window_told_in_any_order_is_in_the_end_what_its_observations_are(
    heard: list[Observation], data: st.DataObject, end: int
) -> None:
    """All within the same moment, so that time closes nothing in between."""
    windows = Window(), Window()
    for window, words in zip(windows, (heard, data.draw(st.permutations([*heard, *heard]))), strict=True):
        for word in words:
            window.see(word, day=end)
    now = T0 + end * DAY
    verdict = judged(merged({}, current(merged({}, heard).values(), RULE, now)), RULE, now)
    for window in windows:
        opened = window.state is not None and window.state.told is not None
        assert opened or not verdict.hot
        assert not opened or (verdict.closes_at is not None and verdict.closes_at > now)
    kept = [
        {id_: one for id_, one in window.state.observations.items() if one.live} if window.state else {} for window in windows
    ]  # fmt: skip
    assert kept[0] == kept[1]
    for window in windows:
        before = len(window.told)
        assert [kind for word in heard for kind in window.see(word, day=end)] == []
        assert len(window.told) == before


@pytest.mark.parametrize("observation", [saw("a", "1", -40), saw("a", "1", -41, rank=9)])
def test_what_cannot_matter_any_more_is_not_kept(observation: Observation) -> None:
    assert current([observation], RULE, T0) == []
