"""Cursor pages: `?limit=` (default 50, at most 500) and `?cursor=`; answers `{"items": [...], "next": "..." | null}`.

A cursor is the sort key of the last item, so a page costs the same wherever it stands and nothing is kept between two.
It gives nobody more than they may see: it only says where in the caller's own items to go on.
"""

import base64
import binascii
from collections.abc import Sequence
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from fastapi import Depends, Query
from pydantic import BaseModel

from shared.errors import Malformed

DEFAULT_LIMIT, MAX_LIMIT = 50, 500
_MAX_CURSOR_CHARS = 1_000

Key = str | int
_decode = msgspec.json.Decoder(list[str | int]).decode

Item = TypeVar("Item")


class Page(BaseModel, Generic[Item]):
    """A page as OpenAPI documents it."""

    items: list[Item]
    next: str | None = None


class PageRequest(msgspec.Struct, frozen=True):
    """What page the caller wants."""

    limit: int = DEFAULT_LIMIT
    cursor: str | None = None

    def after(self, *types: type[Key]) -> tuple[Any, ...] | None:
        """The key after which to go on, of these types (`after(str, int)`); None from the beginning; Malformed if forged."""
        return None if self.cursor is None else read_cursor(self.cursor, *types)


def page(items: Sequence[Any], next_cursor: str | None) -> dict[str, Any]:
    """The answer: `next_cursor` from `cursor_after(key of the last item)`, or None on the last page."""
    return {"items": items, "next": next_cursor}


def cursor_after(*key: Key) -> str:
    """An opaque cursor that goes on after `key`."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).rstrip(b"=").decode()


def read_cursor(cursor: str, *types: type[Key]) -> tuple[Any, ...]:
    """The key in a cursor; Malformed unless it is, to the letter, one that `cursor_after` makes of these types."""
    try:
        key = _decode(base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True))
    except (binascii.Error, ValueError, msgspec.MsgspecError, RecursionError):
        key = []
    right_types = len(key) == len(types) and all(type(part) is kind for part, kind in zip(key, types, strict=True))
    if not key or not right_types or cursor_after(*key) != cursor:
        raise Malformed("The cursor is not one of ours; take it from `next` as it is, or begin without one")
    return tuple(key)


async def _page_request(  # async, or FastAPI would hop to a thread for it
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="items a page")] = DEFAULT_LIMIT,
    cursor: Annotated[str | None, Query(max_length=_MAX_CURSOR_CHARS, description="`next` of the page before")] = None,
) -> PageRequest:
    return PageRequest(limit, cursor)


PageAsked = Annotated[PageRequest, Depends(_page_request)]
