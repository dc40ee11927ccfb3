"""Pictures of a few kilobytes, or of many empty parts, that were made to cost their decoder as much as possible."""

from __future__ import annotations

import random
import struct
import zlib

from PIL import Image

from tests.media import samples

SMALL = samples.quarters()


def _jpeg_segment(marker: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def jpeg_of_scans(scans: int, side: int = 6000) -> bytes:
    """A progressive JPEG whose last scan is repeated: each time a walk over all its pixels."""
    whole = samples.encoded(Image.new("L", (side, side), 99), "JPEG", progressive=True, quality=30)
    last = whole.rindex(b"\xff\xda")
    return whole[:last] + whole[last:-2] * scans + whole[-2:]


def jpeg_of_scans_behind(junk: bytes, scans: int) -> bytes:
    """A JPEG of many scans whose header comes after something that a decoder passes over."""
    whole = jpeg_of_scans(scans)
    return whole[:2] + junk + whole[2:]


def jpeg_of_segments(segments: int) -> bytes:
    """A JPEG with so many comments before its pixels."""
    plain = samples.encoded(SMALL, "JPEG")
    return plain[:2] + _jpeg_segment(0xFE, b"") * segments + plain[2:]


def jpeg_of_tables(tables: int) -> bytes:
    """A JPEG with so many Huffman tables before its pixels."""
    plain = samples.encoded(SMALL, "JPEG")
    start = plain.index(b"\xff\xc4")
    length = struct.unpack(">H", plain[start + 2 : start + 4])[0]
    return plain[:start] + plain[start : start + 2 + length] * tables + plain[start:]


def jpeg_claiming(width: int, height: int) -> bytes:
    """A small JPEG whose header claims another size."""
    plain = samples.encoded(SMALL, "JPEG")
    at = plain.index(b"\xff\xc0") + 5
    return plain[:at] + struct.pack(">HH", height, width) + plain[at + 4 :]


def jpeg_with_exif(tiff: bytes) -> bytes:
    plain = samples.encoded(SMALL, "JPEG")
    return plain[:2] + _jpeg_segment(0xE1, b"Exif\0\0" + tiff) + plain[2:]


def exif_loop() -> bytes:
    """Exif whose folders name each other, and themselves."""
    entries = b"".join(struct.pack(">HHII", tag, 4, 1, 8) for tag in (0x8769, 0x8825, 0xA005, 0x014A))
    return jpeg_with_exif(b"MM\0*" + struct.pack(">IH", 8, 4) + entries + struct.pack(">I", 8))


def exif_of_entries() -> bytes:
    """Exif with as many entries as a segment holds, each of which claims the whole segment as its value."""
    count = 5000
    entries = b"".join(struct.pack(">HHII", 0x9000 + n % 4000, 1, 60_000, 8) for n in range(count))
    return jpeg_with_exif(b"MM\0*" + struct.pack(">IH", 8, count) + entries + bytes(4))


def png_of_chunks(chunks: int, name: bytes = b"tEXt") -> bytes:
    """A PNG with so many small chunks before its pixels."""
    plain = samples.encoded(SMALL, "PNG")
    start = plain.index(b"IDAT") - 4
    body = b"" if name == b"IDAT" else b"a\0b"
    return plain[:start] + samples.chunk(name, body) * chunks + plain[start:]


def png_of_text(chunks: int) -> bytes:
    """A PNG whose every text grows to a megabyte."""
    packed = samples.chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(1_000_000), 9))
    plain = samples.encoded(SMALL, "PNG")
    start = plain.index(b"IDAT") - 4
    return plain[:start] + packed * chunks + plain[start:]


def png_of_metadata(name: bytes, key: bytes, content: bytes, chunks: int) -> bytes:
    """A PNG with one packed chunk of metadata, over and over again."""
    packed = samples.chunk(name, key + b"\0\0" + zlib.compress(content, 9))
    plain = samples.encoded(SMALL, "PNG")
    start = plain.index(b"IDAT") - 4
    return plain[:start] + packed * chunks + plain[start:]


def png_of_profile(megabytes: int) -> bytes:
    profile = samples.chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(megabytes * 1_000_000), 9))
    return samples.png(96, 64, profile, rows=bytes(97 * 64))


def png_interlaced(side: int) -> bytes:
    """Adam7: seven walks over the pixels, of nothing."""
    header = struct.pack(">IIBBBBB", side, side, 16, 6, 0, 0, 1)
    rows = zlib.compress(bytes(side * side * 9), 9)
    return (
        b"\x89PNG\r\n\x1a\n"
        + samples.chunk(b"IHDR", header)
        + samples.chunk(b"IDAT", rows)
        + samples.chunk(b"IEND", b"")
    )


def png_of_frames(frames: int) -> bytes:
    """An animated PNG."""
    plain = samples.encoded(SMALL, "PNG")
    start, end = plain.index(b"IDAT") - 4, plain.rindex(b"IEND") - 4
    control = struct.pack(">IIIIIHHBB", 0, 96, 64, 0, 0, 1, 10, 0, 0)
    head = samples.chunk(b"acTL", struct.pack(">II", frames, 0)) + samples.chunk(b"fcTL", control)
    more = b"".join(
        samples.chunk(b"fcTL", struct.pack(">IIIIIHHBB", 2 * n + 1, 96, 64, 0, 0, 1, 10, 0, 0))
        + samples.chunk(b"fdAT", struct.pack(">I", 2 * n + 2) + plain[start + 8 : end - 4])
        for n in range(frames - 1)
    )
    return plain[:start] + head + plain[start:end] + more + plain[end:]


def gif_of_extensions(count: int) -> bytes:
    whole = samples.encoded(SMALL.quantize(4), "GIF")
    start = whole.index(b"\x2c")
    return whole[:start] + b"\x21\xfe\x01a\x00" * count + whole[start:]


def gif_of_frames(frames: int) -> bytes:
    return samples.gif_of_many_frames(frames)


def gif_claiming(width: int, height: int) -> bytes:
    """A GIF whose first frame is larger than its screen."""
    whole = samples.encoded(SMALL.quantize(4), "GIF")
    at = whole.index(b"\x2c") + 5
    return whole[:at] + struct.pack("<HH", width, height) + whole[at + 4 :]


def webp_of_frames(frames: int) -> bytes:
    """An animated WebP with so many frames."""
    two = [samples.quarters(), samples.quarters().rotate(180)]
    whole = samples.encoded(two[0], "WEBP", save_all=True, append_images=two[1:], lossless=True)
    at = whole.rindex(b"ANMF")
    size = struct.unpack("<I", whole[at + 4 : at + 8])[0]
    frame = whole[at : at + 8 + size + size % 2]
    body = whole[8:] + frame * frames
    return b"RIFF" + struct.pack("<I", len(body)) + body


def webp_of_chunks(chunks: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 1
    whole = samples.encoded(samples.quarters(), "WEBP", exif=exif)
    body = whole[8:] + (b"JUNK" + struct.pack("<I", 0)) * chunks
    return b"RIFF" + struct.pack("<I", len(body)) + body


def box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", 8 + len(body)) + name + body


def full_box(name: bytes, body: bytes, version: int = 0, flags: int = 0) -> bytes:
    return box(name, struct.pack(">I", version << 24 | flags) + body)


def _children(data: bytes, start: int, end: int) -> dict[bytes, tuple[int, int]]:
    found = {}
    while start + 8 <= end:
        size, name = struct.unpack(">I4s", data[start : start + 8])
        size = size or end - start
        found[name] = (start + 8, start + size)
        start += size
    return found


def heif_grid(container: bytes, tiles: int, *, columns: int = 256, distinct: bool = False) -> bytes:
    """A HEIC or AVIF whose picture is a grid of tiles: the one coded picture, named over and over again.

    With `distinct` each tile is an item of its own with the same bytes.
    """
    top = _children(container, 0, len(container))
    meta_start, meta_end = top[b"meta"]
    meta = _children(container, meta_start + 4, meta_end)
    brand = b"avif" if b"avif" in container[:64] else b"heic"
    kind, config = (b"av01", b"av1C") if brand == b"avif" else (b"hvc1", b"hvcC")
    ipco = _children(container, *_children(container, *meta[b"iprp"])[b"ipco"])
    config_body = container[slice(*ipco[config])]
    width, height = struct.unpack(">II", container[ipco[b"ispe"][0] + 4 : ipco[b"ispe"][0] + 12])
    payload = container[slice(*top[b"mdat"])]
    columns = min(columns, tiles)
    rows = tiles // columns
    count = rows * columns
    grid = struct.pack(">BBBBII", 0, 1, rows - 1, columns - 1, columns * width, rows * height)
    ids = list(range(2, 2 + (count if distinct else 1)))
    infe = [full_box(b"infe", struct.pack(">HH4s", 1, 0, b"grid") + b"\0", 2)]
    infe += [full_box(b"infe", struct.pack(">HH4s", id_, 0, kind) + b"\0", 2, 1) for id_ in ids]
    iinf = full_box(b"iinf", struct.pack(">H", len(infe)) + b"".join(infe))
    ref = ids if distinct else ids * count
    iref = full_box(
        b"iref", box(b"dimg", struct.pack(">HH", 1, count) + struct.pack(f">{count}H", *ref[:count]))
    )
    properties = box(b"ipco", (
        full_box(b"ispe", struct.pack(">II", columns * width, rows * height))
        + full_box(b"ispe", struct.pack(">II", width, height))
        + box(config, config_body)
    ))  # fmt: skip
    associations = struct.pack(">HBB", 1, 1, 1) + b"".join(
        struct.pack(">HBBB", id_, 2, 2, 0x83) for id_ in ids
    )
    ipma = full_box(b"ipma", struct.pack(">I", 1 + len(ids)) + associations)
    pitm = full_box(b"pitm", struct.pack(">H", 1))
    hdlr = full_box(b"hdlr", bytes(4) + b"pict" + bytes(13))

    def build(offset: int) -> bytes:
        places = struct.pack(">HHHII", 1, 0, 1, offset, len(grid))
        places += b"".join(struct.pack(">HHHII", id_, 0, 1, offset + len(grid), len(payload)) for id_ in ids)
        iloc = full_box(b"iloc", struct.pack(">BBH", 0x44, 0, 1 + len(ids)) + places)
        body = full_box(b"meta", hdlr + pitm + iloc + iinf + iref + box(b"iprp", properties + ipma))
        return box(b"ftyp", brand + bytes(4) + brand + b"mif1") + body

    head = build(0)
    return build(len(head) + 8) + box(b"mdat", grid + payload)


def heif_of_items(container: bytes, count: int) -> bytes:
    """A HEIC or AVIF whose table of items names thousands that do not exist."""
    at = container.index(b"iinf") - 4
    size = struct.unpack(">I", container[at : at + 4])[0]
    infe = full_box(b"infe", struct.pack(">HH4s", 9, 0, b"Exif") + b"\0", 2)
    items = struct.unpack(">H", container[at + 12 : at + 14])[0]
    count = min(count, 65_535 - items)
    grown = size + len(infe) * count
    body = (
        struct.pack(">I4sIH", grown, b"iinf", 0, items + count)
        + container[at + 14 : at + size]
        + infe * count
    )
    meta = container.index(b"meta") - 4
    meta_size = struct.unpack(">I", container[meta : meta + 4])[0]
    return (
        container[:meta]
        + struct.pack(">I", meta_size + len(infe) * count)
        + container[meta + 4 : at]
        + body
        + container[at + size :]
    )


def noise(width: int, height: int, kind: str, **options: object) -> bytes:
    """Pixels without any order: the dearest that a picture of this size can be."""
    tile = Image.frombytes("RGB", (256, 256), random.Random(1).randbytes(256 * 256 * 3))
    image = Image.new("RGB", (width, height))
    for x in range(0, width, 256):
        for y in range(0, height, 256):
            image.paste(tile, (x, y))
    return samples.encoded(image, kind, **options)


def avif() -> bytes:
    """A small AVIF."""
    return samples.encoded(SMALL, "AVIF")
