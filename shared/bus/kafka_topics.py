"""What each topic should be on the cluster; creates what is missing and says what differs."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, for_code

from shared.bus.kafka_reach import reaching
from shared.bus.kafka_settings import KafkaSettings
from shared.events.topics import DEAD_LETTERS, STREAM_TOPICS, TOPICS, Topic

_ALL = {**TOPICS, **DEAD_LETTERS, **STREAM_TOPICS}
_LIMIT_S = 30.0
_LOOK_S = 0.02
_DAY_MS = 86_400_000
LARGEST_MESSAGE = 4 * 1024 * 1024  # bytes; of a batch as the broker sees it


class Plan(msgspec.Struct, frozen=True):
    """One topic as it should be. `name` with prefix; `configs` are Kafka's topic settings."""

    name: str
    partitions: int
    replication: int
    configs: dict[str, str]


class KafkaTopics:
    """The topics of a system. `in_sync`: how many replicas must have a record before it is acknowledged; None: all but one."""

    def __init__(
        self, settings: KafkaSettings, partitions: int, *, in_sync: int | None = None, largest_message: int = LARGEST_MESSAGE
    ) -> None:
        self._settings, self._partitions, self._largest = settings, partitions, largest_message
        self._in_sync = in_sync if in_sync is not None else max(1, settings.replication - 1)

    def plans(self, names: Iterable[str] = _ALL) -> list[Plan]:
        """What should be there."""
        return [self._plan(_ALL[name]) for name in names]

    def _plan(self, topic: Topic) -> Plan:
        keeps = {"cleanup.policy": "compact"}
        if not topic.compacted:
            keeps = {"cleanup.policy": "delete", "retention.ms": str(topic.retention_days * _DAY_MS)}
        configs = {**keeps, "min.insync.replicas": str(self._in_sync), "max.message.bytes": str(self._largest)}
        return Plan(self._settings.prefix + topic.name, self._partitions, self._settings.replication, configs)

    async def apply(self, names: Iterable[str] = _ALL) -> list[str]:
        """Creates those that are missing and waits until they can be written to; their names. Changes none that is there."""
        async with self._admin("create the topics") as admin:
            plans = self.plans(names)
            known = await _described(admin, [p.name for p in plans])
            made: list[str] = []
            missing = [p for p in plans if p.name not in known]
            new = [NewTopic(p.name, p.partitions, p.replication, topic_configs=p.configs) for p in missing]
            for name, code, *_ in (await admin.create_topics(new)).topic_errors if new else ():
                if not code:
                    made.append(name)
                elif code != TopicAlreadyExistsError.errno:  # another process may do the same
                    raise for_code(code)
            await _usable(admin, [p.name for p in plans])
        return made

    async def check(self, names: Iterable[str] = _ALL) -> list[str]:
        """What differs from what should be, one sentence each; none: all is well."""
        found: list[str] = []
        async with self._admin("describe the topics") as admin:
            plans = self.plans(names)
            known = await _described(admin, [p.name for p in plans])
            configs = await _configs(admin, list(known))
        for plan in plans:
            topic = known.get(plan.name)
            if topic is None:
                found.append(f"{plan.name} is missing")
                continue
            is_ = {"partitions": str(len(topic["partitions"])), "replicas": str(len(topic["partitions"][0]["replicas"]))}
            should = {"partitions": str(plan.partitions), "replicas": str(plan.replication), **plan.configs}
            is_ |= configs[plan.name]
            found += [f"{plan.name}: {name} is {is_.get(name)}, not {value}" for name, value in should.items() if is_.get(name) != value]
        return found

    @asynccontextmanager
    async def _admin(self, what: str) -> AsyncIterator[AIOKafkaAdminClient]:
        async with reaching(_LIMIT_S, what):
            admin = AIOKafkaAdminClient(**self._settings.connection())
            try:
                await admin.start()
                yield admin
            finally:
                await admin.close()


async def _usable(admin: AIOKafkaAdminClient, names: list[str]) -> None:
    """Waits until each partition has a leader: the broker tells of a new topic before that."""
    while True:
        topics = await _described(admin, names)
        if len(topics) == len(names) and all(p["leader"] >= 0 for topic in topics.values() for p in topic["partitions"]):
            return
        await asyncio.sleep(_LOOK_S)


async def _described(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, Any]:
    """name -> the broker's description, of those that are there."""
    return {t["topic"]: t for t in await admin.describe_topics(names) if not t["error_code"]}


async def _configs(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, dict[str, str]]:
    """name -> its settings."""
    if not names:
        return {}
    answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in names])
    return {
        r["resource_name"]: {c["config_names"]: c["config_value"] for c in r["config_entries"]}
        for a in answers
        for r in a.to_object()["resources"]
    }
