"""A recipe has one spelling, and whatever else arrives is refused with a reason."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Callable
from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from media.editing import recipes
from media.editing.looks import LOOKS
from media.editing.recipes import NEUTRAL, Adjustments, BadRecipe, Recipe, canonical, parse

UNHURRIED = settings(deadline=None)

TOOLS = {**dict.fromkeys(recipes.SIGNED_TOOLS, -100), **dict.fromkeys(recipes.UNSIGNED_TOOLS, 0)}
CROPS = some.tuples(*[some.integers(0, 100_000)] * 4).map(
    lambda n: (min(n[0], n[2]) / 1e5, min(n[1], n[3]) / 1e5, max(n[0], n[2]) / 1e5, max(n[1], n[3]) / 1e5)
)
ADJUSTMENTS = some.builds(
    Adjustments,
    **{name: some.integers(low, 100) for name, low in TOOLS.items()},
    levels=some.tuples(some.integers(0, 200), some.integers(700, 1000)).map(
        lambda n: (n[0] / 1000, n[1] / 1000)
    ),
)
LOOK = some.one_of(some.just(("", 100)), some.tuples(some.sampled_from(sorted(LOOKS)), some.integers(1, 100)))
RECIPES = some.builds(
    lambda look, **values: Recipe(look=look[0], strength=look[1], **values),
    look=LOOK,
    turn=some.sampled_from(recipes.TURNS),
    flip=some.booleans(),
    straighten=some.integers(-150, 150).map(lambda n: n / 10),
    vertical=some.integers(-100, 100),
    horizontal=some.integers(-100, 100),
    crop=CROPS.filter(lambda box: box[2] - box[0] > 0.021 and box[3] - box[1] > 0.021),
    adjust=ADJUSTMENTS,
    seed=some.integers(1, recipes.MAX_SEED),
)
VALUES = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=8),
    lambda inner: some.lists(inner, max_size=5) | some.dictionaries(some.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
NAMES = [entry.name for entry in fields(Recipe)]


def refused(data: object) -> BadRecipe:
    with pytest.raises(BadRecipe) as caught:
        parse(json.dumps(data))
    assert caught.value.message.endswith(".")
    return caught.value


def read(reader: Callable[[], Recipe]) -> Recipe | None:
    """The recipe, or None if it is refused: nothing else may happen."""
    with contextlib.suppress(BadRecipe):
        return reader()
    return None


@UNHURRIED
@given(RECIPES)
def test_a_recipe_is_read_back_from_its_spelling(recipe):
    text = canonical(recipe)

    assert parse(text) == recipe
    assert parse(text.encode()) == recipe
    assert canonical(parse(text)) == text
    assert len(text) <= recipes.MAX_LENGTH / 2


@UNHURRIED
@given(RECIPES, some.randoms())
def test_neutral_parts_and_the_order_of_keys_change_no_spelling(recipe, random):
    told = recipes.to_json(recipe)
    told |= {name: value for name, value in spelt_out(NEUTRAL).items() if name not in told}
    told["adjust"] = spelt_out(Adjustments()) | told["adjust"]
    entries = list(told.items())
    random.shuffle(entries)

    assert canonical(parse(json.dumps(dict(entries), indent=1))) == canonical(recipe)


def spelt_out(entry) -> dict:
    values = {one.name: getattr(entry, one.name) for one in fields(entry)}
    values |= {"adjust": {}} if "adjust" in values else {}
    values.pop("look", None)
    return values


@UNHURRIED
@given(RECIPES, some.sampled_from([*NAMES, "version", "adjust", "filter", ""]), VALUES)
def test_whatever_a_part_is_it_is_read_or_refused(recipe, name, value):
    data = recipes.to_json(recipe) | {name: value}

    found = read(lambda: recipes.from_json(data))

    assert found is None or parse(canonical(found)) == found


@UNHURRIED
@given(some.text() | some.binary() | VALUES.map(lambda value: json.dumps(value)))
def test_whatever_a_text_is_it_is_read_or_refused(text):
    read(lambda: parse(text))


@pytest.mark.parametrize(
    ("part", "field"),
    [
        ({"version": 2}, "version"),
        ({"version": True}, "version"),
        ({"version": "1"}, "version"),
        ({"filter": 1}, "filter"),
        ({"adjust": {"structure": 1}}, "adjust.structure"),
        ({"adjust": {"exposure": 101}}, "adjust.exposure"),
        ({"adjust": {"exposure": -101}}, "adjust.exposure"),
        ({"adjust": {"exposure": 0.5}}, "adjust.exposure"),
        ({"adjust": {"exposure": True}}, "adjust.exposure"),
        ({"adjust": {"exposure": "20"}}, "adjust.exposure"),
        ({"adjust": {"exposure": None}}, "adjust.exposure"),
        ({"adjust": {"fade": -1}}, "adjust.fade"),
        ({"adjust": {"sharpen": -1}}, "adjust.sharpen"),
        ({"adjust": {"grain": -1}}, "adjust.grain"),
        ({"adjust": {"levels": [0.3, 1]}}, "adjust.levels"),
        ({"adjust": {"levels": [0, 0.6]}}, "adjust.levels"),
        ({"adjust": {"levels": [0]}}, "adjust.levels"),
        ({"adjust": []}, "adjust"),
        ({"crop": [0, 0, 1]}, "crop"),
        ({"crop": [0, 0, 1.1, 1]}, "crop"),
        ({"crop": [-0.1, 0, 1, 1]}, "crop"),
        ({"crop": [0.5, 0, 0.5, 1]}, "crop"),
        ({"crop": [0.6, 0, 0.5, 1]}, "crop"),
        ({"crop": [0, 0, 1, 0.019]}, "crop"),
        ({"crop": [0, 0, 1, math.nan]}, "crop"),
        ({"straighten": 15.1}, "straighten"),
        ({"straighten": -math.inf}, "straighten"),
        ({"vertical": 101}, "vertical"),
        ({"horizontal": 1.5}, "horizontal"),
        ({"turn": 45}, "turn"),
        ({"turn": 360}, "turn"),
        ({"flip": 1}, "flip"),
        ({"look": "clarendon"}, "look"),
        ({"look": ["linen"]}, "look"),
        ({"strength": 101}, "strength"),
        ({"strength": 10**400}, "strength"),
        ({"seed": 0}, "seed"),
        ({"seed": 2**31}, "seed"),
    ],
)
def test_what_is_out_of_bounds_or_unknown_is_refused_by_name(part, field):
    assert refused({"version": 1} | part).field == field


def test_what_is_no_object_without_repeated_names_is_refused():
    for text in ("", "[]", "null", '"', "[" * 1900, "1" * 1900, '{"version":1,"version":1}', "{}", "\ud800"):
        with pytest.raises(BadRecipe):
            parse(text)
    with pytest.raises(BadRecipe):
        parse(" " * recipes.MAX_LENGTH + '{"version":1}')


def test_a_look_without_strength_is_none_and_numbers_are_rounded_to_what_counts():
    assert parse('{"version":1,"look":"linen","strength":0}') == NEUTRAL
    assert parse('{"version":1,"strength":50}') == NEUTRAL
    assert canonical(parse('{"version":1,"straighten":-0.04,"crop":[0,0,1.0,0.899999999]}')) == (
        '{"crop":[0,0,1,0.9],"version":1}'
    )


def test_a_seed_alone_changes_nothing():
    assert NEUTRAL.is_neutral
    assert Recipe(seed=7).is_neutral
    assert not Recipe(flip=True).is_neutral


def test_colours_and_grain_are_no_part_of_the_shape():
    colours = canonical(Recipe(look="linen", strength=40, adjust=Adjustments(fade=3), seed=8))

    assert recipes.have_same_shape("", colours)
    for part in (
        {"turn": 90},
        {"flip": True},
        {"straighten": 1.0},
        {"vertical": 1},
        {"crop": (0.0, 0.0, 1.0, 0.5)},
    ):
        other = canonical(replace(parse(colours), **part))
        assert not recipes.have_same_shape(colours, other)
        assert recipes.have_same_shape(other, canonical(Recipe(**part)))


@UNHURRIED
@given(RECIPES)
def test_the_colours_of_a_recipe_are_those_of_any_shape_and_effect(recipe):
    effects = replace(recipe.adjust, clarity=0, vignette=0, sharpen=0, grain=0)

    found = recipes.colours_only(recipe)

    assert found == recipes.colours_only(replace(recipe, crop=recipes.WHOLE_FRAME, seed=3, adjust=effects))
    assert (found.look, found.adjust.exposure) == (recipe.look, recipe.adjust.exposure)
