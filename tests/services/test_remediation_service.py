"""Cases from the rating that opens them to their closure and back, over HTTP and the bus; victims' data nowhere in clear."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.remediation.service import SERVICE
from shared.events.envelope import encode
from shared.events.followup import CaseChanged
from shared.events.matches import SignalRef
from shared.events.ratings import CauseRef, Driver, Obligation, RatingChanged
from shared.events.signals import Source
from tests.services.harness import Harness, harness

DAY = 86_400
FREE = {"worked_on_case": False, "paid_by_supplier": False, "adviser_to_supplier": False}
MARK = "zzmarkzz"


def rating(*findings: str, indicators: tuple[str, ...] = ("debt_bondage",), supplier: str = "sup_1") -> RatingChanged:
    drivers = tuple(
        Driver(code="finding_strong", text="t", points=0.8, signal=SignalRef(id=one, source=Source(kind="finding", indicators=indicators)))
        for one in findings
    )
    duty = Obligation(code="remediation_case", text="t", kind="case", due_days=90)
    return RatingChanged(
        supplier_id=supplier,
        external_refs=(),
        country="IN",
        tier="critical" if findings else "low",
        previous_tier=None,
        cause=CauseRef(id="c", type="t"),
        policy_version="p",
        drivers=drivers,
        obligations=(duty,) if findings else (),
    )


@pytest.fixture
async def h(tmp_path: Path) -> AsyncIterator[Harness]:
    async with harness(tmp_path, SERVICE) as started:
        yield started


async def rate(h: Harness, *findings: str, **more: Any) -> str:
    event = await h.publish("ratings", rating(*findings, **more), subject=more.get("supplier", "sup_1"), kind="assessment")
    await h.step()
    return event


async def items(h: Harness, query: str = "supplier_id=sup_1", **who: Any) -> list[dict[str, Any]]:
    answer = await h.client("case_worker", **who).get(f"/v1/cases?{query}")
    assert answer.status_code == 200
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def post(client: httpx.AsyncClient, path: str, body: Any = None, status: int = 200, **headers: str) -> dict[str, Any]:
    answer = await client.post(path, json=body, headers={k.replace("_", "-"): v for k, v in headers.items()})
    assert answer.status_code == status, answer.text
    assert MARK not in answer.text or status < 300
    found: dict[str, Any] = answer.json()
    return found


async def opened(h: Harness) -> str:
    await rate(h, "sig_1")
    return f"/v1/cases/{(await items(h))[0]['id']}"


async def work_off(h: Harness, path: str) -> None:
    worker = h.client("case_worker", subject="cw")
    for task in (await worker.get(path)).json()["tasks"]:
        if task["state"] != "done":
            await post(worker, f"{path}/tasks/{task['id']}/completion", {"evidence": [{"ref": "doc"}]})


async def closed(h: Harness) -> str:
    path = await opened(h)
    await work_off(h, path)
    await post(h.client("auditor", subject="vera"), f"{path}/closure", {"declarations": FREE})
    return path


async def test_one_finding_opens_one_case_however_often_it_is_rated(h: Harness) -> None:
    event = await rate(h, "sig_1")
    await rate(h, "sig_1")
    (case,) = await items(h)
    assert case | {"state": "open", "due_at": "2026-04-01T00:00:00Z", "indicators": ["debt_bondage"], "overdue": False} == case
    assert case["cause"] | {"id": event, "type": RatingChanged.type, "signal_id": "sig_1"} == case["cause"]
    assert await h.told("remediation") == [CaseChanged(supplier_id="sup_1", state="open", indicators=("debt_bondage",), signal_id="sig_1")]


async def test_found_by_its_fields(h: Harness) -> None:
    await rate(h, "sig_1")
    await rate(h, "sig_2", supplier="sup_2", indicators=("abusive_conditions",))
    found = [await items(h, q) for q in ("supplier_id=sup_2", "indicator=abusive_conditions", "state=open", "overdue=false", "worker=x")]
    assert [len(one) for one in found] == [1, 1, 2, 2, 0]


async def test_opened_and_retracted_within_one_batch(h: Harness) -> None:
    for one in (rating("sig_1"), rating()):
        await h.publish("ratings", one, subject="sup_1", kind="assessment")
    await h.step()
    assert [c["state"] for c in await items(h)] == ["cancelled"]


async def test_from_rating_to_closure_and_back(h: Harness) -> None:
    path = await opened(h)
    worker = h.client("case_worker", subject="cw")
    await post(worker, f"{path}/assignment", {"worker": "cw"})
    assert (await post(worker, f"{path}/tasks/t1/start"))["state"] == "started"
    owed = {"kind": "owed", "worker_ref": "w-17", "amount": "12000.50", "currency": "INR"}
    await post(worker, f"{path}/repayments", owed, 201)
    await work_off(h, path)
    assert (await worker.get(path)).json()["left_to_do"] == ["Balances that are still owed: 1"]
    await post(h.client("auditor", subject="vera"), f"{path}/closure", {"declarations": FREE}, 409)
    await post(worker, f"{path}/repayments", owed | {"kind": "paid", "evidence": [{"ref": "receipt-1"}]}, 201)
    ledger = (await worker.get(f"{path}/repayments")).json()
    assert ledger["balances"] == [{"worker_ref": "w-17", "currency": "INR", "owed": "0.00"}]
    assert [e["amount"] for e in ledger["entries"]] == ["12000.50", "12000.50"]
    await post(worker, f"{path}/closure", {"declarations": FREE}, 403)  # the own work
    await post(h.client("case_worker", subject="vera"), f"{path}/closure", {"declarations": FREE | {"paid_by_supplier": True}}, 422)
    await post(h.client("case_worker", subject="vera"), f"{path}/closure", {"declarations": FREE})
    await rate(h, "sig_1")
    assert [c["state"] for c in await items(h)] == ["closed"]  # the old finding holds still: no recurrence
    event = await rate(h, "sig_1", "sig_2")
    (case,) = await items(h)
    assert (case["state"], case["round"], case["cause"]["id"]) == ("reopened", 1, event)
    whole = (await worker.get(path)).json()
    assert [c["by"] for c in whole["closures"]] == ["vera"]
    assert [c["signal_id"] for c in whole["causes"]] == ["sig_1", "sig_2"]
    states = [c.state for c in await h.told("remediation") if isinstance(c, CaseChanged)]
    assert states == ["open", "in_progress", "ready_for_closure", "closed", "reopened"]


async def test_a_new_kind_of_abuse_after_closure_is_a_new_case(h: Harness) -> None:
    await closed(h)
    await rate(h, "sig_2", indicators=("isolation",))
    assert sorted(c["state"] for c in await items(h)) == ["closed", "open"]


async def test_the_ledger_is_reversed_never_deleted(h: Harness) -> None:
    path = await opened(h)
    worker = h.client("case_worker", subject="cw")
    await post(worker, f"{path}/repayments", {"kind": "owed", "worker_ref": "w1", "amount": 70, "currency": "USD"}, 201)
    back = await post(worker, f"{path}/repayments/r1/reversal", {"reason": "Wrong worker"}, 201)
    assert (back["kind"], back["amount"], back["reverses"]) == ("correction", "-70", "r1")
    await post(worker, f"{path}/repayments/r1/reversal", {"reason": "Wrong worker"}, 409)
    assert (await worker.delete(f"{path}/repayments/r1")).status_code in (404, 405)
    good = {"kind": "owed", "worker_ref": "w1", "amount": "1", "currency": "USD"}
    wrong: list[dict[str, Any]] = [
        {"amount": "1e3"},
        {"amount": 1.5},
        {"amount": "NaN"},
        {"amount": True},
        {"amount": "1.00001"},
        {"amount": "1.005"},
        {"amount": "1.5", "currency": "JPY"},
        {"currency": "XAU"},
        {"amount": "-1"},
        {"amount": "9" * 16},
    ]
    wrong += [{"currency": MARK}, {"currency": "usd"}, {"currency": "XXX"}, {"worker_ref": "Jane " + MARK}, {"kind": MARK}, {MARK: 1}]
    for one in wrong:
        await post(worker, f"{path}/repayments", good | one, 422)
    assert len((await worker.get(f"{path}/repayments")).json()["entries"]) == 2


async def test_a_repeated_post_gets_its_first_answer(h: Harness) -> None:
    path = await opened(h)
    worker = h.client("case_worker", subject="cw")
    body = {"kind": "owed", "worker_ref": "w1", "amount": "5", "currency": "EUR"}
    first = await post(worker, f"{path}/repayments", body, 201, Idempotency_Key="k")
    assert await post(worker, f"{path}/repayments", body, 201, Idempotency_Key="k") == first
    await post(worker, f"{path}/repayments", body | {"amount": "6"}, 409, Idempotency_Key="k")
    await post(worker, f"{path}/repayments", body, 412, If_Match='"1"')
    assert len((await worker.get(f"{path}/repayments")).json()["entries"]) == 1


async def test_an_auditor_reads_a_case_only_when_it_waits_for_a_verifier(h: Harness) -> None:
    path = await opened(h)
    auditor = h.client("auditor", subject="vera")
    assert (await auditor.get(path)).status_code == 404
    await work_off(h, path)
    assert (await auditor.get(path)).json()["state"] == "ready_for_closure"
    assert (await auditor.get(f"{path}/repayments")).status_code == 200
    assert (await auditor.get("/v1/cases")).status_code == 403


async def test_who_may_and_whose_it_is(h: Harness) -> None:
    path = await opened(h)
    for role in ("buyer", "analyst", "admin", "operator", "partner", "reporter"):
        client = h.client(role)
        for answer in (await client.get("/v1/cases"), await client.get(path), await client.post(f"{path}/tasks/t1/start")):
            assert answer.status_code == 403
    other = h.client("case_worker", tenant="other")
    assert (await other.get(path)).status_code == 404
    assert (await other.post(f"{path}/tasks/t1/start")).status_code == 404
    assert await items(h, tenant="other") == []


async def test_overdue_tasks_are_told_once(h: Harness) -> None:
    await opened(h)
    h.clock.advance(100 * DAY)
    await h.step()
    assert await h.step() == 0
    assert [c.overdue for c in await h.told("remediation") if isinstance(c, CaseChanged)] == [False, True]
    assert len(await items(h, "overdue=true")) == 1


async def test_nothing_that_people_wrote_is_on_the_bus(h: Harness) -> None:
    path = await opened(h)
    worker = h.client("case_worker", subject="cw")
    await post(worker, f"{path}/tasks/t1/completion", {"evidence": [{"ref": "zzrefmark"}]})
    entry = {"kind": "correction", "worker_ref": "zzworkermark", "amount": "-5", "currency": "EUR", "reason": "zzreasonmark"}
    await post(worker, f"{path}/repayments", entry, 201)
    told = await h.told("remediation")
    assert len(told) == 2
    assert not [one for one in told if re.search(rb"zz\w+mark", encode(one))]


async def test_everything_heard_again_changes_nothing(h: Harness) -> None:
    await closed(h)
    for findings in (("sig_1", "sig_2"), ("sig_1",), ("sig_1", "sig_3"), ("sig_1", "sig_3", "sig_4"), ("sig_1", "sig_3")):
        await rate(h, *findings)
    before = await items(h)
    assert sorted((c["state"], c["round"]) for c in before) == [("cancelled", 0), ("reopened", 1)]
    consumer = await h.ctx.bus.consumer("again", ["ratings"])
    records = await consumer.poll(500, 0)
    await consumer.close()
    (reaction,) = SERVICE.reactions(h.ctx)
    for batch in (records, *([one] for one in records)):
        outcomes = await h.ctx.kernel.apply_many(await reaction.react(batch), strict=True)
        assert not any(outcome.changed for outcome in outcomes)
    assert await items(h) == before
