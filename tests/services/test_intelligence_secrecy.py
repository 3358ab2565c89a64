"""Who may read what of a report; what people wrote and who they are lies nowhere in clear, and is gone once it is erased."""

import asyncio
import base64
import logging
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.intelligence.findings.model import FINDING
from services.intelligence.findings.reports import REPORT, Erase
from services.intelligence.findings.reports_api import Reports
from services.intelligence.service import SERVICE
from shared.errors import NotFound
from shared.kernel.aggregate import Cause, Item, Message
from tests.services.harness import Harness, harness
from tests.services.intelligence_reports import PARTY, REPORT_BODY, SECRETS, drafted, erase, files_with, get, post, reporter, verified


@pytest.fixture
async def h(tmp_path: Path) -> AsyncIterator[Harness]:
    async with harness(tmp_path, SERVICE) as started:
        yield started


async def test_words_and_senders_lie_nowhere_in_clear_and_in_no_log(h: Harness, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    body = REPORT_BODY | {"about": {"kind": "party", "name": "Quiet Mills"}}
    sent = await post(reporter(h), "/v1/reports", body, Idempotency_Key="zzkey")
    _, finding = await verified(h)
    bo = h.client("analyst", subject="bo")
    await post(bo, f"/v1/findings/{finding}/retraction", {"reason": "zzretraction"}, 200)
    for secret in (*SECRETS, sent["receipt"].encode()):
        assert files_with(h.folder, secret) == []
        assert secret.decode() not in caplog.text
    assert files_with(h.folder, sent["id"].encode())  # so the search does look where it lies
    rows = [row async for _, row in h.ctx.store.journal()]
    whole = b"".join(row.meta + (row.data or b"") for row in rows)
    assert b"org-zz" not in whole
    assert b"Quiet Mills" not in whole  # an allegation is not journalled: only what was verified is told


async def test_analysts_read_the_text_but_never_the_sender(h: Harness) -> None:
    report, finding = await drafted(h)
    ada = h.client("analyst", subject="ada")
    read = await get(ada, f"/v1/reports/{report}")
    assert (read["text"], read["about"], read["findings"]) == (REPORT_BODY["text"], PARTY, [finding])
    assert read["indicators"] == ["debt_bondage", "trafficking"]
    (listed,) = (await get(ada, "/v1/reports"))["items"]
    assert (listed["id"], listed["text"]) == (report, None)
    assert "zzsender" not in str(read) + str(listed)
    for role in ("buyer", "auditor", "case_worker", "partner", "operator", "custodian"):
        await get(h.client(role), f"/v1/reports/{report}", 403)
        await get(h.client(role), f"/v1/findings/{finding}", 403)
    other = h.client("analyst", tenant="other")
    for path in (f"/v1/reports/{report}", f"/v1/findings/{finding}"):
        await get(other, path, 404)
    await post(other, f"/v1/reports/{report}/findings", {"summary": "not ours"}, 404)
    await post(other, f"/v1/findings/{finding}/verification", {"outcome": "verified", "reason": "not ours"}, 404)


async def test_a_sender_sees_what_became_of_the_own_reports_only(h: Harness) -> None:
    mine = await post(reporter(h), "/v1/reports", REPORT_BODY)
    theirs = await post(h.client("reporter", subject="org-2"), "/v1/reports", REPORT_BODY)
    await get(reporter(h), f"/v1/reports/{theirs['id']}", 404)
    assert [r["id"] for r in (await get(reporter(h), "/v1/reports"))["items"]] == [mine["id"]]
    (by_receipt,) = (await get(h.client("reporter", subject="org-3"), f"/v1/reports?receipt={mine['receipt']}"))["items"]
    assert by_receipt.keys() == {"id", "state", "received_at"}
    assert (await get(h.client("reporter", tenant="other"), f"/v1/reports?receipt={mine['receipt']}"))["items"] == []
    ada, bo = h.client("analyst", subject="ada"), h.client("analyst", subject="bo")

    async def state() -> str:
        found = await get(reporter(h), f"/v1/reports/{mine['id']}")
        assert found.keys() == {"id", "state", "received_at"}
        return str(found["state"])

    assert await state() == "received"
    finding = (await post(ada, f"/v1/reports/{mine['id']}/findings", {"summary": "zzsummary"}))["id"]
    assert await state() == "in_review"
    await post(bo, f"/v1/findings/{finding}/verification", {"outcome": "verified", "reason": "zzreason"}, 200)
    assert await state() == "verified"


async def test_only_a_custodian_opens_a_sender_and_the_journal_says_so(h: Harness) -> None:
    report, _ = await drafted(h)
    body = {"reason": "the police asked, with a warrant"}
    for role in ("analyst", "admin", "operator", "reporter"):
        await post(h.client(role), f"/v1/reports/{report}/identity", body, 403)
    await post(h.client("custodian", tenant="other"), f"/v1/reports/{report}/identity", body, 404)
    opened = await post(h.client("custodian", subject="cus"), f"/v1/reports/{report}/identity", body, 200)
    assert opened == {"id": report, "subject": "org-zzsender"}
    row = (await h.ctx.store.history("report", "default", report))[-1]
    assert row.type == "duewatch.report.sender_opened.v1"
    assert msgspec.json.decode(row.meta)["actor"] == "cus"
    assert msgspec.json.decode(row.data or b"") == body


async def test_erasure_leaves_nothing_that_opens(h: Harness) -> None:
    report, finding = await verified(h)
    second = (await post(reporter(h), "/v1/reports", REPORT_BODY))["id"]
    draft = (await post(h.client("analyst"), f"/v1/reports/{second}/findings", {"summary": "zzsummary"}))["id"]
    await post(h.client("custodian"), f"/v1/reports/{report}/identity", {"reason": "the police asked"}, 200)
    await erase(h.client("analyst"), report, 403)
    admin = h.client("admin", subject="root")
    for _ in range(2):
        for id_ in (report, second):
            assert (await erase(admin, id_))["state"] == "erased"
    read = await get(admin, f"/v1/reports/{report}")
    assert (read["text"], read["about"], read["erased_because"]) == (None, None, "data_subject_request")
    shown = await get(admin, f"/v1/findings/{finding}")
    assert (shown["state"], shown["summary"], shown["reason"]) == ("verified", None, None)
    assert (await get(admin, f"/v1/findings/{draft}"))["state"] == "rejected"
    await post(h.client("custodian"), f"/v1/reports/{report}/identity", {"reason": "the police asked"}, 404)
    await post(admin, f"/v1/reports/{report}/findings", {"summary": "from memory"}, 409)
    assert (await get(reporter(h), "/v1/reports"))["items"] == []
    assert all(row.data is None for row in await h.ctx.store.history("report", "default", report))
    found = await h.ctx.kernel.get(REPORT, "default", report)
    assert found is not None
    for part in ("text", "identity"):
        with pytest.raises(NotFound):
            h.ctx.sealer.open(getattr(found.state, part), context=f"default/{report}/{part}")
    assert len(await h.told("signals")) == 1  # what was verified holds until it is retracted
    await post(admin, f"/v1/findings/{finding}/retraction", {"reason": "the source is gone"}, 200)


async def test_erased_keys_lie_in_no_file_any_more(h: Harness) -> None:
    """Neither in the log beside the database nor in pages that a long report leaves behind."""
    long = REPORT_BODY | {"text": "They keep our passports. " * 390}
    reports = [(await post(reporter(h), "/v1/reports", body))["id"] for body in (REPORT_BODY, long, REPORT_BODY, long)]
    reason = {"reason": "zzwarrant"}
    await post(h.client("custodian"), f"/v1/reports/{reports[1]}/identity", reason, 200)
    keys: dict[str, list[bytes]] = {}
    for id_ in reports:
        found = await h.ctx.kernel.get(REPORT, "default", id_)
        assert found is not None
        keys[id_] = [base64.b64encode(sealed.key) for sealed in (found.state.text, found.state.identity)]
    for id_ in reports[:3]:
        await erase(h.client("admin"), id_)
    gone = [b"zzwarrant", *(key for id_ in reports[:3] for key in keys[id_])]
    end = time.monotonic() + 10
    while left := [key for key in gone if files_with(h.folder, key)]:
        assert time.monotonic() < end, f"{len(left)} of {len(gone)} are still there"
        await asyncio.sleep(0.1)
    assert all(files_with(h.folder, key) for key in keys[reports[3]])  # so the search does look where they lie


async def test_a_draft_in_the_moment_of_an_erasure_ends_with_it(h: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    report = (await post(reporter(h), "/v1/reports", REPORT_BODY))["id"]
    looked = Reports.findings

    async def erased_meanwhile(self: Reports, found: Any) -> Any:
        monkeypatch.undo()
        before = await looked(self, found)
        cause = Cause("cmd_erase", "command.report.erase", actor="root")
        await h.ctx.kernel.execute(Item(REPORT, "default", report, Message(Erase("legal_order"), cause)))
        return before

    monkeypatch.setattr(Reports, "findings", erased_meanwhile)
    await post(h.client("analyst"), f"/v1/reports/{report}/findings", {"summary": "zzsummary"}, 409)
    (stored,) = await h.ctx.store.find(FINDING.kind, "default", {"report_id": report})
    finding = FINDING.decoder.decode(stored.state)
    assert (finding.state, finding.erased, finding.summary.key) == ("rejected", True, b"")
