"""The procurement gate: may we buy? Answered from ratings made before, each answer durable before it is given.

Hot: plain Starlette and a typed decoder, no Pydantic; 500 questions cost two look-ups and one commit.
"""

import asyncio
import contextvars
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from services.assessment.decisions.model import DECISIONS, Decisions, Override, Take
from services.assessment.decisions.question import Question, read
from services.assessment.gate import Answer, GateReason, GateView, answer
from services.assessment.list_ages import Ages
from services.assessment.policy import RANK, SEVERITY
from services.assessment.tenant_policies import Policies
from shared.events.envelope import encode
from shared.events.ratings import Decision, Effect
from shared.http.auth import guarded
from shared.http.idempotency import idempotency_key, request_digest
from shared.ids import derive
from shared.kernel.aggregate import Cause, Document, Item, Message
from shared.kernel.service import Context
from shared.security.roles import Permission, Principal
from shared.store.port import Stored
from shared.telemetry import tracing
from shared.telemetry.metrics import count_decisions

_FEW = 50  # overrides in force that are looked at all together, which needs no supplier's id


class _Facts(msgspec.Struct, frozen=True):
    supplier_id: str
    version: int = 0


class Row(msgspec.Struct, frozen=True):
    """What the gate reads of an assessment: the rest is skipped."""

    facts: _Facts
    gate: GateView
    revision: int


class Told(msgspec.Struct, frozen=True):
    """One answer as the caller gets it."""

    id: str
    decision: str
    effect: Effect
    reasons: tuple[GateReason, ...]
    conditions: tuple[str, ...]
    policy_version: str
    data_as_of: datetime | None
    valid_until: datetime
    supplier_id: str | None
    override_id: str | None = None
    stale_lists: tuple[str, ...] = ()  # lists that were older than they may be


_row = msgspec.json.Decoder(Row)
_override = msgspec.json.Decoder(Override)


class _Call(NamedTuple):
    questions: list[Question]
    traceparent: str
    told: "asyncio.Future[list[Told]]"


class Gate:
    """Answers for one process."""

    def __init__(self, ctx: Context) -> None:
        self.ctx, self.policies, self.ages = ctx, Policies(ctx), Ages(ctx)
        self._waiting: dict[tuple[str, str], list[_Call]] = {}
        self._answering: asyncio.Task[None] | None = None

    async def ask(self, tenant: str, actor: str, questions: list[Question]) -> list[Told]:
        """Answers a call together with those of the same caller that came while the last commit was on its way: nobody waits for more."""
        call = _Call(questions, tracing.current(), asyncio.get_running_loop().create_future())
        self._waiting.setdefault((tenant, actor), []).append(call)
        if self._answering is None:
            # In no caller's context: what it does for all must not count as the first one's.
            self._answering = asyncio.create_task(self._answer_all(), context=contextvars.Context())
        return await call.told

    async def _answer_all(self) -> None:
        try:
            while self._waiting:
                waiting, self._waiting = self._waiting, {}
                await asyncio.gather(*(self._answer(*key, calls) for key, calls in waiting.items()))
        finally:
            self._answering = None

    async def _answer(self, tenant: str, actor: str, calls: list["_Call"]) -> None:
        trace = next((call.traceparent for call in calls if call.traceparent), "")  # one commit is of one trace: the first caller's
        try:
            told = await self.decide(tenant, actor, [q for call in calls for q in call.questions], None, trace)
        except Exception as error:  # each caller gets it as its own
            for call in calls:
                if not call.told.done():
                    call.told.set_exception(error)
            return
        at = 0
        for call in calls:
            if not call.told.done():  # its caller may have gone
                call.told.set_result(told[at : at + len(call.questions)])
            at += len(call.questions)

    async def follow_policies(self) -> None:
        """Keeps the tenants' policies at hand: an unknown supplier's answer names one."""
        waits = self.ctx.nudged()
        while True:
            await self.refresh()
            await waits.wait(30.0)
            await asyncio.sleep(5.0)

    async def refresh(self) -> None:
        """Policies and ages of lists as they stand."""
        await self.policies.refresh()
        await self.ages.refresh()

    async def rows(self, tenant: str, questions: list[Question]) -> list[Row | None]:
        """The assessments asked about, in order; None where none is known (or screened)."""
        store = self.ctx.stores["assessment"]
        refs = {f"{q.supplier_ref.system}:{q.supplier_ref.number}" for q in questions if q.supplier_ref}
        ids = {q.supplier_id for q in questions if q.supplier_id}
        by_ref = await store.find_any("assessment", tenant, "external_ref", list(refs)) if refs else {}
        by_id = await store.load("assessment", [(tenant, i) for i in ids]) if ids else {}
        found: list[Row | None] = []
        for q in questions:
            if q.supplier_ref:
                state = by_ref.get(f"{q.supplier_ref.system}:{q.supplier_ref.number}")
            else:
                stored = by_id.get((tenant, q.supplier_id or ""))
                state = stored.state if stored else None
            row = _row.decode(state) if state else None
            found.append(row if row and row.facts.version else None)
        return found

    async def decide(
        self, tenant: str, actor: str, questions: list[Question], repeat: tuple[str, str] | None, trace: str = ""
    ) -> list[Told]:
        """Answers and keeps them; a repeated call gets what it got first."""
        batch = derive("dec", tenant, actor, repeat[0]) if repeat else self.ctx.ids.new("dec")
        now, policy = self.ctx.clock.now(), self.policies.of(tenant)
        rows, few = await asyncio.gather(self.rows(tenant, questions), self._few(tenant))
        suppliers = {row.facts.supplier_id for row in rows if row is not None}
        overrides = _in_force(await self._of(tenant, suppliers) if few is None else few, now)
        stale = self.ages.stale(now)
        told, kept = [], []
        for n, (question, row) in enumerate(zip(questions, rows, strict=True)):
            given = answer(row.gate if row else None, question.effect, now, policy, stale=bool(stale))
            supplier_id = row.facts.supplier_id if row else None
            override = overrides.get((supplier_id or "", question.effect))
            if row is None or (override and not _applies(override[1], row.gate, given)):
                override = None
            told.append(_tell(f"{batch}.{n}", question.effect, supplier_id, given, override, row.gate.conditions if row else (), stale))
            kept.append(
                Decision(
                    decision=override[1].decision if override else given.decision,
                    effect=question.effect,
                    supplier_id=supplier_id,
                    rating_version=row.revision if row else 0,
                    policy_version=given.policy_version,
                    reasons=tuple(reason.code for reason in given.reasons),
                    override_id=override[0] if override else "",
                    stale_lists=stale,
                )
            )
        return await self._keep(tenant, kept, told, Cause(batch, "command.decide", actor=actor, traceparent=trace), repeat)

    async def _keep(self, tenant: str, kept: list[Decision], told: list[Told], cause: Cause, repeat: tuple[str, str] | None) -> list[Told]:
        def render(_: Document[Decisions]) -> bytes:
            return msgspec.json.encode(told)

        key, digest = repeat or ("", "")
        message = Message(Take(tuple(kept)), cause, key, digest, answer=render)
        outcome = await self.ctx.kernel.execute(Item(DECISIONS, tenant, cause.id, message, fresh=not repeat))
        if outcome.changed:
            count_decisions([one.decision for one in kept])
        return msgspec.json.decode(outcome.answer, type=list[Told]) if outcome.answer else told

    async def _few(self, tenant: str) -> list[Stored] | None:
        """All active overrides of a tenant, looked up beside the ratings; None where they are many."""
        found = await self.ctx.store.find("override", tenant, {"state": "active"}, limit=_FEW + 1)
        return found if len(found) <= _FEW else None

    async def _of(self, tenant: str, suppliers: set[str]) -> list[Stored]:
        """The active overrides of these suppliers."""
        found: list[Stored] = []
        for supplier in await self.ctx.store.find_any("override", tenant, "active_for", sorted(suppliers)) if suppliers else ():
            found += await self.ctx.store.find("override", tenant, {"active_for": supplier})
        return found


def _in_force(active: list[Stored], now: datetime) -> dict[tuple[str, str], tuple[str, Override]]:
    """By (supplier, effect), of several the one approved last. One that has just expired counts no more, its alarm rung or not."""
    found: dict[tuple[str, str], tuple[str, Override]] = {}
    for stored in active:
        override = _override.decode(stored.state)
        known = found.get((override.supplier_id, override.effect))
        if override.expires_at > now and (known is None or _approved(override) >= _approved(known[1])):
            found[override.supplier_id, override.effect] = (stored.id, override)
    return found


def _approved(override: Override) -> datetime:
    return override.decided_at or override.proposed_at


def _applies(override: Override, view: GateView, given: Answer) -> bool:
    """An exception may always ask for more; it lets through what the two people knew of, and nothing that came to it since."""
    return SEVERITY[override.decision] >= SEVERITY[given.decision] or RANK[view.tier] <= RANK[override.tier]


def _tell(
    id_: str,
    effect: Effect,
    supplier_id: str | None,
    given: Answer,
    override: tuple[str, Override] | None,
    conditions: tuple[str, ...],
    stale: tuple[str, ...],
) -> Told:
    reasons, word, until = given.reasons, given.decision, given.valid_until
    if override:
        word, until = override[1].decision, min(until, override[1].expires_at)
        reasons = (GateReason(code="override", text="An approved override is in force"), *reasons)
    return Told(
        id_,
        word,
        effect,
        reasons,
        conditions if word == "allow_with_conditions" else (),
        given.policy_version,
        given.data_as_of,
        until,
        supplier_id,
        override[0] if override else None,
        stale,
    )


def handler(gate: Gate) -> Any:
    """`POST /v1/decisions`."""

    @guarded(Permission.GATE_ASK)
    async def decide(request: Request, caller: Principal) -> Response:
        body = await request.body()
        questions, several = read(body)
        key = idempotency_key(request.headers.get("idempotency-key"))
        repeat = (key, request_digest("POST", "/v1/decisions", body)) if key else None
        if repeat:
            told = await gate.decide(caller.tenant, caller.subject, questions, repeat)
        else:
            told = await gate.ask(caller.tenant, caller.subject, questions)
        return Response(encode({"items": told} if several else told[0]), media_type="application/json")

    return decide
