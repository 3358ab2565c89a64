"""Limits as clients of a real server meet them: large bodies, slow ones, headers that never end."""

import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from fastapi import Request

from shared.http.application import create_app
from shared.http.auth import PUBLIC
from shared.http.limits import Limits
from shared.http.slow import PatientProtocol


class Impatient(PatientProtocol):
    header_s = 0.6
    stall_s = 0.6


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    limits = Limits(body=1_000_000, by_prefix={"/v1/imports": 30_000_000}, grace_s=0.6, bytes_per_s=1e6, patience_s=1.0, drain_s=1.0)
    app = create_app("Test", "1", None, limits=limits)  # type: ignore[arg-type]  # every route here is public

    @app.post("/v1/echo", dependencies=[PUBLIC])
    async def echo(request: Request) -> dict[str, int]:
        return {"bytes": len(await request.body())}

    @app.post("/v1/imports", dependencies=[PUBLIC])
    async def imports(request: Request) -> dict[str, int]:
        return {"bytes": sum([len(part) async for part in request.stream()])}

    @app.post("/v1/unread", dependencies=[PUBLIC])
    async def unread() -> None:
        return None

    @app.get("/v1/large", dependencies=[PUBLIC])
    async def large() -> str:
        return "x" * 30_000_000

    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, http=Impatient, log_level="critical", lifespan="off", loop="asyncio", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join(10)
    listener.close()


@pytest.fixture
def connection(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as made:
        yield made


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def read_all(connection: socket.socket) -> bytes:
    """Until the server closes."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(65536):
            received += part
    return received


def read_answer(connection: socket.socket) -> bytes:
    """One answer with its body (head and body may come apart); the connection stays open."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536)
    start, _, body = received.partition(b"\r\n\r\n")
    length = int(start.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += connection.recv(65536)
    return start + body


def head(path: str, *lines: str) -> bytes:
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: x", *lines, "", ""]).encode()


def test_bodies_within_their_route_s_limit(port: int) -> None:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for path, size in (("/v1/echo", 1_000_000), ("/v1/imports", 20_000_000), ("/v1/echo", 0)):
        client.request("POST", path, b"x" * size)
        assert json.loads(client.getresponse().read()) == {"bytes": size}
    client.request("POST", "/v1/imports", iter([b"x" * 1_000_000] * 5), encode_chunked=True)
    assert json.loads(client.getresponse().read()) == {"bytes": 5_000_000}
    client.close()


@pytest.mark.parametrize("line", ["Content-Length: 300000000", "Transfer-Encoding: chunked", "Content-Length: 1000001"])
def test_too_large_is_answered_before_the_end_and_can_be_read(connection: socket.socket, line: str) -> None:
    part = b"x" * 900_000
    sent = b"%x\r\n%s\r\n" % (len(part), part) if "chunked" in line else part
    connection.sendall(head("/v1/echo", line) + sent)
    with contextlib.suppress(OSError):
        connection.sendall(sent)
    answer = read_all(connection)
    assert status_of(answer) == 413
    assert b"application/problem+json" in answer
    assert b"connection: close" in answer


def test_a_client_that_asks_first_sends_nothing(connection: socket.socket) -> None:
    began = time.monotonic()
    connection.sendall(head("/v1/echo", "Content-Length: 300000000", "Expect: 100-continue"))
    assert status_of(read_all(connection)) == 413
    assert time.monotonic() - began < 0.8, "nothing to drain"


def test_a_client_that_goes_on_for_ever_is_cut(connection: socket.socket) -> None:
    connection.sendall(head("/v1/echo", "Transfer-Encoding: chunked"))
    sent = 0
    with contextlib.suppress(OSError):
        while sent < 300:
            connection.sendall(b"%x\r\n%s\r\n" % (1_000_000, b"x" * 1_000_000))
            sent += 1
    assert sent < 100, "megabytes until it was cut"


def test_a_large_unread_body_ends_the_connection_a_small_one_does_not(connection: socket.socket) -> None:
    for _ in range(2):
        connection.sendall(head("/v1/unread", "Content-Length: 5") + b"12345")
        assert status_of(read_answer(connection)) == 200
    connection.sendall(head("/v1/unread", "Content-Length: 500000") + b"x" * 500_000)
    answer = read_all(connection)
    assert status_of(answer) == 200
    assert b"connection: close" in answer


def test_a_slow_body_is_408(connection: socket.socket) -> None:
    connection.sendall(head("/v1/echo", "Content-Length: 100") + b"x")
    began = time.monotonic()
    assert status_of(read_all(connection)) == 408
    assert time.monotonic() - began < 2, "and the connection ends"


def test_a_fast_beginning_buys_no_long_silence(connection: socket.socket) -> None:
    connection.sendall(head("/v1/imports", "Content-Length: 20000000") + b"x" * 15_000_000)
    began = time.monotonic()
    assert status_of(read_all(connection)) == 408
    assert time.monotonic() - began < 5, "15 seconds and more, were all of it saved up"


def test_drops_do_not_buy_time(connection: socket.socket) -> None:
    connection.sendall(head("/v1/echo", "Content-Length: 100"))
    began, answer = time.monotonic(), b""
    connection.settimeout(0.1)
    while not answer and time.monotonic() - began < 5:
        with contextlib.suppress(TimeoutError):
            connection.sendall(b"x")
            answer = connection.recv(65536)
    assert status_of(answer) == 408
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("start", [b"", b"POST /v1/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n", b"P", b"\r\n"])
def test_headers_that_never_end(connection: socket.socket, start: bytes) -> None:
    began = time.monotonic()
    connection.sendall(start)
    assert read_all(connection) == b""
    assert 0.3 < time.monotonic() - began < 3


def test_empty_lines_between_requests_do_not_keep_a_connection(connection: socket.socket) -> None:
    connection.sendall(head("/v1/echo", "Content-Length: 1") + b"x")
    assert status_of(read_answer(connection)) == 200
    began = time.monotonic()
    connection.sendall(b"\r\n")
    assert read_all(connection) == b""
    assert time.monotonic() - began < 3


def test_many_slow_clients_hurt_nobody(port: int) -> None:
    with contextlib.ExitStack() as open_ones:
        slow = [open_ones.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(200)]
        for one in slow:
            one.sendall(b"POST /v1/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n")
        client = open_ones.enter_context(contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=2)))
        client.request("POST", "/v1/echo", b"x")
        assert client.getresponse().status == 200
        for one in slow:
            one.settimeout(3)
            assert one.recv(10) == b"", "cut"


def test_endless_headers_and_no_http_are_problems(port: int) -> None:
    for sent, status in ((b"GET / HTTP/1.1\r\n" + b"a: " + b"x" * 200_000, 431), (b"zzmarkerzz\r\n\r\n", 400)):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(sent)
            answer = read_all(connection)
        if answer:  # a reset may have overtaken it
            assert status_of(answer) == status
            assert b"application/problem+json" in answer
            assert b"zzmarkerzz" not in answer
        else:
            assert status == 431


def test_a_client_that_does_not_read_is_cut(connection: socket.socket, port: int) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    connection.sendall(b"GET /v1/large HTTP/1.1\r\nHost: x\r\n\r\n")
    time.sleep(1.5)
    assert len(read_all(connection)) < 30_000_000
