"""Where an event is published: its topic, the partitions, and the key that compaction goes by."""

import msgspec

from shared.events.envelope import CATALOGUE, Meta
from shared.events.topics import TOPICS, partition_of
from shared.kernel.journal import JournalRow


def addressed(row: JournalRow, name: str | None, partitionkey: str, partitions: int) -> JournalRow:
    """A row with where it is published; `name`: its event's topic."""
    if name is None:
        return row
    topic = TOPICS[name]
    places = tuple(range(partitions)) if topic.broadcast else (partition_of(partitionkey, partitions),)
    key = f"{row.kind}/{row.tenant}/{row.subject}" if topic.compacted else None
    return msgspec.structs.replace(row, topic=name, partitions=places, key=key)


def addressed_again(row: JournalRow, partitions: int) -> JournalRow:
    """The same of a row that the journal gave back, which does not say where it was published."""
    return addressed(row, CATALOGUE[row.type].topic, msgspec.json.decode(row.meta, type=Meta).partitionkey, partitions)
