"""What a system answers, in words that are the same on every run: ids by what they stand for, times by their distance, nothing else left out."""

import re
from datetime import UTC, datetime
from typing import Any

_ID = re.compile(r"\b([a-z]+)_[0-9a-z]{26}(?:\.\d+)?\b")
_TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")
_DIGITS = 5  # of numbers: a score that fades with the seconds differs behind these
_PASSING = frozenset({"age_s"})  # seconds since something
DAY, HOUR = 86_400.0, 3_600.0


class Plain:
    """Turns answers into what two runs have in common. Ids are learnt first: `learn(id, what it stands for)`."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._began = datetime.now(UTC)

    def learn(self, found: str, name: str) -> None:
        """From now on this id reads as `name`."""
        self._names[found] = name

    def name(self, found: str) -> str:
        """What an id stands for; its kind alone where nobody said, as for the events."""
        return self._names.get(found) or found.partition("_")[0]

    def __call__(self, value: Any, since: datetime | None = None, unit: float = DAY) -> Any:
        """A JSON value in such words. Times as whole units behind `since`, at first the making of this object."""
        if isinstance(value, dict):
            return {self._text(key): self(one, since, unit) for key, one in value.items() if key not in _PASSING}
        if isinstance(value, list):
            return [self(one, since, unit) for one in value]
        if isinstance(value, float):
            return round(value, _DIGITS)
        if not isinstance(value, str):
            return value
        if _TIME.match(value):
            return f"+{round((datetime.fromisoformat(value) - (since or self._began)).total_seconds() / unit)}"
        return self._text(value)

    def _text(self, text: str) -> str:
        return _ID.sub(lambda found: self._names.get(found[0]) or found[1], text)


def differences(one: Any, other: Any, path: str = "") -> list[str]:
    """Where two plain values differ: a line each, `path: this | that`."""
    if isinstance(one, dict) and isinstance(other, dict):
        keys = [*one, *(key for key in other if key not in one)]
        return [line for key in keys for line in differences(one.get(key, "(none)"), other.get(key, "(none)"), f"{path}/{key}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [line for at, pair in enumerate(zip(one, other, strict=True)) for line in differences(*pair, f"{path}[{at}]")]
    return [] if one == other else [f"{path}: {_short(one)} | {_short(other)}"]


def _short(value: Any) -> str:
    text = f"{len(value)} of {value!r}" if isinstance(value, list) else repr(value)
    return text if len(text) <= 600 else text[:600] + "..."
