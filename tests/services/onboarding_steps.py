"""What tests of imports do: send a file, let it be worked on, look at what became of it."""

import json
from typing import Any

import httpx

from services.onboarding.imports.running import Importer
from tests.services.harness import Harness

HEADER = "number,name,country\n"


async def sent(
    buyer: httpx.AsyncClient, body: str | bytes, *, mode: str = "apply", system: str = "S4", kind: str = "text/csv", key: str = ""
) -> str:
    headers = {"Content-Type": kind, **({"Idempotency-Key": key} if key else {})}
    content = body.encode() if isinstance(body, str) else body
    answer = await buyer.post(f"/v1/supplier-imports?source_system={system}&mode={mode}", content=content, headers=headers)
    assert answer.status_code == 202, answer.text
    made: str = answer.json()["id"]
    return made


async def work(h: Harness, batch: int = 500) -> None:
    importer = Importer(h.ctx, batch)
    while await importer.step():
        pass


async def seen(buyer: httpx.AsyncClient, import_id: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    job = (await buyer.get(f"/v1/supplier-imports/{import_id}")).json()
    results = await buyer.get(f"/v1/supplier-imports/{import_id}/results")
    assert results.headers["content-type"].startswith("application/x-ndjson")
    return job, [json.loads(line) for line in results.text.splitlines()]


async def imported(h: Harness, buyer: httpx.AsyncClient, body: str | bytes, **how: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    import_id = await sent(buyer, body, **how)
    await work(h)
    return await seen(buyer, import_id)


async def by_ref(buyer: httpx.AsyncClient, ref: str) -> dict[str, Any] | None:
    items = (await buyer.get("/v1/suppliers", params={"external_ref": ref})).json()["items"]
    assert len(items) < 2
    return items[0] if items else None


def counts(job: dict[str, Any]) -> tuple[int, ...]:
    return tuple(job[name] for name in ("rows", "created", "updated", "unchanged", "rejected"))
