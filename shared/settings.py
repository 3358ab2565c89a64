"""Settings from the environment, read once; commands override them. Names start with DUEWATCH_."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.errors import Invalid

_RANGES: dict[str, tuple[float, float]] = {  # not a number is in none of them
    "port": (1, 65535),
    "partitions": (1, 64),
    "requests_per_s": (1, 1e9),
    "head_every_s": (0.1, 86_400),
    "lists_pull_s": (1, 86_400),
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
    oidc_tenant_claim: str = "tenant"  # where in a token: a claim's name, or a path such as realm_access.roles
    oidc_roles_claim: str = "roles"
    oidc_role_names: str = ""  # theirs=ours, parted by commas; names that are ours already need no entry
    review_threshold: float | None = None  # screening's; None: as shipped
    strong_threshold: float | None = None
    list_shrink_share: float | None = None  # of a list's entries: a release that removes more waits for a person; None: as its module says
    lists: str = ""  # a file with addresses, checksums and keys by list; "": the publishers' own
    lists_pull: str = "off"  # on: all lists with addresses are fetched by themselves; off: those that an operator has scheduled
    lists_pull_s: float = 900.0  # the longest that fetching one list may take
    list_max_age_days: float | None = None  # of lists that nobody fetches by schedule, once loaded; None: any age
    lists_proxy: str = ""  # http(s)://[user:password@]host:port, through which lists are fetched
    policy: str = ""  # a file; "": as shipped
    hotspot_policy: str = ""  # the same of hot-spots
    head_every_s: float = 60.0  # how often journal heads are signed
    hotspots: str = ""  # who counts them: kernel or faust; "": Faust on Kafka, else the kernel; see ADR 0011
    bus: str = ""  # kafka://host:port,host:port/?options; "": the embedded log
    store: str = ""  # mongodb://...; "": the embedded store
    mongo_driver: str = "pymongo"  # or motor
    services: str = ""  # the gateway's: name=http://host:port of every service, parted by commas
    instance: str = ""  # this process's name among the copies of its service, if it comes back under it; "": it does not

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
        faults = list(settings._faults())
        if faults:
            raise Invalid("These settings cannot be", errors=[{"field": name, "message": message} for name, message in faults])
        return settings

    @property
    def streams(self) -> bool:
        """Are hot-spots counted by Faust?"""
        return self.distributed and self.hotspots != "kernel"

    @property
    def distributed(self) -> bool:
        """Does it run on Kafka and MongoDB?"""
        return bool(self.bus)

    def _faults(self) -> Iterator[tuple[str, str]]:
        """What would otherwise only show when some process fails to start, again and again, or not at all."""
        for name, (least, most) in _RANGES.items():
            if not least <= getattr(self, name) <= most:
                yield name, f"from {least:g} to {most:.0f}"
        for name in ("review_threshold", "strong_threshold"):
            threshold: float | None = getattr(self, name)
            if threshold is not None and not 0 < threshold <= 1:  # one that no score reaches would switch screening off in silence
                yield name, "a share of evidence above 0, at most 1"
        if self.review_threshold is not None and self.strong_threshold is not None and self.review_threshold > self.strong_threshold:
            yield "review_threshold", "not above strong_threshold: a strong match is one to review, too"
        if self.list_shrink_share is not None and not 0 <= self.list_shrink_share <= 1:
            yield "list_shrink_share", "a share from 0 to 1, as 0.2"
        if bool(self.bus) != bool(self.store):
            yield (
                "bus" if self.store else "store",
                "DUEWATCH_BUS and DUEWATCH_STORE go together: Kafka needs MongoDB, and the other way round",
            )
        if self.bus and not self.bus.startswith("kafka://"):
            yield "bus", "kafka://host:port, more hosts parted by commas"
        if self.store and not self.store.startswith(("mongodb://", "mongodb+srv://")):
            yield "store", "mongodb://host:port with what your cluster needs behind it"
        if self.list_max_age_days is not None and not 0 < self.list_max_age_days <= 3_650:
            yield "list_max_age_days", "above 0, at most 3650"
        if self.lists_pull not in ("on", "off"):
            yield "lists_pull", "on or off"
        if self.lists_proxy and not re.fullmatch(r"https?://[\x21-\x7e]+", self.lists_proxy):
            yield "lists_proxy", "http://host:port or https://host:port"
        if not re.fullmatch(r"[A-Za-z0-9._-]{0,200}", self.instance):
            yield "instance", "up to 200 letters, digits, full stops, underscores, hyphens"
        if self.hotspots not in ("", "kernel", "faust") or (self.hotspots == "faust" and not self.bus):
            yield "hotspots", "kernel, or faust where DUEWATCH_BUS is set"
        if self.mongo_driver not in ("pymongo", "motor"):
            yield "mongo_driver", "pymongo or motor"
        if self.oidc_issuer and not self.oidc_jwks:
            yield "oidc_jwks", "An issuer's keys are needed: the file or the address of its key set"

    def environment(self) -> dict[str, str]:
        """An environment from which `read` reads these settings: for the processes of the same system."""
        own = {f"DUEWATCH_{name.upper()}": str(value) for name in self.__annotations__ if (value := getattr(self, name)) not in (None, "")}
        return {**os.environ, **own}


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
