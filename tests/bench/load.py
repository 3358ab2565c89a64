"""A load from a process of its own: keep-alive connections that ask one thing after the other, or at a given rate; one JSON object at the end.

`python -m tests.bench.load PORT SECONDS CONNECTIONS RATE` reads a JSON list of [method, path, headers, body] from stdin and asks them in turn.
With RATE 0 each connection asks again as soon as it is answered; else requests begin by the clock and waiting for a connection counts (the
timer's lateness, up to 1 ms, too). SIGTERM ends it early.
"""

import asyncio
import json
import signal
import sys
import time
from itertools import cycle
from typing import Any

import uvloop


class Connection(asyncio.Protocol):
    """One connection; `ask` sends a request and waits for its whole answer."""

    def __init__(self) -> None:
        self.transport: Any = None
        self._buffer = b""
        self._answer: asyncio.Future[int] | None = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer and not self._answer.done():
            self._answer.set_exception(ConnectionError())

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if found:
            low = head.lower()
            at = low.find(b"content-length:")
            length = int(low[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(body) >= length:
                self._buffer = body[length:]
                assert self._answer
                self._answer.set_result(int(head[9:12]))

    async def ask(self, request: bytes) -> int:
        """The answer's status."""
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return await self._answer


def encoded(method: str, path: str, headers: dict[str, str], body: str) -> bytes:
    """A request as bytes."""
    raw = body.encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: bench", f"Content-Length: {len(raw)}", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + raw


async def run(port: int, seconds: float, connections: int, rate: float, requests: list[bytes]) -> dict[str, float]:
    """How many were answered, how many of them not with 200, and how long they took."""
    loop, turn, failed = asyncio.get_running_loop(), cycle(requests), 0
    took: list[float] = []
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for _ in range(connections):
        _, connection = await loop.create_connection(Connection, "127.0.0.1", port)
        free.put_nowait(connection)
    over = False

    def end() -> None:
        nonlocal over
        over = True

    loop.add_signal_handler(signal.SIGTERM, end)
    print("begun", file=sys.stderr, flush=True)  # from here on it can be ended
    began = time.perf_counter()

    async def one(due: float) -> None:
        nonlocal failed
        connection = await free.get()
        status = await connection.ask(next(turn))
        free.put_nowait(connection)
        took.append((time.perf_counter() - due) * 1000)
        failed += status != 200

    async def closed() -> None:
        while not over and time.perf_counter() < began + seconds:
            await one(time.perf_counter())

    if rate:
        asked = []
        for n in range(int(seconds * rate)):
            if over:
                break
            due = began + n / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            asked.append(asyncio.create_task(one(due)))
        await asyncio.gather(*asked)
    else:
        await asyncio.gather(*(closed() for _ in range(connections)))
    lasted = time.perf_counter() - began
    took.sort()
    return {
        "n": len(took), "per_s": len(took) / lasted, "failed": failed, "seconds": lasted,
        "p50_ms": took[len(took) // 2], "p99_ms": took[int(len(took) * 0.99)],
    }  # fmt: skip


if __name__ == "__main__":
    wanted = [encoded(*one) for one in json.load(sys.stdin)]
    port, seconds, connections, rate = sys.argv[1:5]
    print(json.dumps(uvloop.run(run(int(port), float(seconds), int(connections), float(rate), wanted))))
