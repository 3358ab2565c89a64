"""Real servers of a run serve, and those of a test's own come back with their data after kill -9 and answer again after a freeze."""

import asyncio
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import UnknownTopicOrPartitionError
from pymongo import AsyncMongoClient, MongoClient
from pymongo.errors import PyMongoError
from pymongo.write_concern import WriteConcern

from tests.infra import Unavailable
from tests.infra.fixtures import had_or_skipped
from tests.infra.kafka import LocalKafka
from tests.infra.local import Local
from tests.infra.mongo import LocalMongo

Running = TypeVar("Running", bound=Local)
_BIG = 7 * 1024 * 1024  # bytes; a broker left to its defaults refuses more than 1 MiB


async def _create(bootstrap: str, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, 1, 1)])
    finally:
        await admin.close()


async def _produce(bootstrap: str, topic: str, value: bytes) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True, max_request_size=2 * _BIG) as producer:
        await producer.send_and_wait(topic, value)


async def _first(bootstrap: str, topic: str) -> bytes | None:
    async with AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, group_id=topic, auto_offset_reset="earliest") as consumer:
        return (await asyncio.wait_for(consumer.getone(), 20)).value


async def test_kafka_gives_back_a_large_record_to_a_group(kafka: str) -> None:
    topic, value = f"infra-{uuid.uuid4()}", os.urandom(_BIG)
    await _create(kafka, topic)
    await _produce(kafka, topic, value)
    assert await _first(kafka, topic) == value


async def test_kafka_creates_no_topic_by_itself(kafka: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        described = await admin.describe_topics([f"infra-{uuid.uuid4()}"])
    finally:
        await admin.close()
    assert [topic["error_code"] for topic in described] == [UnknownTopicOrPartitionError.errno]


async def test_mongo_takes_majority_writes_and_transactions(mongo: str) -> None:
    async with AsyncMongoClient(mongo, serverSelectionTimeoutMS=10_000) as client:
        database = client[f"infra-{uuid.uuid4()}"]
        written = database.get_collection("written", write_concern=WriteConcern("majority", wtimeout=10_000))
        assert (await written.insert_one({"_id": 1})).acknowledged
        async with client.start_session() as session, await session.start_transaction():
            await written.insert_one({"_id": 2}, session=session)
        assert await written.count_documents({}) == 2
        await client.drop_database(database.name)


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[LocalKafka]:
    # A killed broker is let in again only when its former self has missed its heartbeats: 9 s by default.
    server = LocalKafka(tmp_path, {"broker.session.timeout.ms": "2000", "broker.heartbeat.interval.ms": "500"})
    yield from _own("kafka", server)


@pytest.fixture
def own_mongo(tmp_path: Path) -> Iterator[LocalMongo]:
    server = LocalMongo(tmp_path)
    yield from _own("mongo", server)


def _own(name: str, server: Running) -> Iterator[Running]:
    try:
        server.start()
    except Unavailable as error:
        had_or_skipped(name, error)
    yield server
    server.kill()


async def test_a_killed_broker_comes_back_with_its_records(own_kafka: LocalKafka) -> None:
    address = own_kafka.address
    await _create(address, "kept")
    await _produce(address, "kept", b"kept")
    own_kafka.kill()
    assert not own_kafka.pid
    await asyncio.to_thread(own_kafka.start)
    assert own_kafka.address == address
    assert await _first(address, "kept") == b"kept"


def test_a_killed_mongod_comes_back_with_its_documents_and_a_frozen_one_answers_once_thawed(own_mongo: LocalMongo) -> None:
    uri = own_mongo.address
    with MongoClient(uri, w="majority", serverSelectionTimeoutMS=10_000) as client:
        client.infra.kept.insert_one({"_id": 1})
    own_mongo.kill()
    own_mongo.start()
    assert own_mongo.address == uri
    own_mongo.freeze()
    with MongoClient(uri, serverSelectionTimeoutMS=500) as client, pytest.raises(PyMongoError):
        client.infra.kept.count_documents({})
    own_mongo.thaw()
    with MongoClient(uri, serverSelectionTimeoutMS=10_000) as client:
        assert client.infra.kept.count_documents({}) == 1
    own_mongo.stop()
    assert not own_mongo.pid


def test_a_server_that_does_not_come_up_shows_the_end_of_its_log(tmp_path: Path) -> None:
    server = LocalMongo(tmp_path, ["--nosuchoption"])
    with pytest.raises(Unavailable) as raised:
        server.start()
    if "nosuchoption" not in str(raised.value):
        had_or_skipped("mongo", raised.value)
    assert "MongoDB did not come up: Ended" in str(raised.value)
    assert not server.pid
