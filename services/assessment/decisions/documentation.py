"""The gate's question and answer in OpenAPI, made from the structs that it decodes and encodes."""

from typing import Any

import msgspec

from services.assessment.decisions.gate import Told
from services.assessment.decisions.question import Asked


def _inlined(kind: Any) -> Any:
    """A struct's JSON Schema without references, since OpenAPI resolves them from its own root."""
    schema = msgspec.json.schema(kind)
    known = schema.pop("$defs", {})

    def inline(part: Any) -> Any:
        if isinstance(part, dict):
            if "$ref" in part:
                return inline(known[part["$ref"].rpartition("/")[2]])
            return {key: inline(value) for key, value in part.items()}
        return [inline(one) for one in part] if isinstance(part, list) else part

    return inline(schema)


DOCUMENTED: dict[str, Any] = {
    "requestBody": {"required": True, "content": {"application/json": {"schema": _inlined(Asked)}}},
    "responses": {
        "200": {
            "description": "The answer, or `items` with the answers in the order asked",
            "content": {
                "application/json": {
                    "schema": {
                        "anyOf": [
                            _inlined(Told),
                            {"type": "object", "required": ["items"], "properties": {"items": {"type": "array", "items": _inlined(Told)}}},
                        ]
                    }
                }
            },
        }
    },
}
