"""Tokens: what is accepted, and that nothing else is."""

import base64
import json
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OKPKey

from shared.errors import Conflict, Forbidden, Invalid, Unauthenticated
from shared.security.roles import Principal, Role
from shared.security.tokens import LocalIssuer

OPERATOR = Principal(subject="root", tenant="default", roles=frozenset({Role.OPERATOR}))
ADMIN = Principal(subject="amy", tenant="default", roles=frozenset({Role.ADMIN}))


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.5

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def issuer(tmp_path: Path, clock: Clock) -> LocalIssuer:
    return LocalIssuer(tmp_path / "keys", clock=clock)


def issue(issuer: LocalIssuer, by: Principal = OPERATOR, **changed: Any) -> str:
    return issuer.issue(by, **{"roles": ["analyst"], "subject": "ada", "tenant": "default", "ttl_s": 60, **changed})


def b64(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def test_what_was_issued_is_who_calls(issuer: LocalIssuer) -> None:
    token = issue(issuer, roles=["analyst", "buyer"])
    wanted = Principal(subject="ada", tenant="default", roles=frozenset({Role.ANALYST, Role.BUYER}))
    assert issuer.verify(token) == wanted
    assert issuer.verify(token) is issuer.verify(token), "the second time from memory"


def test_a_token_ends(issuer: LocalIssuer, clock: Clock) -> None:
    token = issue(issuer, ttl_s=1)
    issuer.verify(token)
    clock.now += 1.4
    issuer.verify(token)
    clock.now += 0.2
    with pytest.raises(Unauthenticated):
        issuer.verify(token)


FORGERIES: dict[str, Callable[[str, str, str], str]] = {
    "cut": lambda h, p, s: f"{h}.{p}.{s[:-4]}AAAA",
    "shorter": lambda h, p, s: f"{h}.{p}.{s[:-1]}",
    "longer": lambda h, p, s: f"{h}.{p}.{s}AAAA",
    "padded": lambda h, p, s: f"{h}.{p}.{s}==",
    "no signature": lambda h, p, s: f"{h}.{p}.",
    "four parts": lambda h, p, s: f"{h}.{p}.{s}.{s}",
    "alg none": lambda h, p, s: f"{b64({'alg': 'none', 'typ': 'JWT'})}.{p}.",
    "other alg": lambda h, p, s: f"{b64({'alg': 'HS512', 'kid': 'x'})}.{p}.{s}",
    "jwk in header": lambda h, p, s: f"{b64({'alg': 'Ed25519', 'jwk': {'kty': 'OKP'}})}.{p}.{s}",
    "unknown key": lambda h, p, s: f"{b64({'alg': 'Ed25519', 'kid': 'zz'})}.{p}.{s}",
    "deep header": lambda h, p, s: f"{b64(b'[' * 5000)}.{p}.{s}",
    "huge number": lambda h, p, s: b64(b'{"alg":' + b"9" * 400 + b"}") + f".{p}.{s}",
    "long": lambda h, p, s: f"{h}.{p}{'A' * 9000}.{s}",
    "not ASCII": lambda h, p, s: f"{h}.{p}.é{s}",
    "empty": lambda h, p, s: "",
}


@pytest.mark.parametrize("name", FORGERIES)
def test_forged_tokens_are_refused(issuer: LocalIssuer, name: str) -> None:
    token = issue(issuer)
    issuer.verify(token)
    head, payload, signature = token.split(".")
    with pytest.raises(Unauthenticated):
        issuer.verify(FORGERIES[name](head, payload, signature))


def test_any_changed_claim_is_refused(issuer: LocalIssuer) -> None:
    head, payload, signature = issue(issuer).split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    for name in claims:
        with pytest.raises(Unauthenticated):
            issuer.verify(f"{head}.{b64({**claims, name: 'other'})}.{signature}")


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "other"}, {"aud": "other"}, {"aud": ["x"]}, {"exp": 1}, {"exp": "9999999999"}, {"exp": None},
        {"exp": True}, {"iat": 9_999_999_999}, {"nbf": 9_999_999_999}, {"tenant": "public"}, {"tenant": "A"},
        {"tenant": 1}, {"roles": []}, {"roles": "admin"}, {"roles": ["king"]}, {"sub": ""}, {"sub": "a\nb"}, {"sub": None},
    ],
)  # fmt: skip
def test_signed_claims_are_checked_too(tmp_path: Path, clock: Clock, claims: dict[str, Any]) -> None:
    issuer = LocalIssuer(tmp_path, clock=clock)
    stored = json.loads((tmp_path / "token-keys.json").read_text())["keys"][0]
    good = {"iss": "duewatch", "aud": "duewatch", "sub": "a", "tenant": "t", "roles": ["buyer"], "iat": 1_800_000_000}

    def signed(changed: dict[str, Any]) -> str:
        body = {**good, "exp": 1_800_000_100, **changed}
        return jwt.encode({"alg": "Ed25519", "kid": stored["kid"]}, body, OKPKey.import_key(stored), ["Ed25519"])

    assert issuer.verify(signed({})).subject == "a"
    with pytest.raises(Unauthenticated):
        issuer.verify(signed(claims))


def test_an_admin_issues_for_the_own_tenant_and_no_operator(issuer: LocalIssuer) -> None:
    assert issuer.verify(issue(issuer, ADMIN, roles=["admin", "custodian"])).tenant == "default"
    for refused in ({"tenant": "other"}, {"roles": ["operator"]}, {"roles": ["buyer", "operator"]}):
        with pytest.raises(Forbidden):
            issue(issuer, ADMIN, **refused)
    assert issuer.verify(issue(issuer, OPERATOR, tenant="other", roles=["operator"])).tenant == "other"
    with pytest.raises(Forbidden):
        issue(issuer, Principal(subject="b", tenant="default", roles=frozenset({Role.ANALYST})))


@pytest.mark.parametrize(
    ("field", "value"),
    [("roles", []), ("roles", ["king"]), ("subject", ""), ("subject", "x" * 201), ("subject", "a b"),
     ("tenant", "public"), ("tenant", "Big"), ("tenant", ""), ("tenant", "x" * 41), ("tenant", "a\n"),
     ("ttl_s", 0), ("ttl_s", 31_536_001), ("ttl_s", True)],
)  # fmt: skip
def test_what_cannot_be_issued_names_its_field(issuer: LocalIssuer, field: str, value: Any) -> None:
    with pytest.raises(Invalid) as refused:
        issue(issuer, **{field: value})
    assert [error["field"] for error in refused.value.errors] == [field]


def test_keys_are_made_once_and_are_private(tmp_path: Path, clock: Clock) -> None:
    folder, made = tmp_path / "keys", []
    starts = [threading.Thread(target=lambda: made.append(LocalIssuer(folder, clock=clock))) for _ in range(8)]
    for start in starts:
        start.start()
    for start in starts:
        start.join()
    token = issue(made[0])
    assert {one.verify(token).subject for one in made} == {"ada"}
    assert [path.name for path in folder.iterdir()] == ["token-keys.json"]
    assert stat.S_IMODE((folder / "token-keys.json").stat().st_mode) == 0o600
    other = LocalIssuer(tmp_path / "elsewhere", clock=clock)
    with pytest.raises(Unauthenticated):
        other.verify(token)


def test_a_new_key_signs_and_the_old_one_still_verifies(tmp_path: Path, clock: Clock) -> None:
    old, new = LocalIssuer(tmp_path / "a", clock=clock), LocalIssuer(tmp_path / "b", clock=clock)
    before = issue(old)
    sets = [json.loads((tmp_path / name / "token-keys.json").read_text())["keys"] for name in ("b", "a")]
    (tmp_path / "a" / "token-keys.json").write_text(json.dumps({"keys": sets[0] + sets[1]}))
    rotated = LocalIssuer(tmp_path / "a", clock=clock)
    assert rotated.verify(before).subject == new.verify(issue(rotated)).subject == "ada"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"keys": []}', '{"keys": [{"kid": "k", "kty": "OKP"}]}', '{"keys": [7]}'])
def test_a_damaged_key_file_is_told_and_not_replaced(tmp_path: Path, content: str) -> None:
    (tmp_path / "token-keys.json").write_text(content)
    with pytest.raises(Conflict, match="damaged"):
        LocalIssuer(tmp_path)
    assert (tmp_path / "token-keys.json").read_text() == content
