"""The command line as scripts meet it: names, help, exit codes, tokens, errors. The network is played by the test."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer

from services.cli.main import app, run

NAMES = [
    "up",
    "serve",
    "tokens",
    "lists",
    "suppliers",
    "screen",
    "matches",
    "gate",
    "why",
    "sweeps",
    "reports",
    "findings",
    "audits",
    "cases",
    "subscriptions",
    "dead-letters",
    "journal",
    "contracts",
    "match",
    "topics",
    "store",
]
Reply = tuple[int, object] | Callable[[], tuple[int, object]]


def duewatch(*arguments: object) -> int:
    """Runs a command here; its exit code."""
    with pytest.raises(SystemExit) as end:
        run([str(one) for one in arguments])
    return int(end.value.code or 0)


class Network:
    """Answers by `METHOD /path`, and keeps what was asked."""

    def __init__(self) -> None:
        self.replies: dict[str, Reply] = {}
        self.asked: list[httpx.Request] = []

    def handle(self, _transport: object, request: httpx.Request) -> httpx.Response:
        request.read()
        self.asked.append(request)
        reply = self.replies[f"{request.method} {request.url.raw_path.decode().partition('?')[0]}"]
        status, body = reply() if callable(reply) else reply
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return httpx.Response(status, content=content, request=request)

    @property
    def token(self) -> str:
        """With what the last question was asked."""
        return self.asked[-1].headers.get("Authorization", "").removeprefix("Bearer ")


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    made = Network()
    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", lambda transport, request: made.handle(transport, request))
    return made


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No test sees the settings or the token of the machine that it runs on."""
    for name in ("URL", "TOKEN", "TOKEN_FILE", "DATA", "HOST", "PORT"):
        monkeypatch.delenv(f"DUEWATCH_{name}", raising=False)
    monkeypatch.chdir(tmp_path)


def leaves(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """All commands with the names that lead to them."""
    if hasattr(command, "commands"):
        for name, inner in command.commands.items():
            yield from leaves(inner, (*path, name))
    else:
        yield path, command


def test_the_commands_that_others_rely_on_are_there() -> None:
    assert set(NAMES) <= set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]  # a group has them


def test_every_command_has_an_example_and_json() -> None:
    found = dict(leaves(typer.main.get_command(app)))
    assert len(found) > 35
    for path, command in found.items():
        assert command.epilog.startswith(f"Example: duewatch {' '.join(path)}"), path
        assert any("--json" in parameter.opts for parameter in command.params), path
        assert command.help, path
        assert all(getattr(p, "help", None) for p in command.params if "--" in p.opts[0]), path


def test_help_ends_well_and_shows_the_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert duewatch("lists", "load", "--help") == 0
    assert "duewatch lists load us_ofac_sdn ./2023-01" in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["lists", "load", "us_ofac_sdn"],
        ["lists", "load", "us_ofac_sdn", "/no/such/folder"],
        ["lists", "show", "--url", "localhost:8080"],
        ["lists", "show", "--url", "http://host:port"],
        ["lists", "show", "--token-file", "missing"],
        ["lists", "show", "--token", "ünsound"],
        ["gate", "S4:"],
        ["gate", *["S4:1"] * 501],
        ["suppliers", "show", ":7"],
        ["suppliers", "add", "Acme", "GB", "--good", "5201"],
        ["suppliers", "add", "Acme", "GB", "--more", "missing.json"],
        ["suppliers", "change", "sup_1", "/dev/null"],
        ["reports", "send", "--text", "x"],
        ["reports", "send", "--name", "a", "--site", "b", "--text", "x"],
        ["reports", "send", "--name", "a"],
        ["serve", "screening"],
        ["up", "--port", "70000"],
        ["journal", "verify", "--data", "."],
        ["screen", "\udcff"],
    ],
    ids=lambda arguments: " ".join(arguments)[:40].encode("ascii", "replace").decode(),
)
def test_wrong_use_is_2_and_no_traceback(arguments: list[str], network: Network, capsys: pytest.CaptureFixture[str]) -> None:
    assert duewatch(*arguments) == 2
    told = capsys.readouterr().err
    assert told.strip()
    assert "Traceback" not in told


def test_settings_that_are_none_are_wrong_use(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("DUEWATCH_PORT", "many")
    assert duewatch("up", "--data", "d") == 2
    assert "DUEWATCH_PORT" in capsys.readouterr().err


def test_unreachable_is_3(capsys: pytest.CaptureFixture[str]) -> None:
    assert duewatch("lists", "show", "--url", "http://127.0.0.1:1") == 3
    assert "duewatch up" in capsys.readouterr().err


@pytest.mark.parametrize("status", [502, 503, 504])
def test_not_now_is_3(status: int, network: Network) -> None:
    network.replies["GET /v1/lists"] = (status, {"title": "Not for now"})
    assert duewatch("lists", "show") == 3


def test_what_is_no_duewatch_is_3(network: Network, capsys: pytest.CaptureFixture[str]) -> None:
    network.replies["GET /v1/lists"] = (200, b"<html>Welcome</html>")
    assert duewatch("lists", "show") == 3
    assert "no Duewatch" in capsys.readouterr().err


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 412, 413, 422, 429, 500, 307])
def test_refused_is_1_with_title_detail_and_fields_on_stderr(status: int, network: Network, capsys: pytest.CaptureFixture[str]) -> None:
    problem = {"title": "The title", "detail": "The detail", "status": status, "errors": [{"field": "country", "message": "two letters"}]}
    network.replies["POST /v1/screenings"] = (status, problem)
    assert duewatch("screen", "Acme") == 1
    told = capsys.readouterr()
    assert told.out == ""
    assert [told.err.index(part) for part in ("The title", "The detail", "country: two letters")]


def test_a_refusal_without_a_problem_document(network: Network, capsys: pytest.CaptureFixture[str]) -> None:
    network.replies["POST /v1/screenings"] = (418, b"short and stout")
    assert duewatch("screen", "Acme") == 1
    assert "418" in capsys.readouterr().err


def test_with_json_a_refusal_is_the_problem_as_it_is(network: Network, capsys: pytest.CaptureFixture[str]) -> None:
    problem = {"type": "urn:duewatch:problem:invalid", "title": "Invalid input", "status": 422, "errors": []}
    network.replies["POST /v1/screenings"] = (422, problem)
    assert duewatch("screen", "Acme", "--json") == 1
    assert json.loads(capsys.readouterr().err) == problem


def test_a_missing_role_is_told_with_the_command_that_issues_it(network: Network, capsys: pytest.CaptureFixture[str]) -> None:
    network.replies["POST /v1/decisions"] = (403, {"title": "Not allowed with these roles", "status": 403})
    assert duewatch("gate", "S4:1", "--token", "t") == 1
    assert "duewatch tokens issue --role buyer" in capsys.readouterr().err
    assert [request.url.path for request in network.asked] == ["/v1/decisions"]  # no role is fetched silently


def test_json_is_what_the_api_answered(network: Network, capsys: pytest.CaptureFixture[str]) -> None:
    answer = b'{"candidates":  [],\t"screenable":true}'
    network.replies["POST /v1/screenings"] = (200, answer)
    assert duewatch("screen", "Acme", "--json") == 0
    assert capsys.readouterr().out.encode() == answer + b"\n"


def test_an_alert_budget_is_set_with_its_reason_and_shown(network: Network, capsys: pytest.CaptureFixture[str]) -> None:
    said = {
        "alert_budget": 0.002, "review_threshold": None, "in_force": {"review": 0.7612, "strong": 0.9574}, "version": 1, "reason": "few readers",
        "set_by": "ada", "set_at": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    network.replies |= {"PUT /v1/screening-settings": (200, said), "GET /v1/screening-settings": (200, said)}
    assert duewatch("matches", "settings", "--alert-budget", 0.002, "--reason", "few readers") == 0
    assert duewatch("matches", "settings", "--as-shipped", "--reason", "more readers") == 0
    assert duewatch("matches", "settings") == 0
    assert [(r.method, json.loads(r.content or b"null")) for r in network.asked] == [
        ("PUT", {"alert_budget": 0.002, "reason": "few readers"}), ("PUT", {"reason": "more readers"}), ("GET", None),
    ]  # fmt: skip
    told = capsys.readouterr().out
    assert all(word in told for word in ("0.002", "0.7612", "few readers", "ada"))


def test_where_the_token_comes_from(network: Network, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The nearer the command, the stronger."""
    network.replies["GET /v1/lists"] = (200, {"items": [], "next": None})

    def used(*more: object) -> str:
        assert duewatch("lists", "show", *more) == 0
        return network.token

    assert used() == ""
    (tmp_path / "data").mkdir()
    (tmp_path / "data/admin-token").write_text("from-data\n")
    assert used() == "from-data"
    (tmp_path / "other").mkdir()
    (tmp_path / "other/admin-token").write_text("from-named-data")
    monkeypatch.setenv("DUEWATCH_DATA", str(tmp_path / "other"))
    assert used() == "from-named-data"
    (tmp_path / "file").write_text("from-file")
    monkeypatch.setenv("DUEWATCH_TOKEN_FILE", str(tmp_path / "file"))
    assert used() == "from-file"
    monkeypatch.setenv("DUEWATCH_TOKEN", "from-environment")
    assert used() == "from-environment"
    assert used("--token-file", tmp_path / "data/admin-token") == "from-data"
    assert used("--token-file", tmp_path / "data/admin-token", "--token", "given") == "given"


def test_without_a_token_a_refusal_says_where_it_was_looked_for(network: Network, capsys: pytest.CaptureFixture[str]) -> None:
    network.replies["GET /v1/lists"] = (401, {"title": "A valid bearer token is needed", "status": 401})
    assert duewatch("lists", "show") == 1
    assert "data/admin-token" in capsys.readouterr().err


def test_ids_cannot_leave_their_place_in_the_path(network: Network) -> None:
    network.replies["GET /v1/lists/..%2Ftokens%3Fa"] = (404, {"title": "Not found"})
    assert duewatch("lists", "show", "../tokens?a") == 1


def test_a_token_can_be_saved_for_its_owner_only(network: Network, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network.replies["POST /v1/tokens"] = (201, {"token": "secret.token"})
    assert duewatch("tokens", "issue", "--role", "buyer", "--role", "analyst", "--subject", "ada") == 0
    assert capsys.readouterr().out == "secret.token\n"
    assert json.loads(network.asked[-1].content) == {"roles": ["buyer", "analyst"], "subject": "ada", "tenant": "default", "ttl_s": 28800}
    assert duewatch("tokens", "issue", "--role", "buyer", "--subject", "ada", "--save", tmp_path / "t") == 0
    assert "secret" not in capsys.readouterr().out
    assert (tmp_path / "t").read_text() == "secret.token\n"
    assert (tmp_path / "t").stat().st_mode & 0o777 == 0o600


RELEASE = {
    "id": "rel_1", "state": "refused", "entries": 5, "quarantined": 0, "added": 0, "modified": 0, "deleted": 4, "sweep_id": None,
    "reason": "too much smaller", "layout": "MAIN.CSV", "dated": None, "version": None,
    "let_in_by": {"role": "operator", "command": "duewatch lists accept us_x rel_1 --reason WHY"},
}  # fmt: skip


def offers(network: Network) -> None:
    """A list of two files, whose releases are all refused."""
    network.replies["GET /v1/lists/us_x"] = (200, {"layouts": [{"files": [{"name": "MAIN.CSV"}, {"name": "ALT.CSV"}]}]})
    network.replies["POST /v1/lists/us_x/releases"] = (202, {"id": "rel_1"})
    network.replies["GET /v1/lists/us_x/releases/rel_1"] = (200, RELEASE)


def test_a_refused_release_is_1_and_says_how_to_let_it_in(network: Network, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    offers(network)
    (tmp_path / "f").write_text("x")
    assert duewatch("lists", "load", "us_x", tmp_path / "f") == 1
    told = capsys.readouterr()
    assert "too much smaller" in told.out
    assert "the role operator may let it in: duewatch lists accept us_x rel_1" in told.err


def test_a_sweep_that_the_caller_may_not_see_is_left_out(network: Network, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    offers(network)
    network.replies["GET /v1/lists/us_x/releases/rel_1"] = (200, RELEASE | {"state": "accepted", "sweep_id": "swp_1"})
    network.replies["GET /v1/sweeps/swp_1"] = (403, {"title": "Not allowed with these roles"})
    (tmp_path / "f").write_text("x")
    assert duewatch("lists", "load", "us_x", tmp_path / "f") == 0
    assert "sweep" not in capsys.readouterr().out
