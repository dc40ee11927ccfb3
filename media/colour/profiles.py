"""Colour: converts every picture to sRGB or Display P3, tagged with our own profile, never with the file's.

A profile from a file is a program for the colour engine, and some name their owner, so none is passed on.
Pixels that are already sRGB or P3 stay as they are. A wider space (Adobe RGB, ProPhoto) becomes P3, all else
sRGB. The files for our pages may be P3; the file for other servers is sRGB, because many of them drop the profile
when they make their thumbnails and P3 would then look pale.
"""

from __future__ import annotations

from io import BytesIO
from itertools import pairwise
from typing import Literal

from PIL import Image, ImageChops, ImageCms

from media.colour import icc

Space = Literal["srgb", "p3"]

# Profiles of printing presses reach 2 MB; a larger one does not describe a colour.
MAX_PROFILE_BYTES = 4 * 1024 * 1024
_CHANNELS = {"RGB": ("RGB", "RGBA"), "GRAY": ("L",), "CMYK": ("CMYK",)}
# In steps of 255: the difference that two roundings of the same colour may have, and one that is visible clipping.
_SAME_TOLERANCE, _CLIPPED_THRESHOLD = 4, 16


PROFILES: dict[Space, bytes] = {
    "srgb": icc.profile(
        "sRGB", (0.436066, 0.222488, 0.013916), (0.385147, 0.716873, 0.097076), (0.143066, 0.060608, 0.714096)
    ),
    "p3": icc.profile(
        "Display P3",
        (0.515102, 0.241182, -0.001049),
        (0.291965, 0.692236, 0.041882),
        (0.157153, 0.066582, 0.784378),
    ),
}


def normalize(image: Image.Image, profile: bytes | None) -> tuple[Image.Image, Space]:
    """Returns the picture as RGB or RGBA in one of the two spaces.

    A profile that does not fit the picture is ignored.
    """
    if not profile or len(profile) > MAX_PROFILE_BYTES:
        return _to_rgb(image), "srgb"
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
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
