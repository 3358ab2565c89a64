"""AsyncAPI 3.0 of all topics: what stands in each, who writes it, and how long it is kept.

https://www.asyncapi.com/docs/reference/specification/v3.0.0
"""

from collections.abc import Iterable
from typing import Any

from services.runtime.schemas import description
from shared.events.envelope import Payload
from shared.events.topics import TOPICS, Topic

_DAY_MS = 86_400_000


def document(events: Iterable[type[Payload]], version: str) -> dict[str, Any]:
    """The document; its references are to files beside it."""
    by_topic: dict[str, dict[str, type[Payload]]] = {name: {} for name in TOPICS}
    for kind in events:
        if kind.topic:
            by_topic[kind.topic][kind.type.removeprefix("duewatch.").replace(".", "_")] = kind
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Duewatch events",
            "version": version,
            "description": "CloudEvents 1.0 on the topics of the bus: the attributes travel as headers, beside the data (binary mode). "
            "Webhooks and the feed have both in one JSON document: see events/envelope.json.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {name: _channel(TOPICS[name], kinds) for name, kinds in by_topic.items()},
        "operations": {f"send_{name}": _send(TOPICS[name], kinds) for name, kinds in by_topic.items()},
        "components": {"messages": {name: _message(kind) for kinds in by_topic.values() for name, kind in kinds.items()}},
    }


def _channel(topic: Topic, kinds: Iterable[str]) -> dict[str, Any]:
    kept = "the last record of each key is kept" if topic.compacted else f"kept {topic.retention_days} days"
    spread = "each record goes to every partition" if topic.broadcast else "partitioned by partitionkey"
    retention = {} if topic.compacted else {"retention.ms": topic.retention_days * _DAY_MS}
    cleanup = {"cleanup.policy": ["compact" if topic.compacted else "delete"]}
    return {
        "address": topic.name,
        "description": f"Written by {topic.owner}; {kept}; {spread}.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in kinds},
        "bindings": {"kafka": {"topicConfiguration": {**cleanup, **retention}, "bindingVersion": "0.5.0"}},
        "x-compacted": topic.compacted,
        "x-broadcast": topic.broadcast,
    }


def _send(topic: Topic, kinds: Iterable[str]) -> dict[str, Any]:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{topic.name}"},
        "summary": f"Told by {topic.owner}",
        "tags": [{"name": topic.owner}],
        "messages": [{"$ref": f"#/channels/{topic.name}/messages/{name}"} for name in kinds],
    }


def _message(kind: type[Payload]) -> dict[str, Any]:
    return {
        "name": kind.type,
        "summary": description(kind).partition("\n")[0],
        "contentType": "application/json",
        "headers": {"$ref": "events/envelope.json#/$defs/Attributes"},
        "payload": {"schemaFormat": "application/schema+json;version=draft-2020-12", "schema": {"$ref": f"events/{kind.type}.json"}},
    }
