"""What others rely on, as files: JSON Schema of every event, AsyncAPI of the topics, OpenAPI of every service. Generated, committed, compared.

JSON Schema 2020-12, AsyncAPI 3.0 (https://www.asyncapi.com/docs/reference/specification/v3.0.0), OpenAPI 3.1.
"""

import asyncio
import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from services.runtime import asyncapi, schemas
from services.runtime.compatibility import violations
from services.runtime.front import VERSION
from services.runtime.node import Node
from services.runtime.operations import routers as operations
from services.runtime.services import SERVICES
from shared.errors import Conflict
from shared.http.application import create_app
from shared.security.tokens import LocalIssuer
from shared.settings import Settings


def generate() -> dict[str, str]:
    """Path below contracts/ -> text, the same for the same code."""
    events = schemas.catalogue()
    files = {f"events/{kind.type}.json": _json(schemas.event(kind)) for kind in events}
    files["events/envelope.json"] = _json(schemas.envelope())
    files["asyncapi.yaml"] = yaml.safe_dump(asyncapi.document(events, VERSION), sort_keys=False, allow_unicode=True, width=120)
    files |= {f"openapi/{name}.json": _json(document) for name, document in asyncio.run(_openapi()).items()}
    return files


def write(folder: Path) -> None:
    """Writes the contracts anew, and takes away what belongs to nothing any more; the first time also as what has been released."""
    made = generate()
    for path in _left_over(folder, made):
        path.unlink()
    for name, text in made.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    if not (folder / "released").exists():
        release(folder)


def release(folder: Path) -> None:
    """Keeps the events as they are as what has been released; Conflict where they are not what the code says, or break the last release."""
    faults = check(folder)
    if faults:
        raise Conflict("The contracts cannot be released: see `duewatch contracts check`")
    (folder / "released").mkdir(exist_ok=True)
    for path in folder.glob("events/*.json"):
        (folder / "released" / path.name).write_bytes(path.read_bytes())


def check(folder: Path) -> list[str]:
    """What differs from the code, and what would break who relies on the last release; empty where all is well."""
    made = generate()
    faults = []
    for name, text in made.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            faults.append(f"{name} is not what the code says: run `make contracts` and commit")
    faults += [f"{path.relative_to(folder).as_posix()} belongs to nothing any more" for path in _left_over(folder, made)]
    for path in sorted((folder / "released").glob("*.json")):
        new = made.get(f"events/{path.name}")
        if new is None:
            faults.append(f"{path.stem} was released and is gone: journals hold it for ever")
        else:
            found = violations(json.loads(path.read_text(encoding="utf-8")), json.loads(new))
            faults += [f"{path.stem}: {fault}; leave it as it was and declare another version beside it (.v2)" for fault in found]
    return faults


def _left_over(folder: Path, made: Mapping[str, str]) -> list[Path]:
    found = sorted([*folder.glob("events/*"), *folder.glob("openapi/*")])
    return [path for path in found if path.relative_to(folder).as_posix() not in made]


def _json(document: Any) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


async def _openapi() -> dict[str, dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="duewatch-contracts-") as folder:
        node = Node(Settings.read({}, data=Path(folder)), SERVICES, "contracts")
        tokens = LocalIssuer(Path(folder) / "keys")
        found = {}
        for service in SERVICES:
            context = node.contexts[service.name]
            found[service.name] = _document(service.name, tokens, [*service.api(context), *service.inner_api(context)])
        found["operations"] = _document("operations", tokens, operations(node, tokens, list))
        await node.close()
        return found


def _document(name: str, tokens: LocalIssuer, routers: list[Any]) -> dict[str, Any]:
    app = create_app(f"Duewatch {name}", VERSION, tokens)
    for router in routers:
        app.include_router(router)
    document: dict[str, Any] = app.openapi()
    return document
