"""A match and its history as the API gives them."""

from typing import Any

import msgspec

from services.screening.consequence import consequence, priority
from services.screening.state import MatchDocument, MatchProposalDecided, MatchProposed, Said
from shared.events.envelope import Meta, decode
from shared.events.matches import Match, MatchEvent
from shared.kernel.aggregate import Document
from shared.kernel.journal import JournalRow


def view(found: Document[MatchDocument]) -> dict[str, Any]:
    """A match as the API gives it."""
    state, match = found.state, found.state.match
    source = match.signal.source
    return {
        "id": found.id,
        "version": found.version,
        "supplier_id": match.supplier_id,
        "state": match.state,
        "score": match.score,
        "strength": match.strength,
        "about": match.about,
        "party": match.party,
        "party_name": match.party_name,
        "signal": {
            "id": match.signal.id, "kind": source.kind, "list": source.list, "uid": source.uid, "release_id": source.release_id,
            "finding_id": source.finding_id, "name": match.signal.name, "schema": match.signal.schema, "programs": source.programs,
            "abuses": match.signal.abuses, "valid_from": match.signal.valid_from, "valid_until": match.signal.valid_until,
            "advancement": match.signal.advancement,
        },
        "why": [msgspec.to_builtins(reason) for reason in match.why],
        "consequence": consequence(match),
        "priority": priority(match, bought=state.bought),
        "reviewed_by": match.reviewed_by or None,
        "agreed_by": match.agreed_by or None,
        "carried_from": match.carried_from or None,
        "reason_code": match.reason_code or None,
        "note": state.note or None,
        "proposal": _said(state.proposal) if state.proposal else None,
        "reviewed_at": state.reviewed_at,
        "opened_at": state.opened_at,
        "updated_at": state.updated_at,
    }  # fmt: skip


def _said(said: Said) -> dict[str, Any]:
    """What one person proposes and another has to decide."""
    return {"outcome": said.outcome, "reason_code": said.reason_code, "note": said.note or None, "by": said.by, "at": said.at}


def happened(row: JournalRow) -> dict[str, Any]:
    """One entry of a match's journal as the API gives it: what happened, when, by whom, and how the pair stood then."""
    meta = msgspec.json.decode(row.meta, type=Meta)
    entry: dict[str, Any] = {"version": row.version, "time": meta.time, "type": row.type, "actor": meta.actor or None}
    told = decode(row.type, row.data) if row.data is not None else None
    if isinstance(told, MatchEvent):
        match = told.match
        entry |= _pair(match) | {"reason_code": match.reason_code or None}
        entry |= {
            "reviewed_by": match.reviewed_by or None,
            "agreed_by": match.agreed_by or None,
            "carried_from": match.carried_from or None,
        }
    match told:
        case MatchProposed():
            entry |= _pair(told.match) | {"proposed": told.outcome, "reason_code": told.reason_code, "note": told.note or None}
        case MatchProposalDecided():
            entry |= _pair(told.match) | {"proposed": told.outcome, "approved": told.approved, "note": told.reason}
    return entry


def _pair(match: Match) -> dict[str, Any]:
    return {"state": match.state, "score": match.score, "strength": match.strength}
