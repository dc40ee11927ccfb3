"""Previews of edits, for a photo's owner alone: the photo by a recipe that is not saved yet. Owns no table.

The original is decoded once, to a working copy from which everything else is made: it, the previews and the swatches are kept in
memory, a few of all people together (some 50 MB at most). One person has one made at a time, and a bounded number an hour.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from weakref import WeakValueDictionary

from media.editing import recipes
from media.editing.recipes import NEUTRAL, Recipe
from media.images import SQUARE, Picture, Variant
from media.sandbox import EditRequest
from node import rate_limits
from node.attachments import stored_files
from node.attachments.photo_rows import Photo
from node.cache import Cache
from node.errors import Invalid
from node.models.account import Account
from node.node import Node
from node.publishing import photo_edits

COPY_EDGE = 2048
SWATCH_COLUMNS, SWATCH_SIDE = 5, 96
"""As `media/editing/swatches.py` draws them, which loads numpy."""

PREVIEW_EDGE = 800
MAX_PER_HOUR = 600
MAX_COPIES, MAX_PREVIEWS, MAX_TABLES = 16, 128, 32
KEPT_SECONDS = 1800.0
_COPY = (Variant("copy", COPY_EDGE, "jpeg", 92, "what previews are made of"),)
_PREVIEW = (Variant("preview", PREVIEW_EDGE, "webp", 82, "an edit before it is saved"),)
_SWATCHES = (
    Variant(
        "swatches", SWATCH_COLUMNS * SWATCH_SIDE, "webp", 82, "every look", ratio=SQUARE, shows_looks=True
    ),
)
_Key = tuple[int, str, str, str]


class Previews:
    """What is kept in memory of the previews of one node."""

    def __init__(self, node: Node) -> None:
        self.copies: Cache[tuple[int, str], Picture] = Cache(MAX_COPIES, KEPT_SECONDS)
        self.rendered: Cache[_Key, Picture] = Cache(MAX_PREVIEWS, KEPT_SECONDS)
        self.tables: Cache[str, bytes] = Cache(MAX_TABLES)
        self._locks: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    def turn(self, account: Account) -> asyncio.Lock:
        """Returns what one person holds while something is made for them."""
        return self._locks.setdefault(account.id, asyncio.Lock())


def turn(node: Node, account: Account) -> asyncio.Lock:
    """Returns what one person holds while something is made for them: one thing at a time."""
    return node.component(Previews).turn(account)


async def preview(node: Node, account: Account, photo_id: int, recipe: Recipe) -> bytes:
    """Returns the photo as `recipe` makes it, WebP of up to 800 pixels. Raises what `original_size` does."""
    return (await _rendered(node, account, photo_id, recipe, _PREVIEW)).files[0].data


async def swatches(node: Node, account: Account, photo_id: int, recipe: Recipe) -> bytes:
    """Returns the photo in every look, cut and adjusted by `recipe`: `SWATCH_COLUMNS` squares in a row.

    Raises what `original_size` does.
    """
    return (await _rendered(node, account, photo_id, swatch_recipe(recipe), _SWATCHES)).files[0].data


def swatch_recipe(recipe: Recipe) -> Recipe:
    """Returns what of a recipe shows in swatches."""
    adjust = replace(recipe.adjust, clarity=0, vignette=0, sharpen=0, grain=0)
    return replace(recipe, adjust=adjust, look="", strength=100, seed=1)


async def found_levels(node: Node, account: Account, photo_id: int, recipe: Recipe) -> Recipe:
    """Returns the recipe with the amounts that auto-level finds for this photo, as the recipe cuts it.

    Raises what `original_size` does.
    """
    shape = replace(recipe, adjust=NEUTRAL.adjust, look="", strength=100, seed=1)
    picture = await _rendered(node, account, photo_id, shape, _PREVIEW, finds_levels=True)
    found = recipes.parse(picture.levels).adjust
    tools = ("levels", "exposure", "shadows", "highlights", "contrast", "vibrance", "warmth", "tint")
    return replace(recipe, adjust=replace(recipe.adjust, **{name: getattr(found, name) for name in tools}))


async def working_copy(node: Node, account: Account, photo_id: int) -> bytes:
    """Returns the upright sRGB original, JPEG of up to `COPY_EDGE` pixels: what a browser edits. Raises what `original_size` does."""
    return (await _own_copy(node, account, photo_id)).files[0].data


async def original_size(node: Node, account: Account, photo_id: int) -> tuple[int, int]:
    """Returns the size of the upright original.

    Raises NotFound, Invalid for a photo without its original, and TooManyRequests.
    """
    picture = await _own_copy(node, account, photo_id)
    return picture.width, picture.height


async def table(node: Node, account: Account, recipe: Recipe) -> bytes:
    """Returns the table of the recipe's colours, as a browser loads it. Raises TooManyRequests."""
    previews, colours = node.component(Previews), recipes.colours_only(recipe)
    key = recipes.canonical(colours)
    async with previews.turn(account):
        if (known := previews.tables.get(key)) is not None:
            return known
        await _count(node, account)
        made = await asyncio.to_thread(_build_table, colours)
    previews.tables.put(key, made)
    return made


def _build_table(colours: Recipe) -> bytes:
    # numpy takes 30 MB, which only a node needs whose people edit photos.
    from media import filters

    return filters.table_bytes(colours)


async def _rendered(
    node: Node,
    account: Account,
    photo_id: int,
    recipe: Recipe,
    variants: tuple[Variant, ...],
    *,
    finds_levels: bool = False,
) -> Picture:
    photo = await node.db.read(photo_edits.editable, account, photo_id)
    previews, spelling = node.component(Previews), recipes.canonical(recipe)
    key = (photo.id, photo.original_file, "levels" if finds_levels else variants[0].name, spelling)
    async with previews.turn(account):
        if (known := previews.rendered.get(key)) is not None:
            return known
        copy = await _copy(node, account, photo)
        await _count(node, account)
        edit = EditRequest(spelling, finds_levels=finds_levels)
        picture = await stored_files.render_upload(
            node, account, copy.files[0].data, variants, field="photo", edit=edit
        )
    previews.rendered.put(key, picture)
    return picture


async def _own_copy(node: Node, account: Account, photo_id: int) -> Picture:
    photo = await node.db.read(photo_edits.editable, account, photo_id)
    async with node.component(Previews).turn(account):
        return await _copy(node, account, photo)


async def _copy(node: Node, account: Account, photo: Photo) -> Picture:
    previews, key = node.component(Previews), (photo.id, photo.original_file)
    if (known := previews.copies.get(key)) is not None:
        return known
    await _count(node, account)
    try:
        data = await node.storage.get(photo.original_file)
    except KeyError as error:
        raise Invalid(photo_edits.NO_ORIGINAL, field="photo") from error
    picture = await stored_files.render_upload(node, account, data, _COPY, field="photo")
    previews.copies.put(key, picture)
    return picture


async def _count(node: Node, account: Account) -> None:
    await node.db.write(rate_limits.count_attempt, f"previews:{account.id}", limit=MAX_PER_HOUR, seconds=3600)
