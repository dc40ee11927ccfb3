"""Bodies within a size and a time, and responses over plain ASGI."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activitypub.asgi import (
    BodyTooLarge,
    IncompleteBody,
    TooSlow,
    header,
    headers,
    read_body,
    respond,
    signed_request,
)
from node.database import Site

Message = MutableMapping[str, Any]


def _scope(*fields: tuple[bytes, bytes], method: str = "POST") -> dict[str, Any]:
    return {
        "method": method,
        "raw_path": b"/inbox",
        "query_string": b"",
        "headers": list(fields),
    }


def _pieces(*pieces: bytes, disconnects: bool = False) -> Any:
    messages: list[Message] = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    if disconnects:
        messages.append({"type": "http.disconnect"})
    else:
        messages.append({"type": "http.request"})

    async def receive() -> Message:
        return messages.pop(0)

    return receive


@given(st.lists(st.binary(max_size=40), max_size=8), st.integers(0, 100))
def test_a_body_is_read_whole_or_not_at_all(pieces: list[bytes], limit: int) -> None:
    whole = b"".join(pieces)
    reading = read_body(_scope(), _pieces(*pieces), limit)
    if len(whole) > limit:
        with pytest.raises(BodyTooLarge):
            asyncio.run(reading)
    else:
        assert asyncio.run(reading) == whole


@pytest.mark.parametrize("declared", [b"11", b"-1", b"1e3", b"", b"9" * 4000, "²".encode("latin-1")])
async def test_a_length_that_is_too_large_or_no_number_is_refused_unread(declared: bytes) -> None:
    async def receive() -> Message:
        raise AssertionError("nothing is to be read")

    with pytest.raises(BodyTooLarge):
        await read_body(_scope((b"content-length", declared)), receive, 10)


async def test_a_client_that_disconnects_leaves_no_body() -> None:
    with pytest.raises(IncompleteBody):
        await read_body(_scope(), _pieces(b"half", disconnects=True), 10)


async def test_a_body_that_never_ends_is_too_slow() -> None:
    async def receive() -> Message:
        await asyncio.sleep(60)
        raise AssertionError

    with pytest.raises(TooSlow):
        await read_body(_scope(), receive, 10, seconds=0.01)


def test_a_header_may_have_several_values() -> None:
    scope = _scope((b"signature", b"a"), (b"date", b"now"), (b"signature", b"b"))
    assert header(scope, b"signature") == "a"
    assert headers(scope, b"signature") == ["a", "b"]
    assert header(scope, b"digest") is None


def test_a_signature_is_checked_against_the_configured_host() -> None:
    scope = _scope((b"Host", b"evil.example")) | {"query_string": b"a=b", "raw_path": b"/in%2Fbox"}
    request = signed_request(scope, Site("https", "tintype.test", b""), b"body")
    assert (request.scheme, request.host, request.target) == ("https", "tintype.test", "/in%2Fbox?a=b")
    assert (request.headers, request.body) == ([("host", "evil.example")], b"body")


@pytest.mark.parametrize(
    ("method", "status", "body"), [("GET", 200, b"words"), ("HEAD", 200, b""), ("GET", 304, b"")]
)
async def test_a_response_without_a_body_has_its_headers(method: str, status: int, body: bytes) -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    await respond(_scope(method=method), send, status, b"" if status == 304 else b"words", "")
    start, end = sent
    names = dict(start["headers"])
    assert (start["status"], end["body"]) == (status, body)
    assert names.get(b"content-length") == (None if status == 304 else b"5")
    assert b"content-type" not in names
    assert names[b"x-content-type-options"] == b"nosniff"
