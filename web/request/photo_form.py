"""The form in which a photo is edited: its fields are those of a recipe, with a shape for the crop."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from media.editing import recipes
from media.editing.recipes import MAX_STRAIGHTEN, MIN_CROP, TURNS, UNSIGNED_TOOLS, WHOLE_FRAME, Recipe
from web.i18n.translations import N_

TOOL_GROUPS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        N_("Light"),
        (
            ("exposure", N_("Exposure")),
            ("contrast", N_("Contrast")),
            ("highlights", N_("Highlights")),
            ("shadows", N_("Shadows")),
            ("whites", N_("Whites")),
            ("blacks", N_("Blacks")),
        ),
    ),
    (
        N_("Colour"),
        (
            ("warmth", N_("Warmth")),
            ("tint", N_("Tint")),
            ("saturation", N_("Saturation")),
            ("vibrance", N_("Vibrance")),
        ),
    ),
    (N_("Detail"), (("clarity", N_("Clarity")), ("sharpen", N_("Sharpness")))),
    (N_("Finish"), (("fade", N_("Fade")), ("vignette", N_("Vignette")), ("grain", N_("Grain")))),
)
LOOK_GROUPS = {
    "daylight": N_("Daylight"),
    "warm": N_("Warm film"),
    "cool": N_("Cool film"),
    "mono": N_("Black and white"),
    "night": N_("Night"),
}
SHAPES: Mapping[str, tuple[str, float]] = {
    "original": (N_("Original"), 0),
    "free": (N_("Free"), 0),
    "1:1": ("1:1", 1),
    "4:5": ("4:5", 4 / 5),
    "1.91:1": ("1.91:1", 1.91),
    "16:9": ("16:9", 16 / 9),
}
"""The shapes of a crop, by the value of their radio button: the name, and width by height of those that have one."""

SIDES = ("left", "top", "right", "bottom")
_Crop = tuple[float, float, float, float]


def crop_to(ratio: float, size: tuple[int, int], turn: int) -> _Crop:
    """Returns the largest crop of this shape from the middle of an upright photo, which is then turned."""
    width, height = size if turn in (0, 180) else (size[1], size[0])
    found = width / height
    x, y = max(MIN_CROP, min(1.0, ratio / found)), max(MIN_CROP, min(1.0, found / ratio))
    left, top = round((1 - x) / 2, 5), round((1 - y) / 2, 5)
    return left, top, round(1 - left, 5), round(1 - top, 5)


def cropped_size(recipe: Recipe, size: tuple[int, int], edge: int) -> tuple[int, int]:
    """Returns the size of the preview of a recipe, no side over `edge`, for an upright original of this size."""
    width, height = size if recipe.turn in (0, 180) else (size[1], size[0])
    left, top, right, bottom = recipe.crop
    across, down = (right - left) * width, (bottom - top) * height
    share = min(1.0, edge / max(across, down))
    return max(1, round(across * share)), max(1, round(down * share))


def shape_of(recipe: Recipe, size: tuple[int, int]) -> str:
    """Returns the key in `SHAPES` of the crop of a recipe, for an upright original of this size."""
    if recipe.crop == WHOLE_FRAME:
        return "original"
    fixed = (name for name, (_label, ratio) in SHAPES.items() if ratio)
    return next(
        (name for name in fixed if crop_to(SHAPES[name][1], size, recipe.turn) == recipe.crop), "free"
    )


def insets(recipe: Recipe) -> dict[str, float]:
    """Returns how much the crop of a recipe cuts off each side, in percent."""
    left, top, right, bottom = recipe.crop
    return {
        side: round(100 * part, 3)
        for side, part in zip(SIDES, (left, top, 1 - right, 1 - bottom), strict=True)
    }


def read_recipe(form: Mapping[str, str], size: tuple[int, int], seed: int) -> Recipe:
    """Reads the recipe in a form, for an upright original of this size. Numbers out of range become the nearest in it.

    Raises BadRecipe for what no field of the form can hold.
    """
    turn = int(_number(form, "turn", 0, 270))
    adjust: dict[str, Any] = {
        name: round(_number(form, name, 0 if name in UNSIGNED_TOOLS else -100, 100))
        for _group, tools in TOOL_GROUPS
        for name, _label in tools
    }
    black, _, white = form.get("levels", "").partition(" ")
    if white:
        adjust["levels"] = [_limited(black, 0, 0.2), _limited(white, 0.7, 1)]
    look = form.get("look", "")
    recipe = recipes.from_json(
        {
            "version": recipes.VERSION,
            "turn": turn if turn in TURNS else 0,
            "flip": "flip" in form,
            "straighten": _number(form, "straighten", -MAX_STRAIGHTEN, MAX_STRAIGHTEN),
            "vertical": round(_number(form, "vertical", -100, 100)),
            "horizontal": round(_number(form, "horizontal", -100, 100)),
            "crop": list(_read_crop(form, size, turn)),
            "adjust": adjust,
            "strength": round(_number(form, "strength", 0, 100, 100)),
            "seed": seed,
            **({"look": look} if look else {}),
        }
    )
    return recipes.NEUTRAL if recipe.is_neutral else recipe


def _read_crop(form: Mapping[str, str], size: tuple[int, int], turn: int) -> _Crop:
    shape = form.get("shape", "original")
    ratio = SHAPES[shape][1] if shape in SHAPES else 0
    if ratio:
        return crop_to(ratio, size, turn)
    if shape != "free":
        return WHOLE_FRAME
    most = 100 * (1 - MIN_CROP)
    left, top, right, bottom = (_number(form, side, 0, most) / 100 for side in SIDES)
    # What is cut off on the right and below gives way where nothing would be left.
    return left, top, max(1 - right, left + MIN_CROP), max(1 - bottom, top + MIN_CROP)


def _number(form: Mapping[str, str], name: str, low: float, high: float, default: float = 0) -> float:
    return _limited(form.get(name, ""), low, high, default)


def _limited(text: str, low: float, high: float, default: float = 0) -> float:
    try:
        found = float(text)
    except ValueError:
        found = default
    return min(high, max(low, found if math.isfinite(found) else default))
