"""The operator's routes: tokens, dead letters, the journal; and health, which needs no token."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import JSONResponse, Response

from services.runtime.checking import KeptHead
from services.runtime.metrics import Text, metrics, text_of
from services.runtime.node import Node
from services.runtime.verification import verify_apart
from shared.errors import NotFound
from shared.events.envelope import Meta
from shared.http.application import Body
from shared.http.auth import PUBLIC, requires, router
from shared.http.pages import PageAsked, cursor_after, page
from shared.http.problems import problem
from shared.security.roles import Permission, Principal
from shared.security.tokens import Tokens
from shared.store.port import DeadLetter
from shared.telemetry.metrics import READY


class TokenBody(Body):
    """Who a token is for."""

    roles: Annotated[list[str], Field(min_length=1, max_length=20)]
    subject: Annotated[str, Field(min_length=1, max_length=200)]
    tenant: Annotated[str, Field(min_length=1, max_length=40)]
    ttl_s: Annotated[int, Field(ge=1, le=31_536_000)] = 28_800


class HeadBody(Body):
    """A signed head that was kept, as `GET /v1/journal/heads` told it."""

    store: Annotated[str, Field(pattern="^[a-z]{1,40}$")]
    seq: Annotated[int, Field(ge=1, le=2**62)]
    digest: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    signature: Annotated[str, Field(max_length=200)] = ""
    signed_at: Annotated[str, Field(max_length=40)] = ""


class VerificationBody(Body):
    """What the journal is held against beside itself."""

    heads: Annotated[list[HeadBody], Field(max_length=1000)] = []


def routers(node: Node, tokens: Tokens, missing: Callable[[], list[str]], text: Text | None = None) -> list[APIRouter]:
    """`missing`: what is not ready yet; `text`: the metrics, of this process if not said otherwise."""
    return [health(missing), metrics(text or text_of(node, node.name)), _tokens(tokens), _dead_letters(node), _journal(node)]


def health(missing: Callable[[], list[str]]) -> APIRouter:
    """Is the process alive, is it ready? `missing`: what is not."""
    READY.set_function(lambda: 0.0 if missing() else 1.0)
    routes = router("/health", tag="operations")

    @routes.get("/live", dependencies=[PUBLIC])
    async def live() -> dict[str, str]:
        """The process answers."""
        return {"status": "live"}

    @routes.get("/ready", dependencies=[PUBLIC], response_model=None)
    async def ready() -> Response:
        """Every service answers and every index is rebuilt; else 503 with what is missing."""
        left = missing()
        if left:
            return problem(503, "not-ready", "Not ready yet", errors=[{"field": name, "message": "is not ready"} for name in left])
        return JSONResponse({"status": "ready"})

    return routes


def _tokens(tokens: Tokens) -> APIRouter:
    routes = router("/v1", tag="operations")

    @routes.post("/tokens", status_code=201)
    async def issue(caller: Annotated[Principal, requires(Permission.TOKENS_ISSUE)], body: TokenBody) -> dict[str, str]:
        """A token: an admin for the own tenant and not more than admin, an operator for any."""
        made = tokens.issue(caller, roles=body.roles, subject=body.subject, tenant=body.tenant, ttl_s=body.ttl_s)
        return {"token": made}

    return routes


def _dead_letters(node: Node) -> APIRouter:
    routes = router("/v1", tag="operations")
    may = requires(Permission.DEAD_LETTERS)

    @routes.get("/dead-letters")
    async def list_dead_letters(
        caller: Annotated[Principal, may],
        asked: PageAsked,
        state: Annotated[Literal["dead", "replaying", "replayed"] | None, Query()] = None,
    ) -> dict[str, Any]:
        """Messages that could not be handled, of all services, by id; never what is in them."""
        after = asked.after(str)
        found: list[DeadLetter] = []
        for store in node.stores.values():
            found += await store.dead_letters(state=state, after=after[0] if after else "", limit=asked.limit + 1)
        found.sort(key=lambda letter: letter.id)
        more = len(found) > asked.limit
        return page([_view(d) for d in found[: asked.limit]], cursor_after(found[asked.limit - 1].id) if more else None)

    @routes.get("/dead-letters/{dead_letter_id}")
    async def get_dead_letter(caller: Annotated[Principal, may], dead_letter_id: str) -> dict[str, Any]:
        """One of them, with its error and where it came from."""
        return _view((await _find(node, dead_letter_id))[1])

    @routes.post("/dead-letters/{dead_letter_id}/replay", status_code=202)
    async def replay(caller: Annotated[Principal, may], dead_letter_id: str) -> dict[str, Any]:
        """Has it tried again by the service that gave it up."""
        name, _ = await _find(node, dead_letter_id)
        await node.stores[name].mark_dead_letter(dead_letter_id, "replaying")
        node.nudges.send()
        return _view((await _find(node, dead_letter_id))[1])

    return routes


async def _find(node: Node, id_: str) -> tuple[str, DeadLetter]:
    for name, store in node.stores.items():
        found = await store.dead_letters(after=id_[:-1], limit=500)
        for letter in found:
            if letter.id == id_:
                return name, letter
    raise NotFound("There is no such dead letter")


def _view(letter: DeadLetter) -> dict[str, Any]:
    meta = msgspec.json.decode(letter.meta, type=Meta)
    return {
        "id": letter.id, "state": letter.state, "group": letter.group, "topic": letter.topic, "partition": letter.partition,
        "position": letter.position, "event_id": meta.id, "type": letter.type, "error": letter.error, "at": letter.at, "attempts": letter.attempts,
    }  # fmt: skip


def _journal(node: Node) -> APIRouter:
    routes = router("/v1", tag="operations")
    one_at_a_time = asyncio.Lock()

    @routes.post("/journal/verification")
    async def verify_journal(
        caller: Annotated[Principal, requires(Permission.JOURNAL)], body: VerificationBody | None = None
    ) -> dict[str, Any]:
        """Verifies every chain, document head and signed head of all files; against heads that were kept elsewhere, where they are given."""
        kept = [KeptHead(head.store, head.seq, head.digest) for head in body.heads] if body else []
        async with one_at_a_time:
            found = await verify_apart(node.settings, kept)
        return {"holds": not any(v.faults for v in found), "files": [msgspec.to_builtins(v) for v in found]}

    @routes.get("/journal/heads")
    async def list_heads(caller: Annotated[Principal, requires(Permission.JOURNAL)]) -> dict[str, Any]:
        """The last signed head of each file: keep a copy elsewhere, and nobody can rewrite what was before it."""
        items = []
        for name, store in node.stores.items():
            for h in await store.heads(last=1):
                items.append(
                    {"store": name, "seq": h.seq, "digest": h.digest.hex(), "signature": h.signature.hex(), "signed_at": h.signed_at}
                )
        return {"items": items}

    return routes
