"""Where an event is published: its topic, the partitions, and the key that compaction goes by."""

import msgspec

from shared.events.envelope import CATALOGUE, Meta
from shared.events.topics import TOPICS, partition_of
from shared.kernel.journal import JournalRow

Address = tuple[str | None, tuple[int, ...], str | None]  # topic, partitions and key of a JournalRow


def address(kind: str, tenant: str, subject: str, name: str | None, partitionkey: str, partitions: int) -> Address:
    """Where an aggregate's event is published; `name`: its topic."""
    if name is None:
        return None, (), None
    topic = TOPICS[name]
    places = tuple(range(partitions)) if topic.broadcast else (partition_of(partitionkey, partitions),)
    return name, places, f"{kind}/{tenant}/{subject}" if topic.compacted else None


def addressed_again(row: JournalRow, partitions: int) -> JournalRow:
    """A row that the journal gave back, which does not say where it was published, with that."""
    partitionkey = msgspec.json.decode(row.meta, type=Meta).partitionkey
    topic, places, key = address(row.kind, row.tenant, row.subject, CATALOGUE[row.type].topic, partitionkey, partitions)
    return msgspec.structs.replace(row, topic=topic, partitions=places, key=key)
