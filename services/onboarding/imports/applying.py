"""Rows become suppliers: each row finds its supplier by its number, or makes the one that this number always makes."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import Literal

import msgspec

from services.onboarding.imports.model import Import
from services.onboarding.imports.records import Fault
from services.onboarding.imports.rows import Row
from services.onboarding.model import SUPPLIERS, ImportRow, Supplier, Take, ref_key, row_seen, supplier_id_of
from shared.errors import Conflict, DuewatchError
from shared.events.envelope import encode
from shared.events.suppliers import ExternalRef, Upstream
from shared.kernel.aggregate import Cause, Document, Item, Message, Outcome
from shared.kernel.kernel import document
from shared.kernel.service import Context

Word = Literal["created", "updated", "unchanged", "rejected"]
Apply = Callable[[Sequence[Item]], Awaitable[list[Outcome]]]
Numbered = tuple[int, Row]
_REHEARSED = 100_000


class Result(msgspec.Struct, frozen=True):
    """What became of a row, as a line of the results."""

    row: int
    number: str | None
    outcome: Word
    supplier_id: str | None
    errors: list[dict[str, str]]


def refused(row: int, number: str | None, faults: Sequence[Fault]) -> Result:
    """The result of a row at fault."""
    return Result(row, number, "rejected", None, [{"field": f.field, "message": f.message} for f in faults])


class Applier:
    """Applies rows of one import. `apply` is the kernel's, or a rehearsal's."""

    def __init__(self, ctx: Context, tenant: str, import_id: str, state: Import, apply: Apply) -> None:
        self._ctx, self._tenant, self._import_id, self._state, self._apply = ctx, tenant, import_id, state, apply

    async def results(self, rows: Sequence[Numbered], also: Sequence[Item]) -> list[Result]:
        """Applies rows, in one commit with other items; the results of the rows."""
        items = await self._items(rows)
        outcomes = (await self._apply([*items, *also]))[: len(rows)]
        taken = [at for at, outcome in enumerate(outcomes) if isinstance(outcome.error, Conflict)]
        # Somebody registered these numbers meanwhile: now they are found. Or a reference is another's: then its row alone is at fault,
        # so each supplier's rows go one after the other.
        while taken:
            first = {items[at].id: at for at in reversed(taken)}
            now = sorted(first.values())
            repeated = await self._items([rows[at] for at in now])
            for at, item, outcome in zip(now, repeated, await self._apply(repeated), strict=True):
                items[at], outcomes[at] = item, outcome
            taken = sorted(set(taken) - set(now))
        return [self._result(n, row.number, item, outcome) for (n, row), item, outcome in zip(rows, items, outcomes, strict=True)]

    async def _items(self, rows: Sequence[Numbered]) -> list[Item]:
        system = self._state.source_system
        numbers = {row.number for _, row in rows}
        numbers.update(number for _, row in rows if row.upstream for number in row.upstream)
        keys = [ref_key(system, number) for number in numbers]
        owners = await self._ctx.store.resolve(SUPPLIERS.kind, self._tenant, "external_ref", keys)
        return [self._item(n, row, owners) for n, row in rows]

    def _id(self, number: str, owners: dict[str, str]) -> str:
        system = self._state.source_system
        return owners.get(ref_key(system, number)) or supplier_id_of(self._tenant, system, number)

    def _item(self, n: int, row: Row, owners: dict[str, str]) -> Item:
        fields = row.fields
        if row.upstream is not None:
            fields["upstream"] = tuple(Upstream(supplier_id=self._id(number, owners)) for number in row.upstream)
        id_ = self._id(row.number, owners)
        said = Take(
            supplier_id=id_,
            ref=ExternalRef(system=self._state.source_system, number=row.number),
            fields=fields,
            row=ImportRow(import_id=self._import_id, row=n),
            kinds=row.kinds,
            identifiers=row.identifiers,
        )
        cause = Cause(f"{self._import_id}.{n}", "command.import", correlation=self._import_id, actor=self._state.requested_by)
        unknown = ref_key(self._state.source_system, row.number) not in owners  # the kernel looks again where it is there after all
        return Item(SUPPLIERS, self._tenant, id_, Message(said, cause), fresh=unknown)

    def _result(self, n: int, number: str, item: Item, outcome: Outcome) -> Result:
        if isinstance(outcome.error, DuewatchError):
            told = outcome.error.errors or [{"field": "row", "message": outcome.error.detail}]
            return refused(n, number, [Fault(one["field"], one["message"]) for one in told])
        assert outcome.document is not None
        return Result(n, number, _word(outcome, item.message.body.row), item.id, [])


def _word(outcome: Outcome, row: ImportRow) -> Word:
    assert outcome.document is not None
    state: Supplier = outcome.document.state
    if outcome.changed:
        return "created" if outcome.document.version == 1 else "updated"
    if row_seen(state, row):  # before a crash
        return "created" if state.created_by == row else "updated"
    return "unchanged"


class Rehearsal:
    """Decides as the kernel would, and writes nothing: a dry run.

    What the last 100,000 suppliers would be is remembered, so that a number that comes a second time finds its first.
    """

    def __init__(self, ctx: Context, tenant: str) -> None:
        self._ctx, self._tenant = ctx, tenant
        self._would_be: OrderedDict[str, tuple[int, bytes]] = OrderedDict()  # id -> version and state

    async def apply(self, items: Sequence[Item]) -> list[Outcome]:
        """What would become of each."""
        ids = {item.id for item in items}
        loaded = await self._ctx.store.load(SUPPLIERS.kind, [(self._tenant, i) for i in ids if i not in self._would_be])
        known = {id_: document(SUPPLIERS, stored) for (_, id_), stored in loaded.items()}
        for id_ in ids & self._would_be.keys():
            version, state = self._would_be[id_]
            known[id_] = Document(SUPPLIERS.kind, self._tenant, id_, version, SUPPLIERS.decoder.decode(state))
        before = {id_: self._would_be.get(id_) for id_ in ids}
        outcomes = [self._decide(item, known) for item in items]
        lost = await self._lost(items, outcomes)
        for id_ in lost:
            if (was := before[id_]) is None:
                self._would_be.pop(id_, None)
            else:
                self._would_be[id_] = was
        taken = Conflict("Another one already has this value", errors=[{"field": "external_ref", "message": "is taken"}])
        return [Outcome(error=taken) if item.id in lost else outcome for item, outcome in zip(items, outcomes, strict=True)]

    def _decide(self, item: Item, known: dict[str, Document[Supplier]]) -> Outcome:
        found = known.get(item.id)
        try:
            decided = SUPPLIERS.decide(found.state if found else None, item.message, self._ctx.clock.now())
        except DuewatchError as refusal:
            return Outcome(found, error=refusal)
        if decided is None:
            return Outcome(found)
        new = Document(SUPPLIERS.kind, self._tenant, item.id, found.version + 1 if found else 1, decided.state)
        known[item.id] = new
        self._would_be[item.id] = (new.version, encode(decided.state))
        self._would_be.move_to_end(item.id)
        if len(self._would_be) > _REHEARSED:
            self._would_be.popitem(last=False)
        return Outcome(new, changed=True)

    async def _lost(self, items: Sequence[Item], outcomes: Sequence[Outcome]) -> set[str]:
        """Suppliers that the store would refuse, for another one has one of their references."""
        wanted = {
            ref_key(ref.system, ref.number): item.id
            for item, outcome in zip(items, outcomes, strict=True)
            if outcome.changed and outcome.document
            for ref in outcome.document.state.profile.external_refs
        }
        owners = await self._ctx.store.resolve(SUPPLIERS.kind, self._tenant, "external_ref", list(wanted))
        return {wanted[key] for key, owner in owners.items() if owner != wanted[key]}
