"""JSON Schema (2020-12) of every event, from the structs that encode and decode it, and of the envelope around them.

https://json-schema.org/draft/2020-12/schema
"""

import importlib
import inspect
import pkgutil
from typing import Any

import msgspec

import services
import shared.events
from services.runtime.compatibility import TOPIC, Schema
from shared.events.envelope import CATALOGUE, Payload

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_OURS = (f"{services.__name__}.", f"{shared.events.__name__}.")


def catalogue() -> list[type[Payload]]:
    """All events, by type; those that only a journal keeps may be declared beside the model of their service.

    A test may declare events of its own: they are nobody's contract.
    """
    for module in pkgutil.iter_modules(shared.events.__path__, _OURS[1]):
        importlib.import_module(module.name)
    importlib.import_module("services.runtime.services")
    return [kind for _, kind in sorted(CATALOGUE.items()) if kind.__module__.startswith(_OURS)]


def description(kind: type[Payload]) -> str:
    """An event in words: its docstring."""
    return inspect.cleandoc(kind.__doc__ or "")


def event(kind: type[Payload]) -> Schema:
    """The schema of an event's data. Reading is tolerant of further fields, so it does not forbid them."""
    schema = msgspec.json.schema(kind)
    parts: Schema = schema["$defs"]
    own = parts.pop(schema["$ref"].rpartition("/")[2])
    head = {"$schema": _DRAFT, "$id": f"urn:duewatch:event:{kind.type}", "title": kind.type, "description": description(kind)}
    told = {TOPIC: kind.topic} if kind.topic else {"x-journal-only": True}
    rest = {key: value for key, value in own.items() if key not in ("title", "description")}
    return {**head, **told, **rest, **({"$defs": dict(sorted(parts.items()))} if parts else {})}


def envelope() -> Schema:
    """The schema of a whole event in JSON, as webhooks, the feed and `shared.events.envelope.cloudevent` have it.

    CloudEvents 1.0: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md
    """
    attributes = {
        "specversion": {"enum": ["1.0"]},
        "id": _text("The same change has the same id, however often it is told", minLength=1),
        "source": _text("The service that tells it", pattern="^/services/[a-z_]+$"),
        "type": _text("Another shape is another version", pattern=r"^duewatch(\.[a-z_]+)+\.v[0-9]+$"),
        "subject": _text("The aggregate's id", minLength=1),
        "time": _text("When it was decided, UTC", format="date-time"),
        "datacontenttype": {"enum": ["application/json"]},
        "dataschema": _text("Where the schema of `data` lies in this project", format="uri-reference"),
        "tenant": _text("Whose it is; `public` for what governments publish", minLength=1),
        "sequence": _text("The aggregate's version, a decimal number that grows with each change", pattern="^[0-9]+$"),
        "correlationid": _text("One per change in the world"),
        "causationid": _text("The event or command that led to it"),
        "partitionkey": _text("Events of one key keep their order"),
        "traceparent": _text("W3C Trace Context, where the change is traced"),
    }
    return {
        "$schema": _DRAFT,
        "$id": "urn:duewatch:event:envelope",
        "title": "Event",
        "description": "An event as one JSON document (structured mode): attributes of CloudEvents 1.0, our extensions, and `data`.",
        "allOf": [{"$ref": "#/$defs/Attributes"}],
        "properties": {"data": {"description": "As the schema of the event's type has it"}},
        "required": ["data"],
        "$defs": {
            "Attributes": {
                "description": "All of an event but its data; in binary mode these are headers.",
                "type": "object",
                "properties": attributes,
                "required": [name for name in attributes if name != "traceparent"],
            }
        },
    }


def _text(words: str, **limits: Any) -> Schema:
    return {"type": "string", "description": words, **limits}
