"""Reads forms with files as they arrive: the files go to the disk, the other fields are small."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterable, Callable
from dataclasses import dataclass, field
from typing import BinaryIO

from werkzeug.datastructures import Headers
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from node.errors import DiskFull, Invalid, is_disk_full
from web.request.bodies import BodyOverLimit

log = logging.getLogger("tintype.disk")

MAX_FIELDS_BYTES = 1024 * 1024
# What belongs to no file and no field yet: the headers of a part, and what stands before the first and behind the last.
MAX_UNREAD_BYTES = 64 * 1024
MAX_FILES = 64
WRITE_BYTES = 256 * 1024


@dataclass(slots=True)
class UploadedPart:
    """A file of a form. The name and type that it declares are not trusted."""

    name: str
    filename: str
    headers: Headers
    file: BinaryIO


@dataclass(slots=True)
class Form:
    """What a form holds: its fields, and its files."""

    fields: list[tuple[str, str]] = field(default_factory=list)
    files: list[UploadedPart] = field(default_factory=list)


async def read_form(
    pieces: AsyncIterable[bytes], boundary: str, open_file: Callable[[], BinaryIO], *, max_parts: int
) -> Form:
    """Reads a form of the type multipart/form-data. Each of its files is written to one that `open_file` makes.

    Raises Invalid for a malformed one, or one of too many parts; BodyOverLimit for too large ones; DiskFull.
    """
    reader = _Reader(boundary, open_file, max_parts)
    try:
        async for piece in pieces:
            await reader.take(piece)
        await reader.take(None)
    except RequestEntityTooLarge:
        raise Invalid("Too many values at once.") from None
    except (ValueError, AttributeError, UnicodeError):
        raise Invalid("The form could not be read.") from None
    except OSError as error:
        if is_disk_full(error):
            log.error("the disk is full: an upload could not be kept: %s", error)
            raise DiskFull(detail=f"an upload: {error}") from error
        raise
    return reader.form


class _Reader:
    def __init__(self, boundary: str, open_file: Callable[[], BinaryIO], max_parts: int) -> None:
        self.form = Form()
        self._decoder = MultipartDecoder(boundary.encode("latin-1"), max_parts=max_parts)
        self._open_file = open_file
        self._name = ""
        self._upload: UploadedPart | None = None
        self._unwritten: list[bytes] = []
        self._unwritten_bytes = self._fields_bytes = self._files = 0

    async def take(self, piece: bytes | None) -> None:
        """Takes what has arrived; None after the last piece."""
        self._decoder.receive_data(piece)
        while not isinstance(event := self._decoder.next_event(), Epilogue | NeedData):
            if isinstance(event, File | Field):
                self._count_bytes(sum(len(name) + len(value) for name, value in event.headers))
            if isinstance(event, File):
                self._files += 1
                if self._files > MAX_FILES:
                    raise RequestEntityTooLarge
                self._upload = UploadedPart(
                    event.name or "", event.filename, event.headers, self._open_file()
                )
            elif isinstance(event, Field):
                self._name, self._upload = event.name or "", None
            elif isinstance(event, Data):
                await self._add(event.data, is_last=not event.more_data)
        if len(self._decoder.buffer) > MAX_UNREAD_BYTES:
            raise BodyOverLimit("That is larger than this server accepts.")

    async def _add(self, data: bytes, *, is_last: bool) -> None:
        self._unwritten.append(data)
        self._unwritten_bytes += len(data)
        if self._upload is None:
            self._count_bytes(len(data))
            if is_last:
                self.form.fields.append((self._name, self._take_unwritten().decode("utf-8", "replace")))
        elif is_last or self._unwritten_bytes >= WRITE_BYTES:
            # In a thread: a disk that is busy holds up the one who uploads, and nobody else.
            await asyncio.to_thread(self._upload.file.write, self._take_unwritten())
            if is_last:
                await asyncio.to_thread(self._upload.file.seek, 0)
                self.form.files.append(self._upload)

    def _count_bytes(self, size: int) -> None:
        """Counts what stays in memory: fields, and the names and headers of all parts."""
        self._fields_bytes += size
        if self._fields_bytes > MAX_FIELDS_BYTES:
            raise BodyOverLimit("That is larger than this server accepts.")

    def _take_unwritten(self) -> bytes:
        data = b"".join(self._unwritten)
        self._unwritten, self._unwritten_bytes = [], 0
        return data
