"""Pictures made on the spot: four quarters that show which way is up, and files with secrets or malformed on purpose."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image, PngImagePlugin

from media.colour import profiles as colour_profiles
from media.images import Picture

SECRET = "SECRET-PLACE"
RED, GREEN, BLUE, WHITE = (230, 20, 20), (20, 200, 20), (20, 20, 230), (240, 240, 240)
QUARTERS = (RED, GREEN, BLUE, WHITE)
PICTURES = Path(__file__).parent / "pictures"
# A HEIC of the four quarters with a rotation of its own (6), Display P3, and a place in its Exif.
HEIC = (PICTURES / "quarters.heic").read_bytes()

_TURNED_BY = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def quarters(width: int = 96, height: int = 64) -> Image.Image:
    """Red and green above blue and white."""
    image = Image.new("RGB", (width, height))
    for place, colour in enumerate(QUARTERS):
        x, y = place % 2 * (width // 2), place // 2 * (height // 2)
        image.paste(colour, (x, y, x + width // 2, y + height // 2))
    return image


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def turned(kind: str, orientation: int) -> bytes:
    """The quarters as a camera in that orientation stores them."""
    turn = _TURNED_BY[orientation]
    image = quarters() if turn is None else quarters().transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(image, kind, exif=exif)


def exif(orientation: int = 1) -> Image.Exif:
    """Exif with a maker, a note of the maker, and a place."""
    fields = Image.Exif()
    fields[0x010F] = SECRET
    fields[0x0112] = orientation
    fields.get_ifd(0x8769)[0x927C] = SECRET.encode() * 20
    place = fields.get_ifd(0x8825)
    place[1], place[2], place[3], place[4] = "N", (52.0, 31.0, 12.0), "E", (13.0, 24.0, 18.0)
    place[29] = SECRET
    return fields


def with_secrets(kind: str) -> bytes:
    """A picture with the secret wherever its format allows it."""
    xmp = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf>{SECRET}</rdf></x:xmpmeta>'.encode()
    icc = colour_profiles.PROFILES["p3"].replace(
        "Public domain".encode("utf-16-be"), "SECRET-PLACE!".encode("utf-16-be")
    )
    image = quarters()
    if kind == "JPEG":
        plain = encoded(image, "JPEG", exif=exif(), comment=SECRET, icc_profile=icc, quality=95)
        iptc = b"Photoshop 3.0\x008BIM\x04\x04\x00\x00" + struct.pack(">I", len(SECRET)) + SECRET.encode()
        return (
            plain[:2]
            + _segment(0xE1, b"http://ns.adobe.com/xap/1.0/\x00" + xmp)
            + _segment(0xED, iptc)
            + plain[2:]
            + SECRET.encode()
        )
    if kind == "PNG":
        text = PngImagePlugin.PngInfo()
        text.add_text("Comment", SECRET)
        text.add_itxt("XML:com.adobe.xmp", xmp.decode())
        text.add_text("Packed", SECRET, zip=True)
        return encoded(image, "PNG", pnginfo=text, exif=exif(), icc_profile=icc)
    if kind == "GIF":
        return encoded(image.quantize(16), "GIF", comment=SECRET.encode())
    return encoded(image, kind, exif=exif(), xmp=xmp, icc_profile=icc)


def _segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(width: int, height: int, *more: bytes, rows: bytes | None = None) -> bytes:
    """A grey PNG of any size the header can hold, with any number of rows."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    pixels = zlib.compress(rows if rows is not None else bytes(1000), 9)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + b"".join(more)
        + chunk(b"IDAT", pixels)
        + chunk(b"IEND", b"")
    )


def gif_of_many_frames(frames: int) -> bytes:
    whole = encoded(quarters().quantize(4), "GIF")
    start = whole.index(b"\x2c")
    return whole[:start] + whole[start:-1] * frames + b"\x3b"


def with_claimed_size(container: bytes, width: int, height: int) -> bytes:
    """A HEIC or AVIF whose `ispe` box claims another size."""
    at = container.index(b"ispe") + 8
    return container[:at] + struct.pack(">II", width, height) + container[at + 8 :]


def opened(picture: Picture, place: int = 0) -> Image.Image:
    """One of the rendered files, decoded."""
    image = Image.open(BytesIO(picture.files[place].data))
    image.load()
    return image


def corners(image: Image.Image) -> list[tuple[int, ...]]:
    """The colours in the middle of the four quarters."""
    image = image.convert("RGB")
    x, y = image.width // 4, image.height // 4
    return [image.getpixel(at) for at in ((x, y), (3 * x, y), (x, 3 * y), (3 * x, 3 * y))]


def alike(found: list[tuple[int, ...]], wanted: tuple[tuple[int, ...], ...], by: int = 24) -> bool:
    return all(
        abs(a - b) <= by
        for one, other in zip(found, wanted, strict=True)
        for a, b in zip(one, other, strict=True)
    )
