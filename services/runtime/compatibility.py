"""May a new version of an event's schema take the place of a released one? Changes are typed values, and one table says what each asks for.

(The idea is Zalando Nakadi's.) Two readers must live through a change: new code reads all old journals, and older code, not yet
replaced, reads new events. An omitted field means its default, so that another default silently changes what was written before.
"""

from collections.abc import Iterator
from enum import Enum
from typing import Any, NamedTuple

Schema = dict[str, Any]
TOPIC = "x-topic"  # our own keyword; absent for what only the journal keeps


class Level(Enum):
    """What a change asks for: nothing, a minor version, or a new event type (`.v2`) beside the old one."""

    PATCH = 0
    MINOR = 1
    MAJOR = 2


class Kind(Enum):
    """What can happen to a place in a schema."""

    DESCRIBED = "is described in other words"
    PUBLISHED = "goes to a topic now"
    MOVED = "has left its topic"
    OPTIONAL_ADDED = "is a new optional field"
    REQUIRED_ADDED = "is a new required field"
    REMOVED = "is gone"
    NEWLY_REQUIRED = "is newly required"
    NO_LONGER_REQUIRED = "is no longer always there"
    RETYPED = "has another type"
    FEWER_ALTERNATIVES = "has fewer alternatives"
    MORE_ALTERNATIVES = "has more alternatives"
    DEFAULT_CHANGED = "has another default"
    ENUM_SHRUNK = "has fewer values"
    ENUM_GREW = "has more values"
    LIMITED_OTHERWISE = "has another format or limit"


LEVELS: dict[Kind, Level] = {
    Kind.DESCRIBED: Level.PATCH,
    Kind.PUBLISHED: Level.MINOR,
    Kind.MOVED: Level.MAJOR,
    Kind.OPTIONAL_ADDED: Level.MINOR,
    Kind.REQUIRED_ADDED: Level.MAJOR,  # old events lack it
    Kind.REMOVED: Level.MAJOR,
    Kind.NEWLY_REQUIRED: Level.MAJOR,  # old events may lack it
    Kind.NO_LONGER_REQUIRED: Level.MAJOR,  # older readers need it
    Kind.RETYPED: Level.MAJOR,
    Kind.FEWER_ALTERNATIVES: Level.MAJOR,
    Kind.MORE_ALTERNATIVES: Level.MAJOR,  # older readers cannot decode them
    Kind.DEFAULT_CHANGED: Level.MAJOR,
    Kind.ENUM_SHRUNK: Level.MAJOR,
    Kind.ENUM_GREW: Level.MINOR,  # readers are replaced before writers
    Kind.LIMITED_OTHERWISE: Level.MAJOR,
}


class Change(NamedTuple):
    """One difference: where (`data.parts[].n`: of each item), and what."""

    at: str
    kind: Kind


def changes(old: Schema, new: Schema) -> list[Change]:
    """All differences between two versions of one event, in the order of its fields."""
    return list(_Comparison(old, new).all())


def violations(old: Schema, new: Schema) -> list[str]:
    """What a reader of one version would stumble over in the other, by place; empty where `new` may take the place of `old`."""
    return [f"{change.at} {change.kind.value}" for change in changes(old, new) if LEVELS[change.kind] is Level.MAJOR]


_SPOKEN = {"title", "description", "$comment"}
_WALKED = {"type", "properties", "required", "items", "prefixItems", "additionalProperties", "anyOf", "allOf", "enum", "default"}
_NAMES = {"$ref", "$defs", "$id", "$schema", TOPIC, "x-journal-only", "discriminator"}


class _Comparison:
    """Walks two schemas side by side, through their references."""

    def __init__(self, old: Schema, new: Schema) -> None:
        self._old, self._new = old, new
        self._walking: set[tuple[str, str]] = set()  # a part may hold itself

    def all(self) -> Iterator[Change]:
        before, after = self._old.get(TOPIC), self._new.get(TOPIC)
        if before != after:
            yield Change("data", Kind.MOVED if before else Kind.PUBLISHED)
        yield from self._nodes("data", self._old, self._new)

    def _nodes(self, at: str, old: Schema, new: Schema) -> Iterator[Change]:
        if ("default" in old, old.get("default")) != ("default" in new, new.get("default")):
            yield Change(at, Kind.DEFAULT_CHANGED)
        names = (old.get("$ref", ""), new.get("$ref", ""))
        if not any(names):
            yield from self._shapes(at, old, new)
        elif names not in self._walking:
            self._walking.add(names)
            yield from self._shapes(at, _resolved(old, self._old), _resolved(new, self._new))
            self._walking.discard(names)

    def _shapes(self, at: str, old: Schema, new: Schema) -> Iterator[Change]:
        if any(old.get(key) != new.get(key) for key in _SPOKEN):
            yield Change(at, Kind.DESCRIBED)
        if any(old.get(key) != new.get(key) for key in ("type", "format")) or ("enum" in old) != ("enum" in new):
            yield Change(at, Kind.RETYPED)
            return
        yield from _values(at, old.get("enum", []), new.get("enum", []))
        yield from self._fields(at, old, new)
        yield from self._inner(f"{at}[]", old.get("items"), new.get("items"))
        yield from self._inner(f"{at}{{}}", old.get("additionalProperties"), new.get("additionalProperties"))
        for key in ("anyOf", "allOf", "prefixItems"):
            yield from self._alternatives(at, old.get(key, []), new.get(key, []))
        others = (old.keys() | new.keys()) - _SPOKEN - _WALKED - _NAMES
        if any(old.get(key) != new.get(key) for key in others):
            yield Change(at, Kind.LIMITED_OTHERWISE)

    def _fields(self, at: str, old: Schema, new: Schema) -> Iterator[Change]:
        before, after = old.get("properties", {}), new.get("properties", {})
        was, needs = set(old.get("required", ())), set(new.get("required", ()))
        for name in [*before, *(added for added in after if added not in before)]:
            place = f"{at}.{name}"
            if name not in after:
                yield Change(place, Kind.REMOVED)
            elif name not in before:
                yield Change(place, Kind.REQUIRED_ADDED if name in needs else Kind.OPTIONAL_ADDED)
            else:
                if (name in was) != (name in needs):
                    yield Change(place, Kind.NEWLY_REQUIRED if name in needs else Kind.NO_LONGER_REQUIRED)
                yield from self._nodes(place, before[name], after[name])

    def _inner(self, at: str, old: Any, new: Any) -> Iterator[Change]:
        if isinstance(old, dict) and isinstance(new, dict):
            yield from self._nodes(at, old, new)
        elif old != new:
            yield Change(at, Kind.RETYPED)

    def _alternatives(self, at: str, old: list[Schema], new: list[Schema]) -> Iterator[Change]:
        """Each by its place: they are generated in the order of the code."""
        if len(old) != len(new):
            yield Change(at, Kind.FEWER_ALTERNATIVES if len(new) < len(old) else Kind.MORE_ALTERNATIVES)
            return
        for before, after in zip(old, new, strict=True):
            yield from self._nodes(at, before, after)


def _values(at: str, old: list[Any], new: list[Any]) -> Iterator[Change]:
    if any(value not in new for value in old):
        yield Change(at, Kind.ENUM_SHRUNK)
    if any(value not in old for value in new):
        yield Change(at, Kind.ENUM_GREW)


def _resolved(part: Schema, root: Schema) -> Schema:
    while "$ref" in part:
        part = root["$defs"][part["$ref"].rpartition("/")[2]]
    return part
