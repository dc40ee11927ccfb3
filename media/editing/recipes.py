"""Recipes: what was done to a photo, as a small JSON object that alone decides how it looks.

A recipe comes from a browser or an app and is hostile until `parse` has read it. It has exactly one spelling,
`canonical`: sorted keys, nothing neutral, numbers rounded to what the tools tell apart. So a recipe can be
compared, stored and used as the key of a cache. What is absent is neutral.

The version is raised when the same recipe would give other pixels; the numbers of older ones stay.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any

from media.editing.looks import LOOKS

VERSION = 1
MAX_LENGTH = 2000  # characters; the longest canonical recipe has some 450
MAX_SEED = 2**31 - 1
MIN_CROP = 0.02  # of a side
MAX_STRAIGHTEN = 15  # degrees
TURNS = (0, 90, 180, 270)
WHOLE_FRAME = (0.0, 0.0, 1.0, 1.0)
SIGNED_TOOLS = (
    "exposure", "contrast", "highlights", "shadows", "whites", "blacks",
    "warmth", "tint", "saturation", "vibrance", "clarity", "vignette",
)  # fmt: skip
UNSIGNED_TOOLS = ("sharpen", "fade", "grain")
# What is rounded, to this many decimals: a thousandth of a level, a hundred-thousandth of a side, a tenth of a degree.
_LEVEL_DECIMALS, _CROP_DECIMALS, _DEGREE_DECIMALS = 3, 5, 1


class BadRecipe(ValueError):
    """This is no recipe. `field` names the part at fault; the message is for people."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.field = field
        self.message = message


@dataclass(frozen=True, slots=True)
class Adjustments:
    """The tools' amounts: −100…100, or 0…100 for `sharpen`, `fade` and `grain`; 0 is neutral.

    `levels` (black, white) are those of auto-level.
    """

    exposure: int = 0
    contrast: int = 0
    highlights: int = 0
    shadows: int = 0
    whites: int = 0
    blacks: int = 0
    warmth: int = 0
    tint: int = 0
    saturation: int = 0
    vibrance: int = 0
    clarity: int = 0
    vignette: int = 0
    sharpen: int = 0
    fade: int = 0
    grain: int = 0
    levels: tuple[float, float] = (0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Recipe:
    """An edited photo's recipe, in the order in which it is applied.

    The upright photo is turned clockwise by `turn` degrees, then mirrored left to right if `flip`, then straightened
    (degrees, clockwise) and corrected in perspective; `crop` is left, top, right, bottom as parts of that frame. Then
    come the tools, and `look` at `strength` percent. `seed` chooses the grain.
    """

    turn: int = 0
    flip: bool = False
    straighten: float = 0.0
    vertical: int = 0
    horizontal: int = 0
    crop: tuple[float, float, float, float] = WHOLE_FRAME
    adjust: Adjustments = field(default_factory=Adjustments)
    look: str = ""
    strength: int = 100
    seed: int = 1

    @property
    def is_neutral(self) -> bool:
        """Whether the photo stays as it is."""
        return replace(self, seed=1) == NEUTRAL


def parse(text: str | bytes) -> Recipe:
    """Reads a recipe from JSON. Raises BadRecipe, and nothing else, with the field and what is wrong with it."""
    if len(text) > MAX_LENGTH:
        raise BadRecipe("", f"A recipe has at most {MAX_LENGTH} characters.")
    try:
        data = json.loads(text, object_pairs_hook=_unique_keys)
    except BadRecipe:
        raise
    except (ValueError, RecursionError) as error:
        raise BadRecipe("", "This is not JSON.") from error
    return from_json(data)


def from_json(data: object) -> Recipe:
    """Reads a recipe from what JSON was parsed to. Raises BadRecipe, and nothing else."""
    if not isinstance(data, dict):
        raise BadRecipe("", "A recipe is a JSON object.")
    version = data.get("version")
    if isinstance(version, bool) or version != VERSION:
        raise BadRecipe("version", f"Only version {VERSION} is known here.")
    values = _read_object("", {name: value for name, value in data.items() if name != "version"}, _READERS)
    return _settled(Recipe(**values))


def canonical(recipe: Recipe) -> str:
    """Returns the one spelling of a recipe."""
    return json.dumps(to_json(recipe), sort_keys=True, separators=(",", ":"))


def to_json(recipe: Recipe) -> dict[str, Any]:
    """Returns what `canonical` spells: nothing that is neutral."""
    found: dict[str, Any] = {"version": VERSION}
    settled = _settled(recipe)
    for entry in fields(Recipe):
        value = getattr(settled, entry.name)
        if value == getattr(NEUTRAL, entry.name):
            continue
        found[entry.name] = _adjustments_to_json(value) if isinstance(value, Adjustments) else _plain(value)
    return found


def colours_only(recipe: Recipe) -> Recipe:
    """Returns what of a recipe decides the table of colours."""
    adjust = replace(recipe.adjust, clarity=0, vignette=0, sharpen=0, grain=0)
    return _settled(Recipe(adjust=adjust, look=recipe.look, strength=recipe.strength))


def have_same_shape(one: str, other: str) -> bool:
    """Returns whether two canonical recipes, or nothing for none, show the same part of the photo."""
    first, second = (shape_only(parse(text) if text else NEUTRAL) for text in (one, other))
    return first == second


def changed_parts(before: Recipe, after: Recipe) -> list[str]:
    """Returns the names of the fields and tools in which two recipes differ; strength counts as the look, grain's seed as nothing."""
    parts = []
    for entry in fields(Recipe):
        old, new = getattr(before, entry.name), getattr(after, entry.name)
        if old == new or entry.name == "seed":
            continue
        if entry.name == "adjust":
            parts += [
                tool.name
                for tool in fields(Adjustments)
                if getattr(old, tool.name) != getattr(new, tool.name)
            ]
        else:
            parts.append("look" if entry.name == "strength" else entry.name)
    return list(dict.fromkeys(parts))


def shape_only(recipe: Recipe) -> Recipe:
    """Returns what of a recipe decides which part of the photo is shown."""
    return replace(recipe, adjust=Adjustments(), look="", strength=100, seed=1)


def _settled(recipe: Recipe) -> Recipe:
    """Returns the same recipe without a look that has no strength, or a strength without a look."""
    if recipe.look and recipe.strength:
        return recipe
    return replace(recipe, look="", strength=100)


def _adjustments_to_json(adjust: Adjustments) -> dict[str, Any]:
    neutral = Adjustments()
    return {
        entry.name: _plain(value)
        for entry in fields(Adjustments)
        if (value := getattr(adjust, entry.name)) != getattr(neutral, entry.name)
    }


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadRecipe("", "A name stands in it twice.")
    return found


def _read_object(where: str, data: dict[str, Any], readers: dict[str, _Read]) -> dict[str, Any]:
    values = {}
    for name, value in data.items():
        label = f"{where}.{name}" if where else name
        if name not in readers:
            raise BadRecipe(label[:80], "There is no such part of a recipe.")
        values[name] = readers[name](label, value)
    return values


def _number(label: str, value: object, low: float, high: float) -> float:
    """Returns a finite number in these bounds."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadRecipe(label, "This is a number.")
    if not low <= value <= high or not math.isfinite(value):  # an integer may be too long for a float
        raise BadRecipe(label, f"This is from {low:g} to {high:g}.")
    return float(value)


def _whole(low: int, high: int) -> _Read:
    def read(label: str, value: object) -> int:
        number = _number(label, value, low, high)
        if not number.is_integer():
            raise BadRecipe(label, "This is a whole number.")
        return int(number)

    return read


def _read_turn(label: str, value: object) -> int:
    number = _number(label, value, 0, 270)
    if number not in TURNS:
        raise BadRecipe(label, "This is 0, 90, 180 or 270.")
    return int(number)


def _read_flip(label: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise BadRecipe(label, "This is true or false.")
    return value


def _read_straighten(label: str, value: object) -> float:
    # Adding 0.0 leaves no negative zero, which would be spelt in another way.
    return round(_number(label, value, -MAX_STRAIGHTEN, MAX_STRAIGHTEN), _DEGREE_DECIMALS) + 0.0


def _numbers(label: str, value: object, length: int, decimals: int) -> list[float]:
    if not isinstance(value, list) or len(value) != length:
        raise BadRecipe(label, f"This is a list of {length} numbers.")
    return [round(_number(label, part, 0, 1), decimals) + 0.0 for part in value]


def _read_crop(label: str, value: object) -> tuple[float, float, float, float]:
    left, top, right, bottom = _numbers(label, value, 4, _CROP_DECIMALS)
    # Compared in the smallest steps: 0.3 − 0.28 is a little less than 0.02.
    steps = 10**_CROP_DECIMALS
    if min(round((right - left) * steps), round((bottom - top) * steps)) < round(MIN_CROP * steps):
        raise BadRecipe(label, f"Left comes before right and top before bottom, at least {MIN_CROP:g} apart.")
    return left, top, right, bottom


def _read_levels(label: str, value: object) -> tuple[float, float]:
    black, white = _numbers(label, value, 2, _LEVEL_DECIMALS)
    if not (black <= 0.2 and white >= 0.7):
        raise BadRecipe(label, "Black is from 0 to 0.2, white from 0.7 to 1.")
    return black, white


def _read_look(label: str, value: object) -> str:
    if not isinstance(value, str) or value not in LOOKS:
        raise BadRecipe(label, "There is no such look.")
    return value


def _read_adjust(label: str, value: object) -> Adjustments:
    if not isinstance(value, dict):
        raise BadRecipe(label, "This is an object with the amount of each tool.")
    return Adjustments(**_read_object(label, value, _TOOL_READERS))


_Read = Callable[[str, object], Any]
_TOOL_READERS: dict[str, _Read] = {
    **dict.fromkeys(SIGNED_TOOLS, _whole(-100, 100)),
    **dict.fromkeys(UNSIGNED_TOOLS, _whole(0, 100)),
    "levels": _read_levels,
}
_READERS: dict[str, _Read] = {
    "turn": _read_turn,
    "flip": _read_flip,
    "straighten": _read_straighten,
    "vertical": _whole(-100, 100),
    "horizontal": _whole(-100, 100),
    "crop": _read_crop,
    "adjust": _read_adjust,
    "look": _read_look,
    "strength": _whole(0, 100),
    "seed": _whole(1, MAX_SEED),
}
NEUTRAL = Recipe()
