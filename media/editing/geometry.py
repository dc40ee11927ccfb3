"""The shape of an edited picture: turned, mirrored, straightened, corrected in perspective and cropped.

All of it is one map from a point of the result to a point of the decoded picture, so nothing is resampled twice. Points
are in pixels from the top left corner; the centre of the first pixel is (0.5, 0.5).

Straightening shows a smaller part in a frame of the same size. The map is of that frame; what is made has fewer pixels,
`Shape.real_size`, since no picture is ever enlarged.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image

from media.editing.recipes import WHOLE_FRAME, Recipe

Size = tuple[int, int]
Box = tuple[int, int, int, int]
_Row = tuple[float, float, float]
_Matrix = tuple[_Row, _Row, _Row]
_Signs = tuple[int, int, int, int]

_STRENGTH = 0.35  # of the perspective at its limit
_MARGIN = 3  # pixels that are read around the result, and one for rounding
_T = Image.Transpose
# From a point of the result to one of the source, both from the middle: x = a·x + b·y, y = c·x + d·y.
_SIGNS: dict[Image.Transpose | None, _Signs] = {
    None: (1, 0, 0, 1),
    _T.FLIP_LEFT_RIGHT: (-1, 0, 0, 1),
    _T.FLIP_TOP_BOTTOM: (1, 0, 0, -1),
    _T.ROTATE_180: (-1, 0, 0, -1),
    _T.TRANSPOSE: (0, 1, 1, 0),
    _T.TRANSVERSE: (0, -1, -1, 0),
    _T.ROTATE_90: (0, -1, 1, 0),
    _T.ROTATE_270: (0, 1, -1, 0),
}
_TRANSPOSES = {signs: transpose for transpose, signs in _SIGNS.items()}
_CLOCKWISE = {0: None, 90: _T.ROTATE_270, 180: _T.ROTATE_180, 270: _T.ROTATE_90}


@dataclass(frozen=True, slots=True)
class Shape:
    """What a recipe does to the shape of a decoded picture, which `transpose` makes upright, turned and mirrored."""

    recipe: Recipe
    transpose: Image.Transpose | None

    @property
    def is_warped(self) -> bool:
        """Whether the picture has to be resampled, and not only cut."""
        return is_warped(self.recipe)

    def size(self, decoded: Size) -> Size:
        """Returns the size of the cropped frame, upright: that of the result, where nothing is warped."""
        left, top, right, bottom = self._box(decoded)
        return right - left, bottom - top

    def real_size(self, decoded: Size) -> Size:
        """Returns the size of the result, upright: as large as it gets without inventing pixels, nor losing any."""
        width, height = self.size(decoded)
        matrix = self.point_map(decoded)
        corners = ((0, 0), (width, 0), (0, height), (width, height))
        share = min(1.0, max(_stretch(matrix, x, y) for x, y in corners))
        return max(1, round(width * share)), max(1, round(height * share))

    def cut(self, image: Image.Image) -> Image.Image:
        """Cuts out the part of a picture that is shown, not turned yet: the same object if that is the whole."""
        box = self.source_box(image.size)
        return image if box == (0, 0, *image.size) else image.crop(box)

    def warp(self, part: Image.Image, box: Box, decoded: Size, size: Size) -> Image.Image:
        """Returns the result, upright, in this size, from the part of a picture of the size `decoded` that lies in the box.

        The part may have been resized: by as much as the result is smaller than `real_size(decoded)`.
        """
        full = self.size(decoded)
        across, down = part.width / (box[2] - box[0]), part.height / (box[3] - box[1])
        enlarge = ((full[0] / size[0], 0.0, 0.0), (0.0, full[1] / size[1], 0.0), (0.0, 0.0, 1.0))
        into_part = ((across, 0.0, -across * box[0]), (0.0, down, -down * box[1]), (0.0, 0.0, 1.0))
        matrix = _multiply(into_part, _multiply(self.point_map(decoded), enlarge))
        scale = matrix[2][2]
        coefficients = [value / scale for row in matrix for value in row][:8]
        if coefficients[6:] == [0, 0]:
            return part.transform(size, Image.Transform.AFFINE, coefficients[:6], Image.Resampling.BICUBIC)
        return part.transform(size, Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BICUBIC)

    def point_map(self, decoded: Size) -> _Matrix:
        """Returns the map from points of the result to points of the decoded picture."""
        width, height = self._upright(decoded)
        left, top = self._box(decoded)[:2]
        shift = ((1.0, 0.0, float(left)), (0.0, 1.0, float(top)), (0.0, 0.0, 1.0))
        matrix = _multiply(_correction(width, height, self.recipe), shift)
        return _multiply(self._untranspose(decoded), matrix)

    def source_box(self, decoded: Size) -> Box:
        """Returns where the result comes from: of a warped picture with the neighbours that resampling reads."""
        right, bottom = self.size(decoded)
        matrix = self.point_map(decoded)
        points = [_apply(matrix, x, y) for x, y in ((0, 0), (right, 0), (0, bottom), (right, bottom))]
        margin = _MARGIN if self.is_warped else 0
        (x0, x1), (y0, y1) = (
            (min(one[axis] for one in points) - margin, max(one[axis] for one in points) + margin)
            for axis in (0, 1)
        )
        if not self.is_warped:
            return round(x0), round(y0), round(x1), round(y1)
        return (
            max(0, math.floor(x0)),
            max(0, math.floor(y0)),
            min(decoded[0], math.ceil(x1)),
            min(decoded[1], math.ceil(y1)),
        )

    def _box(self, decoded: Size) -> Box:
        """Returns the crop in whole pixels of the upright picture, at least one."""
        width, height = self._upright(decoded)
        left, top, right, bottom = self.recipe.crop
        x, y = min(width - 1, round(left * width)), min(height - 1, round(top * height))
        return x, y, max(x + 1, round(right * width)), max(y + 1, round(bottom * height))

    def _upright(self, decoded: Size) -> Size:
        return decoded if _SIGNS[self.transpose][0] else (decoded[1], decoded[0])

    def _untranspose(self, decoded: Size) -> _Matrix:
        a, b, c, d = _SIGNS[self.transpose]
        (width, height), (upright_width, upright_height) = decoded, self._upright(decoded)
        return (
            (a, b, (width - a * upright_width - b * upright_height) / 2),
            (c, d, (height - c * upright_width - d * upright_height) / 2),
            (0.0, 0.0, 1.0),
        )


def shape(recipe: Recipe, orientation: Image.Transpose | None = None) -> Shape:
    """Returns what a recipe does to a picture that `orientation` would make upright."""
    transpose = _then(orientation, _CLOCKWISE[recipe.turn])
    return Shape(recipe, _then(transpose, _T.FLIP_LEFT_RIGHT if recipe.flip else None))


def is_warped(recipe: Recipe) -> bool:
    """Returns whether a recipe straightens, or corrects the perspective."""
    return bool(recipe.straighten or recipe.vertical or recipe.horizontal)


def changes_shape(recipe: Recipe) -> bool:
    """Returns whether a recipe does anything to the shape."""
    return bool(recipe.turn or recipe.flip or is_warped(recipe) or recipe.crop != WHOLE_FRAME)


def sizes(recipe: Recipe, decoded: Size) -> Iterator[Size]:
    """Yields the size of the result before it is turned, for a picture that lies upright and for one that does not."""
    for orientation in (None, _T.ROTATE_90):
        found = shape(recipe, orientation)
        width, height = found.size(decoded)
        yield (width, height) if _SIGNS[found.transpose][0] else (height, width)


def source_point(
    x: float, y: float, width: int, height: int, degrees: float, vertical: float, horizontal: float
) -> tuple[float, float]:
    """Returns where in a picture a point of the corrected frame comes from.

    The frame has the picture's shape and is enlarged just so much that every corner lies inside. A positive angle turns
    the picture clockwise; a positive `vertical` narrows its top, a positive `horizontal` its left.
    """
    return _apply(_map(width, height, degrees, vertical, horizontal), x, y)


def _correction(width: int, height: int, recipe: Recipe) -> _Matrix:
    return _map(width, height, recipe.straighten, recipe.vertical, recipe.horizontal)


def _map(width: int, height: int, degrees: float, vertical: float, horizontal: float) -> _Matrix:
    aspect = width / height
    kx, ky = _STRENGTH * horizontal / 100 / aspect, _STRENGTH * vertical / 100
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    zoom = 1.0
    for u, v in ((-aspect, -1.0), (aspect, -1.0), (-aspect, 1.0), (aspect, 1.0)):
        depth = kx * u + ky * v
        for reached, limit in ((abs(u * cos + v * sin), aspect), (abs(v * cos - u * sin), 1.0)):
            if reached - limit * depth > 0:
                zoom = min(zoom, limit / (reached - limit * depth))
    to_middle = (
        (2 * zoom * aspect / width, 0.0, -zoom * aspect),
        (0.0, 2 * zoom / height, -zoom),
        (0.0, 0.0, 1.0),
    )
    correct = ((cos, sin, 0.0), (-sin, cos, 0.0), (kx, ky, 1.0))
    to_pixels = ((width / 2 / aspect, 0.0, width / 2), (0.0, height / 2, height / 2), (0.0, 0.0, 1.0))
    return _multiply(to_pixels, _multiply(correct, to_middle))


def _apply(matrix: _Matrix, x: float, y: float) -> tuple[float, float]:
    a, b, depth = (row[0] * x + row[1] * y + row[2] for row in matrix)
    return a / depth, b / depth


def _stretch(matrix: _Matrix, x: float, y: float) -> float:
    """Returns how many pixels of the source one of the result is wide or high at a point, whichever is more."""
    (a, b, _), (d, e, _), (g, h, i) = matrix
    depth = g * x + h * y + i
    from_x, from_y = _apply(matrix, x, y)
    return max(math.hypot(a - g * from_x, d - g * from_y), math.hypot(b - h * from_x, e - h * from_y)) / depth


def _multiply(left: _Matrix, right: _Matrix) -> _Matrix:
    def row(number: int) -> _Row:
        one, two, three = (
            sum(left[number][middle] * right[middle][column] for middle in range(3)) for column in range(3)
        )
        return one, two, three

    return row(0), row(1), row(2)


def _then(first: Image.Transpose | None, second: Image.Transpose | None) -> Image.Transpose | None:
    """Returns the one transposition that does the same as two."""
    a, b, c, d = _SIGNS[first]
    e, f, g, h = _SIGNS[second]
    return _TRANSPOSES[a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h]


def follow_point(x: float, y: float, before: Recipe, after: Recipe, size: Size) -> tuple[float, float] | None:
    """Returns where a point of a photo is once it is edited by another recipe; None where that cuts it off.

    Points are shares of width and height, and `size` is that of the photo as `before` makes it.
    """
    left, top, right, bottom = before.crop
    turned = size[0] / (right - left), size[1] / (bottom - top)
    whole = turned if before.turn in (0, 180) else (turned[1], turned[0])
    original = max(1, round(whole[0])), max(1, round(whole[1]))
    old, new = shape(before), shape(after)
    old_size, new_size = old.size(original), new.size(original)
    at = _apply(old.point_map(original), x * old_size[0], y * old_size[1])
    found_x, found_y = _apply(_inverse(new.point_map(original)), *at)
    share = found_x / new_size[0], found_y / new_size[1]
    return share if all(-1e-6 <= one <= 1 + 1e-6 for one in share) else None


def _inverse(matrix: _Matrix) -> _Matrix:
    """Returns the inverse of a map of points, up to a factor, which such maps do not have."""
    (a, b, c), (d, e, f), (g, h, i) = matrix
    return (
        (e * i - f * h, c * h - b * i, b * f - c * e),
        (f * g - d * i, a * i - c * g, c * d - a * f),
        (d * h - e * g, b * g - a * h, a * e - b * d),
    )
