"""What the tests of assessment and the gate do again and again."""

from datetime import timedelta
from typing import Any

from services.assessment.policy import STANDARD
from shared.events.matches import Match, MatchChanged, MatchOpened, MatchReviewed, SignalRef, SupplierScreened
from shared.events.signals import Source
from shared.events.suppliers import ExternalRef, Profile, Status
from tests.services.harness import Harness

POLICY = STANDARD.read_text()
STRICTER = POLICY.replace("strong: 0.95", "strong: 0.96")
SUPPLIER = "sup_1"


async def screened(h: Harness, supplier: str = SUPPLIER, *, status: Status = "active", version: int = 1, **profile: Any) -> str:
    told = Profile(name="Acme", country="DE", external_refs=(ExternalRef(system="S4", number=supplier),), **profile)
    payload = SupplierScreened(supplier_id=supplier, supplier_version=version, profile=told, status=status, matches=0)
    event = await h.publish("matches", payload, subject=supplier, kind="screening", partitionkey=supplier)
    await h.step()
    return event


async def listed(h: Harness, strength: Any = "strong", state: Any = "open", supplier: str = SUPPLIER) -> str:
    source = Source(kind="list_entry", list="us_ofac_sdn", uid="36", release_id="rel_1")
    signal = SignalRef(id="us_ofac_sdn:36", source=source, name="ACME", event_id="evt_s", event_type="duewatch.signal.published.v1")
    match = Match(supplier_id=supplier, signal=signal, about="party", party_name="Acme", score=0.9, strength=strength, state=state)
    payload = (
        MatchReviewed(match=match) if state != "open" else MatchOpened(match=match) if strength == "weak" else MatchChanged(match=match)
    )
    event = await h.publish("matches", payload, subject="mat_1", kind="match", partitionkey=supplier)
    await h.step()
    return event


async def asked(h: Harness, effect: str = "purchase_order", **headers: str) -> dict[str, Any]:
    answer = await h.client("buyer").post("/v1/decisions", json={"supplier_id": SUPPLIER, "effect": effect}, headers=headers)
    assert answer.status_code == 200
    told: dict[str, Any] = answer.json()
    return told


async def override(h: Harness, decision: str, *, days: float = 1, approve: bool = True) -> str:
    until = (h.clock.now() + timedelta(days=days)).isoformat()
    body = {"supplier_id": SUPPLIER, "effect": "purchase_order", "decision": decision, "reason": "a licence", "expires_at": until}
    made = await h.client("analyst").post("/v1/overrides", json=body)
    assert made.status_code == 201, made.text
    id_ = str(made.json()["id"])
    if approve:
        assert (await approved(h, id_)).status_code == 200
    return id_


async def approved(h: Harness, id_: str, by: str = "bo") -> Any:
    body = {"outcome": "approved", "reason": "the licence was seen"}
    return await h.client("analyst", subject=by).post(f"/v1/overrides/{id_}/approval", json=body)


async def ratings(h: Harness, supplier: str = SUPPLIER) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await h.client("analyst").get(f"/v1/suppliers/{supplier}/ratings")).json()["items"]
    return items


async def put_policy(h: Harness, text: str) -> str:
    answer = await h.client("admin").put("/v1/policy", content=text)
    assert answer.status_code == 200, answer.text
    while await h.ctx.own.policy_step():
        pass
    await h.node.contexts["gate"].own.policies.refresh()
    return str(answer.json()["version"])
