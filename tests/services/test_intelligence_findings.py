"""Reports become findings, which act once two people stand for them, and are taken back."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.intelligence.findings.reports_api import Reports
from services.intelligence.service import SERVICE
from shared.events.signals import ExposureSignal, PartySignal, SignalAddress, SignalName, SignalPublished, SignalWithdrawn
from tests.services.harness import Harness, harness
from tests.services.intelligence_reports import MARK, PARTY, REPORT_BODY, drafted, erase, get, post, reporter, verified


@pytest.fixture
async def h(tmp_path: Path) -> AsyncIterator[Harness]:
    async with harness(tmp_path, SERVICE) as started:
        yield started


async def test_a_finding_acts_once_a_second_person_verified_it(h: Harness) -> None:
    _, finding = await drafted(h)
    path, body = f"/v1/findings/{finding}/verification", {"outcome": "verified", "reason": "zzreason"}
    await post(h.client("analyst", subject="ada"), path, body, 403)
    assert await h.told("signals") == []
    bo = h.client("analyst", subject="bo")
    for _ in range(2):  # a repeat is the same
        assert (await post(bo, path, body, 200))["state"] == "verified"
    await post(bo, path, body | {"reason": "other words"}, 409)
    await post(h.client("analyst", subject="cy"), path, body, 409)
    (told,) = await h.told("signals")
    assert isinstance(told, SignalPublished)
    assert told.signal.subject == PartySignal(names=(SignalName(name="Brahmaputra Loom", kind="primary"),), countries=("IN",))
    assert (told.signal.source.kind, told.signal.source.finding_id) == ("finding", finding)
    assert told.signal.source.indicators == ("debt_bondage", "trafficking")
    (row,) = [r for r in await h.ctx.store.history("finding", "default", finding) if r.type == SignalPublished.type]
    assert (row.subject, row.tenant) == (finding, "default")


async def test_a_retraction_withdraws_it_and_the_report_can_be_taken_up_again(h: Harness) -> None:
    report, finding = await verified(h)
    ada, bo = h.client("analyst", subject="ada"), h.client("analyst", subject="bo")
    await post(ada, f"/v1/reports/{report}/findings", {"summary": "again"}, 409)
    for _ in range(2):
        await post(bo, f"/v1/findings/{finding}/retraction", {"reason": "zzretraction"}, 200)
    await post(bo, f"/v1/findings/{finding}/retraction", {"reason": "other words"}, 409)
    published, withdrawn = await h.told("signals")
    assert isinstance(published, SignalPublished)
    assert withdrawn == SignalWithdrawn(signal=published.signal, reason="retracted")
    assert (await get(ada, f"/v1/findings/{finding}"))["retraction"] == "zzretraction"
    again = await post(ada, f"/v1/reports/{report}/findings", {"summary": "zzsummary anew"})
    assert again["id"] != finding
    assert [f["id"] for f in (await get(ada, "/v1/findings?state=draft"))["items"]] == [again["id"]]


async def test_a_rejected_draft_ends_without_a_signal(h: Harness) -> None:
    report, finding = await drafted(h)
    bo = h.client("analyst", subject="bo")
    await post(bo, f"/v1/findings/{finding}/verification", {"outcome": "rejected", "reason": "zzreason"}, 200)
    await post(bo, f"/v1/findings/{finding}/retraction", {"reason": "nothing to retract"}, 409)
    assert await h.told("signals") == []
    assert (await get(bo, f"/v1/reports/{report}"))["state"] == "rejected"
    await post(bo, f"/v1/reports/{report}/findings", {"summary": "second look"})


async def test_who_sent_a_report_does_not_verify_it(h: Harness) -> None:
    _, finding = await drafted(h)
    both = h.client("analyst", "reporter", subject="org-zzsender")
    await post(both, f"/v1/findings/{finding}/verification", {"outcome": "verified", "reason": "zzreason"}, 403)


@pytest.mark.parametrize(
    ("about", "subject"),
    [
        ({"kind": "exposure", "hs": "0810", "origin": "PT", "region": "PT-02"}, ExposureSignal(hs="0810", origin="PT", region="PT-02")),
        ({"kind": "exposure", "origin": "cn", "region": "CN-XJ"}, ExposureSignal(origin="CN", region="CN-XJ")),
        (
            {"kind": "site", "name": "Mill 5", "country": "IN", "region": "IN-TN"},
            PartySignal(
                names=(SignalName(name="Mill 5", kind="primary"),),
                countries=("IN",),
                addresses=(SignalAddress(country="IN", text="IN-TN"),),
            ),
        ),
        ({"kind": "party", "name": "Acme"}, PartySignal(names=(SignalName(name="Acme", kind="primary"),))),
    ],
)
async def test_what_it_is_about_becomes_its_signal(h: Harness, about: dict[str, Any], subject: Any) -> None:
    await verified(h, about)
    (told,) = await h.told("signals")
    assert isinstance(told, SignalPublished)
    assert told.signal.subject == subject


async def test_repeats_with_a_key_are_known_and_other_bodies_refused(h: Harness) -> None:
    sent = await post(reporter(h), "/v1/reports", REPORT_BODY, Idempotency_Key="zzkey")
    assert await post(reporter(h), "/v1/reports", REPORT_BODY, Idempotency_Key="zzkey") == sent
    await post(reporter(h), "/v1/reports", REPORT_BODY | {"text": "other"}, 409, Idempotency_Key="zzkey")
    other = await post(h.client("reporter", subject="org-2"), "/v1/reports", REPORT_BODY, Idempotency_Key="zzkey")
    assert other["id"] != sent["id"]
    ada, path = h.client("analyst", subject="ada"), f"/v1/reports/{sent['id']}/findings"
    first = await post(ada, path, {"summary": "zzsummary"}, Idempotency_Key="k")
    assert await post(ada, path, {"summary": "zzsummary"}, Idempotency_Key="k") == first
    await post(ada, path, {"summary": "other"}, 409, Idempotency_Key="k")


@pytest.mark.parametrize(
    "wrong",
    [
        {"about": {"kind": MARK}},
        {"about": PARTY | {"hs": "5201"}},
        {"about": {"kind": "party", "name": MARK + "\u0000"}},
        {"about": {"kind": "exposure", "origin": "CN"}},
        {"about": {"kind": "exposure", "hs": "5201"}},
        {"about": {"kind": "exposure", "hs": "5201", "origin": "CN", "region": "IN-TN"}},
        {"about": {"kind": "site", "name": MARK, "country": "IN", "region": "CN-XJ"}},
        {"indicators": [MARK]},
        {"text": ""},
        {"text": MARK * 1000},
        {MARK: MARK},
    ],
)
async def test_wrong_reports_are_refused_without_an_echo(h: Harness, wrong: dict[str, Any]) -> None:
    await post(reporter(h), "/v1/reports", REPORT_BODY | wrong, 422)
    assert (await get(reporter(h), "/v1/reports"))["items"] == []


async def test_unknown_ids_are_not_found(h: Harness) -> None:
    analyst, reason = h.client("analyst"), {"reason": "does not matter"}
    for path in (f"/v1/reports/{MARK}", f"/v1/findings/{MARK}"):
        await get(analyst, path, 404)
    await post(analyst, f"/v1/reports/{MARK}/findings", {"summary": "of nothing"}, 404)
    await post(analyst, f"/v1/findings/{MARK}/verification", reason | {"outcome": "verified"}, 404)
    await post(analyst, f"/v1/findings/{MARK}/retraction", reason, 404)
    await post(h.client("custodian"), f"/v1/reports/{MARK}/identity", reason, 404)
    await erase(h.client("admin"), MARK, 404)


async def test_of_two_who_draft_at_once_one_loses(h: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    report = (await post(reporter(h), "/v1/reports", REPORT_BODY))["id"]
    path, body = f"/v1/reports/{report}/findings", {"summary": "zzsummary"}
    looked, all_looked = Reports.findings, asyncio.Barrier(3)

    async def together(self: Reports, found: Any) -> Any:
        before = await looked(self, found)
        await all_looked.wait()
        return before

    monkeypatch.setattr(Reports, "findings", together)
    answers = await asyncio.gather(*(h.client("analyst", subject=who).post(path, json=body) for who in ("ada", "bo", "cy")))
    assert sorted(a.status_code for a in answers) == [201, 409, 409]
    assert len((await get(h.client("analyst"), "/v1/findings"))["items"]) == 1
