"""Decodes, resizes and encodes: the only module that touches pixels, run in a process of `sandbox`.

Dimensions are checked before anything is decoded. A JPEG is decoded no larger than its largest variant needs,
and each smaller size is resized from the one above it. Turning upright happens last, on the small pictures.
The largest variant comes at the very end, so that it may use up the decoded picture.

An edited picture is cut first, and gets its colours last, at each size: what a browser shows of a size is computed alike.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from itertools import groupby
from typing import TYPE_CHECKING

from PIL import Image, ImageChops

from media import blurhash, decoding
from media.colour import profiles as colour_profiles
from media.images import (
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
)

if TYPE_CHECKING:  # numpy takes a tenth of a second to load, and most pictures are not edited
    from media.editing.geometry import Shape
    from media.filters import Edit

# A picture decoded at this share of the requested size is near enough, and costs a quarter of the memory.
_NEAR_ENOUGH = 0.85
_STRIP = 512
_SIDEWAYS = (
    Image.Transpose.TRANSPOSE,
    Image.Transpose.TRANSVERSE,
    Image.Transpose.ROTATE_90,
    Image.Transpose.ROTATE_270,
)


def render(
    data: bytes,
    variants: tuple[Variant, ...],
    edit: Edit | None = None,
    *,
    finds_levels: bool = False,
    reads_place: bool = False,
) -> Picture:
    """Decodes, turns upright, drops all metadata, edits if requested, and renders every requested variant.

    `finds_levels` asks for auto-level, of the picture as `edit` cuts it; `reads_place` for where it was taken. Raises BadImage, and nothing else. Decodes untrusted bytes: call it in the sandbox.
    """
    mime = sniff(data[:64])
    if mime is None:
        raise not_an_image_error(f"begins with {data[:16]!r}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = _render(data, mime, variants, edit, finds_levels=finds_levels)
            return replace(picture, place=decoding.read_place(data, mime)) if reads_place else picture
    except BadImage:
        raise
    except MemoryError as error:
        raise too_costly_error("out of memory") from error
    except Image.DecompressionBombError as error:
        raise too_costly_error(str(error)) from error
    except Exception as error:  # decoders raise nearly everything for malformed bytes
        raise damaged_error(f"{mime}: {type(error).__name__}: {error}") from error


def _render(
    data: bytes, mime: str, variants: tuple[Variant, ...], edit: Edit | None, *, finds_levels: bool
) -> Picture:
    image, original = decoding.decode(data, mime, lambda size: _scale(size, variants, edit))
    turn, (width, height) = original.turn, original.size
    image, space = colour_profiles.normalize(image, original.profile)
    image = _without_alpha(image, variants)
    image = _strip_metadata(image)
    if turn in _SIDEWAYS:
        width, height = height, width
    if edit is None and turn in _SIDEWAYS:
        variants = tuple(variant.turned() for variant in variants)
    if edit is not None:
        width, height = edit.shape(None).real_size((width, height))
        shape = edit.shape(turn)
        if shape.is_warped:
            warp = _Warp(shape, image.size, variants)
            image = warp.reduce(image)
            image, turn = warp.apply(image), None
        else:
            image, turn = shape.cut(image), shape.transpose
    finish = _Finish(turn, space, edit)

    files: list[RenderedFile] = []
    levels = [list(group) for _, group in groupby(_largest_first(variants, image.size), _size_group)]
    smaller = image
    for group in levels[1:]:
        resized = _resize(smaller, group[0], whole=finish.needs_whole)
        files += finish.encode(resized, group)
        smaller = smaller if group[0].ratio else resized
    picture_hash = finish.blurhash(smaller)
    found_levels = finish.found_levels(smaller) if finds_levels else ""
    del smaller
    for group in levels[:1]:
        resized = _resize(image, group[0], whole=finish.needs_whole)
        del image
        files += finish.encode(resized, group, is_last=True)
    order: dict[tuple[str, str], int] = {
        (variant.name, variant.format): place for place, variant in enumerate(variants)
    }
    files.sort(key=lambda file: order[file.variant, file.format])
    return Picture(
        width,
        height,
        mime,
        picture_hash,
        files,
        original.camera_fields,
        original.is_incomplete,
        found_levels,
    )


class _Warp:
    """Straightening and perspective, in no more pixels than the picture has or a variant needs."""

    def __init__(self, shape: Shape, decoded: tuple[int, int], variants: tuple[Variant, ...]) -> None:
        size = shape.real_size(decoded)
        needed = max((_required_edge(variant, size) for variant in variants), default=1)
        self._share = min(1.0, needed / max(size))
        self._shape, self._decoded, self._size = shape, decoded, _scaled(size, self._share)
        self._box = shape.source_box(decoded) if self._share < 1 else (0, 0, *decoded)

    def reduce(self, image: Image.Image) -> Image.Image:
        """Returns the part that is needed, as much smaller as the result will be: the same object if that is the whole."""
        if self._share == 1:
            return image
        left, top, right, bottom = self._box
        return _resize_in_strips(image, _scaled((right - left, bottom - top), self._share), self._box)

    def apply(self, part: Image.Image) -> Image.Image:
        """Returns the result, upright, of what `reduce` returned."""
        return self._shape.warp(part, self._box, self._decoded, self._size)


def _strip_metadata(image: Image.Image) -> Image.Image:
    """Returns the pixels alone, without copying them: no metadata of the file goes further.

    Also, saving an opened file reads the current folder, which a confined process may not.
    """
    return Image.Image()._new(image.im)


def _without_alpha(image: Image.Image, variants: tuple[Variant, ...]) -> Image.Image:
    """Puts a transparent picture on white, unless a variant keeps it transparent."""
    if image.mode != "RGBA":
        return image
    alpha = image.getchannel("A")
    if alpha.getextrema() != (255, 255):
        if any(variant.keeps_alpha for variant in variants):
            return image
        image.paste((255, 255, 255, 255), mask=ImageChops.invert(alpha))
    del alpha
    return image.convert("RGB")


def _scale(size: tuple[int, int], variants: tuple[Variant, ...], edit: Edit | None) -> int:
    sizes = [size] if edit is None else edit.cropped_sizes(size)
    return min(_scale_of(size, variants) for size in sizes)


def _scale_of(size: tuple[int, int], variants: tuple[Variant, ...]) -> int:
    needed = max((_required_edge(variant, size) for variant in variants), default=1)
    for scale in (8, 4, 2):
        if max(size) // scale >= needed * _NEAR_ENOUGH:
            return scale
    return 1


def _scaled(size: tuple[int, int], share: float) -> tuple[int, int]:
    return max(1, round(size[0] * share)), max(1, round(size[1] * share))


def _required_edge(variant: Variant, size: tuple[int, int]) -> int:
    """Returns the longest side that the variant needs of a whole picture of this shape, which may lie on its side."""
    return max(variant.required_edge(size), variant.required_edge(size[::-1]))


def _largest_first(variants: tuple[Variant, ...], size: tuple[int, int]) -> Iterator[Variant]:
    return iter(sorted(variants, key=lambda variant: (-_required_edge(variant, size), *_size_group(variant))))


def _size_group(variant: Variant) -> tuple[int, float]:
    return variant.edge, variant.ratio or 0


def _resize(image: Image.Image, variant: Variant, *, whole: bool = False) -> Image.Image:
    """Resizes to the variant's size, never enlarging; the same object if it has that size already.

    `whole`: nothing is cut off, and what the variant shows of the result has its size.
    """
    box, size = variant.box(*image.size), variant.size(*image.size)
    if whole and variant.ratio:
        box, size = (0, 0, *image.size), _scaled(image.size, size[0] / (box[2] - box[0]))
    if size == image.size:
        return image
    if size == (box[2] - box[0], box[3] - box[1]):
        return image.crop(box)
    if size[0] > 2 * _STRIP and not variant.ratio:
        return _resize_in_strips(image, size)
    return image.resize(size, Image.Resampling.LANCZOS, box, reducing_gap=1.5)


def _resize_in_strips(
    image: Image.Image, size: tuple[int, int], box: tuple[int, int, int, int] | None = None
) -> Image.Image:
    """Resizes a picture, or the part in the box, without an intermediate picture of nearly the first one's size."""
    left, first, right, last = box or (0, 0, *image.size)
    if right - left >= 3 * size[0]:
        return image.resize(size, Image.Resampling.LANCZOS, (left, first, right, last), reducing_gap=1.5)
    result = Image.new(image.mode, size)
    ratio = (last - first) / size[1]
    for top in range(0, size[1], _STRIP):
        bottom = min(size[1], top + _STRIP)
        part = (left, first + top * ratio, right, min(last, first + bottom * ratio))
        result.paste(image.resize((size[0], bottom - top), Image.Resampling.BICUBIC, part), (0, top))
    return result


@dataclass(frozen=True, slots=True)
class _Finish:
    """What becomes of a picture once it has its size: turned upright by `turn`, edited, encoded. Its colours are in `space`."""

    turn: Image.Transpose | None
    space: colour_profiles.Space
    edit: Edit | None

    @property
    def needs_whole(self) -> bool:
        """Whether a variant may be cut off only once the rest is done."""
        return self.edit is not None and self.edit.needs_whole

    def encode(
        self, image: Image.Image, group: list[Variant], *, is_last: bool = False
    ) -> Iterator[RenderedFile]:
        """Yields the files of one size. `is_last`: the pixels may be changed, nothing reads them again."""
        image = _upright(image, self.turn)
        if self.edit is None:
            return _encode(image, self.space, group, is_last=is_last)
        if group[0].shows_looks:
            return _encode(self.edit.swatches(self._plain(image, is_last=is_last)), "srgb", group)
        image = self._developed(image, is_last=is_last)
        if self.needs_whole and group[0].ratio:
            image = image.crop(group[0].box(*image.size))
        return _encode(image, "srgb", group, is_last=is_last)

    def blurhash(self, image: Image.Image) -> str:
        small = image.resize(_scaled(image.size, min(1.0, 32 / max(image.size))), Image.Resampling.BOX)
        small = _upright(small, self.turn)
        if self.edit is None:
            small = colour_profiles.to_srgb(_on_white(small), self.space)
        else:
            small = self._developed(small, is_last=True, with_grain=False)
        down = 3 if small.width > small.height else 4
        return blurhash.encode(small.tobytes(), *small.size, 4, down)

    def found_levels(self, image: Image.Image) -> str:
        """Returns what auto-level finds in the picture before its colours are edited."""
        assert self.edit is not None
        share = min(1.0, self.edit.levels_side / max(image.size))
        small = image.resize(_scaled(image.size, share), Image.Resampling.BOX)
        return self.edit.found_levels(self._plain(small, is_last=True))

    def _developed(self, image: Image.Image, *, is_last: bool, with_grain: bool = True) -> Image.Image:
        assert self.edit is not None
        plain = self._plain(image, is_last=is_last)
        return self.edit.develop(plain, with_grain=with_grain, in_place=is_last or plain is not image)

    def _plain(self, image: Image.Image, *, is_last: bool) -> Image.Image:
        """Returns the picture in sRGB and RGB."""
        flat = _on_white(image)
        if self.space != "srgb" and flat is image and not is_last:
            flat = image.copy()
        flat = colour_profiles.to_srgb(flat, self.space)
        return flat if flat.mode == "RGB" else flat.convert("RGB")


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


def warm_up() -> None:
    """Uses every decoder and encoder once, on a generated picture.

    Pillow imports much of itself only when it is needed, and in a confined process that is too late.
    """
    sample = Image.linear_gradient("L").resize((32, 24)).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6
    files = []
    for kind in ("PNG", "JPEG", "WEBP", "AVIF", "GIF"):
        out = BytesIO()
        sample.save(out, kind, exif=exif, icc_profile=colour_profiles.PROFILES["p3"])
        files.append(out.getvalue())
    render(files[0], VARIANTS)
    for data in files[1:]:
        render(data, VARIANTS[:1])
