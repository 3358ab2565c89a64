"""Where the time goes: one hot loop in this process, timed by itself, then once more under cProfile, whose first lines are printed.

cProfile makes calls dear and sees the event loop's thread only: the µs in the heading are of the run without it, and so is the share
that the other threads (the writers of the files) had.
"""

import asyncio
import cProfile
import gc
import json
import pstats
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import uvloop

from services.intelligence.releases.loading import Loader
from services.onboarding.imports import running
from services.onboarding.imports.running import Importer
from services.runtime.front import front
from services.runtime.node import Node, tune
from services.runtime.processes import WORKERS
from services.runtime.services import SERVICES
from shared.kernel.reactor import Reactor
from shared.security.roles import Principal, Role
from shared.security.tokens import LocalIssuer
from shared.settings import Settings
from tests.bench import data
from tests.bench.outside import LIST, STAFF, question
from tests.system.lists import zipped

_LINES = 25
Work = Callable[[], Awaitable[int]]  # does some of it; how many that were


class Stage:
    """All services in one process, moved by hand."""

    def __init__(self, folder: Path) -> None:
        self.node = Node(Settings.read({}, data=folder), SERVICES, "profile")
        tokens = LocalIssuer(folder / "keys")
        self.token = tokens.mint(Principal(subject="bench", tenant="default", roles=frozenset(Role(r) for r in STAFF)), 3600)
        self.app = front(self.node, tokens, list)
        self.importer = Importer(self.node.contexts["onboarding"])
        self._reactors: dict[str, list[Reactor]] = {}

    async def _post(self, path: str, body: bytes, kind: str) -> None:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": kind}
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=self.app), base_url="http://bench", timeout=60) as client:
            (await client.post(path, content=body, headers=headers)).raise_for_status()

    async def reactors(self, process: str) -> list[Reactor]:
        """Those of one of the runtime's processes, started."""
        if process not in self._reactors:
            services = next(worker.services for worker in WORKERS if worker.name == process)
            self._reactors[process] = self.node.reactors(services)
            for reactor in self._reactors[process]:
                await reactor.start()
        return self._reactors[process]

    async def react(self, process: str, most: int | None = None) -> int:
        """Handles what waits there, about `most` events; how many it were."""
        handled, reactors = 0, await self.reactors(process)
        while most is None or handled < most:
            done = sum([await reactor.step(0) for reactor in reactors])
            handled += done
            if not done:
                break
        return handled

    async def list_known(self) -> None:
        """The whole list, in screening's memory."""
        await self._post(f"/v1/lists/{LIST}/releases", zipped(data.official_list()[0]), "application/zip")
        await Loader(self.node.contexts["intelligence"]).step()
        await self.react("screening")
        gc.collect()
        gc.freeze()  # as the workers do

    async def received(self, n: int, prefix: str, seed: int) -> None:
        """An import, not yet worked on."""
        await self._post("/v1/supplier-imports?source_system=S4&mode=apply", data.as_csv(data.suppliers(n, prefix, seed)), "text/csv")

    async def imported(self) -> None:
        """All imports that wait."""
        while await self.importer.step():
            pass

    async def close(self) -> None:
        """Lets go of everything."""
        for reactors in self._reactors.values():
            for reactor in reactors:
                assert reactor.consumer
                await reactor.consumer.close()
        await self.node.close()

    async def ask(self, body: bytes) -> None:
        """One call of the gate as the server makes it, without the server."""
        headers = [(b"authorization", f"Bearer {self.token}".encode()), (b"content-type", b"application/json")]
        headers.append((b"content-length", str(len(body)).encode()))
        path = "/v1/decisions"
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http", "path": path,
            "raw_path": path.encode(), "query_string": b"", "root_path": "", "headers": headers, "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 8080),
        }  # fmt: skip

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            assert message.get("status", 200) == 200

        await self.app(scope, receive, send)


async def _measured(what: str, unit: str, plain: Work, profiled: Work) -> None:
    wall, mine, all_threads = time.perf_counter(), time.thread_time(), time.process_time()
    n = await plain()
    wall, mine, all_threads = time.perf_counter() - wall, time.thread_time() - mine, time.process_time() - all_threads
    per = [round(seconds / n * 1e6) for seconds in (wall, mine, all_threads - mine)]
    print(f"\n{what}: {n} {unit}s, {per[0]} µs each; processor time {per[1]} µs in the loop's thread, {per[2]} µs in others")
    profile = cProfile.Profile()
    profile.enable()
    n = await profiled()
    profile.disable()
    print(f"under cProfile: {n} {unit}s")
    pstats.Stats(profile).strip_dirs().sort_stats("tottime").print_stats(_LINES)


async def _import(stage: Stage, n: int) -> None:
    async def work() -> int:
        assert await stage.importer.step()
        return n

    await stage.received(n, "M", 1)
    await stage.received(n, "D", 5)
    await _measured("import: parse, validate, decide, commit", "row", work, work)


async def _half_by_half(stage: Stage, n: int, process: str, what: str, unit: str) -> None:
    await _measured(what, unit, lambda: stage.react(process, n), lambda: stage.react(process))


async def _screening(stage: Stage, n: int) -> None:
    await stage.list_known()
    await stage.received(2 * n, "M", 1)
    await stage.imported()
    await _half_by_half(stage, n, "screening", "screening of suppliers against the whole list", "supplier")


async def _reactions(stage: Stage, n: int) -> None:
    await stage.list_known()
    await stage.received(2 * n, "M", 1)
    await stage.imported()
    await stage.react("screening")
    await stage.react("reactions", 0)
    await _half_by_half(stage, n, "reactions", "assessment of screened suppliers, and what follows", "event")


async def _gate(stage: Stage, n: int) -> None:
    await stage.list_known()
    await stage.received(2_000, "M", 1)
    await stage.imported()
    await stage.react("screening")
    await stage.react("reactions")

    async def ask(bodies: Sequence[bytes]) -> int:
        for body in bodies:
            await stage.ask(body)
        return len(bodies)

    singles = [json.dumps(question(f"M{i % 2000}")).encode() for i in range(n)]
    batches = [json.dumps({"items": [question(f"M{(i * 37 + k) % 2000}") for k in range(500)]}).encode() for i in range(max(1, n // 100))]
    await ask(singles[:200])
    await _measured("one decision, one after the other", "call", lambda: ask(singles), lambda: ask(singles))
    await _measured("500 decisions a call", "call", lambda: ask(batches), lambda: ask(batches))


PROFILES = {"import": _import, "screening": _screening, "reactions": _reactions, "gate": _gate}


def run(name: str, n: int) -> None:
    """Prints the profile of one hot loop, of `n` rows, suppliers, events or calls."""

    async def whole(folder: str) -> None:
        stage = Stage(Path(folder))
        await PROFILES[name](stage, n)
        await stage.close()

    tune()
    running._FAR_BEHIND = sys.maxsize  # nobody screens while rows are imported here: an import that kept pace would wait for ever
    with tempfile.TemporaryDirectory(prefix="duewatch-bench-") as folder, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(whole(folder))
