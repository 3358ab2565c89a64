"""Settings from the environment, read once; commands override them. Names start with DUEWATCH_."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.errors import Invalid

_RANGES: dict[str, tuple[float, float]] = {  # not a number is in none of them
    "port": (0, 65535),
    "partitions": (1, 64),
    "requests_per_s": (1, 1e9),
    "head_every_s": (0.1, 86_400),
}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a system is told at its start."""

    data: Path = Path("data")
    host: str = "127.0.0.1"
    port: int = 8080
    partitions: int = 4
    egress_allow: str = ""  # comma-separated networks that webhooks and downloads may reach although private
    requests_per_s: float = 10_000.0  # of one tenant
    oidc_issuer: str = ""
    oidc_audience: str = "duewatch"
    oidc_jwks: str = ""  # a file or an address
    review_threshold: float | None = None  # screening's; None: as shipped
    strong_threshold: float | None = None
    list_shrink_share: float | None = None  # of a list's entries: a release that removes more waits for a person; None: as its module says
    policy: str = ""  # a file; "": as shipped
    head_every_s: float = 60.0  # how often journal heads are signed

    def __post_init__(self) -> None:
        if self.list_shrink_share is not None and not 0 <= self.list_shrink_share <= 1:
            message = "give a share from 0 to 1, as 0.2"
            raise Invalid(f"DUEWATCH_LIST_SHRINK_SHARE is no share: {message}", errors=[{"field": "list_shrink_share", "message": message}])

    @classmethod
    def read(cls, environment: Mapping[str, str] = os.environ, **given: object) -> "Settings":
        """From the environment; what is given (and not None) wins."""
        found: dict[str, object] = {}
        for name, kind in cls.__annotations__.items():
            text = environment.get(f"DUEWATCH_{name.upper()}")
            if text:
                found[name] = _parse(name, kind, text)
        found.update({k: v for k, v in given.items() if v is not None})
        settings = cls(**found)  # type: ignore[arg-type]  # each was parsed by its annotation
        _check_thresholds(settings.review_threshold, settings.strong_threshold)
        for name, (least, most) in _RANGES.items():
            value = getattr(settings, name)
            if value is not None and not least <= value <= most:
                raise Invalid(f"DUEWATCH_{name.upper()} is out of range", errors=[{"field": name, "message": f"from {least} to {most}"}])
        return settings

    def environment(self) -> dict[str, str]:
        """An environment from which `read` reads these settings: for the processes of the same system."""
        own = {f"DUEWATCH_{name.upper()}": str(value) for name in self.__annotations__ if (value := getattr(self, name)) not in (None, "")}
        return {**os.environ, **own}


def _check_thresholds(review: float | None, strong: float | None) -> None:
    """A threshold that no score reaches would silently switch screening off."""
    for name, threshold in (("review_threshold", review), ("strong_threshold", strong)):
        if threshold is not None and not 0 < threshold <= 1:
            message = "a share of evidence above 0, at most 1"
            raise Invalid(f"DUEWATCH_{name.upper()} is no threshold", errors=[{"field": name, "message": message}])
    if review is not None and strong is not None and review > strong:
        message = "not above strong_threshold: a strong match is one to review, too"
        raise Invalid("DUEWATCH_REVIEW_THRESHOLD is no threshold", errors=[{"field": "review_threshold", "message": message}])


def _parse(name: str, kind: object, text: str) -> object:
    try:
        if kind is Path:
            return Path(text)
        if kind is int:
            return int(text)
        if kind is float or kind == (float | None):
            return float(text)
    except ValueError:
        raise Invalid(f"DUEWATCH_{name.upper()} is not a number", errors=[{"field": name, "message": "give a number"}]) from None
    return text
