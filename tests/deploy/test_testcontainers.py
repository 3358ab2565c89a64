"""The servers of tests in Docker, by testcontainers: both serve, and are gone when the run that asked for them was killed. `make test-compose` runs it."""

import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pymongo import AsyncMongoClient
from pymongo.write_concern import WriteConcern

from tests.infra import containers, images

pytestmark = pytest.mark.timeout(900)
_ROOT = Path(__file__).parents[2]
_BOTH = """
import signal
from tests.infra.containers import DockerKafka, DockerMongo
for server in (DockerKafka(), DockerMongo()):
    server.start()
    print(server.address, server._container.get_wrapped_container().id, flush=True)
signal.pause()
"""
_GONE_S = 40.0  # the reaper waits ten


def _there(container: str) -> bool:
    done = subprocess.run(["docker", "inspect", container], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return done.returncode == 0


async def test_both_serve_and_end_with_the_run_that_was_killed() -> None:
    images.make()
    assert containers.daemon_answers()
    run = subprocess.Popen(
        [sys.executable, "-c", _BOTH], cwd=_ROOT, env={**os.environ, "PYTHONPATH": str(_ROOT)}, stdout=subprocess.PIPE, text=True
    )
    try:
        assert run.stdout is not None
        (kafka, *first), (mongo, *second) = (run.stdout.readline().split() for _ in range(2))
        await _round_trip(kafka)
        async with AsyncMongoClient(mongo, serverSelectionTimeoutMS=10_000) as client:
            written = client[f"infra-{uuid.uuid4()}"].get_collection("written", write_concern=WriteConcern("majority", wtimeout=10_000))
            assert (await written.insert_one({"_id": 1})).acknowledged
    finally:
        run.send_signal(signal.SIGKILL)
        run.communicate()
    end = time.monotonic() + _GONE_S
    while any(map(_there, first + second)) and time.monotonic() < end:
        time.sleep(0.5)
    assert not any(map(_there, first + second))


async def _round_trip(kafka: str) -> None:
    topic = f"infra-{uuid.uuid4()}"
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 1, 1)])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=kafka, enable_idempotence=True) as producer:
        await producer.send_and_wait(topic, b"kept")
    async with AIOKafkaConsumer(topic, bootstrap_servers=kafka, group_id=topic, auto_offset_reset="earliest") as consumer:
        assert (await consumer.getone()).value == b"kept"
