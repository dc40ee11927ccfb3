"""Decodes, resizes and encodes: the only module that touches pixels, run in a process of `sandbox`.

Dimensions are checked before anything is decoded. A JPEG is decoded no larger than its largest variant needs,
and each smaller size is resized from the one above it. Turning upright happens last, on the small pictures.
The largest variant comes at the very end, so that it may use up the decoded picture.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from io import BytesIO
from itertools import groupby

import pi_heif
from PIL import (
    AvifImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)

from media import blurhash, colour_profiles, exif
from media.images import (
    MAX_PIXELS_JPEG,
    MAX_PIXELS_OTHER,
    MIMES,
    VARIANTS,
    BadImage,
    Picture,
    RenderedFile,
    Variant,
    damaged_error,
    not_an_image_error,
    sniff,
    too_costly_error,
    too_many_pixels_error,
)

Image.MAX_IMAGE_PIXELS = MAX_PIXELS_OTHER
AvifImagePlugin.DEFAULT_MAX_THREADS = 1
pi_heif.options.DECODE_THREADS = 0
pi_heif.options.THUMBNAILS = pi_heif.options.DEPTH_IMAGES = pi_heif.options.AUX_IMAGES = False

# A picture decoded at this share of the requested size is near enough, and costs a quarter of the memory.
_NEAR_ENOUGH = 0.85
_STRIP = 512
_ORIENTATION = 0x0112
_P3_PRIMARIES = 12  # ITU-T H.273, SMPTE EG 432-1
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = (
    Image.Transpose.TRANSPOSE,
    Image.Transpose.TRANSVERSE,
    Image.Transpose.ROTATE_90,
    Image.Transpose.ROTATE_270,
)
_PLUGINS: dict[str, Callable[[BytesIO], ImageFile.ImageFile]] = {
    # The class itself, not the registered opener: that one would also parse multi-picture files.
    "image/jpeg": JpegImagePlugin.JpegImageFile,
    "image/png": PngImagePlugin.PngImageFile,
    "image/webp": WebPImagePlugin.WebPImageFile,
    "image/gif": GifImagePlugin.GifImageFile,
    "image/avif": AvifImagePlugin.AvifImageFile,
}


def render(data: bytes, variants: tuple[Variant, ...]) -> Picture:
    """Decodes, turns upright, drops all metadata and renders every requested variant.

    Raises BadImage, and nothing else. Decodes untrusted bytes: call it in the sandbox.
    """
    mime = sniff(data[:64])
    if mime is None:
        raise not_an_image_error(f"begins with {data[:16]!r}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _render(data, mime, variants)
    except BadImage:
        raise
    except MemoryError as error:
        raise too_costly_error("out of memory") from error
    except Image.DecompressionBombError as error:
        raise too_costly_error(str(error)) from error
    except Exception as error:  # decoders raise nearly everything for malformed bytes
        raise damaged_error(f"{mime}: {type(error).__name__}: {error}") from error


def _render(data: bytes, mime: str, variants: tuple[Variant, ...]) -> Picture:
    image, original, turn = _decode(data, mime, variants)
    camera_fields = exif.read_fields(image)
    icc = image.info.get("icc_profile")
    image, space = colour_profiles.normalize(_to_plain_mode(image), icc if isinstance(icc, bytes) else None)
    if image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255):
        image = image.convert("RGB")
    image = _strip_metadata(image)

    files: list[RenderedFile] = []
    levels = [list(group) for _, group in groupby(_largest_first(variants, image.size), _size_group)]
    smaller = image
    for group in levels[1:]:
        resized = _resize(smaller, group[0])
        files += _encode(_upright(resized, turn), space, group)
        smaller = smaller if group[0].crop else resized
    picture_hash = _blurhash(smaller, space, turn)
    del smaller
    for group in levels[:1]:
        resized = _resize(image, group[0])
        del image
        resized = _upright(resized, turn)
        files += _encode(resized, space, group, is_last=True)
    order: dict[tuple[str, str], int] = {
        (variant.name, variant.format): place for place, variant in enumerate(variants)
    }
    files.sort(key=lambda file: order[file.variant, file.format])
    width, height = original
    if turn in _SIDEWAYS:
        width, height = height, width
    return Picture(width, height, mime, picture_hash, files, camera_fields)


def _strip_metadata(image: Image.Image) -> Image.Image:
    """Returns the pixels alone, without copying them: no metadata of the file goes further.

    Also, saving an opened file reads the current folder, which a confined process may not.
    """
    return Image.Image()._new(image.im)


def _decode(
    data: bytes, mime: str, variants: tuple[Variant, ...]
) -> tuple[Image.Image, tuple[int, int], Image.Transpose | None]:
    """Returns the decoded picture, the size of the original as stored, and how to turn it upright."""
    if mime == "image/heic":
        opened = pi_heif.open_heif(BytesIO(data), convert_hdr_to_8bit=True)
        _check_dimensions(opened.size, MAX_PIXELS_OTHER)
        heic: Image.Image = opened.to_pillow()
        nclx = heic.info.get("nclx_profile")
        if (
            "icc_profile" not in heic.info
            and isinstance(nclx, dict)
            and nclx.get("color_primaries") == _P3_PRIMARIES
        ):
            heic.info["icc_profile"] = colour_profiles.PROFILES["p3"]
        return heic, heic.size, None  # libheif has turned it already

    image = _PLUGINS[mime](BytesIO(data))
    size = image.size
    _check_dimensions(size, MAX_PIXELS_JPEG if mime == "image/jpeg" else MAX_PIXELS_OTHER)
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        scale = _scale(size, variants)
        image.draft(None, (max(1, size[0] // scale), max(1, size[1] // scale)))
    image.load()
    # After load: PNG may carry its Exif behind the pixels.
    return image, size, _orientation_transpose(image)


def _check_dimensions(size: tuple[int, int], limit: int) -> None:
    if min(size) < 1:
        raise damaged_error(f"size {size}")
    if size[0] * size[1] > limit:
        raise too_many_pixels_error(*size)


def _orientation_transpose(image: Image.Image) -> Image.Transpose | None:
    try:
        return _UPRIGHT.get(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # a picture with broken Exif is still a picture
        return None


def _scale(size: tuple[int, int], variants: tuple[Variant, ...]) -> int:
    needed = max((_required_edge(variant, size) for variant in variants), default=1)
    for scale in (8, 4, 2):
        if max(size) // scale >= needed * _NEAR_ENOUGH:
            return scale
    return 1


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


def _required_edge(variant: Variant, size: tuple[int, int]) -> int:
    """Returns the longest side of a whole picture of this shape from which the variant can be made."""
    return variant.edge * max(size) // max(1, min(size)) if variant.crop else variant.edge


def _largest_first(variants: tuple[Variant, ...], size: tuple[int, int]) -> Iterator[Variant]:
    return iter(sorted(variants, key=lambda variant: (-_required_edge(variant, size), *_size_group(variant))))


def _size_group(variant: Variant) -> tuple[int, bool]:
    return variant.edge, variant.crop


def _resize(image: Image.Image, variant: Variant) -> Image.Image:
    """Resizes to the variant's size, never enlarging; the same object if it has that size already."""
    width, height = image.size
    box = (0, 0, width, height)
    if variant.crop:
        side = min(width, height)
        left, top = (width - side) // 2, (height - side) // 2
        box = (left, top, left + side, top + side)
        size = (min(side, variant.edge),) * 2
    else:
        share = min(1.0, variant.edge / max(width, height))
        size = (max(1, round(width * share)), max(1, round(height * share)))
    if size == image.size:
        return image
    if size[0] == box[2] - box[0]:
        return image.crop(box)
    if size[0] > 2 * _STRIP and not variant.crop:
        return _resize_in_strips(image, size)
    return image.resize(size, Image.Resampling.LANCZOS, box, reducing_gap=1.5)


def _resize_in_strips(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Resizes without an intermediate picture of nearly the first one's size."""
    if image.width >= 3 * size[0]:
        return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=1.5)
    result = Image.new(image.mode, size)
    ratio = image.height / size[1]
    for top in range(0, size[1], _STRIP):
        bottom = min(size[1], top + _STRIP)
        box = (0, top * ratio, image.width, min(image.height, bottom * ratio))
        result.paste(image.resize((size[0], bottom - top), Image.Resampling.BICUBIC, box), (0, top))
    return result


def _upright(image: Image.Image, turn: Image.Transpose | None) -> Image.Image:
    return image if turn is None else image.transpose(turn)


def _encode(
    image: Image.Image, space: colour_profiles.Space, group: list[Variant], *, is_last: bool = False
) -> Iterator[RenderedFile]:
    """Yields the files of one size, JPEG after the others.

    `is_last`: the pixels may be changed, nothing reads them again.
    """
    for variant in sorted(group, key=lambda variant: variant.format == "jpeg"):
        out = BytesIO()
        if variant.format == "jpeg":
            # Progressive would be 12 % smaller and cost seven times the CPU: 260 ms instead of 38 at 12 MP.
            flat = _on_white(image)
            if space != "srgb" and flat is image and not is_last:
                flat = image.copy()
            image, space = colour_profiles.to_srgb(flat, space), "srgb"
            image.save(out, "JPEG", quality=variant.quality, icc_profile=colour_profiles.PROFILES["srgb"])
        else:
            profile = colour_profiles.PROFILES["p3"] if space == "p3" else b""
            if variant.format == "webp":
                # Method 3 is 4 % smaller and takes three times as long; 2 gains nothing over 1.
                image.save(out, "WEBP", quality=variant.quality, method=1, icc_profile=profile)
            else:
                # Speed 8 takes five times as long and saves nothing; 10 is the same as 9.
                image.save(out, "AVIF", quality=variant.quality, speed=9, max_threads=1, icc_profile=profile)
        yield RenderedFile(variant.name, variant.format, MIMES[variant.format], *image.size, out.getvalue())


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        return image
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=image.getchannel("A"))
    return white


def _blurhash(image: Image.Image, space: colour_profiles.Space, turn: Image.Transpose | None) -> str:
    share = min(1.0, 32 / max(image.size))
    size = (max(1, round(image.width * share)), max(1, round(image.height * share)))
    small = colour_profiles.to_srgb(_on_white(image.resize(size, Image.Resampling.BOX)), space)
    small = _upright(small, turn)
    down = 3 if small.width > small.height else 4
    return blurhash.encode(small.tobytes(), *small.size, 4, down)


def warm_up() -> None:
    """Uses every decoder and encoder once, on a generated picture.

    Pillow imports much of itself only when it is needed, and in a confined process that is too late.
    """
    sample = Image.linear_gradient("L").resize((32, 24)).convert("RGB")
    exif = Image.Exif()
    exif[_ORIENTATION] = 6
    files = []
    for kind in ("PNG", "JPEG", "WEBP", "AVIF", "GIF"):
        out = BytesIO()
        sample.save(out, kind, exif=exif, icc_profile=colour_profiles.PROFILES["p3"])
        files.append(out.getvalue())
    render(files[0], VARIANTS)
    for data in files[1:]:
        render(data, VARIANTS[:1])
