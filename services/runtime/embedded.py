"""`duewatch up`: the front in this process, the workers beside it, all on one folder."""

import asyncio
import contextlib
import fcntl
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import uvloop

from services.assessment.tenant_policies import of_file
from services.hotspots.policy import of_file as hotspot_policy_of
from services.intelligence.fetching.sources import of_file as sources_of
from services.runtime.front import front, server, tokens_of
from services.runtime.logs import set_up_logging
from services.runtime.node import Node, tune
from services.runtime.processes import MODULES, WORKERS, Process, load
from services.runtime.signing import HeadSigner
from shared.errors import Conflict, DuewatchError
from shared.security.addresses import parse_networks
from shared.security.keyfiles import write_private
from shared.security.roles import Principal, Role
from shared.security.tokens import LocalIssuer, Tokens
from shared.settings import Settings
from shared.telemetry import tracing

log = logging.getLogger("duewatch.up")
_TOKEN_TTL_S = 31_536_000
_END_S = 15.0
_LAYOUT = 1  # of the data folder


class Worker:
    """One worker process, started again when it dies."""

    def __init__(self, process: Process, settings: Settings) -> None:
        self.process, self._settings = process, settings
        self.ready = asyncio.Event()
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it; does not wait for it."""
        self.ready.clear()
        self._child = subprocess.Popen(  # noqa: S603  # our own interpreter and module
            [sys.executable, "-m", "services.runtime.worker", self.process.name],
            env=self._settings.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    async def watch(self, ending: Callable[[], bool]) -> None:
        """Notes when it is ready; starts it again when it ends, with a pause that grows while it keeps dying young."""
        pause = 0.2
        while True:
            assert self._child is not None
            assert self._child.stdout is not None
            began = time.monotonic()
            reader = asyncio.StreamReader()
            protocol = asyncio.StreamReaderProtocol(reader)
            transport, _ = await asyncio.get_running_loop().connect_read_pipe(partial(_same, protocol), self._child.stdout)
            while line := await reader.readline():
                if line.strip() == b"ready":
                    self.ready.set()
            self.ready.clear()
            transport.close()
            code = await asyncio.to_thread(self._child.wait)
            if ending():
                return
            log.error("worker %s ended with %s and is started again", self.process.name, code)
            pause = 0.2 if time.monotonic() - began > 30 else min(10.0, pause * 2)
            await asyncio.sleep(pause)
            self.start()

    def stop(self) -> None:
        """Asks it to end."""
        if self._child is not None and self._child.poll() is None:
            self._child.terminate()

    def end(self, seconds: float) -> None:
        """Waits for its end, and ends it where it does not come."""
        if self._child is None:
            return
        try:
            self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        for pipe in (self._child.stdin, self._child.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


def _same(protocol: asyncio.StreamReaderProtocol) -> asyncio.StreamReaderProtocol:
    return protocol


def _lock(data: Path) -> int:
    """One system a folder."""
    data.mkdir(parents=True, exist_ok=True)
    handle = os.open(data / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Conflict("Another Duewatch runs on this data folder; stop it, or choose another with --data") from None
    return handle


def _layout(settings: Settings) -> None:
    """What a folder was made with stays so: another number of partitions would leave events where nobody reads, and keys elsewhere."""
    path = settings.data / "layout.json"
    wanted = {"version": _LAYOUT, "partitions": settings.partitions}
    if not path.exists():
        write_private(path, json.dumps(wanted).encode())
        return
    try:
        found = json.loads(path.read_bytes())
        version, partitions = int(found["version"]), int(found["partitions"])
    except (ValueError, LookupError, TypeError):
        raise Conflict("The file layout.json of the data folder is damaged; restore it from a backup") from None
    if version > _LAYOUT:
        raise Conflict("This data folder was made by a newer Duewatch; start that one")
    if partitions != settings.partitions:
        raise Conflict(f"This data folder was made with {partitions} partitions, and that is for good: set DUEWATCH_PARTITIONS to it")


def _keys_kept(data: Path) -> None:
    """Keys are made before any data: where data are and a key is not, a new one would quietly take its place, and nobody could put the old one back."""
    lost = [name for name in ("master-key", "journal-key") if not (data / "keys" / name).exists()]
    if lost and any(data.glob("*.db")):
        raise Conflict(
            f"The folder keys/ of the data folder lacks {' and '.join(lost)}: restore it from the backup. Without the master-key no sealed report"
            " opens, without the journal-key no signed head verifies; who gives that up for good puts 32 random bytes there"
        )


def admin_token(data: Path, tokens: Tokens) -> Path:
    """The first token, in a file of mode 0600; made anew when the old one is no longer good."""
    path = data / "admin-token"
    with contextlib.suppress(FileNotFoundError, DuewatchError):
        tokens.verify(path.read_text().strip())
        return path
    if isinstance(tokens, LocalIssuer):
        principal = Principal(subject="admin", tenant="default", roles=frozenset({Role.OPERATOR, Role.ADMIN}))
        write_private(path, (tokens.mint(principal, _TOKEN_TTL_S) + "\n").encode())
    return path


async def _serve(settings: Settings, workers: list[Worker], say: Callable[[str], None]) -> None:
    tokens = tokens_of(settings)
    token_path = admin_token(settings.data, tokens)
    HeadSigner(settings.data / "keys")
    if settings.policy:  # before the workers: each would tell of it by a traceback, again and again
        of_file(settings.policy)
    hotspot_policy_of(settings.hotspot_policy)
    sources_of(settings.lists)
    for worker in workers:  # they start while this process still imports its own
        worker.start()
    services = load(MODULES)
    node = Node(settings, services, "front")

    def missing() -> list[str]:
        return [w.process.name for w in workers if not w.ready.is_set()]

    http = server(front(node, tokens, missing), host=settings.host, port=settings.port)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: setattr(http, "should_exit", True))
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(worker.watch(lambda: http.should_exit), name=f"watch {worker.process.name}") for worker in workers]
            tasks += await node.start(group, list(MODULES), ("api",))
            tasks.append(group.create_task(_greet(settings, token_path, workers, say)))
            await http.serve()
            for task in tasks:
                task.cancel()
            for worker in workers:
                worker.stop()
        if not http.started:
            raise Conflict("The address is in use; choose another with --port")
    finally:
        for worker in workers:
            worker.stop()
        end = time.monotonic() + _END_S
        for worker in workers:
            worker.end(max(0.1, end - time.monotonic()))
        await node.close()


async def _greet(settings: Settings, token: Path, workers: list[Worker], say: Callable[[str], None]) -> None:
    for worker in workers:
        await worker.ready.wait()
    base = f"http://{settings.host}:{settings.port}"
    say(f"Duewatch is ready at {base}")
    say(f"  API pages    {base}/docs")
    say(f"  tokens from  {settings.oidc_issuer}" if settings.oidc_issuer else f"  admin token  {token}")
    say("  stop it with Ctrl-C; the next start goes on where this one ended")


def up(settings: Settings, say: Callable[[str], None]) -> None:
    """Runs the whole system until told to end."""
    parse_networks(settings.egress_allow)  # before the workers, which would fail of it again and again
    os.umask(0o077)  # suppliers' owners, reports, keys: nothing here is for the other users of the machine
    handle = _lock(settings.data)
    _layout(settings)
    _keys_kept(settings.data)
    set_up_logging("front")
    tracing.set_up("front")
    tune()
    workers = [Worker(process, settings) for process in WORKERS]
    try:
        uvloop.run(_serve(settings, workers, say))
    except SystemExit:  # uvicorn's way to say that it could not listen
        raise Conflict("The address cannot be listened at; choose another with --host or --port") from None
    finally:
        tracing.end()
        os.close(handle)
