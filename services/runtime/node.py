"""One process: opens stores and buses, builds the services' contexts, runs what the process is there for."""

import asyncio
import dataclasses
import gc
import logging
import resource
import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path

from services.runtime.backends import backend
from services.runtime.lag import LagWatch
from shared.bus.nudge import Nudges, Waiter
from shared.clock import Clock, SystemClock
from shared.ids import Ids, RandomIds
from shared.kernel.kernel import Kernel
from shared.kernel.reactor import Reactor
from shared.kernel.service import Context, Role, Service
from shared.kernel.waker import Waker
from shared.security.addresses import parse_networks
from shared.security.sealing import FileMasterKey, Sealer
from shared.settings import Settings

log = logging.getLogger("duewatch.node")


def tune() -> None:
    """For the whole process. Batches make many objects that live a moment and no circles; the default thresholds would walk all indexes again and again."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a dump would hold keys, and reports as they were read
    gc.set_threshold(50_000, 20, 100)
    sys.setswitchinterval(0.001)  # a thread that writes waits no longer than this for one that computes


class Node:
    """The services of one process over the files in `settings.data`."""

    def __init__(
        self,
        settings: Settings,
        services: Sequence[Service],
        name: str,
        *,
        clock: Clock | None = None,
        ids: Ids | None = None,
    ) -> None:
        data = settings.data
        data.mkdir(parents=True, exist_ok=True)
        self.settings, self.services, self.name = settings, services, name
        self.clock, self.ids = clock or SystemClock(), ids or RandomIds()
        self.nudges = Nudges(data / "run", name)
        self.lag = LagWatch([])
        self.closing: list[Callable[[], Awaitable[None]]] = []
        sealer, networks = Sealer(FileMasterKey(data / "keys" / "master-key")), parse_networks(settings.egress_allow)
        self.backend = backend(settings, self.nudges)
        self.stores = {s.name: self.backend.store(s) for s in services}
        self.buses = {s.name: self.backend.bus(s) for s in services}
        self.contexts = {
            s.name: Context(
                settings=settings,
                kernel=Kernel(s.name, self.stores[s.name], self.buses[s.name], self.clock, self.ids),
                store=self.stores[s.name],
                bus=self.buses[s.name],
                clock=self.clock,
                ids=self.ids,
                nudged=lambda: Waiter(self.nudges),
                folder=_folder(data / s.name),
                stores=self.stores,
                sealer=sealer,
                networks=networks,
            )
            for s in services
        }
        for service in services:
            if service.own:
                context = self.contexts[service.name]
                self.contexts[service.name] = dataclasses.replace(context, own=service.own(context))

    def reactors(self, names: Iterable[str]) -> list[Reactor]:
        """The reactors of these services, not started."""
        chosen = set(names)
        return [
            Reactor(self.contexts[s.name].kernel, reaction)
            for s in self.services
            if s.name in chosen
            for reaction in s.reactions(self.contexts[s.name])
        ]

    def wakers(self, names: Iterable[str]) -> list[Waker]:
        """The wakers of these services."""
        chosen = set(names)
        return [Waker(self.contexts[s.name].kernel, s.aggregates) for s in self.services if s.name in chosen]

    async def start(self, group: asyncio.TaskGroup, names: Iterable[str], roles: Iterable[Role]) -> list[asyncio.Task[None]]:
        """Runs the reactions, alarms and tasks of these services, as far as they belong to these roles, until cancelled.

        Returns once what the reactions keep in memory is rebuilt.
        """
        chosen, wanted = set(names), set(roles)
        tasks: list[asyncio.Task[None]] = []
        if "reactions" in wanted:
            running = self.reactors(chosen)
            for reactor in running:
                await reactor.start()
            tasks += [group.create_task(r.run(), name=f"reactor {r.reaction.group}") for r in running]
            self.lag = LagWatch(running)
            tasks.append(group.create_task(_forever("lag", self.lag.run), name="lag"))
            tasks += [group.create_task(w.run(), name=f"waker {w.kernel.service}") for w in self.wakers(chosen)]
            for service in (s for s in self.services if s.name in chosen):
                if upkeep := self.backend.upkeep(service):
                    tasks.append(group.create_task(_forever(f"{service.name} upkeep", upkeep), name=f"{service.name} upkeep"))
        for service in self.services:
            if service.name in chosen:
                for task in service.tasks(self.contexts[service.name]):
                    if task.role in wanted:
                        run = task.run if task.each else self.backend.alone(service, task)
                        tasks.append(group.create_task(_forever(task.name, run), name=task.name))
        return tasks

    async def close(self) -> None:
        """Finishes what is being written, and what is in `closing`."""
        for closing in self.closing:
            await closing()
        for bus in self.buses.values():
            await bus.close()
        for store in self.stores.values():
            await store.close()
        await self.backend.close()
        self.nudges.close()


async def _forever(name: str, run: Callable[[], Awaitable[None]]) -> None:
    """A task that fails is started again, with a pause: one bad job must not end all work of its kind."""
    while True:
        try:
            await run()
        except Exception:
            log.exception("%s failed and is started again", name)
        await asyncio.sleep(1.0)


def _folder(path: Path) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    return path
