"""The upload protocol over real sockets, as a client of tus 1.0.0 speaks it, with both servers of HTTP/1.1."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
import pytest

from federation_tests.servers import Server
from node.attachments import photo_rows
from node.attachments.disk_space import DiskSpace
from node.database import Reader
from node.ids import now_ms
from node.models.account import Account
from node.node import Node
from node.uploads import partial_files, receiving, uploads
from tests.support.ports import free_port
from tests.support.visitors import sign_in
from web.app import create_app
from web.request import bodies
from web.request.bodies import BYTES_PER_MB, Bodies
from web.request.session import SESSION_COOKIE

Photo = Callable[..., bytes]
PIECE = {"Content-Type": "application/offset+octet-stream"}


@dataclass
class Answer:
    status: int
    headers: Any
    json: Any = None


@dataclass
class Uploader:
    """A script on a page of somebody who is signed in."""

    port: int
    http: aiohttp.ClientSession
    session: str
    csrf: str
    headers: dict[str, str] = field(default_factory=dict)

    def all_headers(self, more: dict[str, str] | None = None) -> dict[str, str]:
        return {
            "Cookie": f"{SESSION_COOKIE}={self.session}",
            "X-CSRF": self.csrf,
            "Tus-Resumable": "1.0.0",
            "Accept": "application/json",
            **(more or {}),
        }

    async def call(
        self, method: str, path: str, headers: dict[str, str] | None = None, data: Any = None
    ) -> Answer:
        given = {name: value for name, value in self.all_headers(headers).items() if value}
        async with self.http.request(
            method, f"http://127.0.0.1:{self.port}{path}", headers=given, data=data
        ) as answer:
            is_json = answer.content_type == "application/json" and method != "HEAD"
            return Answer(answer.status, answer.headers, await answer.json() if is_json else None)

    async def begin(self, length: int, **headers: str) -> str:
        made = await self.call("POST", "/uploads", {"Upload-Length": str(length), **headers})
        assert made.status == 201, made.json
        return str(made.headers["Location"])

    async def send(self, path: str, data: bytes, offset: int = 0, **headers: str) -> Answer:
        return await self.call("PATCH", path, {**PIECE, "Upload-Offset": str(offset), **headers}, data)

    async def offset(self, path: str) -> int:
        answer = await self.call("HEAD", path)
        assert answer.status == 200
        return int(answer.headers["Upload-Offset"])

    async def finish(self, path: str, **fields: str) -> Answer:
        form = aiohttp.FormData({"upload": path.rpartition("/")[2], **fields})
        return await self.call("POST", "/compose/photo", data=form)

    async def send_part(self, path: str, data: bytes, arrives: int, offset: int = 0) -> asyncio.StreamWriter:
        """Sends the beginning of a piece, and leaves the connection open."""
        _, writer = await asyncio.open_connection("127.0.0.1", self.port)
        head = self.all_headers({**PIECE, "Upload-Offset": str(offset), "Content-Length": str(len(data))})
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        writer.write(f"PATCH {path} HTTP/1.1\r\nHost: a\r\n{lines}\r\n".encode() + data[:arrives])
        await writer.drain()
        return writer


@pytest.fixture(params=[True, False], ids=["fast", "plain"])
async def port(node: Node, request: pytest.FixtureRequest) -> AsyncIterator[int]:
    port = free_port()
    server = Server(create_app(node), port, None, fast=request.param)
    await server.start()
    yield port
    await server.stop()


Connect = Callable[[Account], Any]


@pytest.fixture
async def connect(node: Node, port: int) -> AsyncIterator[Connect]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as http:

        async def signing_in(who: Account) -> Uploader:
            visitor = await sign_in(node, who)
            assert visitor.page is not None
            return Uploader(port, http, visitor.cookies[SESSION_COOKIE], visitor.page.csrf)

        yield signing_in


@pytest.fixture
async def uploader(connect: Connect, alice: Account) -> Uploader:
    uploader: Uploader = await connect(alice)
    return uploader


def size_on_disk(node: Node, path: str) -> int:
    file = node.storage.path(partial_files.storage_key(int(path.rpartition("/")[2])))
    assert file is not None
    return file.stat().st_size if file.exists() else 0


async def until_on_disk(node: Node, path: str, size: int) -> None:
    async with asyncio.timeout(30):
        while size_on_disk(node, path) < size:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def until_idle(node: Node, path: str) -> None:
    """Waits until no request has the file of the upload."""
    async with asyncio.timeout(30):
        while True:
            with contextlib.suppress(partial_files.UploadLocked):
                partial_files.open_locked(node, int(path.rpartition("/")[2])).close()
                return
            await asyncio.sleep(0.02)


async def test_a_photo_arrives_in_pieces(
    uploader: Uploader, node: Node, alice: Account, photo: Photo
) -> None:
    data = photo(900, 600)
    path = await uploader.begin(len(data), **{"Upload-Metadata": "filename bGFrZS5qcGc=,empty"})

    asked = await uploader.call("HEAD", path)
    assert (asked.headers["Upload-Offset"], asked.headers["Upload-Length"]) == ("0", str(len(data)))
    assert asked.headers["Upload-Metadata"] == "filename bGFrZS5qcGc=,empty"
    assert asked.headers["Cache-Control"] == "no-store"
    at = 0
    for start in range(0, len(data), 5_000):
        answer = await uploader.send(path, data[start : start + 5_000], start)
        at = min(start + 5_000, len(data))
        assert (answer.status, answer.headers["Upload-Offset"]) == (204, str(at))
        assert answer.headers["Tus-Resumable"] == "1.0.0"
    ends = parsedate_to_datetime(answer.headers["Upload-Expires"]).timestamp() * 1000
    assert abs(ends - now_ms() - uploads.RETENTION_MS) < 600_000
    made = await uploader.finish(path, alt="A lake")

    assert made.status == 200
    assert (made.json["width"], made.json["height"]) == (900, 600)
    row = (await node.db.read(photo_rows.by_ids, [int(made.json["id"])]))[int(made.json["id"])]
    assert (row.account_id, row.alt) == (alice.id, "A lake")
    assert (await uploader.finish(path)).json == made.json


async def test_it_says_what_it_speaks(uploader: Uploader, node: Node) -> None:
    answer = await uploader.call("OPTIONS", "/uploads", {"Tus-Resumable": ""})

    assert answer.status == 204
    assert answer.headers["Tus-Version"] == "1.0.0"
    assert answer.headers["Tus-Extension"] == "creation,expiration,checksum,termination"
    assert "sha1" in answer.headers["Tus-Checksum-Algorithm"].split(",")
    assert int(answer.headers["Tus-Max-Size"]) == node.config.media.max_upload_mb * BYTES_PER_MB
    for method, path in (("POST", "/uploads"), ("HEAD", "/uploads/1"), ("PATCH", "/uploads/1")):
        for version in ("", "0.2.2"):
            refused = await uploader.call(method, path, {"Tus-Resumable": version, "Upload-Length": "5"})
            assert (refused.status, refused.headers["Tus-Version"]) == (412, "1.0.0")


async def test_a_connection_that_is_cut_continues_with_what_has_not_arrived(
    uploader: Uploader, node: Node, photo: Photo
) -> None:
    data = photo(900, 600)
    path = await uploader.begin(len(data))

    writer = await uploader.send_part(path, data, 3_000)
    writer.transport.abort()
    await until_idle(node, path)
    at = await uploader.offset(path)

    # All that the server had read is there; what was on its way is not promised.
    assert 0 <= at <= 3_000
    assert (await uploader.send(path, data[at:], at)).status == 204
    assert (await uploader.finish(path)).json["width"] == 900


async def test_a_dead_connection_that_nobody_cut_does_not_hold_up_the_next(
    uploader: Uploader, node: Node
) -> None:
    data = b"x" * 900_000
    path = await uploader.begin(len(data))
    writer = await uploader.send_part(path, data, 700_000)
    await until_on_disk(node, path, partial_files.WRITE_BYTES)

    refused = await uploader.send(path, data)
    assert refused.status == 423
    at = await uploader.offset(path)

    assert partial_files.WRITE_BYTES <= at <= 700_000
    assert (await uploader.send(path, data[at:], at)).headers["Upload-Offset"] == "900000"
    writer.close()


async def test_a_piece_that_does_not_move_ends_and_stays(
    uploader: Uploader, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "STALL_SECONDS", 0.3)
    data = b"x" * 900_000
    path = await uploader.begin(len(data))
    writer = await uploader.send_part(path, data, 300_000)
    await until_on_disk(node, path, 300_000)
    await until_idle(node, path)

    assert await uploader.offset(path) == 300_000
    assert not node.component(Bodies).by_person
    writer.close()


async def test_a_wrong_offset_changes_nothing(uploader: Uploader) -> None:
    path = await uploader.begin(100)
    assert (await uploader.send(path, b"x" * 40)).status == 204

    for offset in (0, 39, 41, 100, 2**62):
        refused = await uploader.send(path, b"y", offset)
        assert (refused.status, refused.headers["Upload-Offset"]) == (409, "40")
    for offset in ("", "-1", "4.0", "0x28", "9" * 30, "٤٠"):
        wrong = {**PIECE, "Upload-Offset": offset}
        with contextlib.suppress(UnicodeEncodeError):
            assert (await uploader.call("PATCH", path, wrong, b"y")).status in (400, 409)

    assert await uploader.offset(path) == 40


async def test_a_piece_is_of_the_right_type_and_not_too_long(uploader: Uploader) -> None:
    path = await uploader.begin(100)

    wrong = await uploader.call(
        "PATCH", path, {"Content-Type": "image/jpeg", "Upload-Offset": "0"}, b"x" * 100
    )
    assert wrong.status == 415
    assert (await uploader.send(path, b"x" * 101)).status == 413
    assert await uploader.offset(path) == 0

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b"x" * 50

    assert (await uploader.send(path, chunks())).status == 413  # type: ignore[arg-type]
    assert await uploader.offset(path) <= 100


async def test_checksums_are_compared(uploader: Uploader) -> None:
    def checksum(algorithm: str, data: bytes) -> dict[str, str]:
        digest = hashlib.new(algorithm, data).digest()
        return {"Upload-Checksum": f"{algorithm} {base64.b64encode(digest).decode()}"}

    path = await uploader.begin(100)
    damaged = await uploader.send(path, b"x" * 50, **checksum("sha1", b"y" * 50))
    assert (damaged.status, await uploader.offset(path)) == (460, 0)
    assert (await uploader.send(path, b"x" * 50, **checksum("sha1", b"x" * 50))).status == 204
    assert (await uploader.send(path, b"z" * 50, 50, **checksum("sha256", b"z" * 50))).status == 204
    assert await uploader.offset(path) == 100
    other = await uploader.begin(100)
    for text in ("sha1", "sha1 ***", "crc32 AAAA", "", "sha1  AAAA"):
        if text:
            assert (await uploader.send(other, b"x", **{"Upload-Checksum": text})).status == 400


@pytest.mark.parametrize("length", ["", "-1", "ten", "1e3", "99999999999999999999"])
async def test_an_upload_needs_a_length(uploader: Uploader, length: str) -> None:
    assert (await uploader.call("POST", "/uploads", {"Upload-Length": length})).status == 400
    assert (await uploader.call("POST", "/uploads", {"Upload-Defer-Length": "1"})).status == 400


@pytest.mark.parametrize(
    "metadata",
    ["filename a", "filename ###", "a YQ==,a YQ==", "a YQ== YQ==", "b YQ==,", "k " + "A" * 4000],
)
async def test_metadata_that_are_none_are_refused(uploader: Uploader, metadata: str) -> None:
    given = {"Upload-Length": "1", "Upload-Metadata": metadata}

    assert (await uploader.call("POST", "/uploads", given)).status == 400


async def test_what_is_too_large_is_refused_before_it_is_sent(uploader: Uploader, node: Node) -> None:
    most = node.config.media.max_upload_mb * BYTES_PER_MB
    refused = await uploader.call("POST", "/uploads", {"Upload-Length": str(most + 1)})

    assert refused.status == 413
    assert refused.json["error"] == "This file is too large: up to 40 MB are accepted."
    await uploader.begin(most)


async def test_a_broken_photo_gets_the_message_of_one_that_is_sent_whole(uploader: Uploader) -> None:
    data = b"%PDF-1.4 nothing to see"
    form = aiohttp.FormData()
    form.add_field("photo", data, filename="x.pdf")
    whole = await uploader.call("POST", "/compose/photo", data=form)
    path = await uploader.begin(len(data))
    await uploader.send(path, data)
    in_pieces = await uploader.finish(path)

    assert (whole.status, in_pieces.status) == (422, 422)
    assert in_pieces.json == whole.json
    assert (await uploader.call("HEAD", path)).status == 404


async def test_what_has_not_arrived_completely_is_no_photo(uploader: Uploader, photo: Photo) -> None:
    data = photo()
    path = await uploader.begin(len(data))
    await uploader.send(path, data[:-1])

    assert (await uploader.finish(path)).status == 409
    await uploader.send(path, data[-1:], len(data) - 1)
    assert (await uploader.finish(path)).status == 200
    assert (await uploader.finish("/uploads/12345")).status == 404


async def test_an_upload_is_cancelled(uploader: Uploader) -> None:
    path = await uploader.begin(100)
    await uploader.send(path, b"x" * 40)

    assert (await uploader.call("DELETE", path)).status == 204

    for method in ("HEAD", "DELETE"):
        assert (await uploader.call(method, path)).status == 404
    assert (await uploader.send(path, b"x", 40)).status == 404


async def test_a_client_that_can_only_post_says_which_method_it_means(uploader: Uploader) -> None:
    path = await uploader.begin(100)
    means = "X-HTTP-Method-Override"

    sent = await uploader.call("POST", path, {**PIECE, means: "PATCH", "Upload-Offset": "0"}, b"x" * 40)
    assert (sent.status, sent.headers["Upload-Offset"]) == (204, "40")
    assert (await uploader.call("POST", path)).status == 405
    assert (await uploader.call("POST", path, {means: "GET"})).status == 405
    assert (await uploader.call("POST", path, {means: "DELETE"})).status == 204
    assert (await uploader.call("HEAD", path)).status == 404


async def test_uploads_are_for_whoever_is_signed_in_and_comes_from_our_page(
    uploader: Uploader, connect: Connect, mallory: Account
) -> None:
    path = await uploader.begin(100)
    stranger = await connect(mallory)
    for headers, status in (
        ({"Cookie": ""}, 401),
        ({"Cookie": f"{SESSION_COOKIE}=made-up"}, 401),
        ({"X-CSRF": ""}, 403),
        ({"X-CSRF": stranger.csrf}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ):
        assert (await uploader.send(path, b"x", **headers)).status == status
        assert (await uploader.call("DELETE", path, headers)).status in (401, 403)
        assert (await uploader.call("POST", "/uploads", {"Upload-Length": "5", **headers})).status == status
    assert (await stranger.send(path, b"x")).status == 404
    assert (await stranger.call("DELETE", path)).status == 404
    assert (await stranger.call("HEAD", path)).status == 404
    assert (await stranger.finish(path)).status == 404
    assert await uploader.offset(path) == 0


async def test_one_person_may_have_so_many_bytes_under_way_and_no_more(
    uploader: Uploader, node: Node
) -> None:
    most = uploads.limits_of(node).of_person
    largest = node.config.media.max_upload_mb * BYTES_PER_MB
    for _ in range(most // largest):
        await uploader.begin(largest)

    refused = await uploader.call("POST", "/uploads", {"Upload-Length": "1"})

    assert refused.status == 429
    assert int(refused.headers["Retry-After"]) > 0
    assert "uploaded at once" in refused.json["error"]


async def test_a_full_disk_is_said(uploader: Uploader, node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    path = await uploader.begin(100)
    monkeypatch.setattr(DiskSpace, "is_low", lambda self: True)

    for answer in (
        await uploader.send(path, b"x"),
        await uploader.call("POST", "/uploads", {"Upload-Length": "5"}),
    ):
        assert answer.status == 507
        assert "disk is full" in answer.json["error"]
    assert (await uploader.call("DELETE", path)).status == 204


async def test_several_processes_receive_one_upload(
    uploader: Uploader, node: Node, photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second is another node on the same folder, of which nothing is shared but the folder and the tables."""
    data = photo(900, 600)
    path = await uploader.begin(len(data))
    other_port = free_port()
    server = Server(create_app(node), other_port, None)
    await server.start()
    try:
        await uploader.send(path, data[:2000])
        node._components.pop(receiving.ReceivedNow, None)  # what the first process knows of itself
        other = Uploader(other_port, uploader.http, uploader.session, uploader.csrf)
        writer = await uploader.send_part(path, data[2000:], 3_000, 2000)
        await asyncio.sleep(0)
        writer.transport.abort()
        await until_idle(node, path)
        at = await other.offset(path)
        assert at >= 2000
        assert (await other.send(path, data[at:], at)).status == 204
        assert (await uploader.finish(path)).status == 200
    finally:
        await server.stop()


def _unfinished(tx: Reader) -> int:
    found: int = tx.value("SELECT COUNT(*) FROM uploads WHERE photo_id IS NULL")
    return found


async def test_what_ends_is_not_counted_any_more(uploader: Uploader, node: Node, photo: Photo) -> None:
    data = photo()
    for _ in range(3):
        path = await uploader.begin(len(data))
        await uploader.send(path, data)
        await uploader.finish(path)

    assert await node.db.read(_unfinished) == 0
    await asyncio.sleep(0)
    assert not node.component(Bodies).by_person
