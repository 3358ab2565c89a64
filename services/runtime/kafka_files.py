"""The topics and access rules of the distributed runtime as files, for platforms that make them by their own means: deploy/topics.yaml, deploy/acls.yaml.

Both follow from code: a topic's owner writes it, a reaction reads its topics as its group.
"""

import asyncio
import tempfile
from collections.abc import Iterable
from pathlib import Path

import yaml

from services.runtime.node import Node
from services.runtime.processes import MODULES, load
from shared.bus.kafka_settings import KafkaSettings
from shared.bus.kafka_topics import KafkaTopics
from shared.events.topics import DEAD_LETTERS, TOPICS
from shared.kernel.reactor import Reaction
from shared.settings import Settings

_SYSTEM = KafkaSettings(servers=("unused:9092",), replication=3)
_PRINCIPAL = "User:duewatch-"
_TOPICS_HEAD = """\
# The topics on Kafka, as `duewatch topics apply` makes them on three brokers. Written by `make kafka-files`; a test compares it with the code.
# All have the same number of partitions, which cannot be changed later: choose it first.
"""
_ACLS_HEAD = """\
# Who may do what on Kafka, one principal a service: it writes the topics it owns, reads what its reactions follow, commits as its own groups.
# Every rule allows from any host; `pattern` as kafka-acls.sh has it. The gateway and tokens need nothing here: only services speak to Kafka.
# Written by `make kafka-files`; a test compares it with the code.
"""


def topics_file() -> str:
    """deploy/topics.yaml."""
    plans = KafkaTopics(_SYSTEM, Settings.partitions).plans()
    rows = [{"name": p.name, "partitions": p.partitions, "replicationFactor": p.replication, "configs": p.configs} for p in plans]
    return _TOPICS_HEAD + yaml.safe_dump({"topics": rows}, sort_keys=False, width=140)


def acls_file() -> str:
    """deploy/acls.yaml."""
    rows: list[dict[str, object]] = []
    for service, reactions in reactions_of_all().items():
        own = [t.name for t in TOPICS.values() if t.owner == service]
        letters = [t.name for t in DEAD_LETTERS.values() if t.owner == service]
        rows += [_rule(service, "topic", name, "Write", "Describe") for name in (*own, *letters)]
        rows += [_rule(service, "topic", name, "Read", "Describe") for name in sorted(_read(reactions) - set(own))]
        rows += [_rule(service, "topic", name, "Read") for name in sorted(_read(reactions) & set(own))]
        rows += [_rule(service, "group", r.group, "Read") for r in reactions]
    # The stream's own topics: it makes those that `setup` did not make, or that were lost, to be rebuilt; see ADR 0011.
    rows.append(_rule("hotspots", "topic", "hotspots-", "Create", "Read", "Write", "Describe", pattern="prefixed"))
    rows.append(_rule("onboarding", "group", "screening", "Describe"))  # imports wait while screening is far behind
    rows.append(_rule("setup", "topic", "", "Create", "Describe", "DescribeConfigs", pattern="prefixed"))
    return _ACLS_HEAD + yaml.safe_dump({"acls": rows}, sort_keys=False, width=140, default_flow_style=None)


def reactions_of_all() -> dict[str, list[Reaction]]:
    """service -> its reactions, as its own door makes them: over an empty embedded system, since they need a context."""
    return asyncio.run(_reactions())


async def _reactions() -> dict[str, list[Reaction]]:
    with tempfile.TemporaryDirectory() as folder:
        node = Node(Settings(data=Path(folder)), load(MODULES), "acls")
        try:
            return {name: [r.reaction for r in node.reactors([name])] for name in MODULES}
        finally:
            await node.close()


def _read(reactions: Iterable[Reaction]) -> set[str]:
    return {topic for reaction in reactions for topic in reaction.topics}


def _rule(service: str, kind: str, name: str, *operations: str, pattern: str = "literal") -> dict[str, object]:
    resource = {"type": kind, "name": _SYSTEM.prefix + name, "pattern": pattern}
    return {"principal": _PRINCIPAL + service, "resource": resource, "operations": list(operations)}
