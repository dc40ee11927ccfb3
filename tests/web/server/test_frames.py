"""Frames of HTTP/2 that cost the parser and hold nothing: a connection may send few of them, and nobody else waits."""

from __future__ import annotations

import asyncio
import struct

import h2.events
import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation_tests.servers import Server
from tests.support.parallel import ONE_AT_A_TIME
from tests.support.ports import free_port
from tests.web.server.test_http2 import Caller, refusing_app
from web.server.frames import IN_HAND, PART, PREFACE, FramePace

pytestmark = ONE_AT_A_TIME

DATA, HEADERS, RESET, PING, WINDOW_UPDATE = 0, 1, 3, 6, 8


def frame(kind: int, content: bytes = b"", stream: int = 0) -> bytes:
    return len(content).to_bytes(3) + bytes([kind, 0]) + struct.pack(">I", stream) + content


def waits_for(sent: bytes, *, answered: int = 0) -> float:
    """Returns the seconds that a new connection waits after it has sent this, and was sent so many bytes."""
    pace = FramePace(now=100.0)
    for _ in pace.parts(PREFACE + sent):
        pass
    pace.add_bytes(answered)
    return pace.seconds_to_wait(now=100.0)


@pytest.mark.parametrize(
    "flood",
    [frame(PING, bytes(8)), frame(4), frame(WINDOW_UPDATE, bytes(4)), frame(2, bytes(5)), frame(0, b".")],
    ids=["PING", "SETTINGS", "WINDOW_UPDATE", "PRIORITY", "DATA of one byte"],
)
async def test_a_flood_of_small_frames_waits_and_nobody_else_does(flood: bytes, fast: bool) -> None:
    port = free_port()
    server = Server(refusing_app, port, None, fast=fast)
    await server.start()
    (reader, writer), other = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
    flooding, calling = Caller(reader, writer), Caller(*other)
    try:
        await flooding.send()
        pings = 0
        writer.write((flood * 20 + frame(PING, bytes(8))) * 300)
        await writer.drain()
        assert await calling.response_status(calling.request("GET", end=True)) == 200
        for event in flooding.h2.receive_data(await reader.read(1 << 20)):
            pings += isinstance(event, h2.events.PingAckReceived)
        assert pings < IN_HAND + 2 * PART
    finally:
        writer.close()
        calling.close()
        await server.stop()


def test_requests_bodies_and_downloads_never_wait() -> None:
    requests = frame(HEADERS, bytes(60)) * 10_000
    assert waits_for(requests) == 0
    assert waits_for(requests + frame(DATA, bytes(16_384), 1) * 2_000) == 0
    every_4_kb = frame(WINDOW_UPDATE, bytes(4), 1)
    assert waits_for(every_4_kb * IN_HAND * 2, answered=4096 * IN_HAND * 2) == 0


def test_requests_that_are_taken_back_at_once_wait_unless_they_are_those_of_a_page() -> None:
    taken_back = frame(HEADERS, bytes(60), 1) + frame(RESET, bytes(4), 1)
    assert waits_for(taken_back * 50) == 0
    assert waits_for(taken_back * 200) > 1


def test_who_waited_may_go_on() -> None:
    pace = FramePace(now=0.0)
    list(pace.parts(PREFACE + frame(PING, bytes(8)) * 1000))
    wait = pace.seconds_to_wait(now=0.0)

    assert wait > 1
    assert pace.seconds_to_wait(now=wait / 2) == pytest.approx(wait / 2)
    assert pace.seconds_to_wait(now=wait) == 0


frames = st.lists(st.tuples(st.sampled_from([DATA, HEADERS, PING]), st.binary(max_size=40)), max_size=150)


@given(frames, st.lists(st.integers(1, 700), max_size=30))
def test_however_frames_are_cut_each_is_read_once_and_counted_once(
    sent: list[tuple[int, bytes]], cuts: list[int]
) -> None:
    data = PREFACE + b"".join(frame(kind, content) for kind, content in sent)
    whole, cut = FramePace(now=0.0), FramePace(now=0.0)
    together = list(whole.parts(data))
    parts, rest = [], data
    for length in cuts:
        parts += cut.parts(rest[:length])
        rest = rest[length:]
    parts += cut.parts(rest)

    assert b"".join(together) == b"".join(parts) == data
    assert len(together) <= len(sent) // PART + 1
    assert cut.seconds_to_wait(now=0.0) == pytest.approx(whole.seconds_to_wait(now=0.0), abs=0.01)
