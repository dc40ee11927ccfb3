"""Nothing that a worker says is believed beyond what was asked."""

from __future__ import annotations

from io import BytesIO

import msgspec
import pytest

from media import worker_protocol
from media.images import BadImage, Picture, Rendered, Variant
from tests.media import samples

VARIANTS = (
    Variant("federated", 100, "jpeg", 80, "test"),
    Variant("thumb", 50, "webp", 80, "test", crop=True),
)
GOOD = [samples.encoded(samples.quarters(), "JPEG"), samples.encoded(samples.quarters(48, 48), "WEBP")]


def reader(data: bytes):
    stream = BytesIO(data)

    def read(size: int) -> bytes:
        got = stream.read(size)
        if len(got) < size:
            raise EOFError
        return got

    return read


def answer(files=GOOD, sizes=((96, 64), (48, 48)), **changes) -> bytes:
    facts = [worker_protocol.FileFacts(*size, len(data)) for size, data in zip(sizes, files, strict=True)]
    said = worker_protocol.Answer("", "", 96, 64, "image/png", "LEHV6nWB2yk8pyo0adR*.7kCMdnj", facts)
    return worker_protocol.pack(msgspec.structs.replace(said, **changes)) + b"".join(files)


def test_an_honest_answer_becomes_the_picture():
    picture = worker_protocol.picture(reader(answer()), VARIANTS)

    assert isinstance(picture, Picture)
    assert picture.files == [
        Rendered("federated", "jpeg", "image/jpeg", 96, 64, GOOD[0]),
        Rendered("thumb", "webp", "image/webp", 48, 48, GOOD[1]),
    ]


def test_a_refusal_is_passed_on_in_one_printable_line():
    said = worker_protocol.refusal(BadImage("Too\x1b[31m large.\nSorry.", "why"))

    with pytest.raises(BadImage) as caught:
        worker_protocol.picture(reader(worker_protocol.pack(said)), VARIANTS)

    assert caught.value.message == "Too [31m large. Sorry."
    assert caught.value.detail == "why"


@pytest.mark.parametrize(
    "said",
    [
        b"\xff\xff\xff\xff",
        worker_protocol.LENGTH.pack(5) + b"hello",
        worker_protocol.LENGTH.pack(2) + b"[]",
        answer(files=GOOD[:1], sizes=((96, 64),)),
        answer(files=[GOOD[1], GOOD[0]]),
        answer(files=[b"<!doctype html><script>", GOOD[1]]),
        answer(sizes=((96, 64), (51, 48))),
        answer(sizes=((96, 0), (48, 48))),
        answer(width=0),
        answer(height=1 << 40),
        answer(mime="text/html"),
        answer(blurhash="<script>"),
        answer(blurhash=""),
        worker_protocol.pack(worker_protocol.Answer("", "", 9, 9, "image/png", "LEHV6nWB2yk8pyo0adR*.7kCMdnj",
                                      [worker_protocol.FileFacts(9, 9, 1 << 40)] * 2)),
    ],
)  # fmt: skip
def test_an_answer_to_something_else_is_nonsense(said):
    with pytest.raises(worker_protocol.Nonsense):
        worker_protocol.picture(reader(said), VARIANTS)
