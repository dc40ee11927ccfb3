"""Decodes: from the bytes of each format to pixels, with what the file says of colour and orientation.

A decoder is given a clean file: `containers` leave out what is damaged beside the pixels. Where pixels themselves
are missing the picture is refused, save for the last rows of a JPEG.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from io import BytesIO

import pi_heif
from PIL import (
    AvifImagePlugin,
    GifImagePlugin,
    Image,
    ImageChops,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)

from media import exif
from media.colour import encodings
from media.colour.encodings import CodePoints
from media.containers import isobmff, jpeg, png, webp
from media.containers.jpeg import JpegFile
from media.containers.png import PngFile
from media.containers.spliced import open_spliced
from media.images import MAX_PIXELS, damaged_error, too_many_pixels_error

Image.MAX_IMAGE_PIXELS = max(MAX_PIXELS.values())
AvifImagePlugin.DEFAULT_MAX_THREADS = 1
pi_heif.options.DECODE_THREADS = 0
pi_heif.options.THUMBNAILS = pi_heif.options.DEPTH_IMAGES = pi_heif.options.AUX_IMAGES = False

# A JPEG that breaks off is shown if this much of it is there.
MIN_SHARE = 0.95
# What is read behind the end of a broken JPEG, to see where the decoder gets to it. It holds no marker.
_FILLER = bytes(1 + n * 89 % 253 for n in range(64 * 1024))
_MISSING_LEVELS = (127, 128)
# The share where something is missing, be it a pixel.
_LESS_THAN_ALL = 0.9999
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# The main brands that libavif and libheif do not know; what is inside is the same.
_UNKNOWN_BRANDS = (b"miaf", b"mif2")

Size = tuple[int, int]
ScaleFor = Callable[[Size], int]
Decoded = tuple[Image.Image, "Original"]


@dataclass
class Original:
    """What a file says of its picture. `size` is as stored; `turn` makes it upright.

    `profile` is an ICC profile, empty for sRGB.
    """

    size: Size
    turn: Image.Transpose | None = None
    profile: bytes = b""
    camera_fields: list[tuple[str, str]] = field(default_factory=list)
    is_incomplete: bool = False


_SHORTER_BY_BYTES = 5


def decode(data: bytes, mime: str, scale_for: ScaleFor) -> Decoded:
    """Decodes a picture to a plain mode: L, CMYK, RGB or RGBA.

    `scale_for` says by which of 1, 2, 4 or 8 a JPEG of a size may be divided. Raises BadImage, and whatever a
    decoder raises for malformed bytes.
    """
    return _DECODERS[mime](data, scale_for)


def _check_dimensions(size: Size, mime: str) -> None:
    if min(size) < 1:
        raise damaged_error(f"size {size}")
    if size[0] * size[1] > MAX_PIXELS[mime]:
        raise too_many_pixels_error(*size)


def _decode_jpeg(data: bytes, scale_for: ScaleFor) -> Decoded:
    file = jpeg.parse(data)
    if not file.start:
        raise damaged_error("a JPEG without a scan")
    image = JpegImagePlugin.JpegImageFile(open_spliced(file.parts(data)))
    size = image.size
    _check_dimensions(size, "image/jpeg")
    if file.padding:
        file = _with_padding_of_the_picture(data, file, size)
        image = JpegImagePlugin.JpegImageFile(open_spliced(file.parts(data)))
    _draft(image, size, scale_for(size))
    profile = file.icc
    if not profile and image.mode == "RGB" and exif.is_adobe_rgb(image):
        profile = encodings.adobe_rgb()
    camera_fields, turn = exif.read_fields(image), _turn(image)
    image.load()
    is_incomplete = False
    if _may_break_off(file, image):
        share = _share(data, file, size)
        if share < MIN_SHARE:
            raise damaged_error(f"only {share:.1%} of a JPEG is there")
        is_incomplete = share < 1
    return _to_plain_mode(image), Original(size, turn, profile, camera_fields, is_incomplete)


def _draft(image: Image.Image, size: Size, scale: int) -> None:
    image.draft(None, (max(1, size[0] // scale), max(1, size[1] // scale)))


def _may_break_off(file: JpegFile, image: Image.Image) -> bool:
    """Returns whether it has to be found out how much of a JPEG is there.

    Of a progressive picture with all its scans and an end, what the last one may lack is hardly seen, and costs more to find
    out than the picture itself.
    """
    if not file.has_end or file.padding or not file.is_last_scan_reached():
        return True
    return (not file.is_progressive and len(file.scans) > 1) or _ends_in_grey(image)


def _ends_in_grey(image: Image.Image) -> bool:
    """Returns whether the last pixels are of the grey that a decoder leaves where data is missing.

    In CMYK it is inverted, in some channels twice.
    """
    corner = image.crop((max(0, image.width - 8), image.height - 1, image.width, image.height))
    extrema = [corner.getchannel(band).getextrema() for band in corner.getbands()]
    return all(low == high and low in _MISSING_LEVELS for low, high in extrema)


def _with_padding_of_the_picture(data: bytes, file: JpegFile, size: Size) -> JpegFile:
    """Returns the file with the padding behind it, if it is its pixels: then not one of them is too many."""
    whole = replace(file, end=file.end + file.padding, padding=0)
    # The last units of a flat picture have a few bits each, and look the same when they are missing.
    shorter = replace(whole, end=max(whole.last_scan_start, whole.end - _SHORTER_BY_BYTES))
    return whole if _share(data, shorter, size) < 1 <= _share(data, whole, size) else file


def _share(data: bytes, file: JpegFile, size: Size) -> float:
    """Returns how much of a JPEG is there, from 0 to 1.

    It is decoded twice at an eighth of its size, with different bytes behind its end. The first unit that differs
    is the first that is missing.
    """
    if not file.sampling or not file.scans:
        return 0.0
    if not file.is_last_scan_reached():
        # An encoder may leave the finest scans out. Such a file has an end, and all of its last scan.
        is_whole = file.is_progressive and file.has_end and _share_of_last_scan(data, file, size) == 1
        return 1.0 if is_whole else 0.0
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
        image = JpegImagePlugin.JpegImageFile(open_spliced(file.parts(data, filler)))
        _draft(image, size, scale)
        image.load()
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


def _decode_png(data: bytes, _scale_for: ScaleFor) -> Decoded:
    file = png.parse(data)
    low_match = None
    if file.transparent is not None and file.depth == 16:
        # First, so that never more than one decoded picture is there.
        low_match = _match(
            _load_png(data, file, low_bytes=True), [value & 0xFF for value in file.transparent]
        )
    image = _load_png(data, file)
    if file.exif:
        image.info["exif"] = file.exif
    original = Original(image.size, _turn(image), file.icc, exif.read_fields(image))
    plain = _to_plain_mode(image)
    del image
    if file.transparent is not None:
        match = _match(plain, [file.high_byte(value) for value in file.transparent])
        if low_match is not None:
            match = ImageChops.darker(match, low_match)
        if match.getbbox() is not None:
            plain = plain.convert("RGBA")
            plain.putalpha(ImageChops.invert(match))
    if file.icc and file.code_points is None:
        return plain, original
    return _described(plain, replace(original, profile=file.described_profile()))


def _match(image: Image.Image, wanted: list[int]) -> Image.Image:
    """Returns where the picture has one colour: 255 there, 0 where it has another."""
    match = None
    for place, value in enumerate(wanted):
        band = image.getchannel(place).point([255 if level == value else 0 for level in range(256)])
        match = band if match is None else ImageChops.darker(match, band)
    assert match is not None
    return match


def _load_png(data: bytes, file: PngFile, *, low_bytes: bool = False) -> ImageFile.ImageFile:
    """Decodes a PNG; of samples of 16 bits the high byte, or the low one."""
    image = _open_png(file.parts(data), file, low_bytes=low_bytes)
    try:
        image.load()
    except OSError:
        pixels = file.restored_pixels(data)
        if not pixels:
            raise
        image = _open_png(file.parts(data, pixels), file, low_bytes=low_bytes)
        image.load()
    return image


def _open_png(parts: list[bytes | memoryview], file: PngFile, *, low_bytes: bool) -> ImageFile.ImageFile:
    image = PngImagePlugin.PngImageFile(open_spliced(parts))
    _check_dimensions(image.size, "image/png")
    if file.depth == 16 and file.colour_type in (0, 2):
        image._mode = "L" if file.colour_type == 0 else "RGB"
        low, high = {"L": ("L;16", "L;16B"), "RGB": ("RGB;16L", "RGB;16B")}[image.mode]
        image.tile = [tile._replace(args=low if low_bytes else high) for tile in image.tile]
    return image


def _decode_webp(data: bytes, _scale_for: ScaleFor) -> Decoded:
    try:
        image = _load_webp(data)
    except (OSError, ValueError, SyntaxError):
        image = _load_webp(webp.rebuilt(data))
    return _with_own_profile(image)


class _FirstOfWebP(WebPImagePlugin.WebPImageFile):
    """A WebP that gives up its decoder, which holds two pictures, before the pixels become a picture."""

    def _get_next(self) -> tuple[bytes, int, int]:
        frame = super()._get_next()
        self._decoder = None
        return frame


def _load_webp(data: bytes) -> ImageFile.ImageFile:
    image = _FirstOfWebP(BytesIO(data))
    _check_dimensions(image.size, "image/webp")
    image.load()
    return image


def _decode_gif(data: bytes, _scale_for: ScaleFor) -> Decoded:
    image = GifImagePlugin.GifImageFile(BytesIO(data))
    _check_dimensions(image.size, "image/gif")
    image.load()
    return _with_own_profile(image)


def _with_own_profile(image: ImageFile.ImageFile) -> Decoded:
    _drop_xmp(image)
    original = Original(image.size, _turn(image), _profile(image), exif.read_fields(image))
    return _to_plain_mode(image), original


def _decode_avif(data: bytes, _scale_for: ScaleFor) -> Decoded:
    brand = data[8:12]
    if brand in _UNKNOWN_BRANDS or (brand == b"avis" and not isobmff.has_track(data)):
        data = isobmff.with_main_brand(data, b"avif")
    try:
        image = _load_avif(data)
    except ValueError:  # what is wrong may be its Exif
        image = _load_avif(isobmff.without_exif(data))
    _drop_xmp(image)
    properties = isobmff.read_properties(data)
    camera_fields, turn, profile = exif.read_fields(image), _turn(image), _profile(image)
    box = properties.crop_box(*image.size)  # the decoder leaves that to us; it comes before turning
    plain = _to_plain_mode(image.crop(box) if box else image)
    if profile or properties.code_points is None:
        return plain, Original(plain.size, turn, profile, camera_fields)
    colour = encodings.from_code_points(properties.code_points)
    return _described(plain, Original(plain.size, turn, colour, camera_fields))


def _load_avif(data: bytes) -> ImageFile.ImageFile:
    image = AvifImagePlugin.AvifImageFile(BytesIO(data))
    _check_dimensions(image.size, "image/avif")
    image.load()
    return image


def read_place(data: bytes, mime: str) -> tuple[float, float] | None:
    """Returns where the picture was taken, as its Exif says; None if it does not, or cannot be read."""
    try:
        if mime == "image/heic":
            found = Image.Exif()
            found.load(pi_heif.open_heif(BytesIO(data)).info.get("exif") or b"")
        elif mime == "image/jpeg":
            found = JpegImagePlugin.JpegImageFile(open_spliced(jpeg.parse(data).parts(data))).getexif()
        else:
            found = Image.open(BytesIO(data), formats=("PNG", "WEBP", "AVIF")).getexif()
    except Exception:  # Exif is untrusted, and a picture without a place is still a picture
        return None
    return exif.read_place(found)


def _decode_heic(data: bytes, _scale_for: ScaleFor) -> Decoded:
    if data[8:12] in _UNKNOWN_BRANDS:
        data = isobmff.with_main_brand(data, b"heic")
    opened = pi_heif.open_heif(BytesIO(data), convert_hdr_to_8bit=True)
    _check_dimensions(opened.size, "image/heic")
    image: Image.Image = opened.to_pillow()
    _drop_xmp(image)
    nclx = image.info.get("nclx_profile")
    plain, profile, camera_fields = _to_plain_mode(image), _profile(image), exif.read_fields(image)
    # libheif has turned and cropped it already.
    if profile or not isinstance(nclx, dict):
        return plain, Original(plain.size, None, profile, camera_fields)
    points = CodePoints(nclx.get("color_primaries", 2), nclx.get("transfer_characteristics", 2))
    return _described(plain, Original(plain.size, None, encodings.from_code_points(points), camera_fields))


def _described(image: Image.Image, original: Original) -> Decoded:
    """Returns a picture with a profile of ours, which is of RGB also where the picture is grey."""
    return (image.convert("RGB") if original.profile and image.mode == "L" else image), original


def _drop_xmp(image: Image.Image) -> None:
    """Drops XMP, which orients nothing: programs leave the camera's there when they have turned the pixels."""
    for name in ("xmp", "XML:com.adobe.xmp"):
        image.info.pop(name, None)


def _profile(image: Image.Image) -> bytes:
    icc = image.info.get("icc_profile")
    return icc if isinstance(icc, bytes) else b""


def _turn(image: Image.Image) -> Image.Transpose | None:
    try:
        return _UPRIGHT.get(image.getexif().get(exif.ORIENTATION, 1))
    except Exception:  # a picture with broken Exif is still a picture
        return None


def _to_plain_mode(image: Image.Image) -> Image.Image:
    """Converts palettes, 16 bits and transparent colours to plain L, CMYK, RGB or RGBA."""
    if image.mode in ("LA", "La", "PA", "RGBa") or (
        image.mode in ("1", "L", "P", "RGB") and "transparency" in image.info
    ):
        return image.convert("RGBA")
    if image.mode in ("P", "RGBX", "YCbCr"):
        return image.convert("RGB")
    if image.mode.startswith("I"):
        return image.convert("I").point(lambda level: level * (1 / 257)).convert("L")
    if image.mode == "1":
        return image.convert("L")
    return image


_DECODERS: dict[str, Callable[[bytes, ScaleFor], Decoded]] = {
    "image/jpeg": _decode_jpeg,
    "image/png": _decode_png,
    "image/webp": _decode_webp,
    "image/gif": _decode_gif,
    "image/avif": _decode_avif,
    "image/heic": _decode_heic,
}
