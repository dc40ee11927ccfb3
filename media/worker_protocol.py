"""The messages between the node and a worker process: a length, a small JSON head, then plain bytes.

A process that has read a malicious picture may send anything, so nothing it sends is trusted: no pickle, every
number has a bound, the names of the files are the node's own, and a file must begin like its type.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable

import msgspec

from media.editing import recipes
from media.images import (
    ACCEPTED_MESSAGE,
    BYTES_PER_MB,
    CAMERA_FIELDS,
    EXTENSIONS,
    MAX_EXIF_VALUE_LENGTH,
    MIMES,
    BadImage,
    Picture,
    RenderedFile,
    Variant,
    sniff,
)

LENGTH_STRUCT = struct.Struct(">I")
# On the status pipe, by the process that never reads a picture: the exit code of the one that did (minus the
# signal that ended it), its peak memory in KB, its CPU time in microseconds.
STATUS_STRUCT = struct.Struct(">hQQ")
_MAX_HEAD_BYTES = 64 * 1024
_MAX_FILE_BYTES = 48 * BYTES_PER_MB
_MAX_SIDE_PIXELS = 1 << 20
_BLURHASH = re.compile(r"[0-9A-Za-z#$%*+,\-.:;=?@\[\]^_{|}~]{6,164}")

Read = Callable[[int], bytes]


class RenderRequest(msgspec.Struct):
    """Followed by `size` bytes of the file. `cpu_seconds` and `niceness` are those of the process that decodes it.

    `recipe`: the canonical recipe of an edit, or nothing. `finds_levels`: auto-level is asked for. `reads_place`:
    the place that a camera wrote is asked for.
    """

    size: int
    variants: tuple[Variant, ...]
    cpu_seconds: int
    niceness: int
    recipe: str = ""
    finds_levels: bool = False
    reads_place: bool = False


class FileHeader(msgspec.Struct):
    width: int
    height: int
    size: int


class RenderResponse(msgspec.Struct):
    """Either `error` with a `detail`, or what is known of the picture; then the files follow in the requested order."""

    error: str = ""
    detail: str = ""
    width: int = 0
    height: int = 0
    mime: str = ""
    blurhash: str = ""
    files: list[FileHeader] = []
    camera_fields: list[tuple[str, str]] = []
    is_incomplete: bool = False
    levels: str = ""
    place: tuple[float, float] | None = None


class ProtocolError(Exception):
    """The response is malformed. Its sender must not be used again."""


def encode_message(message: RenderRequest | RenderResponse) -> bytes:
    head = msgspec.json.encode(message)
    return LENGTH_STRUCT.pack(len(head)) + head


def read_request(read: Read) -> RenderRequest:
    (length,) = LENGTH_STRUCT.unpack(read(LENGTH_STRUCT.size))
    return msgspec.json.decode(read(length), type=RenderRequest)


def success_response(picture: Picture) -> RenderResponse:
    headers = [FileHeader(file.width, file.height, len(file.data)) for file in picture.files]
    return RenderResponse(
        width=picture.width,
        height=picture.height,
        mime=picture.mime,
        blurhash=picture.blurhash,
        files=headers,
        camera_fields=picture.camera_fields,
        is_incomplete=picture.is_incomplete,
        levels=picture.levels,
        place=picture.place,
    )


def error_response(error: BadImage) -> RenderResponse:
    return RenderResponse(error=error.message or ACCEPTED_MESSAGE, detail=error.detail[:1000])


def read_picture(read: Read, variants: tuple[Variant, ...]) -> Picture:
    """Reads the requested picture.

    Raises BadImage if it was refused, ProtocolError for a malformed response.
    """
    (length,) = LENGTH_STRUCT.unpack(read(LENGTH_STRUCT.size))
    if length > _MAX_HEAD_BYTES:
        raise ProtocolError(f"a head of {length} bytes")
    try:
        response = msgspec.json.decode(read(length), type=RenderResponse)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ProtocolError(str(error)) from error
    if response.error:
        raise BadImage(_one_line(response.error, 400), _one_line(response.detail, 1000))
    if not (0 < response.width < _MAX_SIDE_PIXELS and 0 < response.height < _MAX_SIDE_PIXELS):
        raise ProtocolError(f"a picture of {response.width} × {response.height}")
    if response.mime not in EXTENSIONS or not _BLURHASH.fullmatch(response.blurhash):
        raise ProtocolError("an unknown type or a broken blurhash")
    if len(response.files) != len(variants):
        raise ProtocolError(f"{len(response.files)} files instead of {len(variants)}")
    files = [
        _read_file(read, variant, header) for variant, header in zip(variants, response.files, strict=True)
    ]
    return Picture(
        response.width,
        response.height,
        response.mime,
        response.blurhash,
        files,
        _camera_fields(response.camera_fields),
        response.is_incomplete,
        _levels(response.levels),
        _place(response.place),
    )


def _levels(received: str) -> str:
    """Returns what auto-level found, spelt as this node spells it."""
    if not received:
        return ""
    try:
        found = recipes.parse(received)
    except recipes.BadRecipe as error:
        raise ProtocolError(f"levels: {error}") from error
    return recipes.canonical(recipes.Recipe(adjust=found.adjust))


def _place(received: tuple[float, float] | None) -> tuple[float, float] | None:
    if received is not None and not (abs(received[0]) <= 90 and abs(received[1]) <= 180):
        raise ProtocolError(f"a place at {received}")
    return received


def _camera_fields(received: list[tuple[str, str]]) -> list[tuple[str, str]]:
    values = dict(received)
    return [
        (name, text)
        for name in CAMERA_FIELDS
        if (text := _one_line(values.get(name, ""), MAX_EXIF_VALUE_LENGTH).strip())
    ]


def _read_file(read: Read, variant: Variant, header: FileHeader) -> RenderedFile:
    if not (
        0 < header.size <= _MAX_FILE_BYTES
        and 0 < header.width <= variant.edge
        and 0 < header.height <= variant.edge
    ):
        raise ProtocolError(f"a {variant.name} of {header.width} × {header.height}, {header.size} bytes")
    data = read(header.size)
    mime = MIMES[variant.format]
    if sniff(data[:64]) != mime:
        raise ProtocolError(f"a {variant.name} that is not {mime}")
    return RenderedFile(variant.name, variant.format, mime, header.width, header.height, data)


def _one_line(text: str, length: int) -> str:
    return "".join(character if character.isprintable() else " " for character in text[:length])
