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
    ACCEPTED,
    CAMERA,
    EXTENSIONS,
    LONGEST_FACT,
    MB,
    MIMES,
    BadImage,
    Picture,
    Rendered,
    Variant,
    sniff,
)

LENGTH = struct.Struct(">I")
# On the status pipe, by the process that never reads a picture: how the one that did has ended (minus the
# signal that ended it), its peak memory in KB, its CPU time in microseconds.
STATUS = struct.Struct(">hQQ")
_MAX_HEAD = 64 * 1024
_MAX_FILE = 48 * MB
_MAX_SIDE = 1 << 20
_BLURHASH = re.compile(r"[0-9A-Za-z#$%*+,\-.:;=?@\[\]^_{|}~]{6,164}")

Read = Callable[[int], bytes]


class Ask(msgspec.Struct):
    """Followed by `size` bytes of the file."""

    size: int
    variants: tuple[Variant, ...]


class FileFacts(msgspec.Struct):
    width: int
    height: int
    size: int


class Answer(msgspec.Struct):
    """Either `refused` with a `detail`, or the facts of the picture; then the files follow in the order asked."""

    refused: str = ""
    detail: str = ""
    width: int = 0
    height: int = 0
    mime: str = ""
    blurhash: str = ""
    files: list[FileFacts] = []
    camera: list[tuple[str, str]] = []


class Nonsense(Exception):
    """What came is not an answer. Whoever said it is not to be asked again."""


def pack(message: Ask | Answer) -> bytes:
    head = msgspec.json.encode(message)
    return LENGTH.pack(len(head)) + head


def ask(read: Read) -> Ask:
    (length,) = LENGTH.unpack(read(LENGTH.size))
    return msgspec.json.decode(read(length), type=Ask)


def answer(picture: Picture) -> Answer:
    facts = [FileFacts(file.width, file.height, len(file.data)) for file in picture.files]
    return Answer(
        "", "", picture.width, picture.height, picture.mime, picture.blurhash, facts, picture.camera
    )


def refusal(error: BadImage) -> Answer:
    return Answer(refused=error.message or ACCEPTED, detail=error.detail[:1000])


def picture(read: Read, variants: tuple[Variant, ...]) -> Picture:
    """The picture that was asked for. Raises BadImage if it was refused, Nonsense if the answer is none."""
    (length,) = LENGTH.unpack(read(LENGTH.size))
    if length > _MAX_HEAD:
        raise Nonsense(f"a head of {length} bytes")
    try:
        said = msgspec.json.decode(read(length), type=Answer)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Nonsense(str(error)) from error
    if said.refused:
        raise BadImage(_one_line(said.refused, 400), _one_line(said.detail, 1000))
    if not (0 < said.width < _MAX_SIDE and 0 < said.height < _MAX_SIDE):
        raise Nonsense(f"a picture of {said.width} × {said.height}")
    if said.mime not in EXTENSIONS or not _BLURHASH.fullmatch(said.blurhash):
        raise Nonsense("an unknown type or a broken blurhash")
    if len(said.files) != len(variants):
        raise Nonsense(f"{len(said.files)} files instead of {len(variants)}")
    files = [_file(read, variant, facts) for variant, facts in zip(variants, said.files, strict=True)]
    return Picture(said.width, said.height, said.mime, said.blurhash, files, _camera(said.camera))


def _camera(said: list[tuple[str, str]]) -> list[tuple[str, str]]:
    told = dict(said)
    return [(name, text) for name in CAMERA if (text := _one_line(told.get(name, ""), LONGEST_FACT).strip())]


def _file(read: Read, variant: Variant, facts: FileFacts) -> Rendered:
    if not (
        0 < facts.size <= _MAX_FILE and 0 < facts.width <= variant.edge and 0 < facts.height <= variant.edge
    ):
        raise Nonsense(f"a {variant.name} of {facts.width} × {facts.height}, {facts.size} bytes")
    data = read(facts.size)
    mime = MIMES[variant.format]
    if sniff(data[:64]) != mime:
        raise Nonsense(f"a {variant.name} that is not {mime}")
    return Rendered(variant.name, variant.format, mime, facts.width, facts.height, data)


def _one_line(text: str, length: int) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in text[:length])
