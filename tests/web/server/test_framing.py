"""Where a request ends: whatever two readers could understand differently is refused, and nothing behind it is read."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import re
from typing import Any

import h2.config
import h2.connection
import h2.events
import h2.settings
import pytest

from node.node import Node
from tests.support.parallel import ONE_AT_A_TIME
from tests.web.server.http1_client import Caller, respond, serve_app
from web.app import create_app, refuse_websocket

pytestmark = ONE_AT_A_TIME

BEHIND = b"GET /behind HTTP/1.1\r\nHost: a.test\r\n\r\n"


class Recorder:
    """An app that reads whole requests, and remembers their paths and bodies."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, bytes]] = []
        self.headers: list[dict[bytes, bytes]] = []

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await refuse_websocket(scope, receive, send)
        if scope["type"] != "http":
            return
        self.headers.append(dict(scope["headers"]))
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message["body"]
            if not message["more_body"]:
                self.requests.append((scope["path"], body))
                await respond(send, 200, [], b"ok")
                return


@pytest.fixture
def serving(fast: bool) -> Any:
    return functools.partial(serve_app, fast=fast, h2c=False)


async def exchange(port: int, data: bytes, *, cut: bool = False, size: int = -1) -> bytes:
    """Sends bytes, perhaps in two packets; returns all that comes until the server closes the connection, or
    the first bytes of it."""
    caller = Caller(*await asyncio.open_connection("127.0.0.1", port))
    try:
        if cut:
            caller.send(data[: len(data) // 2])
            await asyncio.sleep(0.02)
            data = data[len(data) // 2 :]
        caller.send(data)
        with contextlib.suppress(ConnectionError):
            return await asyncio.wait_for(caller.reader.read(size), 10)
        return b""
    finally:
        caller.writer.close()


def post(*lines: bytes, body: bytes = b"", version: bytes = b"1.1") -> bytes:
    return b"\r\n".join([b"POST /front HTTP/" + version, b"Host: a.test", *lines, b"", b""]) + body


LENGTH, CHUNKED = b"Content-Length: 4", b"Transfer-Encoding: chunked"
END = b"0\r\n\r\n"
REFUSED = {
    "both lengths": post(LENGTH, CHUNKED, body=END),
    "both lengths, the other order": post(CHUNKED, LENGTH, body=END),
    "both lengths, in any case": post(b"content-length: 0", b"tRANSFER-eNCODING: Chunked", body=END),
    "both lengths, with a body of that length": post(b"Content-Length: 5", CHUNKED, body=END),
    "chunks in HTTP/1.0": post(CHUNKED, body=END, version=b"1.0"),
    "two lengths": post(LENGTH, b"Content-Length: 5", body=b"four"),
    "a list of lengths": post(b"Content-Length: 4, 5", body=b"four"),
    "a length with a sign": post(b"Content-Length: +4", body=b"four"),
    "a negative length": post(b"Content-Length: -1", body=b"four"),
    "a hexadecimal length": post(b"Content-Length: 0x4", body=b"four"),
    "a length with a gap": post(b"Content-Length: 0 4", body=b"four"),
    "a length with an underscore": post(b"Content-Length: 0_4", body=b"four"),
    "no length": post(b"Content-Length:", body=b"four"),
    "a length in other digits": post("Content-Length: \u0664".encode(), body=b"four"),
    "a length beyond all numbers": post(b"Content-Length: " + b"9" * 40, body=b"four"),
    "chunked is not last": post(b"Transfer-Encoding: chunked, gzip", body=END),
    "chunked is not alone": post(b"Transfer-Encoding: gzip, chunked", body=END),
    "chunked twice": post(CHUNKED, CHUNKED, body=END),
    "another encoding beside chunked": post(CHUNKED, b"Transfer-Encoding: identity", body=END),
    "an unknown encoding": post(b"Transfer-Encoding: xchunked", body=END),
    "an encoding in quotes": post(b'Transfer-Encoding: "chunked"', body=END),
    "an encoding with a control character": post(b"Transfer-Encoding: \x0bchunked", body=END),
    "no encoding": post(b"Transfer-Encoding:", body=END),
    "a space before the colon": post(b"Transfer-Encoding : chunked", body=END),
    "a tab before the colon": post(b"Content-Length\t: 4", body=b"four"),
    "a NUL in a value": post(b"X: a\0b"),
    "a NUL in a name": post(b"X\0: a"),
    "a bare CR in a value": post(b"X: a\rTransfer-Encoding: chunked"),
    "a control character in a name": post(b"X\x01: a"),
    "a name outside ASCII": post(b"X\xff: a"),
    "no colon": post(b"nothing"),
    "no name": post(b": a"),
    "a folded header": post(b"X: a\r\n b"),
    "a header folded with a tab": post(b"X: a\r\n\tb"),
    "a folded encoding": post(b"Transfer-Encoding:\r\n chunked", body=END),
    "a folded length": post(b"Content-Length:\r\n\t4", body=b"four"),
    "a header folded into nothing": post(b"X: a\r\n "),
    "a folded header among bare line feeds": b"POST /front HTTP/1.1\nHost: a.test\nX: a\n b\n\n",
    "a first line that is folded": b"GET /front HTTP/1.1\r\n Host: a.test\r\n\r\n",
    "no Host": b"GET /front HTTP/1.1\r\n\r\n",
    "two Hosts": post(b"Host: b.test"),
    "two equal Hosts": post(b"Host: a.test"),
    "a control character in the path": b"GET /fr\x01ont HTTP/1.1\r\nHost: a.test\r\n\r\n",
    "a space in the path": b"GET /front x HTTP/1.1\r\nHost: a.test\r\n\r\n",
    "a path outside ASCII": b"GET /fr\xffont HTTP/1.1\r\nHost: a.test\r\n\r\n",
    "no version": b"GET /front\r\nHost: a.test\r\n\r\n",
    "an unknown protocol": b"GET /front HTCPCP/1.0\r\nHost: a.test\r\n\r\n",
    "a version with more digits": b"GET /front HTTP/1.10\r\nHost: a.test\r\n\r\n",
    "a method outside ASCII": b"G\xcbT /front HTTP/1.1\r\nHost: a.test\r\n\r\n",
}


@pytest.mark.parametrize(
    "first", [b"", b"GET /first HTTP/1.1\r\nHost: a.test\r\n\r\n", post(CHUNKED, body=END)]
)
async def test_a_request_whose_end_is_in_doubt_is_refused_and_ends_the_connection(
    first: bytes, serving: Any
) -> None:
    """Also as the second request of a connection, whichever reader the first one went to."""
    app = Recorder()
    async with serving(app) as (_, port):
        for name, request in REFUSED.items():
            for cut in (False, True):
                app.requests.clear()
                received = await exchange(port, first + request + BEHIND, cut=cut)
                statuses = re.findall(rb"HTTP/1\.1 (\d\d\d)", received)
                assert statuses[:-1] == [b"200"] * bool(first), (name, received)
                assert statuses[-1] in (b"400", b"501"), (name, received)
                assert len(app.requests) == bool(first), (name, app.requests)


BAD_CHUNKS = {
    "a size that is no number": b"G\r\nfour\r\n",
    "a negative size": b"-4\r\nfour\r\n",
    "a size with a prefix": b"0x4\r\nfour\r\n",
    "a size with a space before it": b" 4\r\nfour\r\n",
    "a size beyond all numbers": b"F" * 30 + b"\r\nfour\r\n",
    "no size": b"\r\nfour\r\n",
    "a size that ends with a bare line feed": b"4\nfour\r\n",
    "more than its size": b"4\r\nfourx\r\n",
    "less than its size": b"5\r\nfour\r\n",
    "no line break behind it": b"4\r\nfour",
    "bare line feeds behind it": b"4\r\nfour\n",
}


async def test_a_bad_chunk_ends_the_connection_and_no_app_takes_it_for_the_end(serving: Any) -> None:
    app = Recorder()
    async with serving(app) as (_, port):
        for name, chunk in BAD_CHUNKS.items():
            app.requests.clear()
            received = await exchange(port, post(CHUNKED, body=chunk + END) + BEHIND)
            assert b"HTTP/1.1 200" not in received, (name, received)
            assert app.requests == [], (name, app.requests)


async def test_what_is_unusual_but_clear_is_read(serving: Any) -> None:
    clear = {
        "chunks": (post(CHUNKED, body=b"4\r\nfour\r\n" + END), b"four"),
        "chunks with extensions and trailers": (
            post(CHUNKED, body=b"4;a=b\r\nfour\r\n0\r\nX: y\r\n\r\n"),
            b"four",
        ),
        "two equal lengths": (post(LENGTH, LENGTH, body=b"four"), b"four"),
        "white space round values": (post(b"Content-Length: \t 4 \t", body=b"four"), b"four"),
        "line feeds alone": (b"POST /front HTTP/1.1\nHost: a.test\nContent-Length: 4\n\nfour", b"four"),
        "an upgrade to what nobody knows": (post(b"Connection: upgrade", b"Upgrade: tea"), b""),
    }
    for name, (request, body) in clear.items():
        app = Recorder()
        async with serving(app) as (_, port):
            behind = BEHIND.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
            received = await exchange(port, request + behind, cut=True)
            assert received.count(b"HTTP/1.1 200") == 2, (name, received)
            assert app.requests == [("/front", body), ("/behind", b"")], name


H2C = b"GET /front HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n"


@pytest.mark.parametrize("h2c", [False, True])
@pytest.mark.parametrize("first", [b"", post(CHUNKED, body=END)])
@pytest.mark.parametrize("asked", [b"h2c", b"H2C", b" h2c ", b"websocket, h2c", b"h2c, websocket"])
async def test_an_upgrade_to_http2_is_not_done(asked: bytes, first: bytes, h2c: bool, fast: bool) -> None:
    app = Recorder()
    async with serve_app(app, fast=fast, h2c=h2c) as (_, port):
        request = H2C.replace(b"Upgrade: h2c", b"Upgrade: " + asked)
        behind = BEHIND.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        received = await exchange(port, first + request + behind, cut=True)
    assert re.findall(rb"HTTP/1\.1 (\d\d\d)", received) == [b"200"] * (2 + bool(first)), received
    assert [path for path, _ in app.requests][bool(first) :] == ["/front", "/behind"]


async def http2(port: int, send: Any, *, seconds: float = 10) -> tuple[list[Any], bool]:
    """Speaks HTTP/2 on a plain connection; returns the events that came, and whether the server closed it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    connection = h2.connection.H2Connection(config=h2.config.H2Configuration(header_encoding="utf-8"))
    connection.initiate_connection()
    events: list[Any] = []
    try:
        # The server may end the connection (GOAWAY) while there is more to send.
        with contextlib.suppress(h2.exceptions.ProtocolError, ConnectionError):
            for _ in send(connection):
                writer.write(connection.data_to_send())
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.01):
                        events += connection.receive_data(await reader.read(65_536))
        with contextlib.suppress(TimeoutError, ConnectionError, h2.exceptions.ProtocolError):
            writer.write(connection.data_to_send())
            async with asyncio.timeout(seconds):
                while data := await reader.read(65_536):
                    events += connection.receive_data(data)
                    writer.write(connection.data_to_send())
                    if sum(isinstance(one, h2.events.StreamEnded) for one in events) >= 1001:
                        break
        return events, reader.at_eof()
    finally:
        writer.close()


HEADERS = [(":method", "GET"), (":path", "/front"), (":scheme", "http"), (":authority", "a.test")]


async def test_http2_without_tls_is_served_only_where_it_is_configured(fast: bool) -> None:
    def send(connection: Any) -> Any:
        connection.send_headers(1, HEADERS, end_stream=True)
        yield

    for allowed in (True, False):
        app = Recorder()
        async with serve_app(app, fast=fast, h2c=allowed) as (_, port):
            await http2(port, send, seconds=0.5)
        assert app.requests == ([("/front", b"")] if allowed else [])


def _ended_at_once(connection: Any) -> Any:
    """Opens streams and ends them, all in few packets."""
    for number in range(1001):
        connection.send_headers(2 * number + 1, HEADERS, end_stream=True)
        connection.reset_stream(2 * number + 1)
    yield


def _priorities(connection: Any) -> Any:
    """Gives priorities to streams that are never opened, and then asks for something."""
    for number in range(1, 1002):
        connection.prioritize(2 * number + 1, weight=16)
    yield
    connection.send_headers(2 * 1002 + 1, HEADERS, end_stream=True)
    yield


def _one_by_one(connection: Any) -> Any:
    for number in range(1001):
        connection.send_headers(2 * number + 1, HEADERS, end_stream=True)
        yield


def _connect(connection: Any) -> Any:
    connection.send_headers(1, [(":method", "CONNECT"), (":authority", "a.test")], end_stream=False)
    yield


async def test_a_tunnel_over_http2_is_refused_without_a_traceback(
    fast: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        async with serve_app(Recorder(), fast=fast, h2c=True) as (_, port):
            await http2(port, _connect, seconds=0.5)
            assert b"200" in (
                await exchange(port, BEHIND.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            )
    assert caplog.text == ""


@pytest.mark.parametrize(
    "change", [{b":path": b"/\xff\xfe"}, {b":path": "/ä".encode()}, {b":method": b"G\xc3"}], ids=repr
)
async def test_a_path_or_method_that_is_not_ascii_ends_its_stream_without_a_traceback(
    change: dict[bytes, bytes], fast: bool, caplog: pytest.LogCaptureFixture
) -> None:
    def send(connection: Any) -> Any:
        headers = {name.encode(): value.encode() for name, value in HEADERS} | change
        connection.config.validate_outbound_headers = False
        connection.send_headers(1, list(headers.items()), end_stream=True)
        yield
        connection.send_headers(3, HEADERS, end_stream=True)
        yield

    with caplog.at_level(logging.WARNING):
        async with serve_app(Recorder(), fast=fast, h2c=True) as (_, port):
            events, is_closed = await http2(port, send, seconds=1)
    assert [one.stream_id for one in events if isinstance(one, h2.events.StreamReset)] == [1]
    assert [one.stream_id for one in events if isinstance(one, h2.events.StreamEnded)] == [3]
    assert not is_closed
    assert caplog.text == ""


@pytest.mark.parametrize("send", [_ended_at_once, _priorities, _one_by_one])
async def test_1001_streams_on_a_connection_leave_no_traceback_and_the_server_serves(
    send: Any, fast: bool, caplog: pytest.LogCaptureFixture
) -> None:
    app = Recorder()
    with caplog.at_level(logging.WARNING):
        async with serve_app(app, fast=fast, h2c=True) as (_, port):
            # A flood of frames is read slowly.
            events, is_closed = await http2(port, send, seconds=6 if send is _priorities else 1)
            ended = sum(isinstance(one, h2.events.StreamEnded) for one in events)
            assert is_closed or ended or send is _ended_at_once
            assert send is not _one_by_one or ended >= 990
            assert b"200" in (
                await exchange(port, BEHIND.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            )
    assert caplog.text == ""


WEBSOCKET = b"GET /%b HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"


@pytest.mark.parametrize(
    "path", [b"", b"sign-in", b"@nobody", b"api/v1/streaming", b"media/x", b"static/x", b"inbox"]
)
async def test_a_websocket_is_answered_404_and_the_log_stays_clean(
    path: bytes, fast: bool, node: Node, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        async with serve_app(create_app(node), fast=fast) as (_, port):
            received = await exchange(port, WEBSOCKET % path)
    assert received.startswith(b"HTTP/1.1 404 ")
    assert b"There are no WebSockets here." in received
    assert caplog.text == ""


@pytest.mark.parametrize(
    "change",
    [
        (b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Version: 8"),
        (b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", b""),
        (b"GET", b"POST"),
        (b"HTTP/1.1", b"HTTP/1.0"),
        (b"websocket", b"WebSocket, h2c"),
    ],
)
async def test_a_wrong_handshake_is_an_answer_below_500_and_no_traceback(
    change: tuple[bytes, bytes], fast: bool, node: Node, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        async with serve_app(create_app(node), fast=fast, keep_alive=0.5) as (_, port):
            received = await exchange(port, (WEBSOCKET % b"about").replace(*change), size=100)
    assert re.match(rb"HTTP/1\.1 [234]\d\d ", received), received
    assert caplog.text == ""
