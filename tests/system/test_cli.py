"""The command line against a real system: the whole way from a list to a decision and its reasons, as an operator walks it."""

import hashlib
import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from services.cli.main import run
from tests.system.running import System, running

pytestmark = pytest.mark.xdist_group("cli")  # one system for all of them
_NULLS = "-0- ," * 7 + "-0- "  # the columns after the programs
Run = Callable[..., "Ended"]


class Ended:
    """What a command printed, and its exit code."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def body(self) -> Any:
        return json.loads(self.out)


def release(folder: Path, *names: str) -> Path:
    """A release in the official layout: entry 1 is the first name."""
    folder.mkdir()
    rows = (f'{uid},"{name}",-0- ,"SDGT",{_NULLS}\r\n' for uid, name in enumerate(names, 1))
    (folder / "sdn.csv").write_text("".join(rows) + "\x1a")
    (folder / "alt.csv").write_text('1,9,"aka","OLD HARBOUR",-0- \r\n\x1a')
    return folder


FILLERS = [f"SOUND PARTY NUMBER {word}" for word in ["alder", "birch", "cedar", "elm", "fir", "hazel", "juniper", "larch", "maple", "oak"]]


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    with running(tmp_path_factory.mktemp("cli") / "data") as started:
        yield started


@pytest.fixture
def duewatch(system: System, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command against the system, with a token of `roles`, else as the operator."""
    for name in ("TOKEN", "TOKEN_FILE"):
        monkeypatch.delenv(f"DUEWATCH_{name}", raising=False)
    monkeypatch.setenv("DUEWATCH_URL", system.url)
    monkeypatch.setenv("DUEWATCH_DATA", str(system.data))

    def ran(*arguments: object, roles: tuple[str, ...] = (), subject: str = "ada") -> Ended:
        token = ("--token", system.token(*roles, subject=subject)) if roles else ()
        with pytest.raises(SystemExit) as end:
            run([str(one) for one in (*arguments, *token)])
        told = capsys.readouterr()
        assert "Traceback" not in told.err
        return Ended(int(end.value.code or 0), told.out, told.err)

    return ran


def test_from_a_list_to_a_blocked_purchase_and_why(duewatch: Run, tmp_path: Path) -> None:
    (tmp_path / "vendors.csv").write_text(
        "number,name,country\n100001,Old Harbour Ltd,GB\n100002,Quiet Meadow Dairy,GB\n100003,[bold]Nobody,ZZ\n"
    )
    asked = ("suppliers", "import", tmp_path / "vendors.csv", "--source-system", "S4")
    tried = duewatch(*asked, "--dry-run", roles=("buyer",))
    assert (tried.code, "nothing was written" in tried.out) == (0, True)
    assert duewatch("suppliers", "show", "S4:100001", roles=("buyer",)).code == 1
    came = duewatch(*asked, "--results", tmp_path / "results.ndjson", roles=("buyer",))
    assert came.code == 0
    assert "100003" in came.out
    assert "country" in came.out
    outcomes = [json.loads(line)["outcome"] for line in (tmp_path / "results.ndjson").read_text().splitlines()]
    assert outcomes == ["created", "created", "rejected"]
    assert duewatch(*asked, "--json", roles=("buyer",)).body["unchanged"] == 2

    loaded = duewatch("lists", "load", "us_ofac_sdn", release(tmp_path / "first", "OLD HARBOUR SHIPPING COMPANY", *FILLERS))
    assert loaded.code == 0
    assert "accepted" in loaded.out
    assert "4 of 4 partitions" in loaded.out
    assert duewatch("lists", "load", "us_ofac_sdn", tmp_path / "first", "--json").body["state"] == "unchanged"
    smaller = duewatch("lists", "load", "us_ofac_sdn", release(tmp_path / "second", "OLD HARBOUR SHIPPING COMPANY"))
    assert smaller.code == 1
    refused = duewatch("lists", "releases", "us_ofac_sdn", "--json").body["items"][-1]
    assert refused["id"] in smaller.err
    assert duewatch("lists", "accept", "us_ofac_sdn", refused["id"], "--reason", "as published").code == 0
    assert duewatch("lists", "show", "us_ofac_sdn", "--json").body["entries"] == 1
    assert "OLD HARBOUR" in duewatch("lists", "entries", "us_ofac_sdn", "1").out
    assert "OLD HARBOUR SHIPPING COMPANY" in duewatch("lists", "entries", "us_ofac_sdn").out
    gone = duewatch("lists", "entries", "us_ofac_sdn", "2").out
    assert gone.index("added") < gone.index("deleted") < gone.rindex(refused["id"])
    assert duewatch("lists", "releases", "us_ofac_sdn", "--state", "refused", "--json").body["items"] == []
    assert "checked" in duewatch("lists", "show", "us_ofac_sdn").out
    saved = ("lists", "raw", "us_ofac_sdn", refused["id"], "--out", tmp_path / "received")
    assert (
        duewatch(*saved, "--json").body["sha256"] == hashlib.sha256((tmp_path / "received").read_bytes()).hexdigest() == refused["sha256"]
    )
    assert duewatch(*saved).code == 2  # it is there already
    assert duewatch("sweeps", "show", duewatch("lists", "show", "us_ofac_sdn", "--json").body["release"]["sweep_id"]).code == 0

    gate = duewatch("gate", "S4:100001", "S4:100002", "S4:9", "--json", roles=("buyer",)).body["items"]
    assert [answer["decision"] for answer in gate] == ["block", "allow", "review"]
    assert "block" in duewatch("gate", "S4:100001", "--effect", "payment", roles=("buyer",)).out
    tree = duewatch("why", gate[0]["id"], roles=("buyer",)).out
    assert tree.index("answered block") < tree.index("prohibited") < tree.index("list us_ofac_sdn, entry 1")
    assert duewatch("why", "dec_none", roles=("buyer",)).code == 1

    (match,) = duewatch("matches", "list", "--supplier", "S4:100001", "--json", roles=("analyst",)).body["items"]
    assert "OLD HARBOUR" in duewatch("matches", "show", match["id"], roles=("analyst",)).out
    for thing, role in ((match["id"], "analyst"), ("S4:100001", "buyer"), (match["supplier_id"], "buyer")):
        told = duewatch("why", thing, roles=(role,)).out
        assert "list us_ofac_sdn, entry 1, release rel_" in told
    assert duewatch("why", match["id"], "--json", roles=("analyst",)).body["chain"][-1]["data"]["uid"] == "1"
    assert duewatch("why", "mat_none", roles=("analyst",)).code == 1
    assert duewatch("why", refused["id"], roles=("analyst",)).code == 2
    refused_role = duewatch("why", "aud_none", roles=("analyst",))
    assert (refused_role.code, "--role auditor" in refused_role.err) == (1, True)
    assert "prohibited" in duewatch("suppliers", "rating", "S4:100001", roles=("buyer",)).out
    review = ("matches", "review", match["id"], "--outcome", "cleared", "--reason-code", "different_business", "--note", "a dairy")
    assert "cleared by ada: different_business" in duewatch(*review, roles=("analyst",)).out
    assert match["id"] in duewatch("matches", "queue", "--proposed", roles=("analyst",)).out
    agreed = ("matches", "approve", match["id"], "--reason", "seen, too")
    assert duewatch(*agreed, roles=("analyst",)).code == 1, "it takes somebody else"
    assert duewatch(*agreed, "--json", roles=("analyst",), subject="bo").body["state"] == "cleared"
    shown = duewatch("matches", "show", match["id"], roles=("analyst",)).out
    assert shown.index("proposed cleared") < shown.index("proposal decided: approved") < shown.index("seen, too") < shown.rindex("reviewed")
    assert "reviewed by ada and bo" in duewatch("why", match["id"], roles=("analyst",)).out
    assert "Nothing waits" in duewatch("matches", "queue", "--proposed", roles=("analyst",)).out
    many = ("matches", "clear", match["id"], "mat_0", "--reason-code", "same_name_only", "--key", "k")
    assert [(one["id"], one["result"]) for one in duewatch(*many, "--json", roles=("analyst",)).body["items"]] == [
        (match["id"], "proposed"), ("mat_0", "refused"),
    ]  # fmt: skip
    assert duewatch("matches", "clear", match["id"], roles=("analyst",)).code == 1, "it needs a reason"
    assert duewatch("matches", "review", match["id"], "--outcome", "maybe", roles=("analyst",)).code == 1
    assert "OLD HARBOUR" in duewatch("screen", "Old Harbour Shipping Co", roles=("analyst",)).out


def test_a_finding_is_told_by_the_audit_and_the_case_that_it_causes(duewatch: Run) -> None:
    duewatch("suppliers", "add", "Copper Fern Kilns", "IN", "--ref", "S4:888", "--json", roles=("buyer",))
    sent = duewatch(
        "reports", "send", "--name", "Copper Fern Kilns", "--indicator", "debt_bondage", "--text", "x", "--json", roles=("reporter",)
    )
    finding = duewatch("findings", "draft", sent.body["id"], "--summary", "Debt bondage", "--json", roles=("analyst",)).body["id"]
    assert duewatch("findings", "verify", finding, "--reason", "seen it", roles=("analyst",), subject="bo").code == 0
    for kind, role in (("audits", "auditor"), ("cases", "case_worker")):
        end = time.monotonic() + 20
        while not (found := duewatch(kind, "list", "--supplier", "S4:888", "--json", roles=(role,)).body["items"]):
            assert time.monotonic() < end
            time.sleep(0.1)
        assert f"finding {finding}" in duewatch("why", found[0]["id"], roles=(role,)).out
    assert duewatch("findings", "retract", finding, "--reason", "another site", roles=("analyst",)).code == 0


def test_a_release_from_an_address_goes_through_the_egress_guard(duewatch: Run) -> None:
    refused = duewatch("lists", "load", "us_ofac_sdn", "https://10.0.0.1/sdn.zip")
    assert (refused.code, "may not be called" in refused.err) == (1, True)
    assert duewatch("lists", "load", "us_ofac_sdn", "https://example.org/a", "https://example.org/b").code == 2
    assert duewatch("lists", "load", "us_ofac_sdn", "/no/such/folder").code == 2


def test_suppliers_one_by_one(duewatch: Run, tmp_path: Path) -> None:
    added = duewatch(
        "suppliers", "add", "Green Lantern Mills", "GB", "--ref", "S4:777", "--good", "5201:CN:CN-XJ", "--json", roles=("buyer",)
    )
    assert added.code == 0
    id_ = added.body["id"]
    assert duewatch("suppliers", "show", "S4:777", "--json", roles=("buyer",)).body["id"] == id_
    assert "5201 from CN-XJ" in duewatch("suppliers", "show", id_, roles=("buyer",)).out
    assert "Green Lantern Mills" in duewatch("suppliers", "list", "--search", "lantern", roles=("buyer",)).out
    assert duewatch("suppliers", "deactivate", "S4:777", "--reason", "closed", "--json", roles=("buyer",)).body["status"] == "inactive"
    back = duewatch("suppliers", "reactivate", "S4:777", "--reason", "new contract", "--json", roles=("buyer",)).body
    assert (back["status"] != "inactive", back["status_cause"]["reason"]) == (True, "new contract")
    said = duewatch("suppliers", "acknowledge", id_, "--code-version", "2026", "--by", "Li Wei", roles=("buyer",))
    assert (said.code, "Li Wei" in said.out) == (0, True)
    assert "2026 by Li Wei" in duewatch("suppliers", "show", id_, roles=("buyer",)).out
    version = duewatch("suppliers", "show", id_, "--json", roles=("buyer",)).body["version"]
    owners = tmp_path / "owners.json"
    owners.write_text('{"owners": [{"name": "Green Holding", "kind": "organisation", "percent": "51.0"}]}')
    assert "Green Holding 51.0 %" in duewatch("suppliers", "change", id_, owners, "--version", version, roles=("buyer",)).out
    assert duewatch("suppliers", "change", id_, owners, "--version", 1, roles=("buyer",)).code == 1
    assert duewatch("suppliers", "list", "--ref", "S4:777", "--json", roles=("buyer",)).body["items"][0]["id"] == id_
    more = duewatch("suppliers", "add", "Green Sister Mills", "GB", "--more", owners, "--json", roles=("buyer",)).body
    assert more["owners"][0]["percent"] == "51.0"
    wrong = duewatch("suppliers", "add", "Acme", "ZZ", roles=("buyer",))
    assert (wrong.code, "country" in wrong.err) == (1, True)
    refused = duewatch("suppliers", "list", roles=("partner",))
    assert (refused.code, "--role buyer" in refused.err) == (1, True)


@pytest.mark.parametrize(
    ("name", "rows"), [("v.csv", "number,name,country\n1,Quiet Mills,GB\n2,Quiet Mills,ZZ\n"), ("v.ndjson", "{}\n[]\n")]
)
def test_an_import_is_followed_later(duewatch: Run, tmp_path: Path, name: str, rows: str) -> None:
    file, out = tmp_path / name, tmp_path / "out.ndjson"
    file.write_text(rows)
    made = duewatch("suppliers", "import", file, "--source-system", "LATER", "--no-wait", "--json", roles=("buyer",)).body["id"]
    while duewatch("suppliers", "imported", made, "--json", roles=("buyer",)).body["state"] == "running":
        pass
    assert made in duewatch("suppliers", "imports", "--state", "done", roles=("buyer",)).out
    shown = duewatch("suppliers", "imported", made, "--results", out, roles=("buyer",))
    assert (shown.code, "ejected rows" in shown.out, len(out.read_text().splitlines())) == (0, True, 2)
    assert duewatch("suppliers", "imported", "imp_none", roles=("buyer",)).code == 1


def test_subscriptions(duewatch: Run) -> None:
    added = duewatch("subscriptions", "add", "http://127.0.0.1:9/hook", "--tier", "critical", "--json", roles=("partner",)).body
    assert added["secret"].startswith("whsec_")
    listed = duewatch("subscriptions", "list", roles=("partner",)).out
    assert added["id"] in listed
    assert "tiers: critical" in listed
    id_, partner = added["id"], {"roles": ("partner",)}
    sent = duewatch("subscriptions", "test", id_, "--json", **partner).body["id"]
    assert "waiting" in duewatch("subscriptions", "deliveries", id_, **partner).out
    assert duewatch("subscriptions", "redeliver", id_, sent, **partner).code == 1, "it is under way"
    assert duewatch("subscriptions", "disable", id_, "--json", **partner).body["state"] == "disabled"
    assert "asked" in duewatch("subscriptions", "show", id_, **partner).out
    assert duewatch("subscriptions", "replay", id_, **partner).code == 1, "it is disabled"
    assert duewatch("subscriptions", "enable", id_, "--json", **partner).body["state"] == "enabled"
    assert duewatch("subscriptions", "move", id_, "http://127.0.0.1:9/other", "--json", **partner).body["url"].endswith("/other")
    assert duewatch("subscriptions", "rotate", id_, "--json", **partner).body["secret"] not in ("", added["secret"])
    assert duewatch("subscriptions", "replay", id_, **partner).code == 0
    assert duewatch("subscriptions", "remove", id_, **partner).code == 0
    assert duewatch("subscriptions", "remove", added["id"], roles=("partner",)).code == 1
    assert duewatch("subscriptions", "add", "http://10.0.0.1/hook", roles=("partner",)).code == 1


def test_what_follows_up_and_what_failed_can_be_listed(duewatch: Run) -> None:
    assert duewatch("audits", "list", "--overdue", "--json", roles=("auditor",)).body["items"] == []
    assert duewatch("cases", "list", "--overdue", "--json", roles=("case_worker",)).body["items"] == []
    assert duewatch("audits", "show", "aud_none", roles=("auditor",)).code == 1
    assert duewatch("cases", "show", "cas_none", roles=("case_worker",)).code == 1
    assert duewatch("dead-letters", "list", "--json").body["items"] == []
    assert duewatch("dead-letters", "replay", "none").code == 1


def test_tokens(duewatch: Run, tmp_path: Path) -> None:
    assert duewatch("tokens", "issue", "--role", "buyer", "--subject", "bo", "--save", tmp_path / "buyer.token").code == 0
    assert duewatch("suppliers", "list", "--token-file", tmp_path / "buyer.token").code == 0
    wrong = duewatch("tokens", "issue", "--role", "king", "--subject", "bo")
    assert (wrong.code, "custodian" in wrong.err) == (1, True)


def test_the_journal_of_a_running_system_holds(duewatch: Run, system: System) -> None:
    assert duewatch("journal", "verify").code == 0
    assert duewatch("journal", "verify", "--data", system.data).code == 0
    assert duewatch("journal", "heads", "--json").code == 0


def test_a_changed_journal_is_1_and_the_place_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with running(tmp_path / "data") as system, system.client(system.token("buyer")) as client:
        made = client.post("/v1/suppliers", json={"name": "Quiet Meadow Dairy", "country": "GB"}).json()["id"]
    db = sqlite3.connect(tmp_path / "data" / "onboarding.db")
    with db:
        db.execute("UPDATE journal SET data = CAST(replace(CAST(data AS TEXT), 'Meadow', 'Shadow') AS BLOB) WHERE subject = ?", (made,))
    db.close()
    with pytest.raises(SystemExit) as end:
        run(["journal", "verify", "--data", str(tmp_path / "data")])
    assert end.value.code == 1
    told = capsys.readouterr().err
    assert "onboarding" in told
    assert made in told


def test_a_second_system_on_the_same_folder_is_refused(duewatch: Run, system: System) -> None:
    assert duewatch("up", "--data", system.data).code == 1


def test_from_a_report_to_a_finding_and_back(duewatch: Run, tmp_path: Path) -> None:
    (tmp_path / "report.txt").write_text("Passports are kept.\nWages are withheld.")
    about = ("--name", "Silver Creek Garments", "--country", "GB", "--indicator", "debt_bondage", "--text-file", tmp_path / "report.txt")
    sent = duewatch("reports", "send", *about, "--json", roles=("reporter",), subject="rae-lou").body
    report = sent["id"]
    assert report in duewatch("reports", "list", "--receipt", sent["receipt"], roles=("reporter",), subject="rob").out
    assert report in duewatch("reports", "list", roles=("reporter",), subject="rae-lou").out
    assert report not in duewatch("reports", "list", roles=("reporter",), subject="rob").out
    told = duewatch("reports", "show", report, roles=("analyst",)).out
    assert "Wages are withheld." in told
    assert "rae-lou" not in told  # no id holds an l, an o or a u
    finding = duewatch("findings", "draft", report, "--summary", "Debt bondage", "--json", roles=("analyst",)).body["id"]
    verify = ("findings", "verify", finding, "--reason", "seen it")
    assert duewatch(*verify, roles=("analyst",), subject="ada").code == 1  # an own draft
    assert "verified" in duewatch(*verify, roles=("analyst",), subject="bo").out
    assert "party: Silver Creek Garments (GB)" in duewatch("findings", "list", "--state", "verified", roles=("analyst",)).out
    assert "seen it" in duewatch("findings", "show", finding, roles=("analyst",)).out
    assert f"report {report}" in duewatch("why", finding, roles=("analyst",)).out
    assert "rae-lou" in duewatch("reports", "identity", report, "--reason", "a warrant", roles=("custodian",)).out
    assert "retracted" in duewatch("findings", "retract", finding, "--reason", "another site", roles=("analyst",)).out
    assert duewatch("reports", "erase", report, "--reason", "boredom", roles=("admin",)).code == 1
    assert "erased" in duewatch("reports", "erase", report, "--reason", "legal_order", roles=("admin",)).out
    assert duewatch("reports", "identity", report, "--reason", "a warrant", roles=("custodian",)).code == 1
    wrong = duewatch("reports", "send", "--name", "A", "--text", "x", "--indicator", "rudeness", roles=("reporter",))
    assert (wrong.code, "indicators" in wrong.err) == (1, True)
