"""How much waits for a reader whose partitions change hands while it is asked."""

from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka.structs import TopicPartition

from shared.bus.kafka_consumer import KafkaConsumer

KEPT, GONE = TopicPartition("suppliers", 0), TopicPartition("suppliers", 1)


async def test_a_partition_that_is_dealt_to_another_meanwhile_counts_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    class Looker:
        async def ends(self, places: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
            del consumer._done[GONE]
            return dict.fromkeys(places, 12)

    async def connected(_self: Any) -> None:
        """As if it were."""

    monkeypatch.setattr(KafkaConsumer, "_connected", connected)
    monkeypatch.setattr(KafkaConsumer, "_moving", lambda _self: False)
    consumer: Any = KafkaConsumer.__new__(KafkaConsumer)
    consumer._looker, consumer._done = Looker(), {KEPT: 5, GONE: 7}
    assert await consumer.lag() == 7
