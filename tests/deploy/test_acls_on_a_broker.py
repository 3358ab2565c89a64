"""deploy/acls.yaml on a real broker that enforces it: each service can do all that it does, under its own name, and no more."""

import asyncio
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupAuthorizationFailedError, TopicAuthorizationFailedError
from aiokafka.protocol.admin import CreateAclsRequest

from services.runtime.kafka_files import reactions_of_all
from services.runtime.processes import MODULES
from shared.bus.kafka import KafkaBus
from shared.bus.kafka_producer import Producer
from shared.bus.kafka_records import Message
from shared.bus.kafka_settings import KafkaSettings
from shared.bus.kafka_topics import KafkaTopics
from shared.events.topics import TOPICS
from tests.infra import Unavailable
from tests.infra.fixtures import had_or_skipped
from tests.infra.kafka import LocalKafka, settings
from tests.infra.local import HOST, free_ports

_ACLS = yaml.safe_load((Path(__file__).parents[2] / "deploy/acls.yaml").read_text(encoding="utf-8"))["acls"]
_PARTITIONS = 2
# Kafka's numbers: https://kafka.apache.org/protocol and org.apache.kafka.common.acl
_KINDS, _PATTERNS = {"topic": 2, "group": 3}, {"literal": 3, "prefixed": 4}
_OPERATIONS = {"Read": 3, "Write": 4, "Create": 5, "Delete": 6, "Alter": 7, "Describe": 8, "DescribeConfigs": 10}
_ALLOW = 3


class _GuardedKafka(LocalKafka):
    """Its own listener is a superuser's; at `guarded` each client has a name, and only what the rules allow."""

    def __init__(self, folder: Path) -> None:
        ports = free_ports(1)
        self.guarded = f"{HOST}:{ports[0]}"
        users = "".join(f' user_duewatch-{name}="{name}"' for name in (*MODULES, "setup"))
        super().__init__(folder)
        own = f"PLAINTEXT://{self.address}"
        controller = f"{HOST}:{self._controller}"
        base = settings(f"{own},CONTROLLER://{controller}", own, controller)
        self._properties = {
            "listeners": f"{base['listeners']},GUARDED://{self.guarded}",
            "advertised.listeners": f"{own},GUARDED://{self.guarded}",
            "listener.security.protocol.map": f"{base['listener.security.protocol.map']},GUARDED:SASL_PLAINTEXT",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
            "listener.name.guarded.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.guarded.plain.sasl.jaas.config": f"org.apache.kafka.common.security.plain.PlainLoginModule required{users};",
        }


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_GuardedKafka]:
    server = _GuardedKafka(tmp_path_factory.mktemp("broker"))
    try:
        server.start()
    except Unavailable as error:
        had_or_skipped("kafka", error)
    yield server
    server.kill()


def _settings(broker: _GuardedKafka, name: str, folder: Path) -> KafkaSettings:
    """As the service `name` reaches the broker, with its name and password in files."""
    username, password = folder / f"{name}.user", folder / f"{name}.password"
    username.write_text(f"duewatch-{name}")
    password.write_text(name)
    return KafkaSettings.parse(
        f"kafka://{broker.guarded}/?security=SASL_PLAINTEXT&mechanism=PLAIN&username_file={username}&password_file={password}"
    )


@pytest.fixture
async def guarded(broker: _GuardedKafka) -> _GuardedKafka:
    """With the rules of the file, and the topics as `setup` makes them under these rules."""
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.address)
    await admin.start()
    try:
        for row in _ACLS:
            of = row["resource"]
            for operation in row["operations"]:
                request = CreateAclsRequest(
                    _KINDS[of["type"]], of["name"], _PATTERNS[of["pattern"]], row["principal"], "*", _OPERATIONS[operation], _ALLOW
                )
                answer = await admin._send_to_controller(request)  # the client has no call of its own for it
                assert [code for code, _ in answer.creation_responses] == [0]
    finally:
        await admin.close()
    return broker


async def test_every_service_can_do_what_it_does(guarded: _GuardedKafka, tmp_path: Path) -> None:
    topics = KafkaTopics(_settings(guarded, "setup", tmp_path), _PARTITIONS)
    await topics.apply()
    assert await topics.check() == []
    for topic in TOPICS.values():
        producer = Producer(_settings(guarded, topic.owner, tmp_path), 20.0)
        await producer.send([Message(topic.name, p, b"key", b"null", []) for p in range(_PARTITIONS)])
        await producer.close()
    for service, reactions in (await asyncio.to_thread(reactions_of_all)).items():
        bus = KafkaBus(_settings(guarded, service, tmp_path), _PARTITIONS)
        for reaction in reactions:
            read = await _read(_settings(guarded, service, tmp_path), reaction.group, reaction.topics)
            assert read == set(reaction.topics), service
            assert await (await bus.consumer(reaction.group, reaction.topics)).lag() >= len(reaction.topics)
        await bus.close()
    onboarding = KafkaBus(_settings(guarded, "onboarding", tmp_path), _PARTITIONS)
    assert await onboarding.behind("screening", "suppliers") == _PARTITIONS  # screening committed that it has read none of them
    await onboarding.close()


async def _read(kafka: KafkaSettings, group: str, topics: Any) -> set[str]:
    """The topics that a consumer of the group has records of; it commits where it began."""
    found: set[str] = set()
    names = [kafka.prefix + topic for topic in topics]
    async with AIOKafkaConsumer(
        *names, **kafka.connection(), group_id=kafka.prefix + group, auto_offset_reset="earliest", enable_auto_commit=False
    ) as consumer:
        for _ in range(20):
            for place in await consumer.getmany(timeout_ms=1000):
                found.add(place.topic.removeprefix(kafka.prefix))
            if found == set(topics):
                break
        await consumer.commit(dict.fromkeys(consumer.assignment(), 0))
    return found


async def test_no_service_can_write_what_is_anothers_or_read_as_another(guarded: _GuardedKafka, tmp_path: Path) -> None:
    await KafkaTopics(_settings(guarded, "setup", tmp_path), _PARTITIONS).apply()
    for service in MODULES:
        kafka = _settings(guarded, service, tmp_path)
        other = next(topic for topic in TOPICS.values() if topic.owner != service)
        async with AIOKafkaProducer(**kafka.connection()) as producer:
            with pytest.raises(TopicAuthorizationFailedError):
                await producer.send_and_wait(kafka.prefix + other.name, b"forged")
    partners = _settings(guarded, "partners", tmp_path)
    async with AIOKafkaConsumer(**partners.connection(), group_id="duewatch.assessment", enable_auto_commit=False) as consumer:
        with pytest.raises(GroupAuthorizationFailedError):
            await consumer._coordinator.ensure_coordinator_known()
    async with AIOKafkaProducer(**partners.connection()) as producer:
        with pytest.raises(TopicAuthorizationFailedError):
            await producer.send_and_wait(f"duewatch.{uuid.uuid4()}", b"a topic of its own")
