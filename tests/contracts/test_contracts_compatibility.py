"""The gate of compatibility: each rule lets through what it should, and can refuse."""

import copy
from typing import Any

import pytest

from services.runtime.compatibility import LEVELS, Kind, Level, changes, violations

OLD: dict[str, Any] = {
    "x-topic": "things",
    "description": "A thing.",
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "tier": {"enum": ["low", "high"]},
        "more": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
        "at": {"type": "string", "format": "date-time"},
        "parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}, "default": []},
        "counts": {"type": "object", "additionalProperties": {"type": "integer"}, "default": {}},
    },
    "required": ["name"],
    "$defs": {
        "Part": {
            "type": "object",
            "properties": {"n": {"type": "integer"}, "parts": {"type": "array", "items": {"$ref": "#/$defs/Part"}}},
            "required": ["n"],
        }
    },
}


def new(**fields: Any) -> dict[str, Any]:
    """The next version, with other fields; None takes one away."""
    schema = copy.deepcopy(OLD)
    schema["properties"] = {name: field for name, field in (schema["properties"] | fields).items() if field is not None}
    schema["required"] = [name for name in schema["required"] if name in schema["properties"]]
    return schema


def with_part(**part: Any) -> dict[str, Any]:
    schema = copy.deepcopy(OLD)
    schema["$defs"]["Part"] |= part
    return schema


RULES = [
    ({**OLD, "description": "Some thing."}, "data", Kind.DESCRIBED),
    ({**OLD, "x-topic": "others"}, "data", Kind.MOVED),
    ({key: value for key, value in OLD.items() if key != "x-topic"}, "data", Kind.MOVED),
    (new(extra={"type": "string", "default": ""}), "data.extra", Kind.OPTIONAL_ADDED),
    ({**new(extra={"type": "string"}), "required": ["name", "extra"]}, "data.extra", Kind.REQUIRED_ADDED),
    (new(name=None), "data.name", Kind.REMOVED),
    (new(tier=None), "data.tier", Kind.REMOVED),
    ({**OLD, "required": ["name", "tier"]}, "data.tier", Kind.NEWLY_REQUIRED),
    ({**OLD, "required": []}, "data.name", Kind.NO_LONGER_REQUIRED),
    (new(name={"type": "integer"}), "data.name", Kind.RETYPED),
    (new(name={"type": "string", "format": "date-time"}), "data.name", Kind.RETYPED),
    (new(name={"anyOf": [{"type": "string"}, {"type": "null"}]}), "data.name", Kind.RETYPED),
    (new(tier={"type": "string"}), "data.tier", Kind.RETYPED),
    (new(name={"enum": ["a"]}), "data.name", Kind.RETYPED),
    (new(more={"anyOf": [{"type": "string"}], "default": None}), "data.more", Kind.FEWER_ALTERNATIVES),
    (
        new(more={"anyOf": [{"type": "string"}, {"type": "null"}, {"type": "integer"}], "default": None}),
        "data.more",
        Kind.MORE_ALTERNATIVES,
    ),
    (new(more={"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None}), "data.more", Kind.RETYPED),
    (new(more={"anyOf": [{"type": "string"}, {"type": "null"}], "default": "x"}), "data.more", Kind.DEFAULT_CHANGED),
    (new(more={"anyOf": [{"type": "string"}, {"type": "null"}]}), "data.more", Kind.DEFAULT_CHANGED),
    (new(tier={"enum": ["low"]}), "data.tier", Kind.ENUM_SHRUNK),
    (new(tier={"enum": ["low", "high", "critical"]}), "data.tier", Kind.ENUM_GREW),
    (new(name={"type": "string", "maxLength": 10}), "data.name", Kind.LIMITED_OTHERWISE),
    (new(counts={"type": "object", "additionalProperties": {"type": "string"}, "default": {}}), "data.counts{}", Kind.RETYPED),
    (with_part(properties={"n": {"type": "string"}, "parts": OLD["$defs"]["Part"]["properties"]["parts"]}), "data.parts[].n", Kind.RETYPED),
    (with_part(properties={"n": {"type": "integer"}}), "data.parts[].parts", Kind.REMOVED),
    (with_part(required=[]), "data.parts[].n", Kind.NO_LONGER_REQUIRED),
]


@pytest.mark.parametrize(("after", "at", "kind"), RULES)
def test_each_change_is_named(after: dict[str, Any], at: str, kind: Kind) -> None:
    assert changes(OLD, after) == [(at, kind)]
    assert violations(OLD, after) == ([f"{at} {kind.value}"] if LEVELS[kind] is Level.MAJOR else [])


def test_an_event_may_begin_to_be_told() -> None:
    kept = {key: value for key, value in OLD.items() if key != "x-topic"}
    assert changes(kept, OLD) == [("data", Kind.PUBLISHED)]
    assert violations(kept, OLD) == []


def test_nothing_changed_is_no_change_and_another_name_of_a_part_neither() -> None:
    renamed = copy.deepcopy(OLD)
    renamed["$defs"]["Piece"] = renamed["$defs"].pop("Part")
    renamed["properties"]["parts"]["items"]["$ref"] = "#/$defs/Piece"
    renamed["$defs"]["Piece"]["properties"]["parts"]["items"]["$ref"] = "#/$defs/Piece"
    assert changes(OLD, copy.deepcopy(OLD)) == []
    assert changes(OLD, renamed) == []


def test_swapped_values_are_fewer_and_more() -> None:
    assert [kind for _, kind in changes(OLD, new(tier={"enum": ["low", "tall"]}))] == [Kind.ENUM_SHRUNK, Kind.ENUM_GREW]


def test_the_table_has_every_kind_and_every_kind_a_case() -> None:
    assert LEVELS.keys() == set(Kind)
    assert {kind for _, _, kind in RULES} | {Kind.PUBLISHED} == set(Kind)
