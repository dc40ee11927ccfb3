"""Forms with files: what of them is held in memory, and how many files they may have."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator

import pytest

from node.errors import Invalid, Refused
from web.request import multipart
from web.request.bodies import BodyOverLimit
from web.request.multipart import Form, read_form

PIECE = 64 * 1024
FILE = b'--edge\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'
END = b"\r\n--edge--\r\n"

# Where a form goes on and on: before its first part, within a header, a boundary, or behind its end.
ENDLESS = {
    "before the first part": b"",
    "a header": b"--edge\r\nX: ",
    "headers": b"--edge\r\nContent-Disposition: form-data",
    "behind the end": FILE + b"data" + END,
}


class Sent:
    """Pieces of a request, counted as they are taken."""

    def __init__(self, start: bytes, fill: bytes, pieces: int) -> None:
        self.start, self.fill, self.pieces = start, fill, pieces
        self.taken = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.start
        for _ in range(self.pieces):
            self.taken += 1
            yield self.fill


async def read(sent: Sent, max_parts: int = 1000) -> Form:
    return await read_form(sent, "edge", io.BytesIO, max_parts=max_parts)


@pytest.mark.parametrize("fill", [b"x", b" ", b"\r\n ", b"-", b"\r", b"--edge"], ids=repr)
@pytest.mark.parametrize("start", ENDLESS.values(), ids=ENDLESS)
async def test_what_belongs_to_no_file_and_no_field_is_not_gathered(start: bytes, fill: bytes) -> None:
    sent = Sent(start, (fill * PIECE)[:PIECE], 500)

    with pytest.raises(Refused):
        await read(sent)

    # Two line ends close the headers, and then it is a field.
    is_field = start == ENDLESS["headers"] and fill == b"\r"
    most = multipart.MAX_FIELDS_BYTES if is_field else multipart.MAX_UNREAD_BYTES
    assert sent.taken * PIECE <= most + PIECE


@pytest.mark.parametrize("part", ['name="%s"', 'name="f"; filename="%s"', 'name="f"\r\nX: %s'])
async def test_names_and_headers_of_parts_count_like_fields(part: str) -> None:
    head = f"--edge\r\nContent-Disposition: form-data; {part}\r\n\r\nx\r\n" % ("x" * 60_000)
    sent = Sent(b"", head.encode(), 60)

    with pytest.raises(BodyOverLimit):
        await read(sent)

    assert sent.taken * 60_000 <= multipart.MAX_FIELDS_BYTES + 2 * PIECE


@pytest.mark.parametrize("fill", [b"x", b"\r\n", b"\r", b"\n--edg", b"--edge ", b"-"], ids=repr)
async def test_a_file_of_any_bytes_is_read_whole(fill: bytes) -> None:
    content = b"." + (fill * PIECE)[:PIECE]

    async def pieces() -> AsyncIterator[bytes]:
        yield FILE
        for _ in range(20):
            yield content
        yield END

    form = await read_form(pieces(), "edge", io.BytesIO, max_parts=10)

    assert form.files[0].file.read() == content * 20


async def test_a_form_has_a_limited_number_of_files() -> None:
    opened = []

    def open_file() -> io.BytesIO:
        opened.append(io.BytesIO())
        return opened[-1]

    with pytest.raises(Invalid):
        await read_form(Sent(b"", FILE + b"x\r\n", 900), "edge", open_file, max_parts=1000)

    assert len(opened) == multipart.MAX_FILES
