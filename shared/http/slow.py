"""The HTTP protocol with patience that ends: for headers that never do, silent connections, answers nobody reads.

uvicorn limits idle connections between requests only; a client that sends one header line an hour would keep its
connection for good. Use as `uvicorn.Config(..., http=PatientProtocol)`.
"""

import asyncio
from asyncio import TimerHandle

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from shared.http.problems import of_status


class PatientProtocol(HttpToolsProtocol):
    """`header_s` for the header part from its first byte (or the connection), `stall_s` for a peer that stops reading."""

    header_s = 15.0
    stall_s = 60.0
    header_bytes = 65_536

    _header_timer: TimerHandle | None = None
    _stall_timer: TimerHandle | None = None
    _in_headers = True
    _header_read = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own has it
        super().connection_made(transport)
        self._wait_for_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting_for_headers()
        if self._stall_timer is not None:
            self._stall_timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_headers:
            if self._header_timer is None:
                self._wait_for_headers()
            self._header_read += len(data)
        super().data_received(data)
        if self._in_headers and self._header_read > self.header_bytes and not self.transport.is_closing():
            self._refuse(431)

    def on_headers_complete(self) -> None:
        self._in_headers, self._header_read = False, 0
        self._stop_waiting_for_headers()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_headers = True
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        self._refuse(400)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stall_timer = self.loop.call_later(self.stall_s, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._stall_timer is not None:
            self._stall_timer.cancel()
            self._stall_timer = None

    def _wait_for_headers(self) -> None:
        self._header_timer = self.loop.call_later(self.header_s, self._headers_late)

    def _stop_waiting_for_headers(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def _headers_late(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self._wait_for_headers()  # an earlier request of this connection is still being answered
        elif not self.transport.is_closing():
            self.transport.close()

    def _refuse(self, status: int) -> None:
        answer = of_status(status, {"connection": "close"})
        lines = [name + b": " + value + b"\r\n" for name, value in answer.raw_headers]
        self.transport.write(b"".join((STATUS_LINE[status], *lines, b"\r\n", bytes(answer.body))))
        self.transport.close()
