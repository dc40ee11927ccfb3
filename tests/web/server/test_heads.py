"""A head of too many headers or bytes, and a body of too many small chunks, are refused before they cost much."""

from __future__ import annotations

import asyncio
import functools
from typing import Any

import h2.errors
import h2.events
import pytest

from tests.support.parallel import ONE_AT_A_TIME
from tests.web.server.http1_client import call_app as call_http1
from tests.web.server.test_http2 import call_app as call_http2
from web.server.heads import MAX_CUT_HEADS, MAX_HEADERS, REFUSAL_SECONDS

pytestmark = ONE_AT_A_TIME

FIRST_LINE = [(":method", "GET"), (":path", "/"), (":scheme", "http"), (":authority", "a.test")]
COOKIES = [("cookie", f"name_of_number_{n}=value") for n in range(180)]


class Recorder:
    """An app that answers 200, and remembers the headers and the number of parts of each body."""

    def __init__(self) -> None:
        self.headers: list[list[tuple[bytes, bytes]]] = []
        self.parts = 0

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        self.headers.append(scope["headers"])
        while (message := await receive())["type"] == "http.request":
            self.parts += 1
            if not message["more_body"]:
                break
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"."})


@pytest.fixture
def app() -> Recorder:
    return Recorder()


@pytest.fixture
def over_http1(fast: bool, app: Recorder) -> Any:
    return functools.partial(call_http1, app, fast=fast)


@pytest.fixture
def over_http2(fast: bool, app: Recorder) -> Any:
    return functools.partial(call_http2, app, fast=fast)


def get(headers: bytes) -> bytes:
    return b"GET / HTTP/1.1\r\nHost: a.test\r\n" + headers + b"\r\n"


@pytest.mark.parametrize("line", [b"a: b\r\n", b"Cookie: a=1\r\n", b"a:\n"])
async def test_a_head_of_too_many_lines_is_refused(line: bytes, over_http1: Any, app: Recorder) -> None:
    async with over_http1() as caller:
        assert (await caller.request(get(b"a: b\r\n" * (MAX_HEADERS - 1))))[0] == 200
        assert (await caller.request(get(line * 2000)))[0] == 431
        assert await caller.read_to_end() == b""
    assert len(app.headers) == 1


async def test_a_head_of_many_headers_is_refused_over_http2(over_http2: Any, app: Recorder) -> None:
    async with over_http2() as caller:
        stream = caller.h2.get_next_available_stream_id()
        caller.h2.send_headers(stream, [*FIRST_LINE, *[("x-a", "")] * MAX_HEADERS], end_stream=True)
        assert await caller.response_status(stream) == 431
        assert await caller.response_status(caller.request("GET", end=True)) == 200
    assert len(app.headers) == 1


async def test_a_head_that_unfolds_to_too_much_is_refused_over_http2(over_http2: Any, app: Recorder) -> None:
    async with over_http2() as caller:
        stream = caller.h2.get_next_available_stream_id()
        caller.h2.send_headers(stream, [*FIRST_LINE, *[("cookie", "a" * 3000)] * 12], end_stream=True)
        assert await caller.response_status(stream) == 431
        assert await caller.response_status(caller.request("GET", end=True)) == 200
    assert len(app.headers) == 1


async def test_a_connection_that_sends_such_heads_again_and_again_is_closed(
    over_http2: Any, app: Recorder
) -> None:
    async with over_http2() as caller:
        for number in range(MAX_CUT_HEADS + 1):
            stream = caller.h2.get_next_available_stream_id()
            caller.h2.send_headers(stream, [*FIRST_LINE, *[("x-a", "")] * MAX_HEADERS], end_stream=True)
            if number < MAX_CUT_HEADS:
                assert await caller.response_status(stream) == 431
        await caller.send()
        events = []
        while data := await caller._reader.read(65_536):
            events += caller.h2.receive_data(data)
    ended = [event for event in events if isinstance(event, h2.events.ConnectionTerminated)]
    assert [event.error_code for event in ended] == [h2.errors.ErrorCodes.ENHANCE_YOUR_CALM]
    assert app.headers == []


async def test_all_the_cookies_of_a_browser_arrive_over_http2(over_http2: Any, app: Recorder) -> None:
    """A browser keeps up to 180 for a domain, and sends each in a header of its own."""
    async with over_http2() as caller:
        stream = caller.h2.get_next_available_stream_id()
        caller.h2.send_headers(stream, [*FIRST_LINE, *COOKIES], end_stream=True)
        assert await caller.response_status(stream) == 200
    (sent,) = (value for name, value in app.headers[0] if name == b"cookie")
    assert sent.split(b"; ") == [value.encode() for _, value in COOKIES]


CHUNKED = b"POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n"


async def test_a_body_of_very_many_small_chunks_is_refused(over_http1: Any, app: Recorder) -> None:
    async with over_http1() as caller:
        assert (await caller.request(CHUNKED + b"1\r\na\r\n" * 100 + b"0\r\n\r\n"))[0] == 200
        parts = app.parts
        large = b"200\r\n" + b"a" * 512 + b"\r\n"
        assert (await caller.request(CHUNKED + large * 1000 + b"0\r\n\r\n"))[0] == 200
        assert parts <= 101
        app.parts = 0
        assert (await caller.request(CHUNKED + b"1\r\na\r\n" * 40_000 + b"0\r\n\r\n"))[0] == 400
    assert app.parts < 150


@pytest.mark.parametrize(
    "trailers", [b"a:b\r\n" * 3000, b"a:b\r\n" * 12_000, b"a:" + b"b" * 20_000 + b"\r\n"]
)
async def test_trailers_of_too_many_lines_or_bytes_are_refused(trailers: bytes, over_http1: Any) -> None:
    async with over_http1() as caller:
        assert (await caller.request(CHUNKED + b"1\r\na\r\n0\r\nA-Sum: 1\r\nB: 2\r\n\r\n"))[0] == 200
        assert (await caller.request(CHUNKED + b"1\r\na\r\n0\r\n" + trailers + b"\r\n"))[0] == 431
        assert await caller.read_to_end() == b""


async def test_a_head_that_is_too_large_is_refused_also_when_it_comes_at_once(
    over_http1: Any, app: Recorder
) -> None:
    async with over_http1() as caller:
        assert (await caller.request(get(b"a: " + b"b" * 17_000 + b"\r\n")))[0] == 431
    assert app.headers == []


MALFORMED = (
    b"GET / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a.test\r\nbad header\r\n\r\n",
    b"GET /\r\n\r\n",
    b"AAAA\r\n\r\n",
    b"\x16\x03\x01\r\n\r\n",
    get(b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"),
    get(b"a: b\r\n c\r\n"),
    get(b"a: b\r\n" * 2000),
    CHUNKED + b"1\r\na\r\n0\r\n" + b"a:b\r\n" * 3000 + b"\r\n",
)


@pytest.mark.parametrize("data", MALFORMED)
async def test_every_refusal_waits_a_moment(
    data: bytes, over_http1: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited = _note_sleeps(monkeypatch)
    async with over_http1() as caller:
        caller.send(data)
        assert (await caller.receive())[0] in (400, 431)
    assert any(REFUSAL_SECONDS - 0.05 < one <= REFUSAL_SECONDS for one in waited)


async def test_a_refusal_behind_a_quick_answer_waits_too(fast: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """As trailers of a request whose app reads no body: there is nothing left to answer, the connection is closed."""

    async def quick(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]})
            await send({"type": "http.response.body", "body": b"."})

    waited = _note_sleeps(monkeypatch)
    async with call_http1(quick, fast=fast) as caller:
        caller.send(CHUNKED)
        assert (await caller.receive())[0] == 200
        caller.send(MALFORMED[-1].removeprefix(CHUNKED))
        assert await caller.read_to_end() == b""
    assert any(REFUSAL_SECONDS - 0.05 < one <= REFUSAL_SECONDS for one in waited)


def _note_sleeps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waited: list[float] = []
    sleep = asyncio.sleep

    async def noted(seconds: float, *more: Any) -> Any:
        waited.append(seconds)
        return await sleep(seconds, *more)

    monkeypatch.setattr(asyncio, "sleep", noted)
    return waited


@pytest.mark.parametrize("size", [b"ffffffffffffffffff", b"1000000000000000"])
async def test_a_chunk_larger_than_any_body_is_answered_400(size: bytes, over_http1: Any) -> None:
    async with over_http1() as caller:
        assert (await caller.request(CHUNKED + size + b"\r\n"))[0] == 400
        assert await caller.read_to_end() == b""


@pytest.mark.parametrize(
    "data", [b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"\0\r\n\r\n", b" GET / HTTP/1.1\r\n\r\n"]
)
async def test_what_is_no_http_is_answered_400(data: bytes, over_http1: Any, app: Recorder) -> None:
    async with over_http1() as caller:
        caller.send(data)
        assert (await caller.receive())[0] == 400
        assert await caller.read_to_end() == b""
    assert app.headers == []
