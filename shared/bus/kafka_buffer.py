"""What was fetched and not yet handed out: topics first named first, the partitions of one evenly, no more of each than it may hold."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence

from aiokafka.structs import ConsumerRecord, TopicPartition

_PER_MESSAGE = 2000  # bytes that a message takes in memory beside key and value, measured: its headers above all
FULL = 2 * 1024 * 1024  # bytes of one partition; beyond that nothing more of it is fetched


class Buffer:
    """Of one consumer; topics by the names that Kafka knows them by."""

    def __init__(self, topics: Sequence[str], slices: Mapping[str, int], full: int = FULL) -> None:
        self._topics, self._slices, self._full = list(topics), slices, full
        self._waiting: dict[TopicPartition, deque[ConsumerRecord[bytes, bytes]]] = {}
        self._bytes: dict[TopicPartition, int] = {}
        self._turn = 0

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def add(self, place: TopicPartition, messages: Iterable["ConsumerRecord[bytes, bytes]"]) -> None:
        """What was fetched of a partition, behind what is there."""
        waiting = self._waiting.setdefault(place, deque())
        for message in messages:
            waiting.append(message)
            self._bytes[place] = self._bytes.get(place, 0) + _size(message)

    def has(self, place: TopicPartition) -> bool:
        """Is something of this partition here?"""
        return bool(self._waiting.get(place))

    def size(self, place: TopicPartition) -> int:
        """Bytes, about."""
        return self._bytes.get(place, 0)

    def full(self, place: TopicPartition) -> bool:
        """Should no more of it be fetched?"""
        return self.size(place) >= self._full

    def low(self, place: TopicPartition) -> bool:
        """Should more of it be fetched, so that it is here when the rest is handed out?"""
        return self.size(place) < self._full // 2

    def clear(self) -> None:
        """Forgets all of it."""
        self._waiting.clear()
        self._bytes.clear()

    def before(self) -> list[str]:
        """The topics named before the first of which something is here; all where nothing is."""
        here = {place.topic for place, waiting in self._waiting.items() if waiting}
        first = next((at for at, topic in enumerate(self._topics) if topic in here), len(self._topics))
        return self._topics[:first]

    def take(self, limit: int) -> list["ConsumerRecord[bytes, bytes]"]:
        """At most so many, in order within each partition."""
        taken: list[ConsumerRecord[bytes, bytes]] = []
        self._turn += 1
        for topic in self._topics:
            left = min(limit - len(taken), self._slices.get(topic, limit))
            while left > 0 and (places := sorted(p for p, waiting in self._waiting.items() if waiting and p.topic == topic)):
                at = self._turn % len(places)  # another one's turn to be the first, should there not be enough for all
                share = max(1, left // len(places))
                for place in [*places[at:], *places[:at]]:
                    some = self._take(place, min(share, left))
                    taken += some
                    left -= len(some)
        return taken

    def _take(self, place: TopicPartition, count: int) -> list["ConsumerRecord[bytes, bytes]"]:
        waiting = self._waiting[place]
        some = [waiting.popleft() for _ in range(min(count, len(waiting)))]
        self._bytes[place] -= sum(map(_size, some))
        return some


def _size(message: "ConsumerRecord[bytes, bytes]") -> int:
    return len(message.value or b"") + len(message.key or b"") + _PER_MESSAGE
