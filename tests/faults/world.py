"""A whole system in one thread: processes whose coroutines a seeded scheduler steps one at a time, and kills between any two steps.

Nothing here runs by itself. A coroutine runs until its next await on the store or the bus (see memory.py); then anybody may be next. So
races, delays, redelivery and crashes come in every order, and the same seed gives the same order."""

import asyncio
import dataclasses
import hashlib
import random
import types
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

from services.assessment.decisions.service import SERVICE as GATE
from services.assessment.reactions import Assessor
from services.assessment.service import SERVICE as ASSESSMENT
from services.audits.service import SERVICE as AUDITS
from services.hotspots.service import SERVICE as HOTSPOTS
from services.intelligence.releases.loading import Loader
from services.intelligence.releases.model import ENTRY, MARKER, RELEASE
from services.onboarding.service import SERVICE as ONBOARDING
from services.partners.service import SERVICE as PARTNERS
from services.remediation.service import SERVICE as REMEDIATION
from services.screening.service import SERVICE as SCREENING
from shared.clock import FakeClock
from shared.errors import Unavailable
from shared.kernel.aggregate import Outcome
from shared.kernel.kernel import Kernel
from shared.kernel.reactor import Reaction, Reactor
from shared.kernel.service import Context, Service, Task
from shared.kernel.waker import Waker
from shared.security.sealing import FileMasterKey, Sealer
from shared.settings import Settings
from tests.faults.at_once import AtOnce
from tests.faults.memory import Memory, MemoryStore
from tests.faults.memory_bus import MemoryBus

INTELLIGENCE = Service(
    "intelligence", aggregates=(RELEASE, MARKER, ENTRY), tasks=lambda ctx: [Task("releases", "bulk", Loader(ctx).run)]
)  # its lists; the workload adds a stand-in for findings
SERVICES = (ONBOARDING, INTELLIGENCE, SCREENING, HOTSPOTS, ASSESSMENT, GATE, AUDITS, REMEDIATION, PARTNERS)
PARTITIONS = 4
TEARABLE = frozenset(s.name for s in SERVICES)
_NOT_RUN = ("webhooks", "gate policies")  # the sender asks the network; the gate's policies wait by the wall clock
_MOST_STEPS = 300_000
_IDLE = object()


@types.coroutine
def idle() -> Generator[object, None, None]:
    """Until something in the system has moved."""
    yield _IDLE


SHARED = ("screening", "assessment")  # services of which several processes run


@dataclasses.dataclass(frozen=True)
class Chaos:
    """How much goes wrong: chances at each step, or at each event published."""

    crash: float = 0.001
    crash_within: float = 0.006  # in the middle of a commit, a publication, a commit of offsets
    freeze: float = 0.02  # a coroutine is not heard of for a while: a thread that waits for the processor, a slow disk
    rebalance: float = 0.004  # a consumer goes back to what was committed, or the partitions of a group are dealt out anew
    twice: float = 0.03  # an event is published two times
    unheard: float = 0.2  # a caller does not hear the answer
    torn: frozenset[str] = TEARABLE  # services whose commits a crash may cut in the middle
    workers: int = 2  # processes that share the partitions of screening, of assessment
    together: bool = False  # as in the embedded runtime: commit, publication and offsets are one step


EMBEDDED = Chaos(together=True, twice=0, workers=1)
CALM = Chaos(crash=0, crash_within=0, freeze=0, rebalance=0, twice=0, unheard=0, torn=frozenset(), workers=1)


class Ids:
    """See shared.ids.Ids: counted."""

    def __init__(self) -> None:
        self._next = 0

    def new(self, prefix: str) -> str:
        self._next += 1
        return f"{prefix}_{self._next:026}"

    def salt(self) -> bytes:
        self._next += 1
        return hashlib.sha256(b"%d" % self._next).digest()[:16]


class _Waits:
    async def wait(self, _seconds: float, _breath_s: float = 0.0) -> None:
        await idle()


class Actor:
    """One coroutine of a process."""

    def __init__(self, name: str, work: Coroutine[Any, Any, Any]) -> None:
        self.name, self.work = name, work
        self.seen = -1  # what had moved when it went idle
        self.frozen = 0  # up to which step

    async def step(self, memory: Memory) -> bool:
        """Up to its next await; False where it has ended. What it awaits of the real event loop (a thread) is waited for."""
        moves = memory.moves
        try:
            waits = self.work.send(None)
        except StopIteration:
            return False
        if asyncio.isfuture(waits):
            await asyncio.wait([waits])
        self.seen = moves if waits is _IDLE else -1
        return True


class Process:
    """Some of a service's work over the shared memory; a crash loses all that it holds itself."""

    def __init__(self, world: "World", service: Service, copy: int = 0) -> None:
        self.world, self.service, self.copy = world, service, copy
        self.context: Context
        self.reactors: list[Reactor] = []
        self.actors: list[Actor] = []
        self.start()

    def start(self) -> None:
        """Begins anew: what a crash left unpublished comes first."""
        w, name = self.world, self.service.name
        again = (lambda: w.rng.random() < w.chaos.twice) if w.chaos.twice else (lambda: False)
        bus = MemoryBus(w.memory, name, again)
        stores = {s.name: MemoryStore(w.memory, s.name, s.collections(), whole=s.name not in w.chaos.torn) for s in w.services}
        self.context = Context(
            settings=w.settings, kernel=w.kernel(name, stores[name], bus, w.clock, w.ids), store=stores[name], bus=bus, clock=w.clock,
            ids=w.ids, nudged=_Waits, folder=w.folder / name, stores=stores, sealer=w.sealer, networks=(),
        )  # fmt: skip
        self.context.folder.mkdir(exist_ok=True)
        self.bus = bus
        if self.service.own:
            self.context = dataclasses.replace(self.context, own=self.service.own(self.context))
            if isinstance(self.context.own, Assessor):
                self.context.own.under_way_s = 0.0  # steps are time enough
        self.reactors = []
        self.actors = [Actor(f"{name} begins", self._begin())]

    async def _begin(self) -> None:
        await self.bus.recover()
        for reaction in self.service.reactions(self.context):
            self.spawn(f"reaction {reaction.group}", self._react(reaction))
        self.spawn("waker", self._wake(Waker(self.context.kernel, self.service.aggregates)))
        for task in self.service.tasks(self.context):
            if task.name not in _NOT_RUN and (task.each or not self.copy):
                self.spawn(task.name, _run(task))

    async def _react(self, reaction: Reaction) -> None:
        reactor = Reactor(self.context.kernel, dataclasses.replace(reaction, back_off_s=0.0))
        await reactor.start()
        self.reactors.append(reactor)
        while True:
            try:
                if not await reactor.step(0):
                    await idle()
            except Unavailable:
                assert reactor.consumer
                await reactor.consumer.rewind()

    async def _wake(self, waker: Waker) -> None:
        while True:
            if not await waker.step():
                await idle()

    def spawn(self, name: str, work: Coroutine[Any, Any, Any]) -> None:
        """One more coroutine."""
        self.actors.append(Actor(name, work))

    def stop(self) -> None:
        """All its coroutines end where they stand."""
        for actor in self.actors:
            actor.work.close()
        self.actors = []
        self.bus.leave()


class World:
    """Everything, with the scheduler. `kernel` may be a broken one, to see that this is noticed."""

    def __init__(
        self, folder: Path, seed: int, chaos: Chaos, *, services: Sequence[Service] = SERVICES, kernel: type[Kernel] = Kernel
    ) -> None:
        asyncio.get_running_loop().set_default_executor(AtOnce(1))
        self.rng, self.chaos, self.services, self.kernel = random.Random(seed), chaos, services, kernel
        self.memory = Memory(PARTITIONS, None if chaos == CALM else self.rng, together=chaos.together)
        self.clock, self.ids = FakeClock(), Ids()
        self.folder, self.settings = folder, Settings.read({}, data=folder, partitions=PARTITIONS)
        self.sealer = Sealer(FileMasterKey(folder / "master-key"))
        self.crashes: Counter[str] = Counter()
        self.steps = 0
        self.answered: set[tuple[str, str]] = set()  # service, cause
        self.processes: list[Process] = []
        for service in services:
            self.processes += [Process(self, service, copy) for copy in range(chaos.workers if service.name in SHARED else 1)]

    def process(self, service: str) -> Process:
        """The (first) process of a service."""
        return next(p for p in self.processes if p.service.name == service)

    def stores(self) -> Mapping[str, MemoryStore]:
        """Every service's store."""
        return {p.service.name: p.context.store for p in self.processes}  # type: ignore[misc]  # ours are in memory

    async def settle(self, commands: "Sequence[Command]" = ()) -> None:
        """Gives the commands to their services and runs until nothing is left to do."""
        waiting = list(commands)
        running: dict[Command, Actor] = {}
        while True:
            for command in [c for c in waiting if c not in running and (not running or self.rng.random() < 0.2)]:
                process = self.process(command.service)
                actor = Actor(command.name, command.run(process.context))
                process.actors.append(actor)
                running[command] = actor
            ready = [(p, a) for p in self.processes for a in p.actors if a.seen < self.memory.moves]
            if not ready and not waiting:
                return
            self.steps += 1
            if self.steps > _MOST_STEPS:
                raise AssertionError(f"no rest after {_MOST_STEPS} steps; at work: {Counter(a.name for _, a in ready)}")
            if ready:
                process, actor = self.rng.choice([one for one in ready if one[1].frozen < self.steps] or ready)
                self.memory.at = ""
                if not await actor.step(self.memory):
                    process.actors.remove(actor)
                if self.chaos.freeze and self.rng.random() < self.chaos.freeze:
                    actor.frozen = self.steps + self.rng.randint(1, 400)
                await self._mischief(process)
            for command, actor in list(running.items()):
                if command.heard:
                    del running[command]
                    self.answered.add((command.service, command.cause))
                    command.heard = self.rng.random() >= self.chaos.unheard
                    if command.heard:
                        waiting.remove(command)
                elif not any(actor in p.actors for p in self.processes):  # its process died: the caller heard nothing and asks again
                    del running[command]

    async def _mischief(self, process: Process) -> None:
        """Perhaps the process that was just at work dies there, perhaps a consumer of any goes back to what was committed."""
        chance = self.chaos.crash_within if self.memory.at else self.chaos.crash
        if chance and self.rng.random() < chance:
            self.crashes[f"{process.service.name} {self.memory.at or 'elsewhere'}"] += 1
            process.stop()
            process.start()
        if self.chaos.rebalance and self.rng.random() < self.chaos.rebalance:
            reactors = [r for p in self.processes for r in p.reactors]
            if reactors and (one := self.rng.choice(reactors)).consumer and self.rng.random() < 0.5:
                await one.consumer.rewind()
                self.memory.moved()
            elif reactors and not self.memory.together:
                self.memory.deal(one.reaction.group)

    async def restart(self) -> None:
        """Every process begins anew, and every group reads everything again from the beginning."""
        if self.rng.random() < 0.5:  # or only what the broker knows of them is lost
            for database in self.memory.databases.values():
                database.positions = {name: at for name, at in database.positions.items() if name.startswith("policy/")}
        self.memory.offsets.clear()
        for process in self.processes:
            process.stop()
            process.start()
        await self.settle()

    def close(self) -> None:
        for process in self.processes:
            process.stop()


class Command:
    """What a caller asks of a service until it hears the answer: else again, with the same key. `cause`: the id that its effect bears."""

    def __init__(self, service: str, name: str, cause: str, do: Callable[[Context], Awaitable[Outcome]]) -> None:
        self.service, self.name, self.cause, self._do = service, name, cause, do
        self.answer: bytes | None = None
        self.heard = False

    async def run(self, ctx: Context) -> None:
        """Asks once."""
        answer = (await self._do(ctx)).answer
        if self.answer is not None and answer != self.answer:
            raise AssertionError(f"{self.name} was answered otherwise at first")
        self.answer = answer
        self.heard = True


async def _run(task: Task) -> None:
    await task.run()
