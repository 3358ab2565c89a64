"""deploy/topics.yaml and deploy/acls.yaml say what the code does."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.runtime.kafka_files import acls_file, reactions_of_all, topics_file
from services.runtime.processes import MODULES
from shared.events.topics import DEAD_LETTERS, GROUPS, TOPICS

_ROOT = Path(__file__).parents[2]
_FAUST = ("hotspots", "hotspots-")  # its tables and what it sends itself
_READERS = ("consumer", "replay")  # calls of the bus that name topics and read them


@pytest.mark.parametrize(("name", "written"), [("topics.yaml", topics_file), ("acls.yaml", acls_file)])
def test_a_file_is_as_make_kafka_files_writes_it(name: str, written: Any) -> None:
    assert (_ROOT / "deploy" / name).read_text(encoding="utf-8") == written(), "run `make kafka-files`"


@pytest.fixture(scope="module")
def allowed() -> set[tuple[str, str, str, str]]:
    """(service, kind, name without prefix, operation)."""
    rows = yaml.safe_load((_ROOT / "deploy/acls.yaml").read_text(encoding="utf-8"))["acls"]
    return {
        (r["principal"].removeprefix("User:duewatch-"), r["resource"]["type"], r["resource"]["name"].removeprefix("duewatch."), operation)
        for r in rows
        for operation in r["operations"]
    }


def test_a_service_writes_its_own_topics_and_no_others(allowed: set[tuple[str, str, str, str]]) -> None:
    writes = {(service, name) for service, kind, name, operation in allowed if (kind, operation) == ("topic", "Write")}
    assert writes == {(topic.owner, topic.name) for topic in (*TOPICS.values(), *DEAD_LETTERS.values())} | {_FAUST}


def test_a_service_reads_what_it_reacts_to_as_its_own_groups_and_nothing_else(allowed: set[tuple[str, str, str, str]]) -> None:
    reactions = reactions_of_all()
    reads = {(service, kind, name) for service, kind, name, operation in allowed if operation == "Read"}
    assert reads == {(s, "topic", t) for s, found in reactions.items() for r in found for t in r.topics} | {
        (s, "group", r.group) for s, found in reactions.items() for r in found
    } | {("hotspots", "topic", "hotspots-")}
    groups = {r.group: service for service, found in reactions.items() for r in found}
    assert groups == GROUPS, "a group is one service's, and has a topic for its dead letters"


def test_what_a_service_reads_beside_its_reactions_is_allowed_too(allowed: set[tuple[str, str, str, str]]) -> None:
    found = list(_topics_read_by_name())
    assert ("screening", "suppliers") in found, "the scan finds what is known to be there"
    assert {(service, "topic", topic, "Read") for service, topic in found} <= allowed


def test_nobody_but_setup_may_make_topics_and_nobody_may_all(allowed: set[tuple[str, str, str, str]]) -> None:
    assert {service for service, _, _, operation in allowed if operation in ("Create", "Delete", "Alter", "AlterConfigs", "All")} == {
        "setup",
        "hotspots",  # of its own name only
    }
    assert {service for service, *_ in allowed} <= {*MODULES, "setup"}


def _topics_read_by_name() -> Iterator[tuple[str, str]]:
    """(service, topic) of every call in a service's code that reads a topic which it names there."""
    for file in (_ROOT / "services").rglob("*.py"):
        service = file.relative_to(_ROOT / "services").parts[0]
        if service not in MODULES:
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _READERS:
                names = [n.value for argument in node.args for n in ast.walk(argument) if isinstance(n, ast.Constant)]
                yield from ((service, name) for name in names if name in TOPICS)
