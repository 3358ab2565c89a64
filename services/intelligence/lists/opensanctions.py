"""OpenSanctions: FollowTheMoney entities, `targets.simple.csv`, and deltas of the entities from version to version.

Entries are the parties that are targets. Parties beside them (`target` false), and what is no party (addresses, sanctions, links), are counted as
attached rows; a schema that the model does not have is quarantined. The data are licensed CC BY-NC 4.0: commercial use needs a licence that is bought.
"""

import csv
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from services.intelligence.lists import ftm
from services.intelligence.lists.lines import lines
from services.intelligence.lists.opensanctions_versions import said_in
from services.intelligence.lists.records import holding_records
from services.intelligence.lists.spec import About, Attached, Layout, ListFile, ListSpec, Quarantined, Record, Removed
from services.intelligence.lists.tables import table
from shared.errors import Malformed

NO_JSON = "it is no JSON object of an entity"
_NO_PARTIES, _BESIDE = "other_entities", "not_targets"
_NO_BASE = "The delta does not say upon which version it is; send it with version.json: its version, and its base"
_LINE_END = 4096


@holding_records
def read_entities(files: Mapping[str, Path], *, list_id: str, release_id: str) -> Iterator[Record]:
    """Entities, one a line; the version is told where `index.json` lies beside them."""
    if "index" in files:
        yield said_in(files["index"])
    yield from _entities(files["primary"], list_id, release_id)


def read_delta(files: Mapping[str, Path], *, list_id: str, release_id: str) -> Iterator[Record]:
    """Changes upon a version: which, and to which they lead, stands in a file beside them or in their first line. Without it they cannot be applied."""
    about = said_in(files["version"]) if "version" in files else None
    passed: Counter[str] = Counter()
    if about:
        yield about
    for number, text, fault in lines(files["primary"]):
        if not text.strip() and not fault:
            continue
        try:
            change = ftm.decode_change("" if fault else text)
        except ValueError:
            yield Quarantined(row=number, reason=fault or NO_JSON, uid=ftm.id_of_damaged(text))
            continue
        if change.version and not change.op:
            if about is not None:
                raise Malformed("The delta says twice to which version it leads")
            about = About(version=change.version, base=change.base or None)
            yield about
        elif about is None or not about.base:
            raise Malformed(_NO_BASE)
        else:
            yield from _changed(number, change, passed, list_id, release_id)
    if about is None or not about.base:
        raise Malformed(_NO_BASE)
    yield from _attached(passed)


@holding_records
def read_csv(files: Mapping[str, Path], *, list_id: str, release_id: str) -> Iterator[Record]:
    """Targets as a table; `;` between values, those that hold one in quotation marks."""
    yield from _targets(files["primary"], list_id, release_id)


def _entities(path: Path, list_id: str, release_id: str) -> Iterator[Record]:
    passed: Counter[str] = Counter()
    for number, text, fault in lines(path):
        if not text.strip() and not fault:
            continue
        try:
            entity = ftm.decode("" if fault else text)
        except ValueError:
            yield Quarantined(row=number, reason=fault or NO_JSON, uid=ftm.id_of_damaged(text))
            continue
        yield from _judged(number, entity, passed, list_id, release_id)
    yield from _attached(passed)


def _judged(at: int, entity: ftm.Entity, passed: Counter[str], list_id: str, release_id: str) -> Iterator[Record]:
    if entity.schema in ftm.OTHERS:
        passed[_NO_PARTIES] += 1
    elif entity.schema in ftm.PARTIES and ftm.is_no_target(entity):
        passed[_BESIDE] += 1
    else:
        yield ftm.party(at, entity, list_id, release_id)


def _changed(at: int, change: ftm.Change, passed: Counter[str], list_id: str, release_id: str) -> Iterator[Record]:
    """One that is a target no more goes, as one that was deleted; of what was never an entry nobody takes notice."""
    entity = change.entity
    if change.op == "DEL" and entity.id:
        yield Removed(uid=entity.id)
    elif change.op == "MOD" and entity.id and entity.schema in ftm.PARTIES and ftm.is_no_target(entity):
        passed[_BESIDE] += 1
        yield Removed(uid=entity.id)
    elif change.op in ("ADD", "MOD"):
        yield from _judged(at, entity, passed, list_id, release_id)
    else:
        yield Quarantined(row=at, reason="its operation is none of ADD, MOD and DEL", uid=entity.id or None)


def _targets(path: Path, list_id: str, release_id: str) -> Iterator[Record]:
    passed: Counter[str] = Counter()
    for row in table(path, ("id", "schema", "name"), separators=","):
        if row.fault:
            yield Quarantined(row=row.number, reason=row.fault, uid=row.first or None)
            continue
        properties = {
            "name": [row.get("name")], "alias": _joined(row.get("aliases")), "birthDate": _joined(row.get("birth date")),
            "country": _joined(row.get("countries")), "address": _joined(row.get("addresses")), "idNumber": _joined(row.get("identifiers")),
            "programId": _joined(row.get("program ids")), "notes": _joined(row.get("sanctions")),
        }  # fmt: skip
        entity = ftm.Entity(row.get("id"), row.get("schema"), row.get("name"), properties, [], _joined(row.get("dataset")), True)
        yield from _judged(row.number, entity, passed, list_id, release_id)
    yield from _attached(passed)


def _joined(cell: str) -> list[str]:
    if '"' not in cell:
        return cell.split(";") if cell else []
    try:
        return next(csv.reader((cell.replace("\n", " "),), delimiter=";"), [])
    except csv.Error:
        return [cell]


def _attached(passed: Counter[str]) -> Iterator[Attached]:
    for role in (_NO_PARTIES, _BESIDE):
        if passed[role]:
            yield Attached(role=role, rows=passed[role])


def _first_line(head: bytes) -> str:
    return head.decode("utf-8-sig", "replace").lstrip().partition("\n")[0]


def _is_entities(head: bytes) -> bool:
    line = _first_line(head)
    return line.startswith("{") and not _is_delta(head) and '"schema"' in line


def _is_delta(head: bytes) -> bool:
    line = _first_line(head)
    return line.startswith("{") and ('"op"' in line[:_LINE_END] or ('"base"' in line[:_LINE_END] and '"version"' in line[:_LINE_END]))


def _is_csv(head: bytes) -> bool:
    columns = {cell.strip('" \r') for cell in _first_line(head).split(",")}
    return {"id", "schema", "name"} <= columns


DATASET = "sanctions"  # the default; an operator's address may name another
BASE = "https://data.opensanctions.org/datasets/latest/"
_AT = f"{BASE}{DATASET}/"
_INDEX = ListFile(role="index", name="index.json", address=_AT + "index.json")
SPECS = (
    ListSpec(
        id="opensanctions",
        title="OpenSanctions, consolidated sanctions",
        publisher="OpenSanctions Datenbanken GmbH",
        versions="index",
        licence="CC BY-NC 4.0: free for non-commercial use; a business needs a data licence from OpenSanctions",
        layouts=(
            Layout(
                name="entities.ftm.json",
                files=(ListFile(role="primary", name="entities.ftm.json", address=_AT + "entities.ftm.json"), _INDEX),
                read=read_entities,
                recognises=_is_entities,
            ),
            Layout(
                name="targets.simple.csv",
                files=(ListFile(role="primary", name="targets.simple.csv", address=_AT + "targets.simple.csv"),),
                read=read_csv,
                recognises=_is_csv,
            ),
            Layout(
                name="entities.delta.json",
                files=(
                    ListFile(role="primary", name="entities.delta.json", address=""),
                    ListFile(role="version", name="version.json", address=""),
                ),
                read=read_delta,
                recognises=_is_delta,
            ),
        ),
        max_file_bytes=4_000_000_000,  # the largest collection of 2026, lines of entities
        max_total_bytes=4_100_000_000,
    ),
)
