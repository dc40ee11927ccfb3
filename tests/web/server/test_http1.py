"""HTTP/1.1 through the socket: what is asked is answered, in order, however it arrives, and nothing else is."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import h11
import pytest

from federation_tests import authority
from federation_tests.servers import Server, free_ports
from web.server.config import MAX_UNREAD_BODY

GET = b"GET /%b HTTP/1.1\r\nHost: a.test\r\n\r\n"
POST = b"POST /%b HTTP/1.1\r\nHost: a.test\r\nContent-Length: %d\r\n\r\n"


async def several(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Apps of all manners, by the first word of the path."""
    if scope["type"] != "http":
        return
    manner = scope["path"].strip("/").partition("/")[0]
    headers: list[tuple[bytes, bytes]] = [(b"x-seen", scope["method"].encode())]
    if manner == "echo":
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message["body"]
            if not message["more_body"]:
                break
        await answer(send, 200, headers, b"%b %b:%b" % (scope["method"].encode(), scope["raw_path"], body))
    elif manner == "hasty":
        await answer(send, 413, headers, b"too large")
    elif manner == "slow":
        await asyncio.sleep(0.3)
        await answer(send, 200, headers, b"slow")
    elif manner == "pieces":
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for piece in (b"", b"one, ", b"", b"two"):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
    elif manner in ("204", "304"):
        await answer(send, int(manner), headers, b"never seen")
    elif manner == "split":
        await answer(send, 200, [(b"location", b"/\r\nset-cookie: a=b")], b"")
    elif manner == "short":
        await answer(send, 200, [(b"content-length", b"10")], b"four")
    elif manner == "long":
        await answer(send, 200, [(b"content-length", b"2")], b"four")
    elif manner == "broken":
        raise RuntimeError("on purpose")
    elif manner == "halfway":
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"9")]})
        await send({"type": "http.response.body", "body": b"four", "more_body": True})
        raise RuntimeError("on purpose")
    else:
        await answer(send, 404, headers, b"nobody")


async def answer(send: Any, status: int, headers: Any, body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Caller:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def say(self, data: bytes) -> None:
        self.writer.write(data)

    async def hear(self, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
        """The next answer, whole, read by h11 as a client."""
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 5)
        if head.startswith(b"HTTP/1.1 100"):
            head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 5)
        client = h11.Connection(h11.CLIENT)
        client.send(h11.Request(method=method, target="/", headers=[("Host", "a")]))
        client.send(h11.EndOfMessage())
        client.receive_data(head)
        first = client.next_event()
        assert isinstance(first, h11.Response)
        body = b""
        while True:
            event = client.next_event()
            if event is h11.NEED_DATA:
                client.receive_data(await asyncio.wait_for(self.reader.read(1), 5))
            elif isinstance(event, h11.Data):
                body += event.data
            else:
                assert isinstance(event, h11.EndOfMessage)
                return first.status_code, {n.decode(): v.decode() for n, v in first.headers}, body

    async def ask(self, data: bytes) -> tuple[int, dict[str, str], bytes]:
        self.say(data)
        return await self.hear(data.partition(b" ")[0].decode())

    async def rest(self, seconds: float = 5) -> bytes:
        return await asyncio.wait_for(self.reader.read(), seconds)


@asynccontextmanager
async def call_app(app: Any = several, **options: Any) -> AsyncIterator[Caller]:
    async with serve_app(app, **options) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            yield Caller(reader, writer)
        finally:
            writer.close()


@asynccontextmanager
async def serve_app(app: Any, **options: Any) -> AsyncIterator[tuple[Server, int]]:
    [port] = free_ports(1)
    server = Server(app, port, None, **options)
    await server.start()
    try:
        yield server, port
    finally:
        await server.stop()


@pytest.fixture
def calling(fast: bool) -> Any:
    return functools.partial(call_app, fast=fast)


@pytest.fixture
def serving(fast: bool) -> Any:
    return functools.partial(serve_app, fast=fast)


async def test_one_connection_carries_one_request_after_the_other(calling: Any) -> None:
    async with calling() as caller:
        status, headers, body = await caller.ask(GET % b"echo")
        assert (status, body, headers["content-length"], headers["x-seen"]) == (
            200,
            b"GET /echo:",
            "10",
            "GET",
        )
        assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", headers["date"])
        assert (await caller.ask(POST % (b"echo?q=1", 4) + b"body"))[2] == b"POST /echo:body"
        assert (await caller.ask(GET % b"nowhere"))[0] == 404


async def test_requests_that_come_at_once_are_answered_in_their_order(calling: Any) -> None:
    async with calling() as caller:
        caller.say(GET % b"slow" + POST % (b"echo", 3) + b"two" + GET % b"echo/3")
        assert [(await caller.hear())[2] for _ in range(3)] == [b"slow", b"POST /echo:two", b"GET /echo/3:"]


async def test_a_large_body_arrives_whole_though_the_app_takes_its_time(calling: Any) -> None:
    async def slow(scope: dict[str, Any], receive: Any, send: Any) -> None:
        size = 0
        while scope["type"] == "http":
            await asyncio.sleep(0.02)
            message = await receive()
            assert len(message["body"]) < MAX_UNREAD_BODY + 65_536
            size += len(message["body"])
            if not message["more_body"]:
                return await answer(send, 200, [], b"%d" % size)

    async with calling(slow) as caller:
        size = 20 * MAX_UNREAD_BODY
        assert (await caller.ask(POST % (b"", size) + b"x" * size))[2] == b"%d" % size


@pytest.mark.parametrize("keep", [b"", b"Connection: close\r\n"])
async def test_an_answer_before_the_end_of_a_body_is_seen(keep: bytes, calling: Any) -> None:
    async with calling() as caller:
        size = 5_000_000
        caller.say((POST % (b"hasty", size)).replace(b"\r\n\r\n", b"\r\n" + keep + b"\r\n"))
        assert (await caller.hear())[::2] == (413, b"too large")
        caller.say(b"x" * size)
        if keep:
            assert await caller.rest() == b""
        else:
            assert (await caller.ask(GET % b"echo"))[0] == 200


async def test_what_is_not_everyday_is_hypercorns(calling: Any) -> None:
    chunked = b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n0\r\n\r\n"
    async with calling() as caller:
        assert (await caller.ask(GET % b"echo"))[0] == 200
        assert (await caller.ask(chunked))[2] == b"POST /echo:four"
        assert (await caller.ask(GET % b"echo"))[0] == 200
    expecting = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
    async with calling() as caller:
        caller.say(expecting)
        assert (await caller.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100")
        assert (await caller.ask(b"four"))[2] == b"POST /echo:four"
    async with calling() as caller:
        bare_newlines = b"GET /echo HTTP/1.1\nHost: a\n\n"
        assert (await caller.ask(bare_newlines))[2] == b"GET /echo:"


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /echo HTTP/1.1\r\n\r\n",
        b"GET /echo HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /echo HTTP/1.1\r\nHost: a\r\nX : a\r\n\r\n",
        b"GET /echo HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nfour",
        b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: +4\r\n\r\nfour",
        b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
        b"GET /echo HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 4000,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    ],
)
async def test_what_is_wrong_is_refused_and_nothing_after_it_is_read(request_: bytes, calling: Any) -> None:
    async with calling() as caller:
        caller.say(request_ + GET % b"echo")
        said = await caller.rest()
        assert re.match(rb"HTTP/1\.1 (4\d\d|501) ", said)
        assert said.count(b"HTTP/1.1") == 1


async def test_answers_without_a_body_have_none(calling: Any) -> None:
    async with calling() as caller:
        for method, path, status in ((b"GET", b"204", 204), (b"GET", b"304", 304), (b"HEAD", b"echo", 200)):
            request_ = (GET % path).replace(b"GET", method)
            assert (await caller.ask(request_))[::2] == (status, b"")


async def test_an_answer_of_unknown_length_comes_in_chunks_or_ends_with_the_connection(calling: Any) -> None:
    async with calling() as caller:
        _, headers, body = await caller.ask(GET % b"pieces")
        assert (headers["transfer-encoding"], body) == ("chunked", b"one, two")
        assert (await caller.ask(GET % b"echo"))[0] == 200
        caller.say(b"GET /pieces HTTP/1.0\r\nHost: a\r\n\r\n")
        head, _, body = (await caller.rest()).partition(b"\r\n\r\n")
        assert b"\r\nconnection: close" in head.lower()
        assert body == b"one, two"


async def test_a_connection_is_closed_after_the_answer_where_the_client_asks_for_it(calling: Any) -> None:
    async with calling() as caller:
        caller.say(b"GET /echo HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n")
        said = await caller.rest()
        assert b"\r\nconnection: close\r\n" in said.lower()
        assert said.startswith(b"HTTP/1.1 200")


async def test_who_asks_to_be_hung_up_on_is(calling: Any) -> None:
    async with calling() as caller:
        caller.say(b"GET /echo HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n" + GET % b"echo")
        said = await caller.rest()
        assert b"\r\nconnection: close\r\n" in said.lower()
        assert said.count(b"HTTP/1.1 200") == 1


async def test_an_app_does_not_say_how_its_answer_is_framed(calling: Any) -> None:
    async def chunking(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await answer(send, 200, [(b"transfer-encoding", b"chunked")], b"four")

    async with calling(chunking) as caller:
        assert (await caller.ask(GET % b""))[2] == b"four"


@pytest.mark.parametrize("kind", [bytearray, memoryview])
async def test_a_body_may_be_bytes_of_any_kind(kind: Any, calling: Any) -> None:
    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": kind(b"four"), "more_body": True})
            await send({"type": "http.response.body", "body": kind(b"")})

    async with calling(app) as caller:
        for _ in range(2):
            assert (await caller.ask(GET % b""))[2] == b"four"


@pytest.mark.parametrize("manner", [b"split", b"broken", b"short", b"long"])
async def test_an_app_that_fails_before_its_answer_is_answered_for(
    manner: bytes, fast: bool, calling: Any
) -> None:
    reason = b"Internal Server Error" if fast else b""  # hypercorn gives no reasons
    async with calling() as caller:
        caller.say(GET % manner)
        said = await caller.rest()
        assert said.startswith(b"HTTP/1.1 500 %b\r\n" % reason)
        assert b"cookie" not in said


async def test_an_app_that_fails_within_its_answer_is_cut_off(calling: Any) -> None:
    async with calling() as caller:
        caller.say(GET % b"halfway" + GET % b"echo")
        assert (await caller.rest()).endswith(b"\r\n\r\nfour")


CHUNKED = b"POST /%b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    "request_", [GET % b"halfway", GET % b"broken", CHUNKED % b"halfway", CHUNKED % b"broken"]
)
async def test_nothing_is_left_of_a_connection_that_was_cut_off_with_a_request_waiting(
    request_: bytes, serving: Any
) -> None:
    async with serving(several) as (_, port):
        before = len(asyncio.all_tasks())
        for _ in range(3):
            caller = Caller(*await asyncio.open_connection("127.0.0.1", port))
            caller.say(request_ + GET % b"echo")
            await caller.rest()
            caller.writer.close()
        await asyncio.sleep(0.1)
        assert len(asyncio.all_tasks()) == before


@pytest.mark.parametrize("request_", [GET % b"", CHUNKED % b""])
async def test_nothing_is_left_of_a_client_that_left_within_an_answer_with_a_request_waiting(
    request_: bytes, serving: Any
) -> None:
    async def endless(scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answers until its client is gone, as apps do."""
        if scope["type"] != "http":
            return
        while (await receive()).get("more_body"):
            pass
        gone = asyncio.create_task(receive())
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while not gone.done():
            await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})
            await asyncio.sleep(0)

    async with serving(endless) as (_, port):
        before = len(asyncio.all_tasks())
        for _ in range(3):
            caller = Caller(*await asyncio.open_connection("127.0.0.1", port))
            caller.say(request_ + GET % b"")
            await asyncio.wait_for(caller.reader.readuntil(b"xxx"), 5)
            caller.writer.transport.abort()
        async with asyncio.timeout(5):
            while len(asyncio.all_tasks()) != before:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


async def test_pieces_that_nobody_reads_do_not_hold_up_a_connection(serving: Any) -> None:
    async with serving(several) as (_, port):
        before = len(asyncio.all_tasks())
        caller = Caller(*await asyncio.open_connection("127.0.0.1", port))
        caller.say(
            b"POST /slow HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 20
        )
        assert (await caller.hear())[::2] == (200, b"slow")
        caller.writer.close()
        await asyncio.sleep(0.1)
        assert len(asyncio.all_tasks()) == before


async def test_an_app_hears_that_its_client_is_gone(calling: Any) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()

    async def waiting(scope: dict[str, Any], receive: Any, send: Any) -> None:
        while scope["type"] == "http":
            message = await receive()
            heard.put_nowait(message["type"])
            if message["type"] == "http.disconnect":
                return

    async with calling(waiting) as caller:
        caller.say(POST % (b"", 10) + b"half")
        assert await asyncio.wait_for(heard.get(), 5) == "http.request"
        caller.writer.close()
        assert await asyncio.wait_for(heard.get(), 5) == "http.disconnect"


async def test_who_has_said_all_is_still_answered(calling: Any) -> None:
    async with calling() as caller:
        caller.say(GET % b"slow")
        caller.writer.write_eof()
        assert (await caller.hear())[2] == b"slow"


async def test_an_app_cannot_fill_the_memory_for_one_who_reads_slowly(calling: Any) -> None:
    sent = 0

    async def generous(scope: dict[str, Any], receive: Any, send: Any) -> None:
        nonlocal sent
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            while sent < 100_000_000:
                await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})
                sent += 100_000

    async with calling(generous) as caller:
        caller.say(GET % b"")
        await asyncio.sleep(0.5)
        assert 0 < sent < 20_000_000


async def test_an_idle_connection_is_closed_and_one_that_works_is_not(calling: Any) -> None:
    async with calling(keep_alive=0.15) as caller:
        assert (await caller.ask(GET % b"slow"))[0] == 200
        assert (await caller.ask(GET % b"slow"))[0] == 200
        assert await caller.rest() == b""
    async with calling(keep_alive=0.15) as caller:
        caller.say(b"GET /echo HTTP/1.1\r\nHost")
        assert await caller.rest() == b""


async def test_the_socket_of_one_who_left_is_closed_at_once(calling: Any) -> None:
    async with calling(keep_alive=30) as caller:
        assert (await caller.ask(GET % b"echo"))[0] == 200
        caller.writer.write_eof()
        assert await caller.rest(1) == b""


async def test_a_server_that_stops_answers_what_is_under_way(serving: Any) -> None:
    async with serving(several, graceful=2.0) as (server, port):
        busy, idle = [Caller(*await asyncio.open_connection("127.0.0.1", port)) for _ in range(2)]
        assert (await idle.ask(GET % b"echo"))[0] == 200
        busy.say(GET % b"slow")
        await asyncio.sleep(0.1)
        stopping = asyncio.create_task(server.stop())
        assert await idle.rest(1) == b""
        said = await busy.rest(1)
        assert b"\r\nconnection: close\r\n" in said.lower()
        assert said.endswith(b"slow")
        await stopping
        for caller in (busy, idle):
            caller.writer.close()


async def test_one_who_goes_on_after_the_end_of_tls_is_no_news(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    known = authority.make(tmp_path, ["a.test"])
    [port] = free_ports(1)
    server = Server(several, port, known)
    await server.start()
    tls = ssl.create_default_context(cafile=known.ca_file)
    with caplog.at_level(logging.ERROR, "asyncio"):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls, server_hostname="a.test")
        writer.write(GET % b"halfway" + b"x" * 1_000_000)
        with contextlib.suppress(ConnectionError):
            await asyncio.wait_for(reader.read(), 5)
        writer.close()
        await server.stop()
    assert [record for record in caplog.records if record.name == "asyncio"] == []
