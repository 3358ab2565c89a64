"""Figures of the gate: decisions a second and core, alone, in batches, and while an import or a sweep runs; beside a trivial ASGI answer."""

import contextlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx

from tests.bench import data
from tests.bench.figures import cpu_s, percentile, show
from tests.bench.outside import load_list, question, start_import, until_known, wait
from tests.bench.runtimes import Measured
from tests.system.running import System, free_port

_CONNECTIONS = 32
_SECONDS = 4.0
ADDED = 20_000  # suppliers imported while the gate is asked


def _asked(token: str, bodies: list[Any]) -> str:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    return json.dumps([["POST", "/v1/decisions", headers, json.dumps(body)] for body in bodies])


def load(port: int, requests: str, *, seconds: float = _SECONDS, connections: int = _CONNECTIONS, rate: float = 0.0) -> dict[str, float]:
    """Runs the load generator in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.load", str(port), str(seconds), str(connections), str(rate)]
    done = subprocess.run(command, input=requests, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    assert not found["failed"], found
    return found


@contextlib.contextmanager
def _meanwhile(port: int, requests: str, rate: float) -> Iterator[dict[str, float]]:
    """A load for as long as the block lasts; afterwards what it measured stands in what is yielded."""
    command = [sys.executable, "-m", "tests.bench.load", str(port), "900", str(_CONNECTIONS), str(rate)]
    pipe, found = subprocess.PIPE, dict[str, float]()
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
    assert process.stdin and process.stdout and process.stderr  # noqa: PT018
    try:
        process.stdin.write(requests)
        process.stdin.close()
        assert process.stderr.readline() == "begun\n"
        yield found
        process.terminate()
        found.update(json.loads(process.stdout.read()))
    finally:
        process.kill()
        process.wait()
    assert not found["failed"], found


def _loads(spent: Callable[[], float], port: int, requests: str, times: int = 3) -> tuple[float, float]:
    """Answers a second, and answers a processor second of those who answer, of which `spent` says how many went; medians."""
    rates, per_core = [], []
    for _ in range(times):
        before = spent()
        found = load(port, requests)
        rates.append(found["per_s"])
        per_core.append(found["n"] / max(0.01, spent() - before))
    return percentile(rates, 0.5), percentile(per_core, 0.5)


def run(found: Measured, token: str, n: int) -> None:
    """Single decisions, half load, batches, and the trivial answer of the same minute."""
    port = int(found.system.url.rpartition(":")[2])
    singles = _asked(token, [question(f"M{i * 7919 % n}") for i in range(2000)])
    with _trivial() as (pid, trivial_port):
        trivial, trivial_core = _loads(lambda: cpu_s(pid), trivial_port, singles)
    rate, per_core = _loads(found.gate_cpu_s, port, singles)
    show(
        "trivial_asgi_per_s",
        trivial,
        "1/s",
        3,
        f"a bare ASGI answer on uvicorn, httptools, uvloop; {_CONNECTIONS} connections; median of 3",
    )
    show("trivial_asgi_per_s_core", trivial_core, "1/s", 3, "the same, a processor second of the server")
    show("gate_decisions_per_s", rate, "1/s", 3, f"single durable decisions; {rate / trivial:.2f} of the trivial answer's; median of 3")
    show(
        "gate_decisions_per_s_core",
        per_core,
        "1/s",
        3,
        f"a processor second of {' and '.join(found.answering)}; {per_core / trivial_core:.2f} of the trivial answer's",
    )
    half = load(port, singles, rate=rate / 2)
    show("gate_p99_ms", half["p99_ms"], "ms", int(half["n"]), f"at half load, {rate / 2:.0f}/s by the clock; p50 {half['p50_ms']:.2f}")
    batches = _asked(token, [{"items": [question(f"M{(i * 500 + k) * 31 % n}") for k in range(500)]} for i in range(40)])
    rates = [load(port, batches, connections=4)["per_s"] * 500 for _ in range(3)]
    show("gate_batch_decisions_per_s", percentile(rates, 0.5), "1/s", 3, "batches of 500, 4 connections; median of 3")


def beside(system: System, client: httpx.Client, token: str, n: int, release: bytes) -> None:
    """The gate, asked 100 times a second, while an import runs, and then the sweep of a whole release."""
    port = int(system.url.rpartition(":")[2])
    singles = _asked(token, [question(f"M{i * 7919 % n}") for i in range(2000)])
    csv = data.as_csv(data.suppliers(ADDED, "D", 5))
    with _meanwhile(port, singles, 100) as during:
        wait(client, f"/v1/supplier-imports/{start_import(client, csv)}", ("running",))
    note = f"{_CONNECTIONS} connections, 100/s by the clock, while {ADDED} suppliers are imported"
    _beside("gate_p99_during_import_ms", during, note)
    until_known(client, [f"D{i}" for i in range(ADDED)])
    with _meanwhile(port, singles, 100) as during:
        load_list(client, release)
    note = f"{_CONNECTIONS} connections, 100/s by the clock, while a release with {ADDED // 10} new entries is loaded and swept"
    _beside("gate_p99_during_sweep_ms", during, note)


def _beside(figure: str, during: dict[str, float], note: str) -> None:
    show(figure, during["p99_ms"], "ms", int(during["n"]), f"{note} ({during['seconds']:.1f} s); p50 {during['p50_ms']:.2f}")


_TRIVIAL = """
import uvicorn
async def app(scope, receive, send):
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json"), (b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"{}"})
uvicorn.run(app, port=PORT, loop="uvloop", http="httptools", lifespan="off", access_log=False, log_level="error")
"""


@contextlib.contextmanager
def _trivial() -> Iterator[tuple[int, int]]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", _TRIVIAL.replace("PORT", str(port))])
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        yield process.pid, port
    finally:
        process.terminate()
        process.wait(10)
