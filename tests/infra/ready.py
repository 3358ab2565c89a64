"""Waits until a server serves, by talking to it as a client does; the same for local processes, containers and given addresses."""

import asyncio
import concurrent.futures
import contextlib
import socket
import time
from collections.abc import Callable
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

_PAUSE = 0.1  # seconds between two tries
_NOT_YET_INITIALIZED, _ALREADY_INITIALIZED = 94, 23  # MongoDB's error codes
REPLICA_SET = "rs0"


class Ended(Exception):
    """The server's process has ended."""


def _until(deadline: float, gone: Callable[[], bool], attempt: Callable[[], None], *retried: type[Exception]) -> None:
    while True:
        try:
            return attempt()
        except retried:
            if gone():
                raise Ended("its process has ended") from None
            if time.monotonic() > deadline:
                raise
        time.sleep(_PAUSE)


def kafka(bootstrap: str, deadline: float, gone: Callable[[], bool] = lambda: False) -> None:
    """Returns when the broker at `bootstrap` (host:port, the first of several) answers with itself in the cluster's description."""
    host, _, port = bootstrap.split(",")[0].strip().rpartition(":")

    async def describe() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=5000)
        try:
            await admin.start()
            if not (await admin.describe_cluster())["brokers"]:
                raise KafkaError("no broker is known yet")
        finally:
            await admin.close()

    def attempt() -> None:
        with contextlib.closing(socket.create_connection((host, int(port)), timeout=2)):
            pass
        # In a thread, since who asks may have a running event loop of its own.
        with concurrent.futures.ThreadPoolExecutor(1) as aside:
            aside.submit(asyncio.run, describe()).result()

    _until(deadline, gone, attempt, OSError, KafkaError)


def replica_set(host: str, port: int, deadline: float, gone: Callable[[], bool] = lambda: False) -> None:
    """Makes the mongod at host:port a replica set of one where it is none yet, and returns when it is primary."""
    patience: dict[str, Any] = {"serverSelectionTimeoutMS": 1000, "connectTimeoutMS": 1000, "socketTimeoutMS": 5000}
    client: MongoClient[dict[str, object]] = MongoClient(host, port, directConnection=True, **patience)
    with client:

        def attempt() -> None:
            try:
                client.admin.command("replSetGetStatus")
            except OperationFailure as error:
                if error.code != _NOT_YET_INITIALIZED:
                    raise
                _initiate(client, f"{host}:{port}")
            if not client.admin.command("hello")["isWritablePrimary"]:
                raise PyMongoError("it is not primary yet")

        _until(deadline, gone, attempt, PyMongoError)


def _initiate(client: MongoClient[dict[str, object]], member: str) -> None:
    try:
        client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": [{"_id": 0, "host": member}]})
    except OperationFailure as error:
        if error.code != _ALREADY_INITIALIZED:
            raise


def mongo(uri: str, deadline: float) -> None:
    """Returns when the replica set at `uri` has a primary."""

    def attempt() -> None:
        client: MongoClient[dict[str, object]]
        with MongoClient(uri, serverSelectionTimeoutMS=2000) as client:
            if not client.admin.command("hello").get("isWritablePrimary"):
                raise PyMongoError("it has no primary")

    _until(deadline, lambda: False, attempt, PyMongoError)
