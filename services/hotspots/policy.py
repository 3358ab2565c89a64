"""The policy of hot-spots: thresholds and windows, typed. A file of its own, for assessment's rates suppliers and this one places; see ADR 0011."""

from pathlib import Path
from typing import Annotated

import msgspec

from services.hotspots.fold import Rule
from shared.documents import read
from shared.errors import Invalid
from shared.events.hotspots import SpotKind

STANDARD = Path(__file__).with_name("policies") / "standard.yaml"

Name = Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9_]{0,39}$")]


class Windows(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rule for each kind of place."""

    good_origin: Rule
    region: Rule
    sector: Rule
    group: Rule


class Policy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The document as written."""

    name: Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9-]{0,39}$")]
    publishers: dict[Name, Name]
    group_share_percent: Annotated[float, msgspec.Meta(gt=0, le=100)]
    places_at_most: Annotated[int, msgspec.Meta(ge=1, le=1000)]
    windows: Windows

    def rule(self, kind: SpotKind) -> Rule:
        """The rule for a kind of place."""
        rule: Rule = getattr(self.windows, kind)
        return rule

    def publisher(self, list_id: str) -> str:
        """Who speaks by a list."""
        return self.publishers.get(list_id, list_id)


def load(text: str) -> Policy:
    """From YAML; `Malformed` or `Invalid` say what is wrong, by path, and repeat nothing."""
    return read(text, Policy)


def of_file(name: str) -> Policy:
    """The policy in a file, "" for the shipped one; Invalid where it cannot be read."""
    try:
        return load((Path(name) if name else STANDARD).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        message = "a readable file in UTF-8"
        raise Invalid("The policy of hot-spots cannot be read", errors=[{"field": "hotspot_policy", "message": message}]) from None
