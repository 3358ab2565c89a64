"""The same real input on both runtimes, compared entry by entry: `python -m tests.system.same --list1 A.zip --list2 B.zip --suppliers S.csv`.

Lists are OFAC's files as a zip or a folder; suppliers an import file of system S4. Prints one JSON object a figure, then each difference, at most
`--most` of them; exits 1 where there is one. `--keep FILE` keeps what was seen. Needs what the tests need for a local Kafka and MongoDB.
"""

import argparse
import csv
import io
import json
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.infra.distributed import distributed
from tests.infra.kafka import LocalKafka
from tests.infra.mongo import LocalMongo
from tests.system.lists import zipped
from tests.system.plain import differences
from tests.system.running import System, free_port, running
from tests.system.seen import Section
from tests.system.story import Story, play

_CHANGED, _TOLD = 50, 3  # suppliers that are imported again under a longer name; that a report names


def main() -> None:
    """Plays, compares, prints."""
    options = argparse.ArgumentParser(
        prog="python -m tests.system.same", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--list1", type=Path, required=True)
    options.add_argument("--list2", type=Path, required=True)
    options.add_argument("--suppliers", type=Path, required=True)
    options.add_argument("--reviews", type=int, default=60)
    options.add_argument("--most", type=int, default=200)
    options.add_argument("--keep", type=Path)
    chosen = options.parse_args()
    story = story_of(chosen.list1, chosen.list2, chosen.suppliers, chosen.reviews)
    with tempfile.TemporaryDirectory(prefix="duewatch-same-") as folder:
        one, other = both(Path(folder), story)
    if chosen.keep:
        chosen.keep.write_text(json.dumps([one, other], ensure_ascii=False, indent=1), encoding="utf-8")
    for name, value in figures(one, other).items():
        print(json.dumps({"figure": name, "embedded_distributed": value}, ensure_ascii=False))
    found = differences(one, other)
    print("\n".join(found[: chosen.most]))
    print(json.dumps({"figure": "differences", "value": len(found)}))
    sys.exit(1 if found else 0)


def story_of(list1: Path, list2: Path, suppliers: Path, reviews: int) -> Story:
    """The story that these files tell."""
    rows = list(csv.DictReader(io.StringIO(suppliers.read_text(encoding="utf-8"))))
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows({**row, "name": f"{row['name']} Newly Named"} for row in rows[:: max(1, len(rows) // _CHANGED)])
    told = [{"kind": "party", "name": row["name"], "country": row["country"]} for row in rows[1 :: max(1, len(rows) // _TOLD)]]
    return Story((_zip(list1), _zip(list2)), suppliers.read_bytes(), out.getvalue().encode(), tuple(told), reviews, _say)


def both(folder: Path, story: Story) -> tuple[dict[str, Section], dict[str, Section]]:
    """What is seen of an embedded and of a distributed system, one after the other."""
    _say("embedded")
    began = time.monotonic()
    with running(folder / "embedded") as system:
        one = play(story, system)
    _say(f"distributed; embedded took {time.monotonic() - began:.0f} s")
    with ExitStack() as stack:
        kafka, mongo = stack.enter_context(LocalKafka(folder / "kafka")), stack.enter_context(LocalMongo(folder / "mongo"))
        servers = {"DUEWATCH_BUS": f"kafka://{kafka.address}", "DUEWATCH_STORE": mongo.address, "DUEWATCH_EGRESS_ALLOW": "127.0.0.0/8"}
        found = stack.enter_context(distributed(folder / "distributed", free_port(), servers))
        other = play(story, System(found.url, found.folder, found.processes["gateway"]))
    return one, other


def figures(one: dict[str, Section], other: dict[str, Section]) -> dict[str, Any]:
    """How much was compared: entries a section, and how they spread."""
    found: dict[str, Any] = {section: [len(one[section]), len(other[section])] for section in one}
    for name, section, key in (
        ("tiers", "ratings", "tier"),
        ("match states", "matches", "state"),
        ("match strengths", "matches", "strength"),
        ("decisions", "gate, purchase_order", "decision"),
        ("statuses", "suppliers", "status"),
    ):
        found[name] = [dict(sorted(Counter(entry[key] for entry in seen[section].values()).items())) for seen in (one, other)]
    found["risk changes"] = [sum(map(len, seen["feed"].values())) for seen in (one, other)]
    return found


def _zip(given: Path) -> bytes:
    return zipped({file.name: file.read_bytes() for file in sorted(given.iterdir())}) if given.is_dir() else given.read_bytes()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
