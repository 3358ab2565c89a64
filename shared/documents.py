"""Strict reading of a YAML document into a typed struct: no aliases, no repeated or odd keys, bounded size, errors that repeat nothing.

Scalars stay text until their declared type is known, so that Norway's `NO` is not a boolean. https://yaml.org/spec/1.2.2/#103-core-schema
"""

import re
from collections.abc import Hashable
from typing import Any, TypeVar

import msgspec
import yaml

from shared.errors import Invalid, Malformed

MAX_CHARS = 262_144
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
_AT = re.compile(r"`\$\.?([^`]*)`$")  # msgspec ends its messages with the place; keys of tables stand there as [...]
_MISSING = re.compile(r"missing required field `(\w+)`")
_T = TypeVar("_T")


class _Loader(yaml.BaseLoader):
    """Text scalars only; refuses what lets a short document grow or hide a key."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise Malformed("The document uses YAML aliases; write the values out")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or not _KEY.fullmatch(key.value):
                raise Invalid(f"Line {key.start_mark.line + 1}: a key is letters, digits, _ and -, at most 40")
            if key.value in seen:
                raise Invalid(f"Line {key.start_mark.line + 1}: the key stands there twice")
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


def read(text: str, kind: type[_T]) -> _T:
    """`text` as `kind`. `Malformed`: not YAML, or larger than 256 KiB; `Invalid`: the field that breaks its type, by path."""
    if len(text) > MAX_CHARS:
        raise Malformed("The document is larger than 256 KiB")
    try:
        document = yaml.load(text, _Loader)  # noqa: S506  # _Loader builds text, lists and tables only
    except (yaml.YAMLError, RecursionError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        raise Malformed("Not readable as YAML" + (f", line {line + 1}" if line is not None else "")) from None
    try:
        return msgspec.convert(document, kind, strict=False)
    except msgspec.ValidationError as error:
        field, message = _explained(str(error))
        raise Invalid("The document is not as declared; correct the field named", errors=[{"field": field, "message": message}]) from None


def _explained(message: str) -> tuple[str, str]:
    """(field, what to do), without the values and keys that msgspec quotes for some faults."""
    place = _AT.search(message)
    field = (place.group(1) if place else "") or "document"
    if missing := _MISSING.search(message):
        return f"{field}.{missing.group(1)}".removeprefix("document."), "is missing"
    if message.startswith("Object contains unknown field"):
        return field, "holds a key that is not declared"
    if message.startswith("Expected"):
        return field, message.split(" - at ")[0].replace("Expected", "expected", 1)
    return field, "is not one of the words allowed here"
