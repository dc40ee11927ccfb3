"""The browser draws a recipe as the server does: every tool, every look, every shape."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image
from playwright.async_api import Browser, Page

from federation_tests.fediverse import Fediverse
from media import filters
from media.editing import recipes
from media.editing.looks import LOOKS
from media.editing.recipes import SIGNED_TOOLS, UNSIGNED_TOOLS, Adjustments, Recipe
from node.attachments import photos
from tests.browser.editor.opened import page_of
from tests.browser.seen import complaints
from tests.support.pictures import picture

EFFECTS = ("clarity", "vignette", "sharpen", "grain")
EVERY_TOOL = Adjustments(
    exposure=20, contrast=15, highlights=-30, shadows=25, whites=10, blacks=-10, warmth=24, tint=-8, saturation=12,
    vibrance=20, clarity=40, vignette=30, sharpen=40, fade=10, grain=25, levels=(0.03, 0.95),
)  # fmt: skip
SHAPES = [
    Recipe(turn=90),
    Recipe(turn=180, flip=True),
    Recipe(turn=270, crop=(0.1, 0.2, 0.75, 0.9)),
    Recipe(flip=True, crop=(0.013, 0.5, 0.5, 0.977)),
    Recipe(straighten=3.4),
    Recipe(straighten=-11.0, turn=90, flip=True),
    Recipe(vertical=-60, horizontal=35, crop=(0.1, 0.05, 0.9, 0.8)),
]
DRAW = """async ([source, width, height, jobs, looks]) => {
  const [{Renderer}, tables, recipes] = await Promise.all(
    ["renderer", "tables", "recipe"].map((name) => import(`/static/js/editor/${name}.js`)));
  const bytes = Uint8Array.from(atob(source), (one) => one.charCodeAt(0));
  const renderer = new Renderer(document.createElement("canvas"));
  renderer.setSource({data: bytes, width, height});
  const found = [];
  for (const [text, isChained] of jobs) {
    const recipe = recipes.read(JSON.parse(text));
    if (isChained && recipe.look) await tables.loadLook(recipe.look);
    if (!isChained) await tables.loadExact(recipe);
    renderer.draw(recipe, {colours: tables.coloursOf(recipe), effects: recipes.effects(recipe, looks)});
    const pixels = renderer.read();
    let text64 = "";
    for (let n = 0; n < pixels.length; n += 32768) text64 += String.fromCharCode(...pixels.subarray(n, n + 32768));
    found.push([renderer.canvas.width, renderer.canvas.height, btoa(text64)]);
  }
  return found;
}"""


def _photo(width: int, height: int) -> Image.Image:
    """Every kind of colour: large soft areas, edges, and noise as of a sensor."""
    random = np.random.default_rng(7)
    soft = Image.fromarray(random.integers(0, 256, (6, 9, 3), np.uint8)).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    pixels = np.asarray(soft).astype(int) + random.integers(-14, 15, (height, width, 3))
    pixels[height // 3 : height // 2, width // 5 : width // 2] = (250, 250, 248)
    pixels[: height // 6] = np.linspace(0, 255, width)[None, :, None]
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _server(image: Image.Image, recipe: Recipe) -> Image.Image:
    edit = filters.load(recipes.canonical(recipe))
    shape = edit.shape(None)
    if shape.is_warped:
        part = shape.warp(image, (0, 0, *image.size), image.size, shape.size(image.size))
    else:
        part = shape.cut(image)
        part = part if shape.transpose is None else part.transpose(shape.transpose)
    return edit.develop(part)


async def _editor(fediverse: Fediverse, browser: Browser) -> Page:
    here, page = await page_of(fediverse, browser)
    uploaded = await photos.upload(here.node, here.bob, picture(300, 200))
    page.set_default_timeout(120_000)
    await page.goto(here.url(f"/photos/{uploaded.id}/edit"))
    return page


async def _drawn(
    page: Page, image: Image.Image, wanted: list[Recipe], *, is_chained: bool = False
) -> list[np.ndarray[Any, Any]]:
    source = base64.b64encode(image.convert("RGBA").tobytes()).decode()
    looks = {look.id: {name: getattr(look, name) for name in EFFECTS} for look in LOOKS.values()}
    jobs = [[recipes.canonical(recipe), is_chained] for recipe in wanted]
    found = await page.evaluate(DRAW, [source, *image.size, jobs, looks])
    return [
        np.frombuffer(base64.b64decode(data), np.uint8).reshape(height, width, 4)[..., :3].astype(int)
        for width, height, data in found
    ]


async def _differences(
    page: Page, image: Image.Image, wanted: list[Recipe], *, most: int, mean: float, is_chained: bool = False
) -> list[str]:
    """Draws recipes in the browser, and says which differ from what the server makes by more than this, of 255."""
    found = []
    for recipe, drawn in zip(wanted, await _drawn(page, image, wanted, is_chained=is_chained), strict=True):
        here = np.asarray(_server(image, recipe).convert("RGB")).astype(int)
        if here.shape != drawn.shape:
            found.append(f"{recipes.canonical(recipe)}: {here.shape} is {drawn.shape}")
            continue
        apart = np.abs(here - drawn)
        if apart.max() > most or apart.mean() > mean:
            found.append(f"{recipes.canonical(recipe)}: {apart.max()}, {apart.mean():.4f} on average")
    return found


def _tools(names: tuple[str, ...]) -> list[Recipe]:
    return [
        Recipe(adjust=replace(Adjustments(), **{name: amount}), seed=77)
        for name in names
        for amount in ((-100, -40, 60, 100) if name in SIGNED_TOOLS else (35, 100))
    ]


async def test_every_table_gives_the_same_colours(fediverse: Fediverse, browser: Browser) -> None:
    """While a slider moves, the tools are exact, since their table is computed alike; a look over them is near."""
    page, image = await _editor(fediverse, browser), _photo(240, 160)
    tools = _tools(tuple(name for name in SIGNED_TOOLS + UNSIGNED_TOOLS if name not in EFFECTS))
    looks = [Recipe(look=look.id) for look in LOOKS.values() if not (look.vignette or look.grain)]
    levels = [Recipe(adjust=Adjustments(levels=(0.1, 0.9)))]

    adjust = replace(EVERY_TOOL, clarity=0, vignette=0, sharpen=0, grain=0)
    alone = [Recipe(adjust=adjust), *tools]
    chained = [Recipe(adjust=adjust, look=look, strength=60) for look in ("linen", "meadow", "pewter")]

    assert await _differences(page, image, alone, most=1, mean=0.05, is_chained=True) == []
    assert await _differences(page, image, chained, most=16, mean=0.6, is_chained=True) == []
    assert await _differences(page, image, tools + looks + levels, most=1, mean=0.05) == []


async def test_every_effect_look_and_shape_gives_the_same_photo(
    fediverse: Fediverse, browser: Browser
) -> None:
    page, image = await _editor(fediverse, browser), _photo(540, 360)
    looks = [Recipe(look=look.id, strength=70, seed=99) for look in LOOKS.values()]
    whole = Recipe(
        turn=90, straighten=-2.4, crop=(0.1, 0.1, 0.9, 0.8), adjust=EVERY_TOOL, look="postcard", strength=80
    )

    wanted = [*_tools(EFFECTS), *looks, *SHAPES, whole]
    assert await _differences(page, image, wanted, most=2, mean=0.3) == []


async def test_a_photo_of_full_size_is_the_same(fediverse: Fediverse, browser: Browser) -> None:
    page, image = await _editor(fediverse, browser), _photo(2048, 1365)
    found = complaints(page)
    wanted = [
        Recipe(adjust=EVERY_TOOL, look="plate"),
        Recipe(straighten=1.5, adjust=Adjustments(clarity=-60)),
    ]

    assert await _differences(page, image, wanted, most=2, mean=0.3) == []
    assert not found
