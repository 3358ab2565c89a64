"""Elements of a list inside a large JSON document, one after the other: what is not at hand is not held."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ijson
from ijson.common import ObjectBuilder

from shared.errors import Malformed, TooLarge

MAX_EVENTS = 100_000  # parts of one element: values, keys, ends
MAX_DEPTH = 64
_OPENS, _CLOSES = frozenset({"start_map", "start_array"}), frozenset({"end_map", "end_array"})


def items(path: Path, key: str) -> Iterator[Any]:
    """Elements of the list under `key` of the outermost object; `Malformed` where the document is no JSON, or has no such list."""
    found = False
    wanted = f"{key}.item"
    builder: ObjectBuilder | None = None
    depth = events = 0
    with path.open("rb") as file:
        if file.read(3) != b"\xef\xbb\xbf":
            file.seek(0)
        try:
            for prefix, event, value in ijson.parse(file, use_float=True):
                depth += (event in _OPENS) - (event in _CLOSES)
                if depth > MAX_DEPTH:
                    raise Malformed(f"The JSON is nested deeper than {MAX_DEPTH} levels")
                found = found or (prefix == key and event == "start_array")
                if builder is None and not (prefix == wanted and found):
                    continue
                if builder is None:
                    builder, events = ObjectBuilder(), 0
                builder.event(event, value)
                events += 1
                if events > MAX_EVENTS:
                    raise TooLarge(f"An element of the JSON has more than {MAX_EVENTS} parts")
                if prefix == wanted and event not in _OPENS and event != "map_key":
                    yield builder.value
                    builder = None
        except (ijson.JSONError, UnicodeDecodeError, ValueError, RecursionError) as error:
            raise Malformed("The file is damaged or cut off: it is no sound JSON in UTF-8") from error
    if not found:
        raise Malformed(f"The JSON has no list under {key}")
