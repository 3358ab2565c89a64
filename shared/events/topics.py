"""The topics, all with the same number of partitions: what is kept of each and whether a record goes to every partition."""

import zlib
from collections.abc import Iterable

import msgspec

SIGNAL_TOPICS = ("signals", "hotspots")  # what suppliers are matched against


class Topic(msgspec.Struct, frozen=True, kw_only=True):
    """`compacted`: the last record of each key is enough to rebuild a reader's state; `broadcast`: each record is written to every partition."""

    name: str
    owner: str  # the service that writes it
    compacted: bool = False
    broadcast: bool = False
    quiet: bool = False  # no service waits for it: what is written wakes nobody
    retention_days: int = 30  # of what is not compacted; the journal keeps everything


def partition_of(key: str, partitions: int) -> int:
    """Where what bears a partition key goes, of so many partitions."""
    return zlib.crc32(key.encode()) % partitions


def waited_for(topics: Iterable[str | None]) -> bool:
    """Does somebody wait for what was written there? What is on no topic (None) its own service may wait for."""
    return any(topic is None or not TOPICS[topic].quiet for topic in topics)


TOPICS = {
    t.name: t
    for t in (
        Topic(name="suppliers", owner="onboarding", compacted=True),
        Topic(name="signals", owner="intelligence", compacted=True, broadcast=True),
        Topic(name="lists", owner="intelligence", compacted=True),  # how old they are
        Topic(name="hotspots", owner="hotspots", compacted=True, broadcast=True),  # signals, too: see ADR 0011
        Topic(name="matches", owner="screening"),
        Topic(name="ratings", owner="assessment"),
        Topic(name="decisions", owner="gate", quiet=True),
        Topic(name="audits", owner="audits"),
        Topic(name="remediation", owner="remediation"),
    )
}

GROUPS = {  # who reads, and the service that it is of
    "onboarding": "onboarding",
    "screening": "screening",
    "hotspots": "hotspots",
    "assessment": "assessment",
    "audits": "audits",
    "remediation": "remediation",
    "partners-feed": "partners",
    "partners-deliveries": "partners",
}


def dead_letters_of(group: str) -> str:
    """The topic on which a group tells, where the bus is Kafka, of messages that it gave up; they are kept in its service's store."""
    return f"dead-letters.{group}"


DEAD_LETTERS = {
    t.name: t for t in (Topic(name=dead_letters_of(group), owner=owner, quiet=True) for group, owner in GROUPS.items())
}  # fmt: skip

STREAM_TOPICS = {  # what the Faust app that counts hot-spots on Kafka keeps for itself, no events of the catalogue: see ADR 0011
    t.name: t
    for t in (
        Topic(name="hotspots-sightings", owner="hotspots"),
        Topic(name="hotspots-again", owner="hotspots"),  # dead letters that are tried again
        Topic(name="hotspots-watched-changelog", owner="hotspots", compacted=True),
        Topic(name="hotspots-windows-changelog", owner="hotspots", compacted=True),
    )
}
