"""The contracts judged from outside: by JSON Schema, and as documents whose references lead somewhere."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from services.onboarding.service import SERVICE as ONBOARDING
from services.runtime.front import front_app
from services.runtime.node import Node
from services.runtime.schemas import catalogue
from services.runtime.services import SERVICES
from shared.events.envelope import Meta, Payload, cloudevent, decode, encode
from shared.events.topics import TOPICS
from shared.security.tokens import LocalIssuer
from shared.settings import Settings
from tests.contracts.examples import example
from tests.services.harness import harness

CONTRACTS = Path(__file__).parents[2] / "contracts"
EVENTS = catalogue()
OPENAPI = sorted(path.name for path in CONTRACTS.glob("openapi/*.json"))


def contract(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((CONTRACTS / name).read_text(encoding="utf-8"))
    return found


def judge(schema: dict[str, Any]) -> jsonschema.Draft202012Validator:
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)


def closed(node: Any) -> Any:
    """The schema as a producer must keep it: no further fields."""
    if isinstance(node, list):
        return [closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    limits = {"additionalProperties": False} if node.get("type") == "object" and "properties" in node else {}
    return limits | {key: closed(value) for key, value in node.items()}


@pytest.mark.parametrize("full", [True, False], ids=["full", "bare"])
@pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.type)
def test_every_event_is_what_its_contract_says(kind: type[Payload], full: bool) -> None:
    schema = contract(f"events/{kind.type}.json")
    data = encode(example(kind, full=full))
    judge(closed(schema)).validate(json.loads(data))
    assert decode(kind.type, data) == example(kind, full=full)
    for name in schema.get("required", ()):
        lacking = {key: value for key, value in json.loads(data).items() if key != name}
        assert not judge(schema).is_valid(lacking), name


def test_the_envelope_is_what_webhooks_and_the_feed_carry() -> None:
    meta = Meta(
        id="evt_1", source="/services/assessment", type="duewatch.rating.changed.v1", subject="sup_1", time=datetime(2026, 1, 2, tzinfo=UTC),
        tenant="default", sequence=3, actor="ada", traceparent="00-1-2-01",
    )  # fmt: skip
    told = json.loads(encode(cloudevent(meta, b"{}")))
    schema = contract("events/envelope.json")
    judge(schema).validate(told)
    assert told.keys() == {*schema["$defs"]["Attributes"]["properties"], "data"}
    assert (CONTRACTS.parent / told["dataschema"].removeprefix("/")).is_file()
    for name in {*schema["$defs"]["Attributes"]["required"], "data"}:
        assert not judge(schema).is_valid({key: value for key, value in told.items() if key != name}), name
    for name, wrong in {"sequence": 3, "type": "duewatch.rating", "source": "assessment", "specversion": "0.3"}.items():
        assert not judge(schema).is_valid(told | {name: wrong}), name


async def test_what_a_service_really_told_is_what_the_contracts_say(tmp_path: Path) -> None:
    async with harness(tmp_path, ONBOARDING) as onboarding:
        body = {
            "name": "Ånd & Mills",
            "country": "NO",
            "external_refs": [{"system": "S4", "number": "1"}],
            "goods": [{"hs": "5201", "origin": "CN"}],
        }
        async with onboarding.client("buyer") as buyer:
            made = await buyer.post("/v1/suppliers", json=body)
            assert made.status_code == 201
            await buyer.patch(f"/v1/suppliers/{made.json()['id']}", json={"name": "Ånd"}, headers={"If-Match": made.headers["ETag"]})
        consumer = await onboarding.ctx.bus.consumer("contracts", ["suppliers"])
        records = await consumer.poll(100, 0)
        await consumer.close()
    assert [record.meta.type for record in records] == ["duewatch.supplier.registered.v1", "duewatch.supplier.changed.v1"]
    for record in records:
        judge(contract("events/envelope.json")).validate(json.loads(encode(cloudevent(record.meta, record.data))))
        judge(closed(contract(f"events/{record.meta.type}.json"))).validate(json.loads(record.data))


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def resolved(document: dict[str, Any], reference: str) -> Any:
    file, _, pointer = reference.partition("#")
    found: Any = contract(file) if file else document
    for part in filter(None, pointer.split("/")):
        found = found[part.replace("~1", "/").replace("~0", "~")]
    return found


def test_asyncapi_has_every_topic_and_every_event_told() -> None:
    document = yaml.safe_load((CONTRACTS / "asyncapi.yaml").read_text(encoding="utf-8"))
    assert document["asyncapi"] == "3.0.0"
    assert {"title", "version"} <= document["info"].keys()
    assert document.keys() <= {"asyncapi", "id", "info", "servers", "defaultContentType", "channels", "operations", "components"}
    assert all(resolved(document, reference) for reference in references(document))
    for name, topic in TOPICS.items():
        channel, send = document["channels"][name], document["operations"][f"send_{name}"]
        assert channel["address"] == name
        assert (channel["x-broadcast"], channel["x-compacted"]) == (topic.broadcast, topic.compacted)
        assert send["action"] == "send"
        assert send["channel"] == {"$ref": f"#/channels/{name}"}
        assert topic.owner in send["summary"]
        told = [resolved(document, message["$ref"]) for message in channel["messages"].values()]
        assert sorted(message["name"] for message in told) == [kind.type for kind in EVENTS if kind.topic == name]
        assert [resolved(document, resolved(document, m["$ref"])["$ref"]) for m in send["messages"]] == told
        for message in told:
            schema = resolved(document, message["payload"]["schema"]["$ref"])
            assert schema["title"] == message["name"]
            assert schema["x-topic"] == name
    assert document["channels"].keys() == TOPICS.keys()


@pytest.mark.parametrize("name", OPENAPI)
def test_openapi_says_of_each_operation_what_it_is_who_may_and_what_can_go_wrong(name: str) -> None:
    document = contract(f"openapi/{name}")
    assert document["openapi"].startswith("3.1")
    assert all(resolved(document, reference) for reference in references(document))
    seen = set()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            place = f"{method} {path}"
            assert path.startswith("/health/") or operation["security"] == [{"bearer": []}], place
            assert operation.get("description"), place
            assert "application/problem+json" in operation["responses"]["default"]["content"], place
            assert operation["operationId"] not in seen, place
            seen.add(operation["operationId"])
    assert seen


async def test_the_running_system_documents_what_the_contracts_have(tmp_path: Path) -> None:
    node = Node(Settings.read({}, data=tmp_path), SERVICES, "test")
    try:
        running = front_app(node, LocalIssuer(tmp_path / "keys"), list).openapi()["paths"]
    finally:
        await node.close()
    promised: dict[str, Any] = {}
    for name in OPENAPI:
        for path, operations in contract(f"openapi/{name}")["paths"].items():
            promised.setdefault(path, {}).update(operations)
    assert {path: set(operations) for path, operations in running.items()} == {path: set(ops) for path, ops in promised.items()}


def test_the_gate_is_documented_by_what_it_reads_and_writes() -> None:
    ask = contract("openapi/gate.json")["paths"]["/v1/decisions"]["post"]
    question = judge(ask["requestBody"]["content"]["application/json"]["schema"])
    answer = judge(ask["responses"]["200"]["content"]["application/json"]["schema"])
    one = {"supplier_ref": {"system": "S4", "number": "1"}, "effect": "payment"}
    assert question.is_valid(one)
    assert question.is_valid({"items": [one, {"supplier_id": "sup_1"}]})
    assert not question.is_valid({"effect": "gift"})
    assert not question.is_valid(one | {"colour": "red"})
    told = {
        "id": "dec_1.0", "decision": "review", "effect": "payment", "reasons": [{"code": "x", "text": "y"}], "conditions": [], "policy_version": "1",
        "data_as_of": None, "valid_until": "2026-01-02T00:00:00Z", "supplier_id": None,
    }  # fmt: skip
    assert answer.is_valid(told)
    assert answer.is_valid({"items": [told]})
    assert not answer.is_valid({key: value for key, value in told.items() if key != "decision"})
