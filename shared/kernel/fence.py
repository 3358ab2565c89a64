"""Work that one process does at a time must not be written by one that was that process: it is asked before each commit."""

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar

_check: ContextVar[Callable[[], None] | None] = ContextVar("fence", default=None)


@contextlib.contextmanager
def fenced(check: Callable[[], None]) -> Iterator[None]:
    """Whatever is started in here commits only while `check` raises nothing."""
    token = _check.set(check)
    try:
        yield
    finally:
        _check.reset(token)


def may_commit() -> None:
    """Raises what the work's check raises, where it has one."""
    check = _check.get()
    if check is not None:
        check()
