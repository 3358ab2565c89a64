"""Releases of lists: what comes in, what it changes, in which order it is told, and what is refused."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.intelligence.lists import catalogue
from services.intelligence.releases import loading
from services.intelligence.releases.loading import Loader
from services.intelligence.service import SERVICE
from shared.events.envelope import Meta
from shared.events.intelligence import ReleaseMoved
from shared.events.signals import ReleaseAccepted, ReleasePublished, SignalChanged, SignalPublished, SignalWithdrawn, sweep_id
from shared.store.port import Commit
from tests.services.harness import Harness, harness
from tests.services.intelligence_lists import LIST, MARK, PATH, load, mills, post, read, sdn, work, zipped


@pytest.fixture
async def h(tmp_path: Path) -> AsyncIterator[Harness]:
    async with harness(tmp_path, SERVICE) as started:
        yield started


async def entry(h: Harness, uid: object) -> Any:
    answer = await h.client("analyst").get(f"/v1/lists/{LIST}/entries/{uid}")
    return answer.json() if answer.status_code == 200 else answer.status_code


async def test_a_release_and_the_next_one(h: Harness) -> None:
    first = await load(h, sdn(mills(10)))
    assert (first["state"], first["entries"], first["added"], first["sweep_id"]) == ("accepted", 10, 10, sweep_id(first["id"]))
    assert (first["published"], first["loaded_by"], first["reason"]) == (True, "op", None)
    second = await load(h, zipped({"SDN.CSV": sdn({**mills(8), 3: "MILL THREE RENAMED", 99: "A NEW MILL"})}))
    assert {k: second[k] for k in ("added", "modified", "deleted")} == {"added": 1, "modified": 1, "deleted": 2}
    assert (await entry(h, 3))["name"] == "MILL THREE RENAMED"
    assert (await entry(h, 99))["release_id"] == second["id"]
    assert (await entry(h, 1))["release_id"] == first["id"]
    assert await entry(h, 10) == 404
    shown = (await h.client("analyst").get(f"/v1/lists/{LIST}")).json()
    assert (shown["entries"], shown["release"]["id"], shown["age_s"]) == (9, second["id"], 0)
    assert [(await read(h, r["id"]))["superseded_by"] for r in (first, second)] == [second["id"], None]
    third = await load(h, sdn(mills(10)))  # what had gone comes back
    assert (third["state"], (await entry(h, 10))["name"]) == ("accepted", "MILL NUMBER 10")


async def test_the_order_of_what_is_told_and_its_causes(h: Harness) -> None:
    first = await load(h, sdn(mills(10)))
    before = len(await h.told("signals"))
    release = await load(h, sdn({**mills(8), 3: "MILL THREE RENAMED", 99: "A NEW MILL"}))
    told = (await h.told("signals"))[before:]
    assert isinstance(told[0], ReleaseAccepted)
    assert told[-1] == ReleasePublished(list=LIST, sweep_id=release["sweep_id"], signals=4)
    assert sorted(type(t).__name__ for t in told[1:-1]) == ["SignalChanged", "SignalPublished", "SignalWithdrawn", "SignalWithdrawn"]
    assert {t.release_id for t in told if isinstance(t, SignalWithdrawn)} == {release["id"]}
    assert {t.signal.source.release_id for t in told if isinstance(t, SignalChanged | SignalPublished)} == {release["id"]}
    rows = [msgspec.json.decode(row.meta, type=Meta) async for _, row in h.ctx.store.journal()]
    caused = [m for m in rows if m.correlationid == release["id"]]
    assert {m.subject for m in caused} == {first["id"], release["id"], *(f"{LIST}:{uid}" for uid in (3, 9, 10, 99))}
    assert {m.tenant for m in rows} == {"public"}
    assert [m.type for m in caused[-2:]] == [ReleasePublished.type, ReleaseMoved.type]  # done, once its marker stands
    assert len({m.id for m in rows}) == len(rows)


async def test_a_small_release_acts_with_one_commit(h: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    await load(h, sdn(mills(10)))
    commits, commit = [], h.ctx.store.commit

    async def counted(asked: Commit) -> Any:
        commits.append([write.kind for write in asked.writes])
        return await commit(asked)

    await post(h, sdn(mills(11)))
    monkeypatch.setattr(h.ctx.store, "commit", counted)
    await work(Loader(h.ctx))
    assert commits == [["release", "release", "entry"], ["release_marker"], ["release"]]


async def test_the_same_release_again_changes_nothing(h: Harness) -> None:
    await load(h, sdn(mills(10)))
    told = await h.told("signals")
    for loader in (Loader(h.ctx), None):
        again = await load(h, zipped({"SDN.CSV": sdn(mills(10))}), loader)
        assert (again["state"], again["sweep_id"], again["added"] + again["modified"] + again["deleted"]) == ("unchanged", None, 0)
    assert await h.told("signals") == told
    assert (await entry(h, 1))["name"] == "MILL NUMBER 1"


async def test_an_entry_whose_row_is_damaged_stays_in_force(h: Harness) -> None:
    loader = Loader(h.ctx)
    await load(h, sdn(mills(40)), loader)
    damaged = sdn({**mills(40), 41: "NEW MILL"}).replace(b'7,"MILL NUMBER 7"', b'7,"MILL NUMBER 7", too, many')
    release = await load(h, damaged, loader)
    assert (release["state"], release["quarantined"], release["added"], release["deleted"]) == ("accepted", 1, 1, 0)
    assert (await entry(h, 7))["name"] == "MILL NUMBER 7"
    gone = await load(h, sdn({uid: name for uid, name in mills(41).items() if uid != 7}), loader)
    assert (gone["deleted"], await entry(h, 7)) == (1, 404)


async def test_one_loader_after_several_releases_knows_what_is_in_force(h: Harness) -> None:
    loader = Loader(h.ctx)
    for names in (mills(20), mills(19), mills(20), {**mills(20), 4: "ANOTHER"}):
        assert (await load(h, sdn(names), loader))["state"] == "accepted"
    assert (await load(h, sdn({**mills(20), 4: "ANOTHER"}), loader))["state"] == "unchanged"


async def test_what_a_guard_refuses_waits_for_an_operator(h: Harness) -> None:
    good = await load(h, sdn(mills(10)))
    refused = await load(h, sdn(mills(5)))
    assert (refused["state"], refused["may_be_let_in"]) == ("refused", True)
    assert 0 < len(refused["reason"]) < 1000
    assert (await entry(h, 10))["release_id"] == good["id"]
    path, body = f"{PATH}/{refused['id']}/acceptance", {"reason": "the publisher says so"}
    assert (await h.client("analyst").post(path, json=body)).status_code == 403
    for reason in ("", "  a  ", "a\x1b[31m", "r" * 1001):
        answer = await h.client("operator").post(path, json={"reason": reason})
        assert (answer.status_code, [e["field"] for e in answer.json()["errors"]]) == (422, ["reason"])
    let_in = await h.client("operator", subject="olga").post(path, json=body)
    assert (let_in.status_code, let_in.json()["state"], let_in.json()["accepted_by"]) == (200, "received", "olga")
    await work(Loader(h.ctx))
    done = await read(h, refused["id"])
    assert (done["state"], done["deleted"], done["accepted_because"]) == ("accepted", 5, "the publisher says so")
    assert await entry(h, 10) == 404
    assert (await h.client("operator").post(path, json=body)).status_code == 409


async def test_a_refused_release_is_not_let_in_behind_a_later_one(h: Harness) -> None:
    """What it would change was shown against the release before: let in now, it would take back what came since, unasked."""
    await load(h, sdn(mills(100)))
    refused = await load(h, sdn(mills(50)))
    h.clock.advance(1)
    later = await load(h, sdn(mills(120)))
    assert (refused["state"], later["state"]) == ("refused", "accepted")
    answer = await h.client("operator").post(f"{PATH}/{refused['id']}/acceptance", json={"reason": "the publisher says so"})
    assert (answer.status_code, "load it again" in answer.text) == (409, True)
    h.clock.advance(1)
    again = await load(h, sdn(mills(50)))
    assert (again["state"], again["deleted"]) == ("refused", 70)
    answer = await h.client("operator").post(f"{PATH}/{again['id']}/acceptance", json={"reason": "the publisher says so"})
    assert answer.status_code == 200


async def test_who_sends_releases_faster_than_they_are_compared_is_told(h: Harness) -> None:
    """Else they pile up: each takes as long as its list, and the newest would act hours late."""
    sent = [await post(h, sdn(mills(10 + n))) for n in range(20)]
    client = h.client("operator", subject="op")
    refused = await client.post(PATH, content=sdn(mills(99)))
    assert (refused.status_code, refused.headers["Retry-After"], "send this one again" in refused.text) == (503, "5", True)
    await work(Loader(h.ctx))
    assert [(await read(h, one))["state"] for one in sent] == ["accepted"] * 20
    assert (await client.post(PATH, content=sdn(mills(99)))).status_code == 202


async def test_a_release_without_the_aliases_of_the_one_in_force_waits(h: Harness) -> None:
    aliases = "".join(f'{uid},{uid},"aka","OTHER NAME {uid}",-0- \r\n' for uid in range(1, 11)).encode()
    await load(h, zipped({"SDN.CSV": sdn(mills(10)), "ALT.CSV": aliases}))
    refused = await load(h, sdn(mills(10)))
    assert (refused["state"], refused["may_be_let_in"]) == ("refused", True)
    assert len((await entry(h, 1))["names"]) == 2


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x1a",
        f"<html>{MARK}</html>".encode(),
        b"PK\x03\x04" + b"\x00" * 500,
        zipped({"SDN.CSV": sdn(mills(10))})[:150],
        zipped({f"../../{MARK}/SDN.CSV": sdn(mills(10))}),
        zipped({"ALT.CSV": b'1,1,"aka","X",-0- \r\n'}),
        zipped({"SDN.CSV": b"0" * 50_000_000}),
    ],
    ids=["nothing", "end-mark", "page", "not-a-zip", "cut-zip", "path", "no-primary", "bomb"],
)
async def test_what_cannot_be_read_is_refused_for_good(h: Harness, body: bytes) -> None:
    await load(h, sdn(mills(10)))
    told = await h.told("signals")
    refused = await load(h, body)
    assert (refused["state"], refused["may_be_let_in"], refused["sweep_id"]) == ("refused", False, None)
    assert 0 < len(refused["reason"]) < 1000
    assert MARK not in refused["reason"]
    answer = await h.client("operator").post(f"{PATH}/{refused['id']}/acceptance", json={"reason": "let it in"})
    assert answer.status_code == 409
    assert await h.told("signals") == told
    assert sorted(p.name for p in h.ctx.folder.iterdir()) == ["raw"]
    assert (await load(h, sdn(mills(11))))["state"] == "accepted"


async def test_an_unexpected_failure_of_reading_is_a_refusal_and_logged(
    h: Harness, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_args: Any, **_named: Any) -> Any:
        raise RuntimeError(MARK)

    monkeypatch.setattr(loading, "unpack", broken)
    refused = await load(h, sdn(mills(10)))
    assert refused["state"] == "refused"
    assert MARK not in refused["reason"]
    assert "RuntimeError" in caplog.text


async def test_releases_of_a_list_are_worked_on_in_the_order_of_their_receipt(h: Harness) -> None:
    ids = []
    for n in (10, 11, 12, 13, 14):
        ids.append(await post(h, sdn(mills(n)), **{"Idempotency-Key": f"release {n}"}))  # ids that do not sort by time
        h.clock.advance(1)
    await work(Loader(h.ctx))
    found = [await read(h, id_) for id_ in ids]
    assert [(r["state"], r["added"]) for r in found] == [("accepted", 10)] + [("accepted", 1)] * 4


async def test_an_unknown_list_is_not_found_before_its_body_is_read(h: Harness) -> None:
    taken = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal taken
        for _ in range(100):
            taken += 1
            yield b"x" * 1000

    operator = h.client("operator")
    answer = await operator.post(f"/v1/lists/{MARK}/releases", content=body())
    assert (answer.status_code, MARK in answer.text) == (404, False)
    assert not (h.ctx.folder / "raw").exists()
    for path in (f"/v1/lists/{MARK}", f"/v1/lists/{MARK}/entries", f"/v1/lists/{MARK}/releases", f"{PATH}/{MARK}"):
        answer = await operator.get(path)
        assert (answer.status_code, MARK in answer.text) == (404, False)
    assert (await operator.post(f"/v1/lists/{MARK}/pulls", json={})).status_code == 404
    for role in ("buyer", "analyst", "admin", "reporter"):
        assert (await h.client(role).post(PATH, content=b"x")).status_code == 403


async def test_a_repeated_upload_is_one_release(h: Harness) -> None:
    body, key = sdn(mills(10)), {"Idempotency-Key": "once"}
    first = await post(h, body, **key)
    await work(Loader(h.ctx))
    assert await post(h, body, **key) == first
    other = await h.client("operator", subject="op").post(PATH, content=sdn(mills(11)), headers=key)
    assert other.status_code == 409
    h.clock.advance(8 * 86_400)  # the inbox forgets, the release does not
    assert await post(h, body, **key) == first
    assert (await h.client("operator", subject="op").post(PATH, content=sdn(mills(11)), headers=key)).status_code == 409
    assert len((await h.client("analyst").get(PATH)).json()["items"]) == 1


async def test_the_raw_file_is_kept_by_its_hash(h: Harness) -> None:
    body = zipped({"SDN.CSV": sdn(mills(10))})
    release = await load(h, body)
    digest = hashlib.sha256(body).hexdigest()
    assert (release["sha256"], release["size"]) == (digest, len(body))
    assert (h.ctx.folder / "raw" / digest).read_bytes() == body
    answer = await h.client("analyst").get(f"{PATH}/{release['id']}/raw")
    assert (answer.status_code, answer.content) == (200, body)


async def test_pages_of_entries_and_releases(h: Harness) -> None:
    await load(h, sdn(mills(7)))
    client, found, cursor = h.client("analyst"), [], ""
    while True:
        answer = (await client.get(f"/v1/lists/{LIST}/entries?limit=3{cursor}")).json()
        found += [e["uid"] for e in answer["items"]]
        if answer["next"] is None:
            break
        cursor = f"&cursor={answer['next']}"
    assert sorted(found) == sorted(str(uid) for uid in range(1, 8))
    assert [item["id"] for item in (await client.get("/v1/lists")).json()["items"]] == sorted(catalogue.CATALOGUE)
    assert (await client.get(f"/v1/lists/{LIST}/entries?cursor={MARK}")).status_code == 400
