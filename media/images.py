"""Defines pictures: the accepted types, the limits, and the table of named variants.

The bytes alone decide the type of a file, never its name or a declared type. Importing this module loads no
decoder: `pixels.render` does, and is meant to be called through `sandbox.Sandbox`, which runs it in a process of
its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

Format = Literal["jpeg", "webp", "avif"]

BYTES_PER_MB = 1024 * 1024
MEGAPIXEL = 1_000_000

MAX_BYTES = 64 * BYTES_PER_MB
# A JPEG can be decoded at half or a quarter of its size, the others only whole, at four bytes a pixel.
MAX_PIXELS_JPEG = 100 * MEGAPIXEL
MAX_PIXELS_OTHER = 50 * MEGAPIXEL

# A picture that breaks off is shown if this much of it is there.
MIN_SHARE = 0.95

# The Exif fields that are read at all.
CAMERA_FIELDS = (
    "Make",
    "Model",
    "LensModel",
    "FocalLength",
    "FocalLengthIn35mmFilm",
    "FNumber",
    "ExposureTime",
    "PhotographicSensitivity",
    "DateTime",
)
MAX_EXIF_VALUE_LENGTH = 120

ACCEPTED_MESSAGE = "JPEG, PNG, WebP, GIF, AVIF and HEIC pictures are accepted."

MIMES: dict[Format, str] = {"jpeg": "image/jpeg", "webp": "image/webp", "avif": "image/avif"}
EXTENSIONS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/gif": "gif",
    "image/avif": "avif",
    "image/heic": "heic",
}
MAX_PIXELS = dict.fromkeys(EXTENSIONS, MAX_PIXELS_OTHER) | {"image/jpeg": MAX_PIXELS_JPEG}


class BadImage(Exception):
    """The file cannot become a picture. `message` is for the uploader, `detail` for the log."""

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail


@dataclass(frozen=True)
class Variant:
    """One named size. `edge` is the longest side in pixels. With `ratio`, width by height, the middle of that shape is cut out.

    No picture is ever enlarged. `is_deferred` marks what may be made after the upload is answered. Transparent
    pictures are rendered on white, so that they look alike wherever they are shown, unless `keeps_alpha`. A variant that
    `shows_looks` is no picture but a square of swatches: the whole in every look, see `media/editing/swatches.py`.
    """

    name: str
    edge: int
    format: Format
    quality: int
    purpose: str
    ratio: float | None = None
    is_deferred: bool = False
    keeps_alpha: bool = False
    shows_looks: bool = False

    def box(self, width: int, height: int) -> tuple[int, int, int, int]:
        """Returns left, top, right, bottom of the part of a picture that is shown."""
        if self.ratio is None:
            return 0, 0, width, height
        across, down = self._cut(width, height)
        left, top = (width - across) // 2, (height - down) // 2
        return left, top, left + across, top + down

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Returns the size that this variant has of a picture of that size: no side is over `edge` or 0."""
        width, height = self._cut(width, height)
        longest = max(width, height)
        if longest <= self.edge:
            return width, height
        return max(1, round(width * self.edge / longest)), max(1, round(height * self.edge / longest))

    def turned(self) -> Variant:
        """Returns the variant to make of a picture that is turned by 90 degrees afterwards."""
        return self if self.ratio is None else replace(self, ratio=1 / self.ratio)

    def required_edge(self, size: tuple[int, int]) -> int:
        """Returns the longest side of a whole picture of this shape from which the variant can be made."""
        return self.edge * max(size) // max(1, *self._cut(*size))

    def _cut(self, width: int, height: int) -> tuple[int, int]:
        """Returns the size of the largest part that has the shape of this variant."""
        if self.ratio is None:
            return width, height
        return min(width, max(1, round(height * self.ratio))), min(height, max(1, round(width / self.ratio)))


SQUARE = 1.0
HEADER_RATIO = 3.0
"""The shape in which the header of a profile is shown: `header-image` in web/static/css/pages/profile.css."""

VARIANTS: tuple[Variant, ...] = (
    Variant("federated", 4096, "jpeg", 88, "for other servers: sRGB, no side over 4096"),
    Variant("medium", 1080, "webp", 80, "one photo in a feed"),
    Variant("thumb", 480, "webp", 76, "a square of the grid", ratio=SQUARE),
    Variant("medium", 1080, "avif", 60, "one photo in a feed", is_deferred=True),
    Variant("small", 640, "webp", 78, "a feed on a small screen", is_deferred=True),
    Variant("small", 640, "avif", 58, "a feed on a small screen", is_deferred=True),
    Variant("large", 2048, "webp", 82, "one photo on the whole screen", is_deferred=True),
    Variant("large", 2048, "avif", 62, "one photo on the whole screen", is_deferred=True),
    Variant("thumb", 480, "avif", 56, "a square of the grid", ratio=SQUARE, is_deferred=True),
)

AVATAR_VARIANTS: tuple[Variant, ...] = (
    Variant("avatar", 400, "jpeg", 88, "an avatar, for other servers", ratio=SQUARE),
    Variant("avatar", 400, "webp", 80, "an avatar on its own profile", ratio=SQUARE),
    Variant("small", 96, "webp", 80, "an avatar beside a name", ratio=SQUARE),
)

HEADER_VARIANTS: tuple[Variant, ...] = (
    Variant("header", 1500, "jpeg", 84, "the header of a profile, for other servers", ratio=HEADER_RATIO),
    Variant("header", 1500, "webp", 78, "the header above a profile", ratio=HEADER_RATIO),
)

EMOJI_VARIANTS: tuple[Variant, ...] = (
    Variant("emoji", 128, "webp", 85, "an emoji in a text", keeps_alpha=True),
)


@dataclass(frozen=True)
class RenderedFile:
    """One rendered file: which `Variant` it is, and its bytes."""

    variant: str
    format: str
    mime: str
    width: int
    height: int
    data: bytes


@dataclass(frozen=True)
class Picture:
    """One rendered picture. `width`, `height` and `mime` are the original's, turned upright.

    `camera_fields` holds (Exif field name, value) of `CAMERA_FIELDS`: for its owner only, until they share it.
    `is_incomplete`: the file broke off, and the last rows are grey. `levels`: a recipe of what auto-level found, if asked.
    `place`: latitude and longitude in degrees, as the camera wrote them, if asked: never kept as they are.
    An edited picture has the size that the edit leaves of the original.
    """

    width: int
    height: int
    mime: str
    blurhash: str
    files: list[RenderedFile]
    camera_fields: list[tuple[str, str]] = field(default_factory=list)
    is_incomplete: bool = False
    levels: str = ""
    place: tuple[float, float] | None = None


_HEIC_BRANDS = frozenset((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"))
_AVIF_BRANDS = frozenset((b"avif", b"avis"))
_CONTAINER_BRANDS = frozenset((b"mif1", b"mif2", b"msf1", b"miaf"))


def sniff(head: bytes) -> str | None:
    """Returns the media type of the picture that begins with these bytes (64 are enough),
    or None if not accepted."""
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp":
        return _sniff_brands(head)
    return None


def _sniff_brands(head: bytes) -> str | None:
    """Reads a `ftyp` box (ISO/IEC 14496-12): length, `ftyp`, the main brand,
    a version, the compatible brands."""
    end = min(int.from_bytes(head[:4], "big"), len(head))
    main = head[8:12]
    brands = {head[at : at + 4] for at in range(16, end - 3, 4)} if main in _CONTAINER_BRANDS else {main}
    if brands & _AVIF_BRANDS:
        return "image/avif"
    if brands & _HEIC_BRANDS:
        return "image/heic"
    return None


def not_an_image_error(detail: str = "") -> BadImage:
    return BadImage(f"This kind of file cannot be used as a picture. {ACCEPTED_MESSAGE}", detail)


def too_many_bytes_error(size: int) -> BadImage:
    return BadImage(
        f"This file is too large: {size / BYTES_PER_MB:.0f} MB. Up to {MAX_BYTES // BYTES_PER_MB} MB are accepted.",
        f"{size} bytes",
    )


def too_many_pixels_error(width: int, height: int) -> BadImage:
    return BadImage(
        f"This picture is too large: {width} × {height} pixels. Up to {MAX_PIXELS_JPEG // MEGAPIXEL} "
        f"megapixels are accepted in a JPEG, {MAX_PIXELS_OTHER // MEGAPIXEL} in any other format."
    )


def damaged_error(detail: str) -> BadImage:
    return BadImage(f"This picture is damaged or incomplete and cannot be read. {ACCEPTED_MESSAGE}", detail)


def too_costly_error(detail: str) -> BadImage:
    return BadImage(
        "This picture needs more memory or time than a picture may. A smaller one will do.", detail
    )
