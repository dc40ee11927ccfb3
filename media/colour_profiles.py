"""Colour: converts every picture to sRGB or Display P3, tagged with our own profile, never with the file's.

A profile from a file is a program for the colour engine, and some name their owner, so none is passed on.
Pixels that are already sRGB or P3 stay as they are. A wider space (Adobe RGB, ProPhoto) becomes P3, all else
sRGB. The files for our pages may be P3; the file for other servers is sRGB, because many of them drop the profile
when they make their thumbnails and P3 would then look pale.
"""

from __future__ import annotations

import struct
from io import BytesIO
from itertools import pairwise
from typing import Literal

from PIL import Image, ImageChops, ImageCms

Space = Literal["srgb", "p3"]

# Profiles of printing presses reach 2 MB; a larger one does not describe a colour.
_MAX_PROFILE_BYTES = 4 * 1024 * 1024
_CHANNELS = {"RGB": ("RGB", "RGBA"), "GRAY": ("L",), "CMYK": ("CMYK",)}
# In steps of 255: the difference that two roundings of the same colour may have, and one that is visible clipping.
_SAME_TOLERANCE, _CLIPPED_THRESHOLD = 4, 16


def _fixed(*numbers: float) -> bytes:
    return struct.pack(f">{len(numbers)}i", *(round(number * 65536) for number in numbers))


def _profile(name: str, red: Colorant, green: Colorant, blue: Colorant) -> bytes:
    """Builds a small ICC.1:2010 (version 4) display profile with the sRGB curve.

    Colorants are adapted to D50.
    """

    def text_tag(text: str) -> bytes:
        return struct.pack(">4sIII2s2sII", b"mluc", 0, 1, 12, b"en", b"US", len(text) * 2, 28) + text.encode(
            "utf-16-be"
        )

    def xyz_tag(*numbers: float) -> bytes:
        return b"XYZ " + bytes(4) + _fixed(*numbers)

    white = (0.9642, 1.0, 0.8249)
    adaptation = (1.047882, 0.022919, -0.050201, 0.029587, 0.990479, -0.017059, -0.009232, 0.015076, 0.751678)
    curve = struct.pack(">4sIHH", b"para", 0, 3, 0) + _fixed(
        2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045
    )
    tags = {
        b"desc": text_tag(name),
        b"cprt": text_tag("Public domain"),
        b"wtpt": xyz_tag(*white),
        b"chad": b"sf32" + bytes(4) + _fixed(*adaptation),
        b"rXYZ": xyz_tag(*red),
        b"gXYZ": xyz_tag(*green),
        b"bXYZ": xyz_tag(*blue),
        b"rTRC": curve,
    }
    table, body, places = b"", b"", {}
    start = 128 + 4 + 12 * (len(tags) + 2)
    for tag, value in tags.items():
        places[tag] = struct.pack(">II", start + len(body), len(value))
        table += tag + places[tag]
        body += value + bytes(-len(value) % 4)
    table += b"gTRC" + places[b"rTRC"] + b"bTRC" + places[b"rTRC"]
    header = struct.pack(
        ">I4sI4s4s4s6H4s4sI8sQI12s4s16s28s",
        *(start + len(body), bytes(4), 0x04300000, b"mntr", b"RGB ", b"XYZ ", 2025, 1, 1, 0, 0, 0, b"acsp"),
        *(bytes(4), 0, bytes(8), 0, 0, _fixed(*white), bytes(4), bytes(16), bytes(28)),
    )
    return header + struct.pack(">I", len(tags) + 2) + table + body


Colorant = tuple[float, float, float]

PROFILES: dict[Space, bytes] = {
    "srgb": _profile(
        "sRGB", (0.436066, 0.222488, 0.013916), (0.385147, 0.716873, 0.097076), (0.143066, 0.060608, 0.714096)
    ),
    "p3": _profile(
        "Display P3",
        (0.515102, 0.241182, -0.001049),
        (0.291965, 0.692236, 0.041882),
        (0.157153, 0.066582, 0.784378),
    ),
}


def normalize(image: Image.Image, icc: bytes | None) -> tuple[Image.Image, Space]:
    """Returns the picture as RGB or RGBA in one of the two spaces.

    A profile that does not fit the picture is ignored.
    """
    if not icc or len(icc) > _MAX_PROFILE_BYTES:
        return _to_rgb(image), "srgb"
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(icc))
        if image.mode not in _CHANNELS.get(source.profile.xcolor_space.strip(), ()):
            return _to_rgb(image), "srgb"
        if image.mode in ("L", "CMYK"):
            return _converted(image, source, "srgb", "RGB"), "srgb"
        space = _space_of(source)
        if space is not None:
            return image, space
        space = "p3" if _is_wide(source) else "srgb"
        return _converted(image, source, space, image.mode), space
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return _to_rgb(image), "srgb"


def to_srgb(image: Image.Image, space: Space) -> Image.Image:
    """Returns the picture in sRGB. The pixels are changed in place where that is possible."""
    if space == "srgb":
        return image
    ImageCms.applyTransform(
        image, _transform(_profile_of(space), _profile_of("srgb"), image.mode, image.mode), inPlace=True
    )
    return image


def _to_rgb(image: Image.Image) -> Image.Image:
    return image if image.mode in ("RGB", "RGBA") else image.convert("RGB")


def _profile_of(space: Space) -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(BytesIO(PROFILES[space]))


def _transform(
    source: ImageCms.ImageCmsProfile, target: ImageCms.ImageCmsProfile, mode: str, to: str
) -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(
        source, target, mode, to, ImageCms.Intent.RELATIVE_COLORIMETRIC, ImageCms.Flags.BLACKPOINTCOMPENSATION
    )


def _converted(image: Image.Image, source: ImageCms.ImageCmsProfile, space: Space, to: str) -> Image.Image:
    transform = _transform(source, _profile_of(space), image.mode, to)
    if image.mode == to:
        ImageCms.applyTransform(image, transform, inPlace=True)
        return image
    result = ImageCms.applyTransform(image, transform)
    if result is None:
        raise ValueError("the colour engine gave no picture")
    return result


def _samples() -> Image.Image:
    """Returns colours from all over the RGB cube, and all greys:
    enough to tell whether two spaces are the same."""
    steps = range(0, 256, 51)
    cube = [bytes((red, green, blue)) for red in steps for green in steps for blue in steps]
    greys = [bytes((level,)) * 3 for level in range(256)]
    pixels = b"".join(cube + greys)
    return Image.frombytes("RGB", (len(pixels) // 3, 1), pixels)


def _convert_through(image: Image.Image, *steps: ImageCms.ImageCmsProfile) -> Image.Image:
    for source, target in pairwise(steps):
        image = ImageCms.applyTransform(image, _transform(source, target, "RGB", "RGB")) or image
    return image


def _difference(one: Image.Image, other: Image.Image) -> int:
    return max(int(high) for _, high in ImageChops.difference(one, other).getextrema())  # type: ignore[misc]


def _space_of(source: ImageCms.ImageCmsProfile) -> Space | None:
    samples = _samples()
    spaces: tuple[Space, ...] = ("srgb", "p3")
    for space in spaces:
        if _difference(samples, _convert_through(samples, source, _profile_of(space))) <= _SAME_TOLERANCE:
            return space
    return None


def _is_wide(source: ImageCms.ImageCmsProfile) -> bool:
    """Returns whether sRGB would clip colours that this space can hold."""
    samples = _samples()
    return (
        _difference(samples, _convert_through(samples, source, _profile_of("srgb"), source))
        > _CLIPPED_THRESHOLD
    )
