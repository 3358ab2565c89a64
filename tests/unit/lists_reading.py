"""What a reader yielded, sorted out for tests to look at."""

from collections.abc import Mapping
from pathlib import Path

from services.intelligence.lists import package
from services.intelligence.lists.spec import About, Attached, Entry, Layout, ListSpec, Quarantined, Removed


class Reading:
    """All records of a release; always `read == published + len(quarantined)`."""

    def __init__(self, layout: Layout, files: Mapping[str, Path], list_id: str, release_id: str = "r1") -> None:
        self.entries: list[Entry] = []
        self.quarantined: list[Quarantined] = []
        self.removed: list[Removed] = []
        self.attached: dict[str, Attached] = {}
        self.about = About()
        for record in layout.read(files, list_id=list_id, release_id=release_id):
            match record:
                case Entry():
                    self.entries.append(record)
                case Quarantined():
                    self.quarantined.append(record)
                case Removed():
                    self.removed.append(record)
                case Attached(role=role):
                    assert role not in self.attached
                    self.attached[role] = record
                case About():
                    assert self.about == About()
                    self.about = record

    @property
    def published(self) -> int:
        return len({entry.uid for entry in self.entries})

    @property
    def read(self) -> int:
        return len(self.entries) + len(self.quarantined)

    @property
    def unread_uids(self) -> set[str]:
        """Entries that the release holds but that could not be read."""
        return {q.uid for q in self.quarantined if q.uid is not None} - {e.uid for e in self.entries}


def read_sent(spec: ListSpec, content: bytes, folder: Path) -> Reading:
    """What a body that was sent for a list holds."""
    sent, work = folder / "sent", folder / "work"
    sent.write_bytes(content)
    work.mkdir(exist_ok=True)
    layout, files = package.unpack(spec, sent, work)
    return Reading(layout, files, spec.id)
