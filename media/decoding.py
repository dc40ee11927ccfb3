"""Decodes: from the bytes of each format to pixels, with what the file says of colour and orientation.

A decoder is given a clean file: `containers` leave out what is damaged beside the pixels. Where pixels themselves
are missing the picture is refused, save for the last rows of a JPEG or PNG.
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
    PngImagePlugin,
    WebPImagePlugin,
)

from media import exif
from media.colour import encodings
from media.colour.encodings import CodePoints
from media.containers import isobmff, jpeg, png, webp
from media.containers.png import PngFile
from media.containers.spliced import open_spliced
from media.decoders import jpeg as jpeg_decoder
from media.images import MAX_PIXELS, MIN_SHARE, damaged_error, too_many_pixels_error

Image.MAX_IMAGE_PIXELS = max(MAX_PIXELS.values())
AvifImagePlugin.DEFAULT_MAX_THREADS = 1
pi_heif.options.DECODE_THREADS = 0
pi_heif.options.THUMBNAILS = pi_heif.options.DEPTH_IMAGES = pi_heif.options.AUX_IMAGES = False

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
    image = jpeg_decoder.opened(data, file)
    size = image.size
    _check_dimensions(size, "image/jpeg")
    profile = file.icc
    if not profile and image.mode == "RGB" and exif.is_adobe_rgb(image):
        profile = encodings.adobe_rgb()
    camera_fields, turn = exif.read_fields(image), _turn(image)
    share = jpeg_decoder.load(image, data, file, scale_for(size))
    if share < MIN_SHARE:
        raise damaged_error(f"only {share:.1%} of a JPEG is there")
    return _to_plain_mode(image), Original(size, turn, profile, camera_fields, share < 1)


def _decode_png(data: bytes, _scale_for: ScaleFor) -> Decoded:
    file = png.parse(data)
    low_match = None
    if file.transparent is not None and file.depth == 16:
        # First, so that never more than one decoded picture is there.
        low_match = _match(
            _load_png(data, file, low_bytes=True)[0], [value & 0xFF for value in file.transparent]
        )
    image, share = _load_png(data, file)
    if file.exif:
        image.info["exif"] = file.exif
    original = Original(image.size, _turn(image), file.icc, exif.read_fields(image), share < 1)
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


def _load_png(data: bytes, file: PngFile, *, low_bytes: bool = False) -> tuple[ImageFile.ImageFile, float]:
    """Decodes a PNG; of samples of 16 bits the high byte, or the low one. Returns how much of it is there, too."""
    image = _open_png(file.parts(data), file, low_bytes=low_bytes)
    try:
        image.load()
        if not _may_lack_rows(image, file) or (share := file.share_there(data)) == 1:
            return image, 1.0
    except OSError:
        share = file.share_there(data)
    del image
    # Without its last bytes, an interlaced one lacks rows everywhere.
    if share < (1 if file.is_interlaced else MIN_SHARE):
        raise damaged_error(f"only {share:.1%} of a PNG is there")
    image = _open_png(file.parts(data, file.restored_pixels(data)), file, low_bytes=low_bytes)
    image.load()
    return image, share


def _may_lack_rows(image: ImageFile.ImageFile, file: PngFile) -> bool:
    """Returns whether the last row is empty: the decoder takes an end between two rows for that of the picture."""
    last_row = image.crop((0, image.height - 1, image.width, image.height))
    return file.is_interlaced or last_row.getbbox(alpha_only=False) is None


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
    except SyntaxError:  # a sequence that breaks off has a first picture beside its track
        if data[8:12] != b"avis":
            raise
        image = _load_avif(isobmff.with_main_brand(data, b"avif"))
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
            found = jpeg_decoder.opened(data, jpeg.parse(data)).getexif()
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
