"""What the node and a sandbox process say to each other: a length, a small JSON head, then plain bytes.

A process that has read a hostile picture may say anything, so nothing it says is believed: no pickle, every
number has a bound, the names of the files are the node's own, and a file must begin like its type.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable

import msgspec

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
# On the status pipe, by the process that never reads a picture: how the one that did has ended (minus the
# signal that ended it), its peak memory in KB, its CPU time in microseconds.
STATUS_STRUCT = struct.Struct(">hQQ")
_MAX_HEAD_BYTES = 64 * 1024
_MAX_FILE_BYTES = 48 * BYTES_PER_MB
_MAX_SIDE_PIXELS = 1 << 20
_BLURHASH = re.compile(r"[0-9A-Za-z#$%*+,\-.:;=?@\[\]^_{|}~]{6,164}")

Read = Callable[[int], bytes]


class RenderRequest(msgspec.Struct):
    """Followed by `size` bytes of the file."""

    size: int
    variants: tuple[Variant, ...]


class FileHeader(msgspec.Struct):
    width: int
    height: int
    size: int


class RenderResponse(msgspec.Struct):
    """Either `error` with a `detail`, or the facts of the picture; then the files follow in the order asked."""

    error: str = ""
    detail: str = ""
    width: int = 0
    height: int = 0
    mime: str = ""
    blurhash: str = ""
    files: list[FileHeader] = []
    camera_fields: list[tuple[str, str]] = []


class ProtocolError(Exception):
    """What came is not an answer. Whoever said it is not to be asked again."""


def encode_message(message: RenderRequest | RenderResponse) -> bytes:
    head = msgspec.json.encode(message)
    return LENGTH_STRUCT.pack(len(head)) + head


def read_request(read: Read) -> RenderRequest:
    (length,) = LENGTH_STRUCT.unpack(read(LENGTH_STRUCT.size))
    return msgspec.json.decode(read(length), type=RenderRequest)


def success_response(picture: Picture) -> RenderResponse:
    facts = [FileHeader(file.width, file.height, len(file.data)) for file in picture.files]
    return RenderResponse(
        "", "", picture.width, picture.height, picture.mime, picture.blurhash, facts, picture.camera_fields
    )


def error_response(error: BadImage) -> RenderResponse:
    return RenderResponse(error=error.message or ACCEPTED_MESSAGE, detail=error.detail[:1000])


def read_picture(read: Read, variants: tuple[Variant, ...]) -> Picture:
    """The picture that was asked for. Raises BadImage if it was refused, Nonsense if the answer is none."""
    (length,) = LENGTH_STRUCT.unpack(read(LENGTH_STRUCT.size))
    if length > _MAX_HEAD_BYTES:
        raise ProtocolError(f"a head of {length} bytes")
    try:
        said = msgspec.json.decode(read(length), type=RenderResponse)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ProtocolError(str(error)) from error
    if said.error:
        raise BadImage(_one_line(said.error, 400), _one_line(said.detail, 1000))
    if not (0 < said.width < _MAX_SIDE_PIXELS and 0 < said.height < _MAX_SIDE_PIXELS):
        raise ProtocolError(f"a picture of {said.width} × {said.height}")
    if said.mime not in EXTENSIONS or not _BLURHASH.fullmatch(said.blurhash):
        raise ProtocolError("an unknown type or a broken blurhash")
    if len(said.files) != len(variants):
        raise ProtocolError(f"{len(said.files)} files instead of {len(variants)}")
    files = [_read_file(read, variant, facts) for variant, facts in zip(variants, said.files, strict=True)]
    return Picture(
        said.width, said.height, said.mime, said.blurhash, files, _camera_fields(said.camera_fields)
    )


def _camera_fields(said: list[tuple[str, str]]) -> list[tuple[str, str]]:
    told = dict(said)
    return [
        (name, text)
        for name in CAMERA_FIELDS
        if (text := _one_line(told.get(name, ""), MAX_EXIF_VALUE_LENGTH).strip())
    ]


def _read_file(read: Read, variant: Variant, facts: FileHeader) -> RenderedFile:
    if not (
        0 < facts.size <= _MAX_FILE_BYTES
        and 0 < facts.width <= variant.edge
        and 0 < facts.height <= variant.edge
    ):
        raise ProtocolError(f"a {variant.name} of {facts.width} × {facts.height}, {facts.size} bytes")
    data = read(facts.size)
    mime = MIMES[variant.format]
    if sniff(data[:64]) != mime:
        raise ProtocolError(f"a {variant.name} that is not {mime}")
    return RenderedFile(variant.name, variant.format, mime, facts.width, facts.height, data)


def _one_line(text: str, length: int) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text[:length])
