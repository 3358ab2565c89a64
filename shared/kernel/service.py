"""A service's door: what it keeps, how programs come in, how events come in, and the work it does by itself."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from shared.bus.port import Bus
from shared.clock import Clock
from shared.ids import Ids
from shared.kernel.aggregate import Aggregate
from shared.kernel.kernel import Kernel
from shared.kernel.reactor import Reaction
from shared.security.addresses import Networks
from shared.security.sealing import Sealer
from shared.settings import Settings
from shared.store.port import Collection, Field, Store

Role = Literal["api", "reactions", "bulk"]


class Waits(Protocol):
    """Wakes at a nudge; see shared.bus.nudge."""

    async def wait(self, seconds: float, breath_s: float = 0.0) -> None:
        """Until the next commit anywhere in the system, at most so long; not before `breath_s` have passed."""
        ...


@dataclass(frozen=True)
class Context:
    """What a service has at hand in one process."""

    settings: Settings
    kernel: Kernel
    store: Store
    bus: Bus
    clock: Clock
    ids: Ids
    nudged: Callable[[], Waits]  # a waiter of one's own
    folder: Path  # for the files it keeps itself: uploads, results, raw releases
    stores: Mapping[str, Store]  # of all services; only for what a service declares to read
    sealer: Sealer  # for what must not lie readable on disk
    networks: Networks  # private networks that webhooks and downloads may reach all the same
    own: Any = None  # what the service keeps in memory in this process, as its `own` makes it


@dataclass(frozen=True)
class Task:
    """Work that a service does by itself, for ever: imports, releases, deliveries."""

    name: str
    role: Role
    run: Callable[[], Awaitable[None]]
    each: bool = False  # every copy of the service does it; else one at a time, to whom nothing is left in memory from the last time


def _none(_: Context) -> tuple[Any, ...]:
    return ()


@dataclass(frozen=True)
class Service:
    """One service, as the runtimes compose it. `api` gives FastAPI routers."""

    name: str
    aggregates: tuple[Aggregate[Any], ...]
    api: Callable[[Context], Sequence[Any]] = _none
    reactions: Callable[[Context], Sequence[Reaction]] = _none
    tasks: Callable[[Context], Sequence[Task]] = _none
    own: Callable[[Context], Any] | None = None  # made once a process, before all else
    hot: Callable[[Context], Mapping[Any, Any]] = lambda _: {}  # see shared.http.hot: around the framework
    inner_api: Callable[[Context], Sequence[Any]] = _none  # routers that need `own` where the reactions run
    unready: Callable[[Context], Sequence[str]] = _none  # what it does by itself on the distributed runtime and is not ready just now

    def collections(self) -> list[Collection]:
        """What its store must hold."""
        return [
            Collection(a.kind, tuple(Field(i.name, i.many, i.unique, i.ordered) for i in a.indexes), a.erasable) for a in self.aggregates
        ]
