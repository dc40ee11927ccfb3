"""What is sent compressed, to whom, and that its size tells nothing of a secret in it."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from node.auth import access_tokens
from node.models.account import Account
from node.node import Node
from tests.support.asgi import Client, Reply
from tests.support.posting import publish
from tests.support.visitors import sign_in
from web.app import App, create_app
from web.request.session import SESSION_COOKIE
from web.visitors import compression
from web.visitors.page_cache import WholeResponse

GZIP = {"accept-encoding": "gzip, deflate, br"}
HTML = {"accept": "text/html"}
AP = {"accept": "application/activity+json"}


@pytest.fixture
def app(node: Node) -> App:
    return create_app(node)


def unpacked(reply: Reply) -> bytes:
    assert reply.headers["content-encoding"] == "gzip"
    assert int(reply.headers["content-length"]) == len(reply.body)
    packer = zlib.decompressobj(zlib.MAX_WBITS | 16)
    body = packer.decompress(reply.body)
    assert packer.eof
    assert not packer.unused_data
    assert gzip.decompress(reply.body) == body  # which compares the checksum and the length
    return body


async def member(node: Node, app: App, who: Account) -> Client:
    visitor = await sign_in(node, who)
    return Client(app, {**HTML, "cookie": f"{SESSION_COOKIE}={visitor.cookies[SESSION_COOKIE]}"})


@pytest.mark.parametrize("path", ["/", "/@alice", "/settings/profile", "/search?q=lake", "/nothing-here"])
async def test_a_page_for_a_member_is_compressed_and_the_same(
    node: Node, alice: Account, app: App, path: str
) -> None:
    await node.db.write(publish, alice, "Fog over the #lake")
    client = await member(node, app, alice)

    plain, packed = await client.get(path), await client.get(path, headers=GZIP)

    assert "content-encoding" not in plain.headers
    assert plain.status == packed.status
    assert len(packed.body) < len(plain.body) / 2
    assert b"</html>" in unpacked(packed)
    for reply in (plain, packed):
        assert reply.headers["vary"] == "Cookie, Accept, Accept-Language, Accept-Encoding"


@pytest.mark.parametrize(
    "path", ["/", "/@alice", "/explore", "/tags/lake", "/p/alice/{id}", "/sign-in", "/about"]
)
async def test_a_page_for_visitors_is_compressed_with_the_form_token_of_each(
    node: Node, alice: Account, app: App, path: str
) -> None:
    post = await node.db.write(publish, alice, "Fog over the #lake")
    seen = []
    for _ in range(2):
        reply = await Client(app, HTML).get(path.format(id=post.id), headers=GZIP)
        assert reply.status == 200
        cookie = dict(reply.set_cookies)["tintype_visit"]
        token = unpacked(reply).partition(b'name="csrf" value="')[2].partition(b'"')[0]
        seen.append((cookie, token))
        form = {"csrf": token.decode(), "theme": "dark"}
        changed = await Client(app, {"cookie": f"tintype_visit={cookie}"}).post("/theme", form=form)
        assert changed.status == 303
    assert seen[0][0] != seen[1][0]
    assert seen[0][1] != seen[1][1]


async def test_what_apps_and_other_servers_read_is_compressed(node: Node, alice: Account, app: App) -> None:
    for n in range(3):
        await node.db.write(publish, alice, f"Fog over the #lake, {n}")
    await sign_in(node, alice)  # which makes alice a user
    token = await node.db.write(access_tokens.create, alice, ["read"], "An app")
    bearer = {"authorization": f"Bearer {token}"}
    for path, headers in (
        ("/api/v1/timelines/home", bearer),
        ("/api/v1/timelines/public", {}),
        ("/users/alice/outbox?page=true", AP),
        ("/users/alice", AP),
    ):
        plain = await Client(app, headers).get(path)
        packed = await Client(app, headers).get(path, headers=GZIP)
        assert plain.status == 200, path
        assert unpacked(packed) == plain.body
        assert "Accept-Encoding" in packed.headers["vary"]
        assert "Accept-Encoding" in plain.headers["vary"]


async def test_head_says_what_get_would_send_without_a_length_that_is_not_known(
    node: Node, alice: Account, app: App
) -> None:
    client = await member(node, app, alice)
    for who, path in ((client, "/"), (Client(app, HTML), "/"), (Client(app), "/api/v1/instance")):
        reply = await who.call("HEAD", path, headers=GZIP)
        assert (reply.status, reply.body) == (200, b"")
        assert reply.headers["content-encoding"] == "gzip"
        assert "content-length" not in reply.headers
        plain = await who.call("HEAD", path)
        assert int(plain.headers["content-length"]) > 600


async def test_a_range_is_asked_of_files_only(node: Node, alice: Account, app: App) -> None:
    client = await member(node, app, alice)

    reply = await client.get("/", headers={**GZIP, "range": "bytes=0-9"})

    assert reply.status == 200
    assert unpacked(reply).startswith(b"<!doctype html>")


@pytest.mark.parametrize(
    ("accepted", "is_compressed"),
    [
        ("gzip", True),
        ("GZIP;q=0.5", True),
        ("br, *", True),
        ("x-gzip", True),
        ("", False),
        ("br", False),
        ("identity", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000, *", False),
        ("*;q=0", False),
        ("gzip;q=nonsense", True),
    ],
)
def test_only_who_takes_gzip_gets_it(accepted: str, is_compressed: bool) -> None:
    scope = {"method": "GET", "headers": [(b"accept-encoding", accepted.encode())]}

    assert compression.accepts_gzip(scope) is is_compressed


LONG = b"A word and another. " * 100


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (200, [(b"content-type", b"text/html")], b"short"),
        (200, [(b"content-type", b"image/webp")], LONG),
        (200, [(b"content-type", b"text/html"), (b"content-encoding", b"br")], LONG),
        (206, [(b"content-type", b"text/html"), (b"content-range", b"bytes 0-9/10")], LONG),
        (304, [], b""),
        (204, [], b""),
        (200, [(b"content-type", b"text/plain")], b"x" * (compression.MAX_BYTES + 1)),
    ],
)
def test_what_is_tiny_packed_or_a_part_is_sent_as_it_is(
    status: int, headers: list[tuple[bytes, bytes]], body: bytes
) -> None:
    scope = {"method": "GET", "headers": [(b"accept-encoding", b"gzip")]}

    sent = compression.compress(scope, WholeResponse(status, tuple(headers), body))

    assert sent.body == body
    assert (b"content-encoding", b"gzip") not in sent.headers


def test_a_strong_etag_of_the_plain_text_becomes_a_weak_one() -> None:
    scope = {"method": "GET", "headers": [(b"accept-encoding", b"gzip")]}
    lines = ((b"content-type", b"text/csv"), (b"etag", b'"a"'), (b"vary", b"Cookie"))

    sent = compression.compress(scope, WholeResponse(200, lines, LONG))

    assert dict(sent.headers)[b"etag"] == b'W/"a"'
    assert dict(sent.headers)[b"vary"] == b"Cookie, Accept-Encoding"


async def _streamed() -> AsyncIterator[dict[str, Any]]:
    yield {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]}
    for _ in range(3):
        yield {"type": "http.response.body", "body": LONG, "more_body": True}
    yield {"type": "http.response.body", "body": b"", "more_body": False}


async def test_a_stream_passes_piece_by_piece() -> None:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"method": "GET", "headers": [(b"accept-encoding", b"gzip")]}
    through = compression.CompressedSend(scope, send)
    async for message in _streamed():
        before = len(sent)
        await through(message)
        assert sent[before:] == [message]


@pytest.mark.parametrize(
    ("site", "is_compressed"),
    [("same-origin", True), ("none", True), ("", True), ("cross-site", False), ("same-site", False)],
)
async def test_what_another_site_makes_a_browser_fetch_is_not_compressed_for_a_member(
    node: Node, alice: Account, app: App, site: str, is_compressed: bool
) -> None:
    client = await member(node, app, alice)

    reply = await client.get("/search?q=guess", headers={**GZIP, "sec-fetch-site": site})

    assert ("content-encoding" in reply.headers) is is_compressed


async def test_the_same_page_is_never_as_long_and_never_has_the_same_form_token(
    node: Node, alice: Account, app: App
) -> None:
    client = await member(node, app, alice)
    replies = [await client.get("/settings/people", headers=GZIP) for _ in range(12)]

    tokens = {unpacked(reply).partition(b'name="csrf" value="')[2].partition(b'"')[0] for reply in replies}
    assert len(tokens) == 12
    assert len({len(reply.body) for reply in replies}) > 3
    visitors = [await Client(app, HTML).get("/explore", headers=GZIP) for _ in range(12)]
    assert len({len(reply.body) for reply in visitors}) > 3
