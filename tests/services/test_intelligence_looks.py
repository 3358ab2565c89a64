"""What a person sees of lists: how old they are, what was refused and why, which rows could not be read, how an entry changed."""

from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from services.intelligence.lists import catalogue
from services.intelligence.lists.records import entry
from services.intelligence.lists.spec import Entry, Layout, ListFile, ListSpec
from services.intelligence.releases.loading import Loader
from services.intelligence.releases.model import MAX_UNREAD_TOLD
from services.intelligence.service import SERVICE
from shared.errors import Invalid
from shared.events.signals import ExposureSignal
from shared.settings import Settings
from tests.services.harness import Harness, harness
from tests.services.intelligence_lists import LIST, MARK, PATH, load, mills, post, read, sdn, work, zipped


@pytest.fixture
async def h(tmp_path: Path) -> AsyncIterator[Harness]:
    async with harness(tmp_path, SERVICE) as started:
        yield started


async def get(h: Harness, path: str) -> Any:
    answer = await h.client("analyst").get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_list_says_when_it_was_checked_and_what_was_refused_last(h: Harness) -> None:
    empty = await get(h, f"/v1/lists/{LIST}")
    assert (empty["release"], empty["age_s"], empty["checked_at"], empty["last_refused"]) == (None, None, None, None)
    first = await load(h, sdn(mills(10)))
    assert (await get(h, f"/v1/lists/{LIST}"))["checked_at"] == first["accepted_at"]
    h.clock.advance(86_400)
    again = await load(h, sdn(mills(10)))
    h.clock.advance(60)
    for n in (5, 4):
        refused = await load(h, sdn(mills(n)))
        h.clock.advance(60)
    shown = await get(h, f"/v1/lists/{LIST}")
    assert (shown["release"]["id"], shown["age_s"]) == (first["id"], 86_400 + 180)
    assert shown["checked_at"] == again["received_at"]  # the clock stood still in between
    assert (shown["last_refused"]["id"], shown["last_refused"]["reason"]) == (refused["id"], refused["reason"])
    by_state = {s: [r["id"] for r in (await get(h, f"{PATH}?state={s}"))["items"]] for s in ("accepted", "unchanged", "refused")}
    assert (by_state["accepted"], by_state["unchanged"], len(by_state["refused"])) == ([first["id"]], [again["id"]], 2)
    assert (await h.client("analyst").get(f"{PATH}?state={MARK}")).status_code == 422


async def test_rows_that_could_not_be_read_are_named_and_not_repeated(h: Harness) -> None:
    damaged = sdn(mills(40)).replace(b'7,"MILL NUMBER 7"', f'7,"{MARK}", too, many'.encode())
    release = await load(h, zipped({"SDN.CSV": damaged, "ALT.CSV": b'1,1,"aka","OTHER NAME",-0- \r\n'}))
    assert (release["state"], release["quarantined"], release["attached"]) == ("accepted", 1, {"aliases": 1})
    assert release["unread"] == [{"row": 7, "reason": "it has 14 columns where 12 are expected"}]
    many = b"".join(b'%d,"MILL NUMBER"\r\n' % uid for uid in range(5000, 5080))
    release = await load(h, sdn(mills(2000)) + many)
    assert (release["quarantined"], len(release["unread"]), release["unread"][0]["row"]) == (80, MAX_UNREAD_TOLD, 2001)


async def test_damage_that_hides_whose_a_row_is_releases_nobody(h: Harness) -> None:
    await load(h, sdn(mills(40)))
    refused = await load(h, sdn(mills(41)).replace(b'7,"MILL NUMBER 7"', b'x7,"MILL NUMBER 7"'))
    assert (refused["state"], refused["may_be_let_in"], refused["deleted"], refused["quarantined"]) == ("refused", True, 1, 1)
    assert "Of 1 damaged rows" in refused["reason"]
    assert (await get(h, f"/v1/lists/{LIST}/entries/7"))["name"] == "MILL NUMBER 7"
    columns = b"ent_num,SDN_Name,SDN_Type,Program,Title,Call_Sign,Vess_type,Tonnage,GRT,Vess_flag,Vess_owner,Remarks\r\n"
    headed = await load(h, columns + sdn(mills(39)))
    assert (headed["state"], headed["quarantined"], headed["deleted"]) == ("accepted", 0, 1)


async def test_a_damaged_alias_is_not_taken_off_its_entry(h: Harness) -> None:
    def aliases(damaged: int = 0) -> bytes:
        rows = [b'%d,%d,"aka","OTHER NAME %d",-0- \r\n' % (uid, uid, uid) for uid in range(1, 41)]
        if damaged:
            rows[damaged - 1] = b'%d,%d,"aka,"OTHER"\r\n' % (damaged, damaged)
        return b"ent_num,alt_num,alt_type,alt_name,alt_remarks\r\n" + b"".join(rows)

    assert (await load(h, zipped({"SDN.CSV": sdn(mills(40)), "ALT.CSV": aliases()})))["attached"] == {"aliases": 40}
    refused = await load(h, zipped({"SDN.CSV": sdn(mills(40)), "ALT.CSV": aliases(3)}))
    assert (refused["state"], refused["may_be_let_in"], refused["modified"]) == ("refused", True, 1)
    assert len((await get(h, f"/v1/lists/{LIST}/entries/3"))["names"]) == 2
    added = await load(h, zipped({"SDN.CSV": sdn(mills(41)), "ALT.CSV": aliases()}))
    assert (added["state"], added["added"], added["modified"]) == ("accepted", 1, 0)


async def test_an_entry_tells_how_it_changed_and_where_it_went(h: Harness) -> None:
    loads = (mills(10), {**mills(10), 3: "RENAMED"}, mills(10), {k: v for k, v in mills(10).items() if k != 3}, mills(10))
    ids = []
    for names in loads:
        ids.append((await load(h, sdn(names)))["id"])
        h.clock.advance(60)
        if len(ids) == 4:
            gone = await h.client("analyst").get(f"/v1/lists/{LIST}/entries/3")
            assert gone.status_code == 404
            kept = await get(h, f"/v1/lists/{LIST}/entries/3?withdrawn=true")
            assert (kept["name"], kept["withdrawn_in"]) == ("MILL NUMBER 3", ids[3])
    shown = await get(h, f"/v1/lists/{LIST}/entries/3")
    assert (shown["release_id"], shown["withdrawn_in"]) == (ids[4], None)
    changes = [(c["change"], c["release_id"], c["parts"]) for c in shown["history"]]
    assert changes == [
        ("added", ids[0], []), ("modified", ids[1], ["names"]), ("modified", ids[2], ["names"]), ("deleted", ids[3], []), ("added", ids[4], []),
    ]  # fmt: skip
    assert [c["at"] for c in shown["history"]] == sorted(c["at"] for c in shown["history"])
    assert (await h.client("analyst").get(f"/v1/lists/{LIST}/entries/{MARK}?withdrawn=true")).status_code == 404


def goods(files: Mapping[str, Path], *, list_id: str, release_id: str) -> Iterator[Entry]:
    """The reader of a made-up list of goods: a line is `uid TAB HS TAB origin`."""
    for line in files["primary"].read_text().splitlines():
        uid, hs, origin = line.split("\t")
        yield entry(list_id, release_id, uid, ExposureSignal(hs=hs, origin=origin))


async def test_another_list_is_one_more_description(h: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    file = ListFile(role="primary", name="goods.txt", address="https://example.org/goods.txt")
    layout = Layout(name="goods.txt", files=(file,), read=goods, recognises=lambda head: b"\t" in head)
    spec = ListSpec(id="goods", title="Goods", publisher="Nobody", layouts=(layout,))
    monkeypatch.setitem(catalogue.CATALOGUE, "goods", spec)
    later = zipped({"GOODS.TXT": b"Cotton/Turkmenistan\t520100\tTM\nTea\t0902\tIN\n"})
    for body in (b"Cotton/Turkmenistan\t5201\tTM\nTea\t0902\tIN\n", later):
        release_id = await post(h, body, "goods")
        await work(Loader(h.ctx))
    release = await read(h, release_id, "goods")
    assert [release[n] for n in ("state", "entries", "added", "modified", "deleted")] == ["accepted", 2, 0, 1, 0]
    cotton = await get(h, "/v1/lists/goods/entries/Cotton/Turkmenistan")
    assert (cotton["about"], cotton["name"], cotton["hs"], cotton["history"][-1]["parts"]) == ("exposure", None, "520100", ["hs"])
    assert "names" not in cotton
    assert [one["id"] for one in (await get(h, "/v1/lists"))["items"]] == sorted(catalogue.CATALOGUE)


@pytest.mark.parametrize(
    ("share", "state"), [("0.5", "accepted"), ("0.3", "accepted"), ("0.29", "refused"), ("0", "refused"), (None, "refused")]
)
async def test_the_operator_sets_the_share_that_waits_for_a_person(tmp_path: Path, share: str | None, state: str) -> None:
    settings = Settings.read({"DUEWATCH_LIST_SHRINK_SHARE": share} if share else {})
    async with harness(tmp_path, SERVICE, list_shrink_share=settings.list_shrink_share) as h:
        await load(h, sdn(mills(10)))
        assert (await load(h, sdn(mills(7))))["state"] == state


@pytest.mark.parametrize("share", ["-0.1", "1.1", "20", "nan", "much"])
def test_a_share_that_is_none_is_refused_at_the_start(share: str) -> None:
    with pytest.raises(Invalid):
        Settings.read({"DUEWATCH_LIST_SHRINK_SHARE": share})
