"""Victims' data: for case workers only, nowhere in clear, and no case is closed over it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.remediation.referral import REFERRALS
from services.remediation.service import SERVICE
from shared.errors import DuewatchError
from shared.events.followup import CaseChanged
from shared.store.port import Commit
from tests.services.harness import Harness, harness
from tests.services.test_remediation_service import FREE, MARK, opened, post, work_off

VICTIM = {
    "service": "Shelter of the zzsheltermark",
    "details": "zzvictimmark, telephone 0555-zzphonemark",
    "worker_ref": "w-17",
    "consent": True,
}
SECRETS = (b"zzsheltermark", b"zzvictimmark", b"zzphonemark", b"zznotemark")


@pytest.fixture
async def h(tmp_path: Path) -> AsyncIterator[Harness]:
    async with harness(tmp_path, SERVICE) as started:
        yield started


def files_with(folder: Path, secret: bytes) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file() and secret in path.read_bytes()]


async def test_a_victim_is_read_by_case_workers_only_and_lies_nowhere_in_clear(h: Harness) -> None:
    path = await opened(h)
    worker = h.client("case_worker", subject="cw")
    made = await post(worker, f"{path}/referrals", VICTIM, 201, Idempotency_Key="zzkey")
    assert "details" not in made
    assert await post(worker, f"{path}/referrals", VICTIM, 201, Idempotency_Key="zzkey") == made
    await post(worker, f"{path}/referrals", VICTIM | {"details": "other"}, 409, Idempotency_Key="zzkey")
    read = (await worker.get(f"{path}/referrals/{made['id']}")).json()
    assert (read["details"], read["service"], read["worker_ref"]) == (VICTIM["details"], VICTIM["service"], "w-17")
    await post(worker, f"{path}/referrals/{made['id']}/outcome", {"outcome": "completed", "note": "zznotemark"})
    assert (await worker.get(f"{path}/referrals/{made['id']}")).json()["note"] == "zznotemark"
    for role in ("auditor", "buyer", "analyst", "admin", "operator", "custodian", "partner", "reporter"):
        client = h.client(role)
        for answer in (
            await client.get(f"{path}/referrals/{made['id']}"),
            await client.get(f"{path}/referrals"),
            await client.post(f"{path}/referrals", json=VICTIM),
        ):
            assert answer.status_code == 403
    whole = (await worker.get(path)).content + (await worker.get(f"{path}/referrals")).content + (await worker.get("/v1/cases")).content
    for secret in SECRETS:
        assert secret not in whole
        assert files_with(h.folder, secret) == []
    assert files_with(h.folder, made["id"].encode())  # so the search does look where it lies
    assert await h.told("remediation") == [CaseChanged(supplier_id="sup_1", state=s, indicators=("debt_bondage",), signal_id="sig_1") for s in ("open", "in_progress")]  # fmt: skip


async def test_no_consent_no_referral_and_no_echo(h: Harness) -> None:
    path = await opened(h)
    worker = h.client("case_worker")
    for wrong in ({"consent": False}, {"consent": 1}, {MARK: MARK}, {"details": ""}, {"details": MARK + "\u0000"}, {"service": MARK * 100}):
        await post(worker, f"{path}/referrals", VICTIM | wrong, 422)
    await post(worker, f"/v1/cases/{MARK}/referrals", VICTIM, 404)
    assert (await worker.get(f"{path}/referrals")).json()["items"] == []


async def test_a_referral_moved_or_changed_does_not_open(h: Harness) -> None:
    path = await opened(h)
    worker = h.client("case_worker", subject="cw")
    one = (await post(worker, f"{path}/referrals", VICTIM, 201))["id"]
    found = await h.ctx.kernel.get(REFERRALS, "default", one)
    assert found is not None
    for moved in (f"other/referral/{one}/content", f"default/referral/{one}/note"):
        with pytest.raises(DuewatchError):
            h.ctx.sealer.open(found.state.content, context=moved)
    other = f"{path[:-1]}0"
    assert (await worker.get(f"{other}/referrals/{one}")).status_code == 404
    await post(worker, f"{other}/referrals/{one}/outcome", {"outcome": "declined"}, 404)


async def test_an_open_referral_blocks_closure(h: Harness) -> None:
    path = await opened(h)
    worker, verifier = h.client("case_worker", subject="cw"), h.client("auditor", subject="vera")
    one = (await post(worker, f"{path}/referrals", VICTIM, 201))["id"]
    await work_off(h, path)
    problem = await post(verifier, f"{path}/closure", {"declarations": FREE}, 409)
    assert problem["errors"] == [{"field": "state", "message": "Referrals that are open: 1"}]
    for _ in range(2):  # the same end twice is one end
        await post(worker, f"{path}/referrals/{one}/outcome", {"outcome": "declined"})
    await post(worker, f"{path}/referrals/{one}/outcome", {"outcome": "completed"}, 409)
    await post(worker, f"{path}/referrals/{one}/outcome", {"outcome": "declined", "note": "other words"}, 409)
    await post(verifier, f"{path}/closure", {"declarations": FREE})
    await post(worker, f"{path}/referrals", VICTIM, 409)
    assert len((await worker.get(f"{path}/referrals")).json()["items"]) == 1


async def test_a_referral_and_a_closure_in_the_same_moment(h: Harness) -> None:
    path = await opened(h)
    await work_off(h, path)
    worker, verifier = h.client("case_worker", subject="cw"), h.client("auditor", subject="vera")
    answers = await asyncio.gather(
        verifier.post(f"{path}/closure", json={"declarations": FREE}), worker.post(f"{path}/referrals", json=VICTIM)
    )
    case = (await worker.get(path)).json()
    open_ones = [r for r in (await worker.get(f"{path}/referrals")).json()["items"] if r["state"] == "open"]
    assert sorted(a.status_code for a in answers) in ([200, 409], [201, 409])
    assert bool(open_ones) == (case["state"] != "closed")
    assert len(open_ones) == sum(r["open"] for r in case["referrals"])


async def test_a_case_closed_between_a_referral_and_its_commit(h: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    path = await opened(h)
    await work_off(h, path)
    worker, commit = h.client("case_worker", subject="cw"), h.ctx.store.commit

    async def closed_first(asked: Commit) -> Any:
        if any(write.kind == "referral" and write.expected == 0 for write in asked.writes):
            monkeypatch.undo()
            await post(h.client("auditor", subject="vera"), f"{path}/closure", {"declarations": FREE})
        return await commit(asked)

    monkeypatch.setattr(h.ctx.store, "commit", closed_first)
    await post(worker, f"{path}/referrals", VICTIM, 409)
    assert (await worker.get(path)).json()["state"] == "closed"
    assert [r["state"] for r in (await worker.get(f"{path}/referrals")).json()["items"]] == ["declined"]
