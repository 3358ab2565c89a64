"""The egress guard: which addresses are refused when given, and again when connecting."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Invalid, TooLarge, Unavailable
from shared.security.addresses import is_inside, is_reachable, parse_networks
from shared.security.client import GuardedClient, Outcome
from shared.security.download import Downloader
from shared.security.egress import check_new_url, check_url

NONE = parse_networks("")
LOOPBACK = parse_networks("127.0.0.0/8, ::1/128")

REFUSED = [
    "http://169.254.169.254/latest/meta-data", "http://[::ffff:169.254.169.254]/", "http://[64:ff9b::a9fe:a9fe]/",
    "http://[2002:a9fe:a9fe::1]/", "http://2852039166/", "http://0xa9fea9fe/", "http://10.0.0.1/", "http://[::2]:1/",
    "http://0.0.0.0/", "http://192.168.1.1/", "http://[fe80::1]/", "http://100.64.0.1/", "file:///etc/passwd",
    "gopher://127.0.0.1/", "http://user:pass@127.0.0.1/", "https://user@example.com/", "https://" + "a" * 3000,
    "http://localhost:22/\r\nX: y", "ftp://127.0.0.1/", "https://localhost/", "https://x.LOCALHOST/", "https://",
    "https:///x", "https://127.1.2.3.4/", "https://0251.0376.0251.0376/", "https://169.254.43518/", "https://0x7f.1/",
    "https://1/", "https://example.com:0/", "https://example.com:99999/", "https://example.com:/", "https://a..b/",
    "https://.example.com/", "https://example.com./", "https://-a.com/", "https://" + "a" * 64 + ".com/",
    "https://exa mple.com/", "https://example.com\\@127.0.0.1/", "https://ex%61mple.com/", "https://exämple.com/",
    "https://example.com/\t", "\u0000https://example.com/", "https://[::1", "https://[fe80::1%25eth0]/", "https://[::]/",
    "https://224.0.0.1/", "https://255.255.255.255/", "https://198.18.0.1/", "https://192.0.2.1/", "https://192.0.0.8/",
    "https://[2001:db8::1]/", "https://[2001:0:a9fe:a9fe::1]/", "https://[ff02::1]/", "https://[fc00::1]/",
    "https://[64:ff9b:1::1]/", "https://[::169.254.169.254]/", "https://[2606:4700::5efe:a00:1]/", "https://[fec0::1]/",
    "//example.com/", "example.com", "", "javascript:alert(1)", "HTTPS:example.com", "https://[v1.x]/",
]  # fmt: skip


@pytest.mark.parametrize("url", REFUSED)
def test_refused_when_given(url: str) -> None:
    for allow in (NONE, LOOPBACK):
        with pytest.raises(Invalid) as refused:
            check_url(url, allow)
        assert [error["field"] for error in refused.value.errors] == ["url"]


def test_public_addresses_and_names_by_https() -> None:
    target = check_url("HTTPS://Example.COM:8443/hook?a=b#c", NONE)
    assert (target.scheme, target.host, target.port, target.path) == ("https", "example.com", 8443, "/hook?a=b")
    assert check_url("https://8.8.8.8", NONE).literal == "8.8.8.8"
    assert check_url("https://[2606:4700:4700::1111]/", NONE).literal == "2606:4700:4700::1111"
    assert check_url("https://[64:ff9b::808:808]/", NONE).path == "/"
    assert check_url("https://xn--exmple-cua.com/", NONE).port == 443


def test_allowed_networks_open_only_themselves() -> None:
    for url in ("http://127.0.0.1:9/hook", "https://127.5.0.1/", "http://[::1]:1/", "http://[::ffff:127.0.0.1]/"):
        assert check_url(url, LOOPBACK)
        with pytest.raises(Invalid):
            check_url(url, NONE)
    for url in ("http://8.8.8.8/", "https://10.0.0.1/", "https://[2002:a00:1::]/"):
        with pytest.raises(Invalid):
            check_url(url, LOOPBACK)
    with pytest.raises(Invalid):
        check_url("http://example.com/", NONE)
    assert check_url("http://internal.example/", LOOPBACK).scheme == "http"
    with pytest.raises(Invalid):
        parse_networks("127.0.0.1/8")


@given(st.ip_addresses(v=4))
def test_an_embedded_address_is_judged_like_the_address(inner: IPv4Address) -> None:
    number = int(inner)
    forms = [(0xFFFF << 32) | number, (0x64FF9B << 96) | number, (0x2002 << 112) | (number << 80)]
    for form in map(IPv6Address, forms):
        assert is_reachable(form, NONE) == is_reachable(inner, NONE)
        assert is_inside(form, LOOPBACK) == is_inside(inner, LOOPBACK)


@given(st.text(max_size=60).map("https://{}".format) | st.text(max_size=60))
def test_any_text_is_a_target_or_invalid(url: str) -> None:
    with contextlib.suppress(Invalid):
        assert check_url(url, NONE).scheme == "https"


async def test_a_name_is_judged_by_where_it_leads() -> None:
    def leads_to(*addresses: str) -> Any:
        async def resolve(host: str, port: int) -> list[str]:
            if not addresses:
                raise socket.gaierror("unknown name")
            return list(addresses)

        return resolve

    assert (await check_new_url("https://a.example/", NONE, leads_to("8.8.8.8"))).host == "a.example"
    assert await check_new_url("https://a.example/", NONE, leads_to()), "judged again when it resolves"
    assert await check_new_url("http://a.example/", LOOPBACK, leads_to("127.0.0.1"))
    for scheme, found in (("https", ["8.8.8.8", "10.0.0.1"]), ("https", ["fe80::1%1"]), ("https", ["::1"]), ("http", ["8.8.8.8"])):
        with pytest.raises(Invalid):
            await check_new_url(f"{scheme}://a.example/", parse_networks("127.0.0.0/8"), leads_to(*found))


class Names(AbstractResolver):
    """A resolver whose answers the test sets."""

    def __init__(self, *addresses: str) -> None:
        self.addresses, self.asked = addresses, 0

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
        self.asked += 1
        if not self.addresses:
            raise OSError("unknown name")
        return [{"hostname": host, "host": one, "port": port, "family": socket.AF_INET, "proto": 0, "flags": 0}
                for one in self.addresses]  # fmt: skip

    async def close(self) -> None:
        pass


class Receiver:
    """A web server on the loopback that answers as told, and remembers what it was sent."""

    def __init__(self) -> None:
        self.status, self.headers, self.body, self.delay_s = 204, dict[str, str](), b"", 0.0
        self.got: list[tuple[str, bytes, dict[str, str]]] = []
        self.port, self.chunked = 0, False

    async def answer(self, request: web.Request) -> web.Response:
        self.got.append((request.path_qs, await request.read(), dict(request.headers)))
        await asyncio.sleep(self.delay_s)
        made = web.Response(status=self.status, headers=self.headers, body=self.body)
        if self.chunked:
            made.enable_chunked_encoding()
        return made


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.port = runner.addresses[0][1]
    yield made
    await runner.cleanup()


async def post(url: str, *, allow: str = "127.0.0.0/8", names: Names | None = None, seconds: float = 5) -> Outcome:
    client = GuardedClient(parse_networks(allow), resolver=names or Names())
    try:
        return await client.post(url, {"webhook-id": "1"}, b"{}", seconds=seconds)
    finally:
        await client.close()


async def test_a_post_arrives_as_given(receiver: Receiver) -> None:
    assert await post(f"http://127.0.0.1:{receiver.port}/a%2Fb?c=%20d") == Outcome(204)
    path, body, headers = receiver.got[0]
    assert (path, body, headers["webhook-id"]) == ("/a%2Fb?c=%20d", b"{}", "1")


async def test_redirects_are_answers_and_retry_after_is_read(receiver: Receiver) -> None:
    url = f"http://127.0.0.1:{receiver.port}/"
    receiver.status, receiver.headers = 302, {"Location": "http://169.254.169.254/"}
    assert await post(url) == Outcome(302)
    receiver.status = 429
    for value, seconds in (("7", 7), ("9" * 30, 86_400), ("soon", None), ("Fri, 01 Jan 2100 00:00:00 GMT", 86_400),
                           ("Fri, 01 Jan 1999 00:00:00 GMT", 0), ("-1", None)):  # fmt: skip
        receiver.headers = {"Retry-After": value}
        assert await post(url) == Outcome(429, seconds)
    assert len(receiver.got) == 7


async def test_what_goes_wrong_is_told_as_a_kind(receiver: Receiver) -> None:
    receiver.delay_s = 3.0
    assert await post(f"http://127.0.0.1:{receiver.port}/", seconds=0.1) == Outcome(error="timeout")
    assert await post("http://127.0.0.1:1/") == Outcome(error="connection")
    assert await post("http://10.0.0.1/") == Outcome(error="refused")
    assert await post(f"https://127.0.0.1:{receiver.port}/") == Outcome(error="tls")
    assert await post("https://nowhere.example/") == Outcome(error="dns")


async def test_a_long_answer_is_cut(receiver: Receiver) -> None:
    receiver.status, receiver.body = 200, b"x" * 3_000_000
    assert await post(f"http://127.0.0.1:{receiver.port}/") == Outcome(200)


@pytest.mark.parametrize("status", [200, 410])
async def test_a_status_stands_though_its_body_never_ends_or_is_cut_off(status: int) -> None:
    hold = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 %d X\r\nContent-Length: 1000\r\n\r\nx" % status)
        await writer.drain()
        if asked.startswith(b"POST /slow"):
            await hold.wait()
        writer.transport.abort()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        assert await post(f"http://127.0.0.1:{port}/slow", seconds=0.3) == Outcome(status)
        assert await post(f"http://127.0.0.1:{port}/cut") == Outcome(status)
    finally:
        hold.set()
        server.close()
        await server.wait_closed()


async def test_a_name_is_pinned_to_what_was_judged(receiver: Receiver) -> None:
    url = f"http://hook.example:{receiver.port}/"
    assert await post(url, names=Names("127.0.0.1")) == Outcome(204)
    assert await post(url, names=Names("127.0.0.1", "8.8.8.8")) == Outcome(error="refused"), "plain http outside"
    assert await post("https://hook.example/", names=Names("10.0.0.1")) == Outcome(error="refused")
    assert await post("https://hook.example/", allow="", names=Names("127.0.0.1")) == Outcome(error="refused")
    assert len(receiver.got) == 1


async def test_names_whose_servers_are_silent_hold_up_no_others(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    silence, real = threading.Event(), socket.getaddrinfo

    def looked_up(host: str, *rest: Any, **more: Any) -> Any:
        if host.startswith("silent"):
            silence.wait(20)
            raise socket.gaierror("no answer")
        return real("127.0.0.1", *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    client = GuardedClient(parse_networks("127.0.0.0/8"))
    silent = [asyncio.create_task(client.post(f"https://silent{n}.example/", {}, b"", seconds=5)) for n in range(40)]
    await asyncio.sleep(0.05)
    try:
        assert await client.post(f"http://quick.example:{receiver.port}/", {}, b"", seconds=3) == Outcome(204)
    finally:
        silence.set()
        assert {(await one).error for one in silent} == {"dns"}
        await client.close()


async def test_a_connection_is_used_again(receiver: Receiver) -> None:
    names = Names("127.0.0.1")
    client = GuardedClient(parse_networks("127.0.0.0/8"), resolver=names)
    try:
        for _ in range(5):
            assert (await client.post(f"http://a.example:{receiver.port}/", {}, b"")).status == 204
    finally:
        await client.close()
    assert names.asked == 1


async def get(receiver: Receiver, into: Path, **limits: Any) -> Any:
    client = Downloader(parse_networks("127.0.0.0/8"))
    try:
        url = f"http://127.0.0.1:{receiver.port}/list.zip"
        return await client.get(url, {"If-None-Match": '"1"'}, into=into, **{"limit_bytes": 5_000_000, "seconds": 5, **limits})
    finally:
        await client.close()


async def test_a_download_goes_to_its_file(receiver: Receiver, tmp_path: Path) -> None:
    receiver.status, receiver.body, receiver.headers = 200, b"ab" * 1_500_000, {"ETag": '"2"'}
    got = await get(receiver, tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == receiver.body
    assert (got.size, got.etag, len(got.sha256)) == (3_000_000, '"2"', 64)
    receiver.status, receiver.body = 304, b""
    assert (await get(receiver, tmp_path / "y")).status == 304
    assert not (tmp_path / "y").exists()


async def test_a_download_that_fails_leaves_nothing(receiver: Receiver, tmp_path: Path) -> None:
    receiver.status, receiver.body = 200, b"x" * 100_000
    with pytest.raises(TooLarge):
        await get(receiver, tmp_path / "x", limit_bytes=99_999)
    receiver.chunked = True
    with pytest.raises(TooLarge):
        await get(receiver, tmp_path / "x", limit_bytes=99_999)
    receiver.status = 301
    with pytest.raises(Unavailable):
        await get(receiver, tmp_path / "x")
    receiver.delay_s = 2.0
    with pytest.raises(Unavailable):
        await get(receiver, tmp_path / "x", seconds=0.1)
    assert list(tmp_path.iterdir()) == []


def test_special_ranges_are_never_public() -> None:
    for text in ("0.1.2.3", "100.127.255.255", "192.88.99.1", "240.0.0.1", "100::1", "2001:2::1", "3fff::1", "5f00::1", "4000::1"):
        assert not is_reachable(ip_address(text), NONE)
