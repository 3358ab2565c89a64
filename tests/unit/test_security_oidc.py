"""Tokens of an external issuer: by its published keys only, and by the claims that the settings name."""

import base64
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, RSAKey

from services.runtime.front import tokens_of
from shared.errors import Conflict, Invalid, Unauthenticated, Unavailable
from shared.security.oidc import ExternalIssuer, OidcSettings
from shared.security.roles import Principal, Role, parse_role_names
from shared.security.tokens import KeysNeeded
from shared.settings import Settings

OPERATOR = Principal(subject="root", tenant="default", roles=frozenset({Role.OPERATOR}))


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.5

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def b64(value: Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Provider:
    """An identity provider that publishes its keys in a file."""

    def __init__(self, folder: Path) -> None:
        self.file, self.key = folder / "jwks.json", ECKey.generate_key("P-256")
        self.publish()

    def publish(self, *more: dict[str, Any]) -> None:
        self.file.write_text(json.dumps({"keys": [{**self.key.as_dict(private=False), "kid": "k1"}, *more]}))

    def token(self, key: Any = None, head: dict[str, Any] | None = None, **claims: Any) -> str:
        body = {"iss": "https://id.example", "aud": ["duewatch", "x"], "sub": "ada", "iat": 1_800_000_000,
                "exp": 1_800_000_900, "org": {"id": "acme"}, "realm": {"roles": ["dw-buyer", "auditor", "offline"]}}  # fmt: skip
        head = head or {"alg": "ES256", "kid": "k1"}
        return jwt.encode(head, {**body, **claims}, key or self.key, [head["alg"]])


def external(provider: Provider, clock: Clock) -> ExternalIssuer:
    settings = OidcSettings(issuer="https://id.example", audience="duewatch", keys=str(provider.file),
                            tenant_claim="org.id", roles_claim="realm.roles", role_names={"dw-buyer": "buyer"})  # fmt: skip
    return ExternalIssuer(settings, clock=clock)


async def test_an_external_issuer_is_verified_by_its_published_keys(tmp_path: Path, clock: Clock) -> None:
    provider = Provider(tmp_path)
    issuer = external(provider, clock)
    with pytest.raises(KeysNeeded):
        issuer.verify(provider.token())
    await issuer.refresh()
    wanted = Principal(subject="ada", tenant="acme", roles=frozenset({Role.BUYER, Role.AUDITOR}))
    assert issuer.verify(provider.token()) == wanted
    for bad in (provider.token(aud="other"), provider.token(iss="x"), provider.token(exp=1), provider.token(org={}),
                provider.token(org="acme"), provider.token(realm={"roles": ["offline"]})):  # fmt: skip
        with pytest.raises(Unauthenticated):
            issuer.verify(bad)
    with pytest.raises(Conflict):
        issuer.issue(OPERATOR, roles=["buyer"], subject="a", tenant="t", ttl_s=1)


async def test_a_public_key_is_no_shared_secret(tmp_path: Path, clock: Clock) -> None:
    provider = Provider(tmp_path)
    issuer = external(provider, clock)
    await issuer.refresh()
    body = provider.token().split(".")[1]
    signed = b64({"alg": "HS256", "kid": "k1"}) + "." + body
    by_hmac = signed + "." + b64(hmac.digest(provider.key.as_pem(private=False), signed.encode(), hashlib.sha256))
    for token in (by_hmac, provider.token(RSAKey.generate_key(2048), {"alg": "RS256", "kid": "k1"})):
        with pytest.raises(Unauthenticated):
            issuer.verify(token)


async def test_unknown_keys_are_looked_up_seldom(tmp_path: Path, clock: Clock) -> None:
    provider = Provider(tmp_path)
    issuer = external(provider, clock)
    await issuer.refresh()
    fresh = ECKey.generate_key("P-256")
    token = provider.token(fresh, {"alg": "ES256", "kid": "k2"})
    with pytest.raises(Unauthenticated):
        issuer.verify(token)
    provider.publish({**fresh.as_dict(private=False), "kid": "k2"})
    await issuer.refresh()
    with pytest.raises(Unauthenticated):
        issuer.verify(token)
    clock.now += 31
    with pytest.raises(KeysNeeded):
        issuer.verify(token)
    await issuer.refresh()
    assert issuer.verify(token).tenant == "acme"


async def test_keys_that_cannot_be_read(tmp_path: Path, clock: Clock) -> None:
    provider = Provider(tmp_path)
    issuer = external(provider, clock)
    provider.file.write_text("not JSON")
    with pytest.raises(Unavailable):
        await issuer.refresh()
    clock.now += 31
    provider.publish()
    await issuer.refresh()
    clock.now += 31
    provider.file.unlink()
    await issuer.refresh()
    assert issuer.verify(provider.token()).subject == "ada", "known keys stay"


async def test_one_key_that_is_new_to_us_loses_no_other(tmp_path: Path, clock: Clock) -> None:
    provider = Provider(tmp_path)
    strange: list[Any] = [
        {"kid": "k8", "kty": "EC", "crv": "P-999", "x": "AA", "y": "AA"},
        {"kid": "k9", "kty": "RSA", "n": 7},
        7,
        {"kid": 7, "kty": "EC"},
    ]
    provider.publish(*strange)
    issuer = external(provider, clock)
    await issuer.refresh()
    assert issuer.verify(provider.token()).subject == "ada"


@pytest.mark.parametrize("content", ["[]", "{}", '{"keys": null}', '{"keys": []}', '{"keys": [7]}', "7"])
async def test_a_key_set_of_another_form_is_unavailable_and_replaces_nothing(tmp_path: Path, clock: Clock, content: str) -> None:
    provider = Provider(tmp_path)
    issuer = external(provider, clock)
    good = provider.file.read_text()
    provider.file.write_text(content)
    for _ in range(2):  # asked again at once it is still the provider's fault, not the token's
        with pytest.raises(KeysNeeded):
            issuer.verify(provider.token())
        with pytest.raises(Unavailable):
            await issuer.refresh()
    provider.file.write_text(good)
    clock.now += 31
    await issuer.refresh()
    provider.file.write_text(content)
    clock.now += 31
    await issuer.refresh()
    assert issuer.verify(provider.token()).subject == "ada"


async def test_a_key_that_was_withdrawn_verifies_nothing_for_long(tmp_path: Path, clock: Clock) -> None:
    provider = Provider(tmp_path)
    issuer = external(provider, clock)
    await issuer.refresh()
    token = provider.token(exp=clock.now + 86_400)
    issuer.verify(token)
    provider.file.write_text(json.dumps({"keys": [{**ECKey.generate_key("P-256").as_dict(private=False), "kid": "k2"}]}))
    clock.now += 3_601
    with pytest.raises(KeysNeeded):
        issuer.verify(token)
    await issuer.refresh()
    with pytest.raises(Unauthenticated):
        issuer.verify(token)


async def test_settings_say_where_tenant_and_roles_stand(tmp_path: Path, clock: Clock) -> None:
    provider = Provider(tmp_path)
    environment = {
        "DUEWATCH_OIDC_ISSUER": "https://id.example",
        "DUEWATCH_OIDC_JWKS": str(provider.file),
        "DUEWATCH_OIDC_TENANT_CLAIM": "org.id",
        "DUEWATCH_OIDC_ROLES_CLAIM": "https://id.example/roles",
        "DUEWATCH_OIDC_ROLE_NAMES": "Purchasing=buyer, https://x/y=z=analyst",
    }
    settings = Settings.read(environment)
    issuer = tokens_of(Settings.read(settings.environment()))
    await issuer.refresh()
    now = {"iat": 1_700_000_000, "exp": 9_000_000_000}
    for roles in (["Purchasing", "https://x/y=z", "other"], "Purchasing https://x/y=z other"):
        found = issuer.verify(provider.token(**now, **{"https://id.example/roles": roles}))
        assert found == Principal(subject="ada", tenant="acme", roles=frozenset({Role.BUYER, Role.ANALYST}))
    with pytest.raises(Unauthenticated):
        issuer.verify(provider.token(**now, **{"https://id.example/roles": "other"}))


@pytest.mark.parametrize("text", ["Purchasing", "=buyer", "Purchasing=", "Purchasing=bayer"])
def test_role_names_that_are_none(text: str) -> None:
    with pytest.raises(Invalid):
        parse_role_names(text)


@pytest.mark.parametrize(
    ("name", "value"),
    [("partitions", "0"), ("requests_per_s", "0"), ("requests_per_s", "nan"), ("requests_per_s", "inf"), ("head_every_s", "-1"), ("strong_threshold", "2"),
       ("port", "zzmark"), ("port", "70000")],
)  # fmt: skip
def test_settings_that_cannot_be_are_told_at_the_start(name: str, value: str) -> None:
    with pytest.raises(Invalid) as refused:
        Settings.read({f"DUEWATCH_{name.upper()}": value})
    assert [error["field"] for error in refused.value.errors] == [name]
    assert "zzmark" not in str(refused.value.errors) + str(refused.value)


def test_an_issuer_without_keys_is_no_setting() -> None:
    with pytest.raises(Invalid) as refused:
        Settings.read({"DUEWATCH_OIDC_ISSUER": "https://id.example"})
    assert [error["field"] for error in refused.value.errors] == ["oidc_jwks"]


@pytest.mark.parametrize(
    "claims", [{"exp": 10**400}, {"exp": True}, {"nbf": "x"}, {"aud": {}}, {"sub": 7}, {"realm": {"roles": {}}}, {"realm": []}]
)
async def test_claims_of_another_form_are_no_tokens(tmp_path: Path, clock: Clock, claims: dict[str, Any]) -> None:
    provider = Provider(tmp_path)
    issuer = external(provider, clock)
    await issuer.refresh()
    with pytest.raises(Unauthenticated):
        issuer.verify(provider.token(**claims))


async def test_a_key_that_is_too_short_is_not_used(tmp_path: Path, clock: Clock) -> None:
    provider = Provider(tmp_path)
    with pytest.warns(SecurityWarning):
        short = RSAKey.generate_key(1024)
    provider.publish({**short.as_dict(private=False), "kid": "k2"})
    issuer = external(provider, clock)
    await issuer.refresh()
    with pytest.raises(Unauthenticated):
        issuer.verify(provider.token(short, {"alg": "RS256", "kid": "k2"}))
    assert issuer.verify(provider.token()).subject == "ada"
