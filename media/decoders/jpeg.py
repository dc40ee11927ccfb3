"""Decodes JPEGs, and finds out how much of their pixels is there.

The decoder is watched at the end of the last scan. Where it is done long before, it has read more than pixels; where it
is not done there, some are missing. Only then more is decoded, in a smaller size, to say how much.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from PIL import Image, ImageChops
from PIL.JpegImagePlugin import JpegImageFile

from media.containers.jpeg import END, JpegFile, with_halved_means
from media.containers.spliced import open_spliced
from media.decoders import huffman
from media.images import MIN_SHARE

_CHUNK_BYTES = 1 << 20
# The last bytes are read one by one. A decoder that is done while more are left than an encoder may add has read others.
_WATCHED_BYTES, _MAX_SPARE_BYTES = 48, 24
# What is read behind them, as decoders read ahead: ones, as an encoder writes after the last pixel. It holds no marker.
_PROBE = (b"\xff\0",) * 16
# What is read there to see which pixels it changes.
_FILLER = bytes(1 + n * 89 % 253 for n in range(64 * 1024))
# The share where something is missing, be it a pixel.
_LESS_THAN_ALL = 0.9999
# How far from the middle a mean whose quantization is halved is in no picture: half of the range, half as much again.
_IS_NO_MEAN = [255 if abs(level - 128) > 98 else 0 for level in range(256)]

Size = tuple[int, int]


def opened(data: bytes, file: JpegFile) -> JpegImageFile:
    """Opens a JPEG without decoding it."""
    return JpegImageFile(open_spliced(file.parts(data)))


def load(image: JpegImageFile, data: bytes, file: JpegFile, scale: int) -> float:
    """Decodes an opened JPEG, divided by `scale`. Returns how much of it is there, from 0 to 1."""
    if not file.is_last_scan_reached():
        return 0.0
    size = image.size
    padded = replace(file, end=file.end + file.padding, padding=0)
    spare = _spare_bytes(image, data, padded, scale)
    if file.padding:
        if spare is not None and _is_end_of_pixels(data, padded, size, spare):
            return 1.0
        spare = _spare_bytes(opened(data, file), data, file, 8)
    if spare is not None and spare <= _MAX_SPARE_BYTES:
        return 1.0
    share = _share(data, file, size) if spare is None else _share_with_valid_means(data, file)
    if MIN_SHARE <= share < 1:
        again = opened(data, file)
        again.im = image.im
        _draft(again, scale)
        _decode(again, file, _pieces(data, file))
    return share


def _is_end_of_pixels(data: bytes, file: JpegFile, size: Size, spare: int) -> bool:
    """Returns whether what looks like padding is pixels, of which not one byte is too many, or stands behind all pixels.

    One byte again and again stands for blocks that are alike; in a scan of its own, for one component of them.
    """
    try:
        is_end = huffman.is_end_of_pixels(data, file, size)
    except huffman.CannotTell:
        is_end = spare <= 0
    return is_end and _share_with_valid_means(data, file) == 1


def _draft(image: JpegImageFile, scale: int) -> None:
    image.draft(None, (max(1, image.width // scale), max(1, image.height // scale)))


def _spare_bytes(image: JpegImageFile, data: bytes, file: JpegFile, scale: int) -> int | None:
    """Decodes, and returns how many bytes before its end all pixels were there; None if they never were."""
    size = image.size
    _draft(image, scale)
    spare = _decode(image, file, _pieces(data, file, is_watched=True))
    # Without a restart marker a decoder searches for it as for the end.
    units = (file.restarts(data) + 1) * file.restart_interval
    is_cut = not file.is_one_scan() and units and file.share_of_units(units, size) < 1
    return None if is_cut else spare


Pieces = Iterator[tuple[bytes, int | None]]


def _pieces(data: bytes, file: JpegFile, filler: bytes = b"", *, is_watched: bool = False) -> Pieces:
    """Yields what a decoder reads, with how many bytes of the scans follow; None where that tells nothing."""
    if file.is_arithmetic:
        # Its decoder cannot wait for more, and its encoder leaves zeros out at the end, so an end has to do.
        yield b"".join(file.parts(data, filler)), 0 if file.has_end else None
        return
    yield file.head, None
    watched = max(file.last_scan_start, file.end - _WATCHED_BYTES) if is_watched else file.end
    for at in range(file.start, watched, _CHUNK_BYTES):
        stop = min(watched, at + _CHUNK_BYTES)
        yield data[at:stop], file.end - stop
    if is_watched:
        yield from ((data[at : at + 1], file.end - at - 1) for at in range(watched, file.end))
        yield from ((one, -1 - place) for place, one in enumerate(_PROBE))
    if filler:
        yield filler, None
    yield END, None


def _decode(image: JpegImageFile, file: JpegFile, pieces: Pieces) -> int | None:
    """Feeds a decoder until it is done, and returns what the piece says with which all pixels were there.

    A picture of several scans is only done at its end. But while pixels are missing, its decoder leaves bytes unused
    that are less than it reads ahead; behind them, it uses up what is no marker.
    """
    [tile] = image.tile
    image.load_prepare()
    decoder = Image._getdecoder(image.mode, tile.codec_name, tile.args, image.decoderconfig)
    try:
        decoder.setimage(image.im, tile.extents)
        rest, idle = b"", 0
        for piece, following in pieces:
            rest += piece
            used, error = decoder.decode(rest)
            rest = rest[used:] if used >= 0 else b""
            idle = idle + 1 if len(piece) <= 2 and not rest else 0
            if used >= 0 and idle == 2 and following is not None and not file.is_one_scan():
                used, error = decoder.decode(END)
            if used < 0:
                if error < 0:
                    raise OSError(f"decoder error {error}")
                image.tile = []
                return following
    finally:
        decoder.cleanup()
    raise OSError("the decoder waits for more than the end")


def _share(data: bytes, file: JpegFile, size: Size) -> float:
    """Returns how much of a JPEG is there by what changes with the bytes behind its end."""
    there = _share_of_last_scan(data, file, size)
    if not file.is_progressive or not 0 < there < 1:
        return there
    earlier, last = file.last_scan_start - file.start, file.end - file.last_scan_start
    return (earlier + last) / (earlier + last / there)


def _share_of_last_scan(data: bytes, file: JpegFile, size: Size) -> float:
    # Half the size shows the finer coefficients, which are all that the last scans of a progressive picture hold.
    scale = 2 if file.is_progressive else 8
    ends = []
    for filler in (b"", _FILLER):
        image = opened(data, file)
        _draft(image, scale)
        _decode(image, file, _pieces(data, file, filler))
        ends.append(image)
    box = ImageChops.difference(*ends).getbbox()
    # What follows is passed over up to the next restart marker, so it shows nothing where one was to come.
    units = (file.restarts(data) + (box is None)) * file.restart_interval
    if box is None:
        return file.share_of_units(units, size) if file.restart_interval else 1.0
    across, down = (max(1, side // scale) for side in file.mcu_size())
    width, height = ends[0].size
    row = box[1] // down
    first = ImageChops.difference(
        *(end.crop((0, row * down, width, min(height, (row + 1) * down))) for end in ends)
    )
    column = (first.getbbox() or box)[0] // across
    units = max(units, row * -(-size[0] // file.mcu_size()[0]) + column)
    return min(file.share_of_units(units, size), _LESS_THAN_ALL)


def _share_with_valid_means(data: bytes, file: JpegFile) -> float:
    """Returns how much of a JPEG comes before the first block whose mean no picture has.

    Each block adds to the mean of the one before it, so with bytes that are no pixels it soon leaves its range. The last
    scan of a progressive picture says nothing of means.
    """
    if file.is_progressive:
        return 1.0
    file = replace(file, head=with_halved_means(file.head))
    image = opened(data, file)
    image.tile = [image.tile[0]._replace(args=(image.mode, image.mode))]  # without conversion of colours
    _draft(image, 8)
    _decode(image, file, _pieces(data, file))
    height = image.height
    for band in image.split():
        if box := band.point(_IS_NO_MEAN).getbbox():
            height = min(height, box[1])
    return 1.0 if height == image.height else min(height / image.height, _LESS_THAN_ALL)
