"""Uploads that arrive in pieces: however they break off, the offset is what is on the disk."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.attachments import file_sweep, photo_rows, photos
from node.database import Reader, Writer
from node.errors import Conflict, DiskFull, Invalid, NotFound, Refused, TooManyRequests
from node.models.account import Account
from node.node import Node
from node.uploads import partial_files, receiving, uploads
from node.uploads.partial_files import UploadLocked, open_locked
from node.uploads.receiving import Checksum, ChecksumMismatch, PieceTooLong, WrongOffset
from web import wiring

Photo = Callable[..., bytes]


class Lost(Exception):
    """The connection was lost."""


async def begin(node: Node, who: Account, length: int) -> int:
    return (await node.db.write(uploads.create, who, length, "", uploads.limits_of(node))).id


async def pieces(*parts: bytes, error: Exception | None = None) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
    if error is not None:
        raise error


async def send(node: Node, who: Account, upload: int, data: bytes, offset: int = 0, **options: Any) -> int:
    return (await receiving.append(node, who, upload, offset, pieces(data), **options))[1]


async def offset_of(node: Node, who: Account, upload: int) -> int:
    return (await receiving.find_offset(node, who, upload))[1]


def stored(node: Node, upload: int) -> bytes:
    path = node.storage.path(partial_files.storage_key(upload))
    assert path is not None
    return path.read_bytes() if path.exists() else b""


def photos_count(tx: Reader) -> int:
    found: int = tx.value("SELECT COUNT(*) FROM photos")
    return found


# The offset, whatever happens.


@dataclass(frozen=True)
class Piece:
    """A piece as a client sends it: `ahead` of the true offset, cut off after `arrives` bytes."""

    ahead: int
    size: int
    arrives: int | None
    checksum: str
    """"", "right" or "wrong"."""


_pieces = st.builds(
    Piece,
    ahead=st.sampled_from((0, 0, 0, 0, -1, 1, 500)),
    size=st.sampled_from((0, 1, 700, 5_000, 300_000, 700_000)),
    arrives=st.none() | st.sampled_from((0, 1, 400, 200_000, 290_000)),
    checksum=st.sampled_from(("", "", "right", "wrong")),
)
LENGTH = 1_000_000
DATA = os.urandom(LENGTH)


@given(sent=st.lists(st.one_of(_pieces, st.just("ask"), st.just("finish")), max_size=12))
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
async def test_after_any_sequence_the_offset_is_what_is_on_the_disk(
    node: Node, alice: Account, sent: list[Piece | str]
) -> None:
    upload = await begin(node, alice, LENGTH)
    known = 0
    for one in sent:
        if one == "ask":
            assert await offset_of(node, alice, upload) == known
        elif one == "finish" and known < LENGTH:
            with pytest.raises(Conflict):
                await receiving.become_photo(node, alice, upload)
        elif isinstance(one, Piece):
            known = await _send_and_predict(node, alice, upload, known, one)
        assert stored(node, upload) == DATA[:known]
    if known:
        # Whoever continues from there has the whole file in the end, with nothing twice.
        assert await send(node, alice, upload, DATA[known:], known) == LENGTH
        assert stored(node, upload) == DATA
    await receiving.cancel(node, alice, upload)
    await wiring.run_due_jobs(node)
    assert stored(node, upload) == b""


async def _send_and_predict(node: Node, who: Account, upload: int, known: int, piece: Piece) -> int:
    """Sends a piece; returns the offset that the upload must have then."""
    offset = known + piece.ahead
    if offset < 0:
        return known
    whole = DATA[known : known + piece.size] + b"?" * max(0, known + piece.size - LENGTH)
    arriving = whole if piece.arrives is None else whole[: piece.arrives]
    is_lost = len(arriving) < len(whole)
    checksum = None
    if piece.checksum:
        right = hashlib.sha256(whole).digest()
        checksum = Checksum("sha256", right if piece.checksum == "right" else right[::-1])
    expected, after = _expected(known, piece, len(arriving), is_lost=is_lost)
    source = pieces(arriving[:1000], arriving[1000:], error=Lost() if is_lost else None)
    if expected is None:
        _, got = await receiving.append(node, who, upload, offset, source, checksum=checksum)
        assert got == after
    else:
        with pytest.raises(expected):
            await receiving.append(node, who, upload, offset, source, checksum=checksum)
    return after


def _expected(
    known: int, piece: Piece, arriving: int, *, is_lost: bool
) -> tuple[type[Exception] | None, int]:
    if piece.ahead:
        return WrongOffset, known
    room = LENGTH - known
    if arriving > room:
        return PieceTooLong, known if piece.checksum else LENGTH
    if is_lost:
        return Lost, known if piece.checksum else known + arriving
    if piece.checksum == "wrong":
        return ChecksumMismatch, known
    return None, known + arriving


# Two requests for one upload.


async def test_two_pieces_at_the_same_time_are_refused(node: Node, alice: Account) -> None:
    upload = await begin(node, alice, 100)
    is_begun, may_end = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"x" * 40
        is_begun.set()
        await may_end.wait()
        yield b"x" * 10

    first = asyncio.ensure_future(receiving.append(node, alice, upload, 0, slow()))
    await is_begun.wait()

    with pytest.raises(UploadLocked):
        await send(node, alice, upload, b"y" * 100)

    may_end.set()
    assert (await first)[1] == 50
    assert stored(node, upload) == b"x" * 50
    with pytest.raises(WrongOffset) as wrong:
        await send(node, alice, upload, b"y" * 100)
    assert wrong.value.offset == 50


async def test_whoever_asks_for_the_offset_ends_a_piece_that_does_not_move(
    node: Node, alice: Account
) -> None:
    upload = await begin(node, alice, 100)
    is_begun, is_ended = asyncio.Event(), asyncio.Event()

    async def dead() -> AsyncIterator[bytes]:
        yield b"x" * 40
        is_begun.set()
        await is_ended.wait()
        raise Lost

    first = asyncio.ensure_future(receiving.append(node, alice, upload, 0, dead(), end=is_ended.set))
    await is_begun.wait()

    assert await offset_of(node, alice, upload) == 40
    with contextlib.suppress(Lost):
        await first
    assert await send(node, alice, upload, b"y" * 60, 40) == 100


async def test_an_upload_that_another_process_has_is_locked(
    node: Node, alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiving, "LOCK_SECONDS", 0.1)
    upload = await begin(node, alice, 100)

    with open_locked(node, upload):
        with pytest.raises(UploadLocked):
            await offset_of(node, alice, upload)
        with pytest.raises(UploadLocked):
            await receiving.become_photo(node, alice, upload)

    assert await offset_of(node, alice, upload) == 0


async def test_a_cancelled_piece_keeps_what_arrived(node: Node, alice: Account) -> None:
    upload = await begin(node, alice, 100)
    is_begun = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"x" * 40
        is_begun.set()
        await asyncio.Event().wait()

    task = asyncio.ensure_future(receiving.append(node, alice, upload, 0, slow()))
    await is_begun.wait()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task

    assert await offset_of(node, alice, upload) == 40


async def test_wherever_a_request_is_cancelled_what_arrived_stays(node: Node, alice: Account) -> None:
    upload = await begin(node, alice, 1000)
    await send(node, alice, upload, b"a" * 400)
    for waits in range(40):
        for request in (
            send(node, alice, upload, b"", 400),
            offset_of(node, alice, upload),
            receiving.become_photo(node, alice, upload),
        ):
            task = asyncio.ensure_future(request)
            for _ in range(waits):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
            await asyncio.sleep(0.001)  # a thread may still have the file

            assert stored(node, upload) == b"a" * 400
    assert await offset_of(node, alice, upload) == 400


async def test_nobody_else_can_ask_send_finish_or_cancel(
    node: Node, alice: Account, mallory: Account
) -> None:
    upload = await begin(node, alice, 100)

    for attempt in (
        receiving.find_offset(node, mallory, upload),
        receiving.append(node, mallory, upload, 0, pieces(b"x")),
        receiving.become_photo(node, mallory, upload),
        receiving.cancel(node, mallory, upload),
    ):
        with pytest.raises(NotFound):
            await attempt
    assert partial_files.ids_on_disk(node, older_than=0) == []


async def test_no_file_stays_of_an_upload_that_is_cancelled_while_it_is_sent(
    node: Node, alice: Account, settle: Callable[[], Any]
) -> None:
    upload = await begin(node, alice, 100)
    is_begun, is_cancelled = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"x" * 40
        is_begun.set()
        await is_cancelled.wait()
        yield b"x" * 10

    first = asyncio.ensure_future(receiving.append(node, alice, upload, 0, slow()))
    await is_begun.wait()
    await receiving.cancel(node, alice, upload)
    await settle()
    is_cancelled.set()

    with pytest.raises(NotFound):
        await first
    with pytest.raises(NotFound):
        await send(node, alice, upload, b"x")
    assert partial_files.ids_on_disk(node, older_than=0) == []


async def test_a_full_disk_says_so_and_keeps_what_arrived(
    node: Node, alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = await begin(node, alice, 1000)
    assert await send(node, alice, upload, b"x" * 400) == 400
    write = os.write

    def full(fd: int, data: memoryview) -> int:
        if len(data) <= 100:
            raise OSError(28, "No space left on device")
        return write(fd, data[:100])

    monkeypatch.setattr(partial_files.os, "write", full)
    with pytest.raises(DiskFull):
        await send(node, alice, upload, b"x" * 300, 400)

    monkeypatch.setattr(partial_files.os, "write", write)
    assert await offset_of(node, alice, upload) == 600


# What it becomes.


async def test_a_complete_upload_becomes_a_photo_once(
    node: Node, alice: Account, photo: Photo, settle: Callable[[], Any]
) -> None:
    data = photo(600, 400)
    upload = await begin(node, alice, len(data))
    await send(node, alice, upload, data[:1000])
    await send(node, alice, upload, data[1000:], 1000)

    made = await receiving.become_photo(node, alice, upload, alt="A lake")
    again = await receiving.become_photo(node, alice, upload, alt="A lake")

    assert again == made
    assert (made.width, made.height, made.alt, made.account_id) == (600, 400, "A lake", alice.id)
    assert await node.db.read(photos_count) == 1
    assert await node.storage.get(made.original_file) == data
    await settle()
    assert partial_files.ids_on_disk(node, older_than=0) == []
    assert await offset_of(node, alice, upload) == len(data)
    assert await send(node, alice, upload, b"", len(data)) == len(data)
    with pytest.raises(PieceTooLong):
        await send(node, alice, upload, b"x", len(data))
    assert partial_files.ids_on_disk(node, older_than=0) == []


async def test_two_requests_to_finish_make_one_photo(node: Node, alice: Account, photo: Photo) -> None:
    data = photo(600, 400)
    upload = await begin(node, alice, len(data))
    await send(node, alice, upload, data)

    async def finish() -> photo_rows.Photo:
        while True:
            with contextlib.suppress(UploadLocked):  # a slow machine
                return await receiving.become_photo(node, alice, upload)

    made = await asyncio.gather(*(finish() for _ in range(3)))

    assert len({one.id for one in made}) == 1
    assert await node.db.read(photos_count) == 1


@pytest.mark.parametrize("data", [b"%PDF-1.4 nothing to see", b"\xff\xd8\xff" + b"broken" * 50, b""])
async def test_what_is_no_picture_is_refused_as_when_sent_whole_and_deleted(
    node: Node, alice: Account, data: bytes, settle: Callable[[], Any]
) -> None:
    with pytest.raises(Invalid) as whole:
        await photos.upload(node, alice, data)
    upload = await begin(node, alice, len(data))
    await send(node, alice, upload, data)

    with pytest.raises(Invalid) as in_pieces:
        await receiving.become_photo(node, alice, upload)

    assert in_pieces.value.message == whole.value.message
    await settle()
    with pytest.raises(NotFound):
        await offset_of(node, alice, upload)
    assert partial_files.ids_on_disk(node, older_than=0) == []


async def test_what_is_refused_for_now_can_be_finished_later(
    node: Node, alice: Account, photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = photo(600, 400)
    upload = await begin(node, alice, len(data))
    await send(node, alice, upload, data)
    with pytest.raises(Invalid):
        await receiving.become_photo(node, alice, upload, alt="x" * 100_000)
    monkeypatch.setattr(photo_rows, "MAX_UNATTACHED", 0)
    with pytest.raises(TooManyRequests):
        await receiving.become_photo(node, alice, upload)
    monkeypatch.setattr(photo_rows, "MAX_UNATTACHED", 100)

    assert (await receiving.become_photo(node, alice, upload)).width == 600


async def test_a_refusal_while_a_piece_arrives_is_passed_on(node: Node, alice: Account) -> None:
    upload = await begin(node, alice, 100)

    with pytest.raises(Refused, match="slow"):
        await receiving.append(node, alice, upload, 0, pieces(b"x" * 30, error=Refused("slow")))

    assert await offset_of(node, alice, upload) == 30


# What killed processes leave.


async def test_files_that_no_upload_names_are_deleted_a_day_later(
    node: Node, alice: Account, clock: Callable[[int], None]
) -> None:
    upload = await begin(node, alice, 100)
    await send(node, alice, upload, b"x" * 30)
    open_locked(node, 12345).close()

    assert await receiving.delete_unknown_files(node) == 0
    for id_ in (upload, 12345):
        path = node.storage.path(partial_files.storage_key(id_))
        assert path is not None
        os.utime(path, (1, 1))

    assert await receiving.delete_unknown_files(node) == 1

    assert partial_files.ids_on_disk(node, older_than=0) == [upload]


async def test_the_sweep_of_stored_files_leaves_uploads_alone(
    node: Node, alice: Account, settle: Callable[[], Any]
) -> None:
    upload = await begin(node, alice, 100)
    await send(node, alice, upload, b"x" * 30)
    path = node.storage.path(partial_files.storage_key(upload))
    assert path is not None
    os.utime(path, (1, 1))

    def sweep(tx: Writer) -> None:
        file_sweep.start(tx)

    await node.db.write(sweep)
    await settle()

    assert await offset_of(node, alice, upload) == 30
