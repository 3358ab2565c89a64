"""Every operation of every API, asked with every role: what INTERFACE.md lets each do, and that the narrow roles do nothing else."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from services.runtime.front import front_app
from services.runtime.node import Node
from services.runtime.services import SERVICES
from services.runtime.signing import HeadSigner
from shared.security.roles import Principal, Role
from shared.security.tokens import LocalIssuer
from shared.settings import Settings

# Patterns of `METHOD /path`: nothing outside of them.
ONLY = {
    Role.OPERATOR: r"\w+ /v1/(lists|tokens|dead-letters|journal)\b.*",
    Role.REPORTER: r"POST /v1/reports|GET /v1/reports(/\{\w+\})?",
    Role.PARTNER: r"\w+ /v1/(subscriptions|risk-changes)\b.*",
    Role.CUSTODIAN: r"POST /v1/reports/\{\w+\}/identity",
    Role.AUDITOR: r"\w+ /v1/audits\b.*|GET /v1/(suppliers|cases|laws)\b.*|POST /v1/cases/\{\w+\}/closure",  # who closes is independent
    Role.CASE_WORKER: r"\w+ /v1/cases\b.*|GET /v1/(suppliers|laws)\b.*",
}
MUST = {
    Role.OPERATOR: ["POST /v1/lists/{list_id}/releases", "POST /v1/tokens", "GET /v1/dead-letters", "POST /v1/journal/verification"],
    Role.ADMIN: ["POST /v1/tokens", "PUT /v1/policy", "PUT /v1/screening-settings", "POST /v1/subscriptions"],
    Role.BUYER: [
        "POST /v1/suppliers", "PATCH /v1/suppliers/{supplier_id}", "POST /v1/supplier-imports", "GET /v1/supplier-imports/{import_id}/results",
        "POST /v1/decisions", "GET /v1/decisions/{decision_id}/why", "GET /v1/suppliers/{supplier_id}/rating",
    ],
    Role.ANALYST: [
        "GET /v1/suppliers", "GET /v1/lists", "GET /v1/sweeps/{sweep_id}", "GET /v1/matches", "POST /v1/matches/{match_id}/review", "POST /v1/matches/{match_id}/approval",
        "GET /v1/suppliers/{supplier_id}/ratings", "GET /v1/decisions/{decision_id}/why", "GET /v1/findings", "POST /v1/screenings",
        "POST /v1/reports/{report_id}/findings", "POST /v1/findings/{finding_id}/verification",
    ],
    Role.AUDITOR: ["GET /v1/audits", "GET /v1/suppliers/{supplier_id}"],
    Role.CASE_WORKER: ["GET /v1/cases", "GET /v1/suppliers/{supplier_id}"],
    Role.REPORTER: ["POST /v1/reports", "GET /v1/reports/{report_id}"],
    Role.PARTNER: ["POST /v1/subscriptions", "GET /v1/risk-changes"],
    Role.CUSTODIAN: ["POST /v1/reports/{report_id}/identity"],
}  # fmt: skip


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    made = Node(Settings.read({}, data=tmp_path), SERVICES, "test")
    yield made
    await made.close()


async def test_each_role_may_what_the_interface_says_and_narrow_ones_nothing_else(node: Node, tmp_path: Path) -> None:
    tokens = LocalIssuer(tmp_path / "keys")
    HeadSigner(tmp_path / "keys")  # which `up` does at its start
    app = front_app(node, tokens, list)
    operations = [(m.upper(), path) for path, of in app.openapi()["paths"].items() for m in of if not path.startswith("/health/")]
    assert len(operations) > 80
    may: dict[Role, set[str]] = {role: set() for role in Role}
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        for method, path in operations:
            place = re.sub(r"\{\w+\}", "x", path)
            assert (await client.request(method, place)).status_code == 401, place
            for role in Role:
                token = tokens.mint(Principal(subject="ada", tenant="default", roles=frozenset({role})), 600)
                answer = await client.request(method, place, headers={"Authorization": f"Bearer {token}"})
                assert answer.status_code in (200, 202, 400, 403, 404, 415, 422, 503), (role, method, path, answer.status_code)
                if answer.status_code != 403:
                    may[role].add(f"{method} {path}")
    for role, wanted in MUST.items():
        assert set(wanted) <= may[role], role
    for role, pattern in ONLY.items():
        assert [one for one in sorted(may[role]) if not re.fullmatch(pattern, one)] == [], role
    assert may[Role.ADMIN] >= may[Role.ANALYST]
