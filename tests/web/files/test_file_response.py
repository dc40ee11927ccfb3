"""Sending a file: byte ranges, what a client has already, HEAD, and files that change or are missing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.asgi import Client
from web.files import file_response
from web.files.file_response import CHUNK_BYTES, SINGLE_CHUNK_BYTES

BODY = bytes(range(256)) * 4
ETAG = '"abc"'


class FileApp:
    """Sends one file at every path."""

    def __init__(self, path: Path) -> None:
        self.path = path

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await file_response.send_file(
            scope, send, self.path, "image/webp", ETAG, [(b"cache-control", b"no-cache")]
        )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a.webp"
    path.write_bytes(BODY)
    return path


@pytest.fixture
def client(path: Path) -> Client:
    return Client(FileApp(path))


async def test_a_file_is_sent_with_its_headers(client: Client) -> None:
    reply = await client.get("/")

    assert (reply.status, reply.body) == (200, BODY)
    assert reply.headers == {
        "etag": ETAG,
        "accept-ranges": "bytes",
        "cache-control": "no-cache",
        "x-content-type-options": "nosniff",
        "content-type": "image/webp",
        "content-length": str(len(BODY)),
    }


@pytest.mark.parametrize("known", [ETAG, f'W/{ETAG}, "other"', '"other",' + ETAG, "*", " * "])
async def test_what_a_client_has_is_not_sent_again(client: Client, known: str) -> None:
    reply = await client.get("/", headers={"if-none-match": known, "range": "bytes=0-1"})

    assert (reply.status, reply.body, reply.headers["etag"]) == (304, b"", ETAG)
    assert "content-length" not in reply.headers


@pytest.mark.parametrize("known", ['"other"', "abc", ""])
async def test_another_version_is_sent(client: Client, known: str) -> None:
    assert (await client.get("/", headers={"if-none-match": known})).status == 200


@pytest.mark.parametrize(
    ("requested", "status", "content_range", "body"),
    [
        ("bytes=5-9", 206, f"bytes 5-9/{len(BODY)}", BODY[5:10]),
        ("bytes=-7", 206, f"bytes {len(BODY) - 7}-{len(BODY) - 1}/{len(BODY)}", BODY[-7:]),
        (f"bytes={len(BODY) - 3}-", 206, f"bytes {len(BODY) - 3}-{len(BODY) - 1}/{len(BODY)}", BODY[-3:]),
        ("lines=1-2", 200, None, BODY),
        ("bytes=0-1,10-19,-4", 200, None, BODY),
        (f"bytes={len(BODY)}-", 416, f"bytes */{len(BODY)}", None),
        ("bytes=9-5", 416, f"bytes */{len(BODY)}", None),
    ],
)
async def test_a_range_of_a_file(
    client: Client, requested: str, status: int, content_range: str | None, body: bytes | None
) -> None:
    reply = await client.get("/", headers={"range": requested})

    assert (reply.status, reply.headers.get("content-range")) == (status, content_range)
    assert int(reply.headers["content-length"]) == len(reply.body)
    assert body is None or reply.body == body


@pytest.mark.parametrize(("condition", "status"), [(ETAG, 206), ('"older"', 200), (f"W/{ETAG}", 200)])
async def test_a_range_is_sent_only_of_the_version_the_client_has(
    client: Client, condition: str, status: int
) -> None:
    reply = await client.get("/", headers={"range": "bytes=5-9", "if-range": condition})

    assert reply.status == status


@pytest.mark.parametrize("requested", ["", "bytes=5-9", "bytes=0-1,5-6", "bytes=9999-"])
async def test_head_has_the_headers_of_get_and_no_body(client: Client, requested: str) -> None:
    headers = {"range": requested} if requested else {}
    got = await client.get("/", headers=headers)

    head = await client.call("HEAD", "/", headers=headers)

    assert (head.status, head.headers, head.body) == (got.status, got.headers, b"")


@pytest.mark.parametrize(
    ("size", "chunks"),
    [
        (0, []),
        (SINGLE_CHUNK_BYTES, [SINGLE_CHUNK_BYTES]),
        (SINGLE_CHUNK_BYTES + 1, [CHUNK_BYTES, CHUNK_BYTES + 1]),
        (SINGLE_CHUNK_BYTES + CHUNK_BYTES, [CHUNK_BYTES, SINGLE_CHUNK_BYTES]),
    ],
)
async def test_a_large_file_is_sent_in_chunks(path: Path, size: int, chunks: list[int]) -> None:
    path.write_bytes(os.urandom(size))

    reply = await Client(FileApp(path)).get("/")

    assert [len(piece) for piece in reply.pieces] == chunks
    assert reply.body == path.read_bytes()


async def test_a_missing_file_raises_before_anything_is_sent(path: Path) -> None:
    sent: list[Any] = []
    path.unlink()

    async def send(message: Any) -> None:
        sent.append(message)

    with pytest.raises(FileNotFoundError):
        await FileApp(path)({"method": "GET", "headers": []}, None, send)
    assert sent == []


async def test_a_client_that_leaves_costs_no_open_file(path: Path) -> None:
    path.write_bytes(bytes(SINGLE_CHUNK_BYTES * 2))
    open_before = set(os.listdir("/dev/fd"))

    async def leave(message: Any) -> None:
        if message["type"] == "http.response.body":
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await FileApp(path)({"method": "GET", "headers": []}, None, leave)

    assert len(os.listdir("/dev/fd")) == len(open_before)


async def test_a_file_truncated_meanwhile_ends_incomplete(path: Path) -> None:
    path.write_bytes(bytes(SINGLE_CHUNK_BYTES * 2))
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)
        if message["type"] == "http.response.body":
            os.truncate(path, 0)

    await FileApp(path)({"method": "GET", "headers": []}, None, send)

    assert [len(message["body"]) for message in sent[1:]] == [CHUNK_BYTES]
    assert sent[-1]["more_body"]


async def test_a_text_is_plain_and_not_cached() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await file_response.send_text(scope, send, 404, "There is nothing here.", [(b"x-more", b"1")])

    reply = await Client(app).get("/")

    assert (reply.status, reply.body) == (404, b"There is nothing here.")
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"
    assert (reply.headers["cache-control"], reply.headers["x-more"]) == ("no-store", "1")
