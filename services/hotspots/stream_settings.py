"""How the Faust app reaches the cluster and what it promises, out of the same address as the bus."""

from pathlib import Path
from typing import Any

import faust
from yarl import URL

from shared.bus.kafka_settings import KafkaSettings

_SESSION_S, _HEARTBEAT_S = 6.0, 2.0  # how long a worker that died keeps its partitions; the least that brokers allow
_REBALANCE_S = 10.0  # for one that died while a group gathers, all others wait so long
_COMMIT_S = 1.0
_GATHER_S = 0.02  # else nearly each entry of a changelog is a request of its own, and imports take twice as long


def app_settings(kafka: KafkaSettings, name: str, partitions: int, folder: Path, instance: str) -> dict[str, Any]:
    """The arguments of `faust.App`. Reads the files of names and passwords: OSError where one cannot be read.

    A worker that has a name (`instance`) and comes back under it within `_SESSION_S` gets its partitions back at once.
    """
    return {
        "id": kafka.prefix + name,
        "broker": [URL(f"kafka://{server}") for server in kafka.servers],
        "broker_credentials": _credentials(kafka),
        "broker_session_timeout": _SESSION_S,
        "broker_heartbeat_interval": _HEARTBEAT_S,
        "broker_rebalance_timeout": _REBALANCE_S,
        "broker_commit_interval": _COMMIT_S,
        "consumer_group_instance_id": instance or None,
        "consumer_auto_offset_reset": "earliest",
        "processing_guarantee": "at_least_once",
        "stream_ack_exceptions": False,  # what broke must come again
        "stream_ack_cancelled_tasks": False,
        "store": "memory://",
        "table_standby_replicas": 0,  # in memory they are of no use: who takes a partition over reads its changelog from the beginning
        "datadir": folder,
        "topic_allow_declare": False,  # they are there, and keep what `topics apply` says
        "topic_partitions": partitions,
        "topic_replication_factor": kafka.replication,
        "producer_acks": -1,
        "producer_linger": _GATHER_S,
        "topic_disable_leader": True,
        "web_enabled": False,
        "autodiscover": False,
    }


def _credentials(kafka: KafkaSettings) -> Any:
    asked = kafka.connection()
    context = asked.get("ssl_context")
    if "sasl_mechanism" in asked:
        return faust.SASLCredentials(
            username=asked["sasl_plain_username"], password=asked["sasl_plain_password"], mechanism=asked["sasl_mechanism"], ssl_context=context
        )  # fmt: skip
    return faust.SSLCredentials(context=context) if context is not None else None
