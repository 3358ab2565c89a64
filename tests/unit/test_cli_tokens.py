"""Keys are changed where the system's folder is: gently, or so that every token ends."""

from pathlib import Path

import pytest

from services.cli.main import run
from services.runtime.embedded import admin_token
from shared.errors import Unauthenticated
from shared.security.roles import Permission, Principal, Role
from shared.security.tokens import LocalIssuer

ADA = Principal(subject="ada", tenant="default", roles=frozenset({Role.BUYER}))


def rotate(*arguments: object) -> int:
    with pytest.raises(SystemExit) as end:
        run(["tokens", "rotate", *map(str, arguments)])
    return int(end.value.code or 0)


def test_a_new_key_signs_and_tokens_stay_good(tmp_path: Path) -> None:
    before = LocalIssuer(tmp_path / "keys")
    token = before.mint(ADA, 60)
    assert rotate("--data", tmp_path) == 0
    after = LocalIssuer(tmp_path / "keys")
    assert after.verify(token) == ADA
    with pytest.raises(Unauthenticated):
        before.verify(after.mint(ADA, 60))
    assert rotate("--data", tmp_path) == 0
    assert LocalIssuer(tmp_path / "keys").verify(token) == ADA, "two keys back"
    assert (tmp_path / "keys" / "token-keys.json").stat().st_mode & 0o777 == 0o600


def test_a_leaked_token_ends_with_its_key(tmp_path: Path) -> None:
    leaked = LocalIssuer(tmp_path / "keys").mint(ADA, 60)
    old = admin_token(tmp_path, LocalIssuer(tmp_path / "keys")).read_text()
    assert rotate("--data", tmp_path, "--forget") == 0
    issuer = LocalIssuer(tmp_path / "keys")
    with pytest.raises(Unauthenticated):
        issuer.verify(leaked)
    new = admin_token(tmp_path, issuer).read_text()
    assert new != old
    assert issuer.verify(new.strip()).may(Permission.TOKENS_ISSUE)


def test_where_there_are_no_keys_nothing_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert rotate("--data", tmp_path) == 1
    assert "no keys" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
