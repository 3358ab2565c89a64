"""Reports and findings as tests send them; what must stay secret begins with `zz`."""

from pathlib import Path
from typing import Any

import httpx

from tests.services.harness import Harness

PARTY = {"kind": "party", "name": "Brahmaputra Loom", "country": "IN"}
REPORT_BODY = {"about": PARTY, "indicators": ["debt_bondage", "debt_bondage", "trafficking"], "text": "zztextmark: workers\ntold us"}
MARK = "zzechomarkzz"
SECRETS = (b"zztextmark", b"org-zzsender", b"zzsummary", b"zzreason", b"zzretraction", b"zzkey")


async def post(client: httpx.AsyncClient, path: str, body: Any, expect: int = 201, **headers: str) -> Any:
    answer = await client.post(path, json=body, headers={k.replace("_", "-"): v for k, v in headers.items()})
    assert answer.status_code == expect, answer.text
    assert MARK not in answer.text
    return answer.json()


async def get(client: httpx.AsyncClient, path: str, expect: int = 200) -> Any:
    answer = await client.get(path)
    assert answer.status_code == expect, answer.text
    return answer.json()


async def erase(client: httpx.AsyncClient, report_id: str, expect: int = 200) -> Any:
    answer = await client.request("DELETE", f"/v1/reports/{report_id}", json={"reason": "data_subject_request"})
    assert answer.status_code == expect, answer.text
    return answer.json()


def reporter(h: Harness) -> httpx.AsyncClient:
    return h.client("reporter", subject="org-zzsender")


async def drafted(h: Harness, about: dict[str, Any] = PARTY) -> tuple[str, str]:
    report = await post(reporter(h), "/v1/reports", REPORT_BODY | {"about": about})
    made = await post(h.client("analyst", subject="ada"), f"/v1/reports/{report['id']}/findings", {"summary": "zzsummary says"})
    assert made["state"] == "draft"
    return report["id"], made["id"]


async def verified(h: Harness, about: dict[str, Any] = PARTY) -> tuple[str, str]:
    report, finding = await drafted(h, about)
    await post(
        h.client("analyst", subject="bo"), f"/v1/findings/{finding}/verification", {"outcome": "verified", "reason": "zzreason"}, 200
    )
    return report, finding


def files_with(folder: Path, secret: bytes) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file() and secret in path.read_bytes()]
