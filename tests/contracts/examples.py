"""An event of any type, made from its declaration: every field filled, or none that need not be."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import inspect as types

_PLAIN: dict[type[types.Type], Any] = {
    types.StrType: "Ørsted & Söhne 株式会社",
    types.IntType: 7,
    types.FloatType: 0.5,
    types.BoolType: True,
    types.NoneType: None,
    types.DateTimeType: datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    types.DateType: date(2026, 1, 2),
    types.DecimalType: Decimal("12.50"),
    types.RawType: msgspec.Raw(b'{"any": "thing"}'),
    types.AnyType: {"any": "thing"},
    types.BytesType: b"\x00\xff",
}


def example(kind: type[Any], *, full: bool) -> Any:
    """One instance. `full`: with every optional field, too, and of each union its richest alternative."""
    return _made(types.type_info(kind), full)


def _made(of: types.Type, full: bool) -> Any:
    if isinstance(of, types.StructType):
        wanted = [field for field in of.fields if full or field.required]
        return of.cls(**{field.name: _made(field.type, full) for field in wanted})
    if isinstance(of, types.UnionType):
        return _made(of.types[-1] if isinstance(of.types[0], types.NoneType) or not full else of.types[0], full)
    if isinstance(of, types.LiteralType):
        return of.values[-1 if full else 0]
    if isinstance(of, types.VarTupleType):
        return (_made(of.item_type, full),) if full else ()
    if isinstance(of, types.TupleType):
        return tuple(_made(item, full) for item in of.item_types)
    if isinstance(of, types.ListType):
        return [_made(of.item_type, full)] if full else []
    if isinstance(of, types.DictType):
        return {_made(of.key_type, full): _made(of.value_type, full)} if full else {}
    return _PLAIN[type(of)]
