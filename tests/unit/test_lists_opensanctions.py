"""OpenSanctions: entities, targets as a table, deltas in the order of versions, what is no party counted, ids that were merged."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.intelligence.lists.opensanctions import SPECS
from services.intelligence.lists.opensanctions_versions import Delta, Plan, delta_index, plan
from services.intelligence.lists.spec import About, Removed
from shared.errors import Malformed
from shared.events.signals import PartySignal, SignalAddress, SignalIdentifier, SignalName
from tests.unit.lists_reading import Reading, read_sent

SPEC = SPECS[0]
FULL, TABLE, DELTA = SPEC.layouts


def entity(id_: str, schema: str = "Company", target: bool | None = True, **properties: list[Any]) -> dict[str, Any]:
    told = {"id": id_, "caption": properties.get("name", [id_])[0], "schema": schema, "properties": properties, "referents": [], "datasets": ["eu_fsf"],
            "first_seen": "2022-01-01T00:00:00", "last_seen": "2026-01-01T00:00:00"}  # fmt: skip
    return told if target is None else told | {"target": target}


def lines(*objects: Any) -> bytes:
    return b"\n".join(one if isinstance(one, bytes) else json.dumps(one).encode() for one in objects) + b"\n"


def read(folder: Path, content: bytes) -> Reading:
    return read_sent(SPEC, content, folder)


def party(reading: Reading, at: int = 0) -> PartySignal:
    subject = reading.entries[at].signal.subject
    assert isinstance(subject, PartySignal)
    return subject


def test_what_an_entity_says(tmp_path: Path) -> None:
    told = entity(
        "NK-1", "LegalEntity", name=["Zeta OOO", "Acme"], alias=["Acme Ltd", "Acme"], weakAlias=["AC"], previousName=["Old Acme"], country=["ru", "cn-xz", "suhh"],
        jurisdiction=["cy"], leiCode=["529900T8BM49AURSDO55"], innCode=["7707083893"], birthDate=["1960-01"], address=["1 Road, Moscow"],
        topics=["sanction"], programId=["EU-RUS"], addressEntity=["addr-1"], notes=["Known"], sanctions=[{"id": "s", "schema": "Sanction", "properties": {}}],
    )  # fmt: skip
    reading = read(tmp_path, lines(told))
    (entry,) = reading.entries
    assert (entry.uid, entry.signal.source.programs, entry.signal.remarks) == (
        "NK-1",
        ("EU-RUS", "sanction"),
        "From eu_fsf; Country suhh; Known",
    )
    found = party(reading)
    assert found.names == (
        SignalName(name="Zeta OOO", kind="primary"), SignalName(name="AC", weak=True), SignalName(name="Acme"), SignalName(name="Acme Ltd"),
        SignalName(name="Old Acme", kind="former"),
    )  # fmt: skip
    assert found.countries == ("CN", "CY", "RU")
    assert found.identifiers == (
        SignalIdentifier(kind="INN", value="7707083893"),
        SignalIdentifier(kind="LEI", value="529900T8BM49AURSDO55"),
    )
    assert (found.birth_dates, found.addresses) == (("1960-01",), (SignalAddress(text="1 Road, Moscow"),))


def test_numbers_that_are_no_text_and_texts_that_are_no_number_are_kept(tmp_path: Path) -> None:
    reading = read(
        tmp_path, lines(entity("a", "Vessel", name=["Gull"], imoNumber=[9876543], mmsi=[True, None, {}], registrationNumber=["9" * 201]))
    )
    assert party(reading).identifiers == (SignalIdentifier(kind="IMO", value="9876543"),)
    assert f"Registration Number {'9' * 201}" in reading.entries[0].signal.remarks


@pytest.mark.parametrize(
    ("schema", "mine"),
    [("Person", "person"), ("Company", "organisation"), ("Organization", "organisation"), ("PublicBody", "organisation"), ("Vessel", "vessel"),
     ("Airplane", "aircraft")],
)  # fmt: skip
def test_schemata_that_are_parties(tmp_path: Path, schema: str, mine: str) -> None:
    assert party(read(tmp_path, lines(entity("a", schema, name=["A"])))).schema == mine


def test_all_lines_are_accounted_for(tmp_path: Path) -> None:
    reading = read(
        tmp_path,
        lines(
            entity("a", name=["A"]), entity("b", "Address"), entity("s", "Sanction"), entity("o", "Ownership", None), entity("w", "CryptoWallet"),
            entity("n", "Person", False, name=["Kin"]), entity("u", "Starship", name=["U"]), entity("m"), entity("t", target=None, name=["T"]),
            b"", b'{"id": "cut", "schema": "Comp', b'{"op": [', b"[]", b'{"id": "\\ud800", "schema": 5}', b"[" * 100_000, b"x" * 1_000_001,
        ),
    )  # fmt: skip
    assert [e.uid for e in reading.entries] == ["a", "m", "t"]  # without a name, the caption is one
    assert {role: told.rows for role, told in reading.attached.items()} == {"other_entities": 4, "not_targets": 1}
    assert [(q.row, q.uid) for q in reading.quarantined] == [
        (7, "u"),
        (11, "cut"),
        (12, None),
        (13, None),
        (14, None),
        (15, None),
        (16, None),
    ]


def test_nothing_but_the_order_and_when_it_was_seen_is_no_change(tmp_path: Path) -> None:
    one = entity("a", name=["A", "B"], alias=["C", "D"], country=["ru", "cy"], topics=["sanction", "debarment"])
    two = entity("a", name=["B", "A"], alias=["D", "C"], country=["cy", "ru"], topics=["debarment", "sanction"]) | {
        "caption": "A",
        "last_seen": "2027",
    }
    first, second = (read(tmp_path, lines(told)).entries[0].signal for told in (one, two))
    assert first == second
    assert first.digest != read(tmp_path, lines(one | {"datasets": ["un_sc"]})).entries[0].signal.digest


def test_ids_that_were_merged_are_former_ones_and_change_no_digest(tmp_path: Path) -> None:
    plain = read(tmp_path, lines(entity("NK-2", name=["A"]))).entries[0].signal
    merged = read(tmp_path, lines(entity("NK-2", name=["A"]) | {"referents": ["ofac-7", "NK-1", "NK-2", "", "x" * 300]})).entries[0].signal
    assert merged.formerly == ("opensanctions:NK-1", "opensanctions:ofac-7")
    assert merged.digest == plain.digest


def test_the_version_stands_in_the_index_beside_it(tmp_path: Path) -> None:
    primary, index = tmp_path / "p", tmp_path / "i"
    primary.write_bytes(lines(entity("a", name=["A"])))
    index.write_text(
        json.dumps({"name": "sanctions", "version": "20241209074701-ofz", "last_export": "2024-12-09T07:47:01", "resources": []})
    )
    reading = Reading(FULL, {"primary": primary, "index": index}, SPEC.id)
    assert reading.about == About(dated="2024-12-09", version="20241209074701-ofz")


def test_targets_as_a_table(tmp_path: Path) -> None:
    header = "id,schema,name,aliases,birth_date,countries,addresses,identifiers,sanctions,phones,emails,program_ids,dataset,first_seen,last_seen,last_change"
    rows = [
        '"NK-1","Person","Doe, Jon","J. D.;""Doe; Jon""","1960","ru;cy","""1 Road; Moscow"";2 Road","P1;P2","EU 269/2014",,,"EU-RUS","EU FSF","2022","2026","2025"',
        '"NK-2","Company","Acme\nGroup",,,"zz",,,,,,,,,,', "NK-3,CryptoWallet,bc1q,,,,,,,,,,,,,", "NK-4,Thingy,X,,,,,,,,,,,,,", "NK-5,Company,short",
    ]  # fmt: skip
    reading = read(tmp_path, "\n".join([header, *rows]).encode())
    assert [(e.uid, e.signal.source.programs, e.signal.remarks) for e in reading.entries] == [
        ("NK-1", ("EU-RUS",), "From EU FSF; EU 269/2014"), ("NK-2", (), "Country zz"),
    ]  # fmt: skip
    found = party(reading)
    assert [name.name for name in found.names] == ["Doe, Jon", "Doe; Jon", "J. D."]
    assert found.addresses == (SignalAddress(text="1 Road; Moscow"), SignalAddress(text="2 Road"))
    assert [number.value for number in found.identifiers] == ["P1", "P2"]
    assert found.countries == ("CY", "RU")
    assert party(reading, 1).names[0].name == "Acme Group"
    assert [(q.row, q.uid) for q in reading.quarantined] == [(6, "NK-4"), (7, "NK-5")]
    assert reading.attached["other_entities"].rows == 1


def delta(*changes: Any) -> bytes:
    return lines({"version": "20260102000000-bbb", "base": "20260101000000-aaa"}, *changes)


def test_a_delta_upon_a_version(tmp_path: Path) -> None:
    reading = read(
        tmp_path,
        delta(
            {"op": "ADD", "entity": entity("a", name=["A"])}, {"op": "MOD", "entity": entity("b", name=["B"])}, {"op": "DEL", "entity": {"id": "c"}},
            {"op": "MOD", "entity": entity("d", "Person", False, name=["D"])}, {"op": "ADD", "entity": entity("e", "Address")},
            {"op": "MOVE", "entity": {"id": "f"}}, {"op": "DEL", "entity": {}}, b'{"op": "MOD", "entity": {"id": "g", "sch',
        ),
    )  # fmt: skip
    assert reading.about == About(version="20260102000000-bbb", base="20260101000000-aaa")
    assert [e.uid for e in reading.entries] == ["a", "b"]
    assert reading.removed == [Removed(uid="c"), Removed(uid="d")]
    assert [(q.row, q.uid) for q in reading.quarantined] == [(7, "f"), (8, None), (9, "g")]
    assert {role: told.rows for role, told in reading.attached.items()} == {"other_entities": 1, "not_targets": 1}


def test_a_delta_with_its_version_in_a_file_beside_it(tmp_path: Path) -> None:
    primary, version = tmp_path / "p", tmp_path / "v"
    primary.write_bytes(lines({"op": "DEL", "entity": {"id": "c"}}))
    version.write_text('{"version": "20260102000000-bbb", "base": "20260101000000-aaa"}')
    reading = Reading(DELTA, {"primary": primary, "version": version}, SPEC.id)
    assert (reading.about.base, reading.about.dated, reading.removed) == ("20260101000000-aaa", "2026-01-02", [Removed(uid="c")])


@pytest.mark.parametrize(
    "content",
    [lines({"op": "DEL", "entity": {"id": "c"}}), lines({"version": "2", "base": ""}, {"op": "DEL", "entity": {"id": "c"}}), delta(b'{"version": "3"}'),
     b"id,schema,name\n", b"\x00\x01", lines(entity("a", "Address"))],
)  # fmt: skip
def test_what_cannot_be_applied_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(Malformed):
        read(tmp_path, content)


@pytest.mark.parametrize("content", [lines({"schema": "Company"}), b'{"schema": "Company"'])
def test_of_a_file_without_a_good_line_each_is_told(tmp_path: Path, content: bytes) -> None:
    """And its guard refuses the release, for it holds no entry."""
    reading = read(tmp_path, content)
    assert (reading.entries, len(reading.quarantined)) == ([], 1)


VERSIONS = {f"2026010{day}000000-abc": f"https://data.example/{day}" for day in (3, 1, 2)}
INDEX = json.dumps({"versions": VERSIONS}).encode()


@pytest.mark.parametrize(
    ("in_force", "expected"),
    [
        (None, Plan(full=True)),
        ("20251231000000-abc", Plan(full=True)),  # older than the window
        ("20260102120000-xyz", Plan(full=True)),  # one that the window does not know
        ("20260103000000-abc", Plan()),
        (
            "20260101000000-abc",
            Plan(
                deltas=(
                    Delta(base="20260101000000-abc", version="20260102000000-abc", address="https://data.example/2"),
                    Delta(base="20260102000000-abc", version="20260103000000-abc", address="https://data.example/3"),
                )
            ),
        ),
    ],
)
def test_deltas_are_planned_in_the_order_of_versions(in_force: str | None, expected: Plan) -> None:
    assert plan(INDEX, in_force) == expected


@pytest.mark.parametrize("index", [b"", b"[]", b'{"versions": []}', b'{"versions": {"../../x": "y"}}', b"\xff", b"[" * 100_000])
def test_an_index_that_is_none_is_refused(index: bytes) -> None:
    with pytest.raises(Malformed):
        plan(index, "20260101000000-abc")


def test_the_newest_version_and_where_its_deltas_are() -> None:
    assert delta_index(b'{"version": "20260103000000-abc", "delta_url": "https://data.example/delta.json", "x": 1}') == (
        "20260103000000-abc", "https://data.example/delta.json",
    )  # fmt: skip
    for index in (b"{}", b"[]", b"{" * 100_000):
        with pytest.raises(Malformed):
            delta_index(index)
