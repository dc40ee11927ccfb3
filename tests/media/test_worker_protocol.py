"""Nothing that a worker sends is trusted beyond what was requested."""

from __future__ import annotations

from io import BytesIO

import msgspec
import pytest

from media import worker_protocol
from media.images import BadImage, Picture, RenderedFile, Variant
from tests.media import samples

VARIANTS = (
    Variant("federated", 100, "jpeg", 80, "test"),
    Variant("thumb", 50, "webp", 80, "test", ratio=1),
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


def response(files=GOOD, sizes=((96, 64), (48, 48)), **changes) -> bytes:
    headers = [worker_protocol.FileHeader(*size, len(data)) for size, data in zip(sizes, files, strict=True)]
    message = worker_protocol.RenderResponse(
        "", "", 96, 64, "image/png", "LEHV6nWB2yk8pyo0adR*.7kCMdnj", headers
    )
    return worker_protocol.encode_message(msgspec.structs.replace(message, **changes)) + b"".join(files)


def test_a_well_formed_response_becomes_the_picture():
    picture = worker_protocol.read_picture(reader(response()), VARIANTS)

    assert isinstance(picture, Picture)
    assert picture.files == [
        RenderedFile("federated", "jpeg", "image/jpeg", 96, 64, GOOD[0]),
        RenderedFile("thumb", "webp", "image/webp", 48, 48, GOOD[1]),
    ]


def test_a_refusal_is_passed_on_in_one_printable_line():
    refusal = worker_protocol.error_response(BadImage("Too\x1b[31m large.\nSorry.", "why"))

    with pytest.raises(BadImage) as caught:
        worker_protocol.read_picture(reader(worker_protocol.encode_message(refusal)), VARIANTS)

    assert caught.value.message == "Too [31m large. Sorry."
    assert caught.value.detail == "why"


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xff\xff\xff",
        worker_protocol.LENGTH_STRUCT.pack(5) + b"hello",
        worker_protocol.LENGTH_STRUCT.pack(2) + b"[]",
        response(files=GOOD[:1], sizes=((96, 64),)),
        response(files=[GOOD[1], GOOD[0]]),
        response(files=[b"<!doctype html><script>", GOOD[1]]),
        response(sizes=((96, 64), (51, 48))),
        response(sizes=((96, 0), (48, 48))),
        response(width=0),
        response(height=1 << 40),
        response(mime="text/html"),
        response(blurhash="<script>"),
        response(blurhash=""),
        worker_protocol.encode_message(worker_protocol.RenderResponse("", "", 9, 9, "image/png", "LEHV6nWB2yk8pyo0adR*.7kCMdnj",
                                      [worker_protocol.FileHeader(9, 9, 1 << 40)] * 2)),
    ],
)  # fmt: skip
def test_a_response_to_another_request_is_malformed(data):
    with pytest.raises(worker_protocol.ProtocolError):
        worker_protocol.read_picture(reader(data), VARIANTS)


def test_found_levels_are_a_recipe_of_adjustments_alone():
    found = '{"version":1, "adjust":{"exposure":5}, "look":"linen", "flip":true}'

    picture = worker_protocol.read_picture(reader(response(levels=found)), VARIANTS)

    assert picture.levels == '{"adjust":{"exposure":5},"version":1}'
    for bad in ("{}", "no JSON", '{"version":1,"adjust":{"exposure":500}}'):
        with pytest.raises(worker_protocol.ProtocolError):
            worker_protocol.read_picture(reader(response(levels=bad)), VARIANTS)
