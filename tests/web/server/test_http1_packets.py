"""HTTP/1.1 with generated requests: packet boundaries do not matter, and llhttp and h11 read them alike."""

from __future__ import annotations

import asyncio
import contextlib

import h11
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.web.server import http1_client
from web.server.http1 import RequestHead

TOKEN = st.text("abcdefgh-XYZ_0123", min_size=1, max_size=8).map(str.encode)
VALUE = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f")).map(
    lambda text: text.encode("latin-1")
)
BODIES = st.binary(max_size=40)


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    headers = draw(st.lists(st.tuples(st.just(b"X-") | st.just(b"y"), TOKEN, VALUE), max_size=4))
    lines = b"".join(b"%b%b:%b\r\n" % line for line in headers)
    path = draw(TOKEN)
    if draw(st.booleans()):
        return b"GET /echo/%b HTTP/1.1\r\nHost: a\r\n%b\r\n" % (path, lines)
    body = draw(BODIES)
    length = b"Content-Length: %d\r\n" % len(body)
    return b"POST /echo/%b HTTP/1.1\r\n%b%bHost: a\r\n\r\n%b" % (path, lines, length, body)


async def _statuses_and_bodies(port: int, pieces: list[bytes], number: int) -> list[tuple[int, bytes]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    caller = http1_client.Caller(reader, writer)
    try:
        for piece in pieces:
            caller.send(piece)
            await asyncio.sleep(0)
        return [(await caller.receive())[::2] for _ in range(number)]
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


@given(sent=st.lists(requests(), min_size=1, max_size=4), data=st.data())
@settings(max_examples=40, deadline=None)
def test_requests_are_read_alike_however_they_are_cut_into_packets(
    fast: bool, sent: list[bytes], data: st.DataObject
) -> None:
    whole = b"".join(sent)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(whole)), max_size=12)))
    pieces = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]

    async def both() -> None:
        async with http1_client.serve_app(http1_client.sample_app, fast=fast) as (_, port):
            expected = []
            for request in sent:
                expected += await _statuses_and_bodies(port, [request], 1)
            assert await _statuses_and_bodies(port, pieces, len(sent)) == expected

    asyncio.run(both())


ODD = st.sampled_from(
    [
        b" ",
        b"\t",
        b"\r",
        b"\n",
        b"\r\n",
        b"\0",
        b":",
        b"\x0b",
        b"\x80",
        b"/",
        b"HTTP/1.1",
        b"Host: b\r\n",
        b"\r\n ",
        b"Content-Length: 1\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Upgrade: h2c\r\n",
        b",",
        b"0",
    ]
) | st.binary(max_size=3)


@given(requests(), st.lists(st.tuples(st.integers(0, 300), st.integers(0, 3), ODD), max_size=3))
@settings(max_examples=1000, deadline=None)
def test_llhttp_and_h11_read_the_same_request(request_: bytes, changes: list[tuple[int, int, bytes]]) -> None:
    """Two parsers that disagree on where a request ends allow request smuggling."""
    for at, without, odd in changes:
        request_ = request_[:at] + odd + request_[at + without :]
    end = request_.find(b"\r\n\r\n") + 4
    head = RequestHead.read(request_[:end]) if end >= 4 else None
    if head is None:
        return  # h11 reads it
    other = h11.Connection(h11.SERVER)
    other.receive_data(request_[:end])
    read = other.next_event()
    assert isinstance(read, h11.Request)
    assert (head.method.encode(), head.target, head.version.encode()) == (
        read.method,
        read.target,
        read.http_version,
    )
    assert head.headers == list(read.headers)
    assert head.content_length == int(dict(read.headers).get(b"content-length", b"0"))
