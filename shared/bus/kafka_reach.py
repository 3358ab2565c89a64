"""What all clients of the broker share: a limit on how long they wait, errors that say whether trying again helps, pauses between tries."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Generic, TypeVar

from aiokafka.errors import ConsumerStoppedError, KafkaError

from shared.errors import Unavailable

_LONGEST_PAUSE_S = 5.0
_T = TypeVar("_T")


@asynccontextmanager
async def reaching(seconds: float, what: str) -> AsyncIterator[None]:
    """For so long at most; what the client raises becomes Unavailable, for aiokafka itself goes on trying as long as it may."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        raise Unavailable(f"Kafka did not {what} within {seconds:g} s") from error
    except (KafkaError, ConsumerStoppedError, OSError, AssertionError) as error:  # aiokafka asserts what its metadata does not bear out
        raise Unavailable(f"Kafka could not {what}: {type(error).__name__}") from error


class Pauses:
    """Between one try to connect and the next: longer after every failure, up to 5 s."""

    def __init__(self) -> None:
        self._failures, self._until = 0, 0.0

    def failed(self) -> None:
        """The next try waits."""
        self._failures += 1
        pause = min(_LONGEST_PAUSE_S, 0.05 * 2.0**self._failures)
        self._until = asyncio.get_running_loop().time() + pause

    def succeeded(self) -> None:
        """The next try, should there be one, does not wait."""
        self._failures, self._until = 0, 0.0

    async def wait(self) -> None:
        """Until the next try may be."""
        left = self._until - asyncio.get_running_loop().time()
        if left > 0:
            await asyncio.sleep(left)


class Making(Generic[_T]):
    """Makes something in a task of its own, one at a time. Whoever waits for it may be cancelled without breaking it off, which would
    leave open what aiokafka had opened until then."""

    def __init__(self, make: Callable[[], Coroutine[Any, Any, _T]]) -> None:
        self._make = make
        self._task: asyncio.Task[_T] | None = None

    async def get(self) -> _T:
        """What is made, or what its making raised."""
        if self._task is None:
            self._task = asyncio.create_task(self._make())
            self._task.add_done_callback(self._made)
        return await asyncio.shield(self._task)

    def _made(self, task: asyncio.Task[_T]) -> None:
        self._task = None
        if not task.cancelled():
            task.exception()  # should nobody wait for it any more

    async def stop(self) -> None:
        """Breaks it off."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
