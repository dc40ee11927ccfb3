"""HTTP/1.1 through the socket: requests are answered in order, malformed ones refused, and no connection is kept."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import re
import ssl
from pathlib import Path
from typing import Any

import pytest

from federation_tests import authority
from federation_tests.servers import Server
from tests.support.parallel import ONE_AT_A_TIME
from tests.support.ports import free_port
from tests.web.server.http1_client import GET, POST, Caller, call_app, respond, sample_app, serve_app
from web.server.config import MAX_UNREAD_BODY

pytestmark = ONE_AT_A_TIME


@pytest.fixture
def calling(fast: bool) -> Any:
    return functools.partial(call_app, fast=fast)


@pytest.fixture
def serving(fast: bool) -> Any:
    return functools.partial(serve_app, fast=fast)


async def test_one_connection_carries_one_request_after_the_other(calling: Any) -> None:
    async with calling() as caller:
        status, headers, body = await caller.request(GET % b"echo")
        assert (status, body, headers["content-length"], headers["x-seen"]) == (
            200,
            b"GET /echo:",
            "10",
            "GET",
        )
        assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", headers["date"])
        assert (await caller.request(POST % (b"echo?q=1", 4) + b"body"))[2] == b"POST /echo:body"
        assert (await caller.request(GET % b"nowhere"))[0] == 404


async def test_pipelined_requests_are_answered_in_order(calling: Any) -> None:
    async with calling() as caller:
        caller.send(GET % b"slow" + POST % (b"echo", 3) + b"two" + GET % b"echo/3")
        assert [(await caller.receive())[2] for _ in range(3)] == [
            b"slow",
            b"POST /echo:two",
            b"GET /echo/3:",
        ]


async def test_a_large_body_arrives_whole_though_the_app_takes_its_time(calling: Any) -> None:
    async def slow(scope: dict[str, Any], receive: Any, send: Any) -> None:
        size = 0
        while scope["type"] == "http":
            await asyncio.sleep(0.02)
            message = await receive()
            assert len(message["body"]) < MAX_UNREAD_BODY + 65_536
            size += len(message["body"])
            if not message["more_body"]:
                return await respond(send, 200, [], b"%d" % size)

    async with calling(slow) as caller:
        size = 20 * MAX_UNREAD_BODY
        assert (await caller.request(POST % (b"", size) + b"x" * size))[2] == b"%d" % size


@pytest.mark.parametrize("keep", [b"", b"Connection: close\r\n"])
async def test_a_response_before_the_end_of_the_request_body_is_seen(keep: bytes, calling: Any) -> None:
    async with calling() as caller:
        size = 5_000_000
        caller.send((POST % (b"hasty", size)).replace(b"\r\n\r\n", b"\r\n" + keep + b"\r\n"))
        assert (await caller.receive())[::2] == (413, b"too large")
        caller.send(b"x" * size)
        if keep:
            assert await caller.read_to_end() == b""
        else:
            assert (await caller.request(GET % b"echo"))[0] == 200


async def test_requests_that_are_not_simple_are_answered(calling: Any) -> None:
    chunked = b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n0\r\n\r\n"
    async with calling() as caller:
        assert (await caller.request(GET % b"echo"))[0] == 200
        assert (await caller.request(chunked))[2] == b"POST /echo:four"
        assert (await caller.request(GET % b"echo"))[0] == 200
    expecting = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
    async with calling() as caller:
        caller.send(expecting)
        assert (await caller.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100")
        assert (await caller.request(b"four"))[2] == b"POST /echo:four"
    async with calling() as caller:
        bare_newlines = b"GET /echo HTTP/1.1\nHost: a\n\n"
        assert (await caller.request(bare_newlines))[2] == b"GET /echo:"


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
async def test_a_malformed_request_is_refused_and_nothing_after_it_is_read(
    request_: bytes, calling: Any
) -> None:
    async with calling() as caller:
        caller.send(request_ + GET % b"echo")
        received = await caller.read_to_end()
        assert re.match(rb"HTTP/1\.1 (4\d\d|501) ", received)
        assert received.count(b"HTTP/1.1") == 1


async def test_no_body_is_sent_where_there_must_be_none(calling: Any) -> None:
    async with calling() as caller:
        for method, path, status in ((b"GET", b"204", 204), (b"GET", b"304", 304), (b"HEAD", b"echo", 200)):
            request_ = (GET % path).replace(b"GET", method)
            assert (await caller.request(request_))[::2] == (status, b"")


async def test_a_response_of_unknown_length_is_chunked_or_ends_with_the_connection(calling: Any) -> None:
    async with calling() as caller:
        _, headers, body = await caller.request(GET % b"pieces")
        assert (headers["transfer-encoding"], body) == ("chunked", b"one, two")
        assert (await caller.request(GET % b"echo"))[0] == 200
        caller.send(b"GET /pieces HTTP/1.0\r\nHost: a\r\n\r\n")
        head, _, body = (await caller.read_to_end()).partition(b"\r\n\r\n")
        assert b"\r\nconnection: close" in head.lower()
        assert body == b"one, two"


async def test_a_connection_is_closed_after_the_response_if_the_client_asks(calling: Any) -> None:
    async with calling() as caller:
        caller.send(b"GET /echo HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n")
        received = await caller.read_to_end()
        assert b"\r\nconnection: close\r\n" in received.lower()
        assert received.startswith(b"HTTP/1.1 200")


async def test_nothing_is_read_after_a_request_that_says_connection_close(calling: Any) -> None:
    async with calling() as caller:
        caller.send(b"GET /echo HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n" + GET % b"echo")
        received = await caller.read_to_end()
        assert b"\r\nconnection: close\r\n" in received.lower()
        assert received.count(b"HTTP/1.1 200") == 1


async def test_an_app_does_not_choose_how_its_response_is_framed(calling: Any) -> None:
    async def chunking(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await respond(send, 200, [(b"transfer-encoding", b"chunked")], b"four")

    async with calling(chunking) as caller:
        assert (await caller.request(GET % b""))[2] == b"four"


@pytest.mark.parametrize("kind", [bytearray, memoryview])
async def test_a_body_may_be_bytes_of_any_kind(kind: Any, calling: Any) -> None:
    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": kind(b"four"), "more_body": True})
            await send({"type": "http.response.body", "body": kind(b"")})

    async with calling(app) as caller:
        for _ in range(2):
            assert (await caller.request(GET % b""))[2] == b"four"


@pytest.mark.parametrize("behaviour", [b"split", b"broken", b"short", b"long"])
async def test_an_app_that_fails_before_its_response_is_answered_500(
    behaviour: bytes, fast: bool, calling: Any
) -> None:
    reason = b"Internal Server Error" if fast else b""  # hypercorn sends no reason phrase
    async with calling() as caller:
        caller.send(GET % behaviour)
        received = await caller.read_to_end()
        assert received.startswith(b"HTTP/1.1 500 %b\r\n" % reason)
        assert b"cookie" not in received


async def test_an_app_that_fails_within_its_response_ends_the_connection(calling: Any) -> None:
    async with calling() as caller:
        caller.send(GET % b"halfway" + GET % b"echo")
        assert (await caller.read_to_end()).endswith(b"\r\n\r\nfour")


CHUNKED = b"POST /%b HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"


async def _all_end(before: int) -> None:
    """Waits until there are no more tasks than before; one of a refused request stays for a moment."""
    async with asyncio.timeout(5):
        while len(asyncio.all_tasks()) != before:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    "request_", [GET % b"halfway", GET % b"broken", CHUNKED % b"halfway", CHUNKED % b"broken"]
)
async def test_no_task_is_left_of_a_closed_connection_with_a_request_waiting(
    request_: bytes, serving: Any
) -> None:
    async with serving(sample_app) as (_, port):
        before = len(asyncio.all_tasks())
        for _ in range(3):
            caller = Caller(*await asyncio.open_connection("127.0.0.1", port))
            caller.send(request_ + GET % b"echo")
            await caller.read_to_end()
            caller.writer.close()
        await _all_end(before)


@pytest.mark.parametrize("request_", [GET % b"", CHUNKED % b""])
async def test_no_task_is_left_of_a_client_that_left_with_a_request_waiting(
    request_: bytes, serving: Any
) -> None:
    async def endless(scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answers until its client is gone."""
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
            caller.send(request_ + GET % b"")
            await asyncio.wait_for(caller.reader.readuntil(b"xxx"), 5)
            caller.writer.transport.abort()
        await _all_end(before)


async def test_chunks_that_the_app_does_not_read_do_not_block_a_connection(serving: Any) -> None:
    async with serving(sample_app) as (_, port):
        before = len(asyncio.all_tasks())
        caller = Caller(*await asyncio.open_connection("127.0.0.1", port))
        caller.send(
            b"POST /slow HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 20
        )
        assert (await caller.receive())[::2] == (200, b"slow")
        caller.writer.close()
        await _all_end(before)


async def test_an_app_is_told_that_its_client_left(calling: Any) -> None:
    messages: asyncio.Queue[str] = asyncio.Queue()

    async def waiting(scope: dict[str, Any], receive: Any, send: Any) -> None:
        while scope["type"] == "http":
            message = await receive()
            messages.put_nowait(message["type"])
            if message["type"] == "http.disconnect":
                return

    async with calling(waiting) as caller:
        caller.send(POST % (b"", 10) + b"half")
        assert await asyncio.wait_for(messages.get(), 5) == "http.request"
        caller.writer.close()
        assert await asyncio.wait_for(messages.get(), 5) == "http.disconnect"


async def test_a_client_that_closed_its_sending_side_is_still_answered(calling: Any) -> None:
    async with calling() as caller:
        caller.send(GET % b"slow")
        caller.writer.write_eof()
        assert (await caller.receive())[2] == b"slow"


async def test_an_app_reads_the_whole_body_of_a_client_that_closed_its_sending_side(calling: Any) -> None:
    async def late(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await asyncio.sleep(0.2)
            messages = [await receive()]
            while messages[-1].get("more_body"):
                messages.append(await receive())
            assert messages[-1]["type"] == "http.request"
            await respond(send, 200, [], b"".join(message["body"] for message in messages))

    async with calling(late) as caller:
        caller.send(POST % (b"", 4) + b"body")
        caller.writer.write_eof()
        assert (await caller.receive())[2] == b"body"


async def test_an_app_cannot_fill_the_memory_for_a_slow_reader(calling: Any) -> None:
    sent = 0

    async def generous(scope: dict[str, Any], receive: Any, send: Any) -> None:
        nonlocal sent
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            while sent < 100_000_000:
                await send({"type": "http.response.body", "body": b"x" * 100_000, "more_body": True})
                sent += 100_000

    async with calling(generous) as caller:
        caller.send(GET % b"")
        await asyncio.sleep(0.5)
        assert 0 < sent < 20_000_000


async def test_an_idle_connection_is_closed_and_a_busy_one_is_not(calling: Any) -> None:
    async with calling(keep_alive=0.15) as caller:
        assert (await caller.request(GET % b"slow"))[0] == 200
        assert (await caller.request(GET % b"slow"))[0] == 200
        assert await caller.read_to_end() == b""
    async with calling(keep_alive=0.15) as caller:
        caller.send(b"GET /echo HTTP/1.1\r\nHost")
        assert await caller.read_to_end() == b""


async def test_the_socket_of_a_client_that_left_is_closed_at_once(calling: Any) -> None:
    async with calling(keep_alive=30) as caller:
        assert (await caller.request(GET % b"echo"))[0] == 200
        caller.writer.write_eof()
        assert await caller.read_to_end(1) == b""


async def test_a_server_that_stops_answers_requests_under_way(serving: Any) -> None:
    async with serving(sample_app, graceful=2.0) as (server, port):
        busy, idle = [Caller(*await asyncio.open_connection("127.0.0.1", port)) for _ in range(2)]
        assert (await idle.request(GET % b"echo"))[0] == 200
        busy.send(GET % b"slow")
        await asyncio.sleep(0.1)
        stopping = asyncio.create_task(server.stop())
        assert await idle.read_to_end(1) == b""
        received = await busy.read_to_end(1)
        assert b"\r\nconnection: close\r\n" in received.lower()
        assert received.endswith(b"slow")
        await stopping
        for caller in (busy, idle):
            caller.writer.close()


async def test_data_after_the_end_of_tls_is_not_logged(
    fast: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    known = authority.make(tmp_path, ["a.test"])
    port = free_port()
    server = Server(sample_app, port, known, fast=fast)
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
