"""What the gate is asked, read strictly: a typed decoder, and faults told by field without repeating the input."""

import msgspec

from shared.errors import Invalid, Malformed
from shared.events.ratings import Effect

MOST = 500


class _Ref(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    system: str
    number: str


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """May we do `effect` with a supplier, named by our id or by its number in a procurement system?"""

    effect: Effect = "purchase_order"
    supplier_ref: _Ref | None = None
    supplier_id: str | None = None


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One question, or several as `items`."""

    effect: Effect = "purchase_order"
    supplier_ref: _Ref | None = None
    supplier_id: str | None = None
    items: list[Question] | None = None


_ask = msgspec.json.Decoder(Asked)


def read(body: bytes) -> tuple[list[Question], bool]:
    """The questions of a call, and whether they came as `items`. Malformed where it is no JSON; Invalid, naming the field."""
    try:
        asked = _ask.decode(body)
    except msgspec.ValidationError as error:
        raise _misshapen(str(error)) from None
    except (msgspec.DecodeError, RecursionError):
        raise Malformed("The body is not JSON") from None
    questions = _questions(asked)
    for question in questions:
        _check(question)
    return questions, asked.items is not None


def _questions(asked: Asked) -> list[Question]:
    if asked.items is None:
        return [Question(asked.effect, asked.supplier_ref, asked.supplier_id)]
    if asked.supplier_ref or asked.supplier_id:
        raise _invalid("items", "either one question or `items`, not both")
    if not 1 <= len(asked.items) <= MOST:
        raise _invalid("items", f"1 to {MOST} questions a call")
    return asked.items


def _invalid(field: str, message: str) -> Invalid:
    return Invalid("Not a question for the gate", errors=[{"field": field, "message": message}])


def _check(q: Question) -> None:
    if (q.supplier_ref is None) == (q.supplier_id is None):
        raise _invalid("supplier_ref", "give either supplier_ref or supplier_id")
    texts = (q.supplier_ref.system, q.supplier_ref.number) if q.supplier_ref else (q.supplier_id or "",)
    if any(not text or len(text) > 200 for text in texts):
        raise _invalid("supplier_ref" if q.supplier_ref else "supplier_id", "1 to 200 characters")


def _misshapen(error: str) -> Invalid:
    """Where msgspec found the fault, as far as that repeats no input (field names that are ours), and what belongs there."""
    _, _, path = error.rpartition(" - at `")
    known = [part for part in path.strip("`$").replace("[", ".[").split(".") if part in _WANTED] or ["body"]
    return _invalid(".".join(known), _WANTED[known[-1]])


_QUESTION = "effect, and either supplier_ref or supplier_id; no other field"
_WANTED = {
    "body": f"an object with {_QUESTION}; or with items alone",
    "items": f"a list of objects with {_QUESTION}",
    "effect": "one of purchase_order, new_site and payment",
    "supplier_ref": "an object with system and number; no other field",
    "supplier_id": "a text",
    "system": "a text",
    "number": "a text",
}
