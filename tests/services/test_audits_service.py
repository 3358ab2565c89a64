"""Audits from the rating that opens them to their closure, over HTTP and the bus."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.audits.service import SERVICE
from shared.events.followup import AuditChanged
from shared.events.matches import SignalRef
from shared.events.ratings import CauseRef, Driver, Obligation, RatingChanged
from shared.events.signals import Source
from tests.services.harness import Harness, harness

DAY = 86_400
FREE = {"paid_by_supplier": False, "adviser_to_supplier": False, "author_of_plan": False}
MARK = "zzmarkzz"


def rating(*findings: str, supplier: str = "sup_1", obliged: bool = True) -> RatingChanged:
    drivers = tuple(
        Driver(
            code="finding_strong",
            text="t",
            points=0.8,
            signal=SignalRef(id=one, source=Source(kind="finding", finding_id=f"fin_{one}", indicators=("debt_bondage",))),
        )
        for one in findings
    )
    audit = Obligation(code="for_cause_audit", text="t", kind="audit", due_days=14)
    return RatingChanged(
        supplier_id=supplier,
        external_refs=(),
        country="IN",
        tier="critical" if findings else "low",
        previous_tier=None,
        cause=CauseRef(id="c", type="t"),
        policy_version="p",
        drivers=drivers,
        obligations=(audit,) if findings and obliged else (),
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
    answer = await h.client("auditor", **who).get(f"/v1/audits?{query}")
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
    return f"/v1/audits/{(await items(h))[0]['id']}"


async def started(h: Harness) -> str:
    path = await opened(h)
    ann = h.client("auditor", subject="ann")
    await post(ann, f"{path}/assignment", {"auditor": "ann", "declarations": FREE})
    await post(ann, f"{path}/start")
    return path


async def test_one_finding_opens_one_audit_however_often_it_is_rated(h: Harness) -> None:
    event = await rate(h, "sig_1")
    await rate(h, "sig_1")
    (audit,) = await items(h)
    assert audit["state"] == "scheduled"
    assert audit["due_at"] == "2026-01-15T00:00:00Z"
    assert audit["cause"] | {"id": event, "type": RatingChanged.type, "signal_id": "sig_1", "finding_id": "fin_sig_1"} == audit["cause"]
    assert audit["supplier_id"] == "sup_1"
    assert await h.told("audits") == [AuditChanged(supplier_id="sup_1", state="scheduled", signal_id="sig_1")]


async def test_two_findings_open_two_and_no_obligation_opens_none(h: Harness) -> None:
    await rate(h, "sig_1", "sig_2")
    await rate(h, "sig_3", supplier="sup_2", obliged=False)
    assert len(await items(h)) == 2
    assert await items(h, "supplier_id=sup_2") == []


async def test_opened_and_retracted_within_one_batch(h: Harness) -> None:
    for one in (rating("sig_1"), rating()):
        await h.publish("ratings", one, subject="sup_1", kind="assessment")
    await h.step()
    assert [a["state"] for a in await items(h)] == ["cancelled"]
    assert [a.state for a in await h.told("audits") if isinstance(a, AuditChanged)] == ["scheduled", "cancelled"]


async def test_a_retraction_cancels_the_scheduled_and_leaves_the_begun(h: Harness) -> None:
    path = await started(h)
    await rate(h, "sig_1", "sig_2")
    await rate(h)
    found = {a["cause"]["signal_id"]: (a["state"], a["cause_holds"]) for a in await items(h)}
    assert found == {"sig_1": ("in_progress", False), "sig_2": ("cancelled", False)}
    assert (await h.client("auditor").get(path)).json()["state"] == "in_progress"


async def test_from_rating_to_closure(h: Harness) -> None:
    path = await started(h)
    ann, buyer = h.client("auditor", subject="ann"), h.client("buyer", subject="bea")
    assert (await buyer.get(f"{path}/corrective-action-plan")).status_code == 404  # not reported yet
    body = {"grade": "critical", "clause": "ETI 1.1", "text": "Passports are kept", "evidence": [{"ref": "photo-1", "sha256": "a" * 64}]}
    await post(ann, f"{path}/non-conformities", body, 201)
    await post(ann, f"{path}/report", {"summary": "Found one"})
    plan = {"actions": [{"non_conformity_id": "nc1", "text": "Give them back", "responsible": "Plant manager", "due_on": "2026-01-20"}]}
    seen = await post(buyer, f"{path}/corrective-action-plan", plan, 201)
    assert (seen["plan"]["author"], seen["plan"]["actions"][0]["due_at"]) == ("bea", "2026-01-21T00:00:00Z")
    assert "visit" not in seen
    h.clock.advance(21 * DAY)
    await h.step()
    assert [a["overdue"] for a in await items(h, "overdue=true")] == [True]
    ann, buyer = h.client("auditor", subject="ann"), h.client("buyer", subject="bea")  # their tokens had expired
    await post(buyer, f"{path}/corrective-action-plan/actions/a1/evidence", {"evidence": [{"ref": "receipts"}]})
    assert await items(h, "overdue=true") == []
    verdict = {"outcome": "verified", "note": "All passports seen with their owners"}
    await post(h.client("auditor", "buyer", subject="bea"), f"{path}/non-conformities/nc1/verification", verdict, 403)
    await post(ann, f"{path}/closure", status=409)
    await post(ann, f"{path}/non-conformities/nc1/verification", verdict)
    closed = await post(ann, f"{path}/closure")
    assert closed["state"] == "closed"
    assert (await ann.get(path)).json()["ended_by"] == "ann"
    last = (await h.told("audits"))[-1]
    assert last == AuditChanged(supplier_id="sup_1", state="closed", signal_id="sig_1")


async def test_an_auditor_who_is_paid_or_advises_is_refused(h: Harness) -> None:
    path = await opened(h)
    for fault in FREE:
        problem = await post(h.client("auditor"), f"{path}/assignment", {"auditor": MARK, "declarations": FREE | {fault: True}}, 422)
        assert problem["errors"][0]["field"] == f"declarations.{fault}"
    await post(h.client("auditor"), f"{path}/assignment", {"auditor": "ann", "declarations": {}}, 422)
    assert (await items(h))[0]["auditor"] == ""


async def test_an_overdue_audit_is_told(h: Harness) -> None:
    await opened(h)
    h.clock.advance(14 * DAY - 1)
    await h.step()
    assert len(await h.told("audits")) == 1
    h.clock.advance(2)
    await h.step()
    assert await h.step() == 0
    assert [a.overdue for a in await h.told("audits") if isinstance(a, AuditChanged)] == [False, True]


async def test_an_unannounced_visit_is_nowhere_but_with_auditors(h: Harness) -> None:
    path = await started(h)
    seen = await post(h.client("auditor"), f"{path}/visit", {"on": "2026-01-09", "announced": False})
    assert seen["on"] == "2026-01-09"
    assert (await h.client("auditor").get(path)).json()["visit"] == seen
    rows = await h.ctx.store.history("audit", "default", path.rsplit("/", 1)[1])
    assert len(rows) >= 4
    assert not [row for row in rows if b"2026-01-09" in (row.data or b"") + row.meta]


async def test_a_repeated_post_gets_its_first_answer(h: Harness) -> None:
    path = await started(h)
    ann = h.client("auditor", subject="ann")
    body = {"grade": "minor", "clause": "1", "text": "x"}
    first = await post(ann, f"{path}/non-conformities", body, 201, Idempotency_Key="k")
    assert await post(ann, f"{path}/non-conformities", body, 201, Idempotency_Key="k") == first
    await post(ann, f"{path}/non-conformities", body | {"text": "y"}, 409, Idempotency_Key="k")
    assert len((await ann.get(path)).json()["non_conformities"]) == 1
    await post(ann, f"{path}/report", {"summary": "s"}, 412, If_Match='"1"')
    now = (await ann.get(path)).headers["ETag"]
    assert (await post(ann, f"{path}/report", {"summary": "s"}, 200, If_Match=now))["state"] == "reported"


async def test_who_may_and_whose_it_is(h: Harness) -> None:
    path = await opened(h)
    for role in ("buyer", "analyst", "case_worker", "admin", "operator", "partner", "reporter"):
        assert (await h.client(role).get("/v1/audits")).status_code == 403
        assert (await h.client(role).get(path)).status_code == 403
        assert (await h.client(role).post(f"{path}/start")).status_code == 403
    other = h.client("auditor", tenant="other")
    assert (await other.get(path)).status_code == 404
    assert (await other.post(f"{path}/start")).status_code == 404
    assert await items(h, tenant="other") == []


async def test_hostile_bodies_are_refused_and_not_repeated(h: Harness) -> None:
    path = await started(h)
    ann = h.client("auditor", subject="ann")
    good = {"grade": "minor", "clause": "1", "text": "x"}
    for bad in (
        {MARK: 1},
        good | {"grade": MARK},
        good | {MARK: 1},
        good | {"text": MARK + "\u202e"},
        good | {"evidence": [{"ref": MARK, "sha256": MARK}]},
    ):
        await post(ann, f"{path}/non-conformities", bad, 422)
    for day in (MARK, "9999-12-31", "0001-01-01", "2026-13-01"):
        await post(ann, f"{path}/visit", {"on": day}, 422)
    await post(ann, f"{path}/report", {"summary": "s"})
    await post(ann, f"{path}/non-conformities/{MARK}/verification", {"outcome": "verified", "note": MARK}, 404)
    assert (await ann.get(f"/v1/audits?state={MARK}")).status_code == 422
    assert (await ann.get("/v1/audits?cursor=AAAA")).status_code == 400
    assert (await ann.get(f"/v1/audits/{MARK}%00%ff")).status_code == 404


async def test_pages_hold_every_audit_once(h: Harness) -> None:
    await rate(h, *(f"sig_{n}" for n in range(7)))
    client, seen, cursor = h.client("auditor"), [], ""
    while True:
        answer = (await client.get(f"/v1/audits?limit=3{cursor}")).json()
        seen += [a["id"] for a in answer["items"]]
        if answer["next"] is None:
            break
        cursor = f"&cursor={answer['next']}"
    assert len(seen) == len(set(seen)) == 7


async def test_two_callers_at_once_start_it_once(h: Harness) -> None:
    path = await opened(h)
    ann = h.client("auditor", subject="ann")
    await post(ann, f"{path}/assignment", {"auditor": "ann", "declarations": FREE})
    answers = await asyncio.gather(*(ann.post(f"{path}/start") for _ in range(5)))
    assert sorted(a.status_code for a in answers) == [200, 409, 409, 409, 409]


async def test_everything_heard_again_changes_nothing(h: Harness) -> None:
    await started(h)
    for findings in (("sig_1", "sig_2"), (), ("sig_2", "sig_3")):
        await rate(h, *findings)
    before = await items(h)
    consumer = await h.ctx.bus.consumer("again", ["ratings"])
    records = await consumer.poll(500, 0)
    await consumer.close()
    (reaction,) = SERVICE.reactions(h.ctx)
    for batch in (records, *([one] for one in records)):
        outcomes = await h.ctx.kernel.apply_many(await reaction.react(batch), strict=True)
        assert outcomes
        assert not any(outcome.changed for outcome in outcomes)
    assert await items(h) == before
    assert {a["cause"]["signal_id"]: a["state"] for a in before} == {"sig_1": "in_progress", "sig_2": "scheduled", "sig_3": "scheduled"}
