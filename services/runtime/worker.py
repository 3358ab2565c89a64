"""A process beside the front: `python -m services.runtime.worker NAME`, settings in its environment, its parent at the other end of stdin.

It says `ready` once its indexes are rebuilt, and ends when its parent does, however that ends.
"""

import asyncio
import contextlib
import gc
import os
import signal
import sys
from collections.abc import AsyncIterator

import uvloop

from services.runtime.housekeeping import keep_house
from services.runtime.logs import set_up_logging
from services.runtime.metrics import measure, tell
from services.runtime.node import Node, tune
from services.runtime.processes import WORKERS, Process, load
from services.runtime.signing import HeadSigner
from shared.settings import Settings
from shared.telemetry import tracing
from shared.telemetry.metrics import READY


async def work(process: Process, settings: Settings) -> None:
    """Runs until told to end."""
    node = Node(settings, load(process.services), process.name)
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, over.set)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the front ends us when it has ended
    loop.add_reader(sys.stdin.fileno(), _parent_gone, over)
    try:
        async with _running(node, process):
            gc.collect()
            READY.set(1)
            gc.freeze()  # what was rebuilt stays: no collection needs to look at it again
            with contextlib.suppress(BrokenPipeError):  # the parent is gone already: `over` will be set
                print("ready", flush=True)  # noqa: T201  # the parent reads it
            await over.wait()
    finally:
        await node.close()


def _parent_gone(over: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 1024):
        over.set()


@contextlib.asynccontextmanager
async def _running(node: Node, process: Process) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as group:
        tasks = await node.start(group, process.services, process.roles)
        tasks.append(group.create_task(tell(node, process.name), name="metrics"))
        if "reactions" in process.roles:
            tasks.append(group.create_task(measure([node.stores[name] for name in process.services]), name="measures"))
        if process.keeps_house:
            tasks.append(group.create_task(keep_house(node, HeadSigner(node.settings.data / "keys")), name="housekeeping"))
        inner = None
        if process.inner_api:
            from services.runtime.front import inner_app, server  # the others need no HTTP server

            inner = server(inner_app(node, process.inner_api), uds=node.nudges.address(f"{process.name}.http"))
            serving = group.create_task(inner.serve(), name="inner api")
            while not inner.started and not serving.done():  # noqa: ASYNC110  # uvicorn tells it by a flag only
                await asyncio.sleep(0.01)
        yield
        if inner is not None:
            inner.should_exit = True
        for task in tasks:
            task.cancel()


def main() -> None:
    """The entry point."""
    process = next(p for p in WORKERS if p.name == sys.argv[1])
    settings = Settings.read()
    set_up_logging(process.name)
    tracing.set_up(process.name)
    tune()
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(work(process, settings))
    tracing.end()


if __name__ == "__main__":
    main()
