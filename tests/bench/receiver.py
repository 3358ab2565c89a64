"""A subscriber that answers 204 and counts; when all wanted have come, or on SIGTERM, it prints how many came, and in how many seconds."""

import asyncio
import json
import signal
import sys
import time
from typing import Any

import uvloop

came: list[float] = []
enough = asyncio.Event()


class Subscriber(asyncio.Protocol):
    """One connection."""

    wanted = 0

    def connection_made(self, transport: Any) -> None:
        self._transport, self._buffer = transport, b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while True:
            head, found, body = self._buffer.partition(b"\r\n\r\n")
            low = head.lower()
            at = low.find(b"content-length:")
            if not found or at < 0 or len(body) < (length := int(low[at + 15 :].split(b"\r\n", 1)[0])):
                return
            self._buffer = body[length:]
            came.append(time.perf_counter())
            self._transport.write(b"HTTP/1.1 204 No Content\r\n\r\n")
            if len(came) >= self.wanted:
                enough.set()


async def main(port: int, wanted: int) -> None:
    """Until all have come, or told to end."""
    Subscriber.wanted = wanted
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, enough.set)
    await asyncio.get_running_loop().create_server(Subscriber, "127.0.0.1", port)
    print("listening", file=sys.stderr, flush=True)
    await enough.wait()
    await asyncio.sleep(0.2)  # the last answers are on their way
    print(json.dumps({"n": len(came), "seconds": came[-1] - came[0] if len(came) > 1 else 0.0}))


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), int(sys.argv[2])))
