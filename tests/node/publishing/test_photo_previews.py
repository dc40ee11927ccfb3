"""Previews are made for a photo's owner alone, from one decoded copy, and are bounded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO

import pytest
from PIL import Image

from media.editing import swatches
from media.editing.recipes import Adjustments, Recipe
from media.images import sniff
from node.attachments import photos
from node.errors import Invalid, NotFound, TooManyRequests
from node.models.account import Account
from node.node import Node
from node.posts.drafts import Draft
from node.publishing import photo_edits, photo_previews, publishing
from node.publishing.photo_previews import Previews
from tests.node.attachments.test_photos import current, run_jobs

CROP = Recipe(crop=(0.0, 0.0, 0.5, 1.0))
LOOK = Recipe(look="juniper", strength=80)


async def test_a_preview_shows_the_recipe_and_saves_nothing(
    node: Node, alice: Account, photo: Callable[..., bytes]
) -> None:
    uploaded = await photos.upload(node, alice, photo(1200, 900))
    await photo_edits.edit(node, alice, uploaded.id, LOOK)

    made = await photo_previews.preview(node, alice, uploaded.id, CROP)
    whole = await photo_previews.preview(node, alice, uploaded.id, Recipe())

    assert sniff(made[:64]) == "image/webp"
    assert (Image.open(BytesIO(made)).size, Image.open(BytesIO(whole)).size) == ((533, 800), (800, 600))
    assert await photo_previews.original_size(node, alice, uploaded.id) == (1200, 900)
    assert "juniper" in (await current(node, uploaded.id)).recipe


async def test_a_browser_edits_the_upright_photo_in_2048_pixels(
    node: Node, alice: Account, bob: Account, photo: Callable[..., bytes]
) -> None:
    uploaded = await photos.upload(node, alice, photo(3000, 1500))
    await photo_edits.edit(node, alice, uploaded.id, CROP)

    made = await photo_previews.working_copy(node, alice, uploaded.id)

    assert Image.open(BytesIO(made)).size == (photo_previews.COPY_EDGE, photo_previews.COPY_EDGE // 2)
    assert sniff(made[:64]) == "image/jpeg"
    with pytest.raises(NotFound):
        await photo_previews.working_copy(node, bob, uploaded.id)


async def test_all_swatches_are_made_at_once_and_stay_with_another_look(
    node: Node, alice: Account, photo: Callable[..., bytes]
) -> None:
    uploaded = await photos.upload(node, alice, photo(300, 200))
    asked = [LOOK, replace(LOOK, look="", adjust=Adjustments(grain=9)), replace(LOOK, look="chalk")]

    sheets = await asyncio.gather(
        *(photo_previews.swatches(node, alice, uploaded.id, recipe) for recipe in asked)
    )

    assert len(set(sheets)) == 1
    assert (photo_previews.SWATCH_COLUMNS, photo_previews.SWATCH_SIDE) == (swatches.COLUMNS, swatches.SIDE)
    previews = node.component(Previews)
    assert (len(previews.copies), len(previews.rendered)) == (1, 1)


async def test_auto_level_gives_numbers_and_leaves_the_rest(
    node: Node, alice: Account, photo: Callable[..., bytes]
) -> None:
    uploaded = await photos.upload(node, alice, photo(300, 200))
    before = replace(CROP, look="juniper", adjust=Adjustments(fade=30, exposure=-100))

    found = await photo_previews.found_levels(node, alice, uploaded.id, before)

    assert (found.crop, found.look, found.adjust.fade) == (CROP.crop, "juniper", 30)
    assert found.adjust.exposure != -100


async def test_only_the_owner_gets_previews_and_only_while_the_original_is_there(
    node: Node, alice: Account, bob: Account, photo: Callable[..., bytes]
) -> None:
    uploaded = await photos.upload(node, alice, photo())
    await photo_previews.preview(node, alice, uploaded.id, LOOK)

    with pytest.raises(NotFound):
        await photo_previews.preview(node, bob, uploaded.id, LOOK)

    await node.db.write(publishing.publish, alice, Draft(photo_ids=[uploaded.id]))
    await run_jobs(node)
    with pytest.raises(Invalid, match="no longer kept"):
        await photo_previews.preview(node, alice, uploaded.id, LOOK)


async def test_a_person_has_a_bounded_number_of_previews_made(
    node: Node, alice: Account, bob: Account, photo: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photo_previews, "MAX_PER_HOUR", 2)
    uploaded = await photos.upload(node, alice, photo())
    made = await photo_previews.preview(node, alice, uploaded.id, LOOK)

    with pytest.raises(TooManyRequests):
        await photo_previews.preview(node, alice, uploaded.id, CROP)
    with pytest.raises(TooManyRequests):
        await photo_previews.table(node, alice, LOOK)

    assert await photo_previews.preview(node, alice, uploaded.id, LOOK) == made
    assert len(await photo_previews.table(node, bob, LOOK)) == 33**3 * 12


async def test_a_table_is_of_the_colours_alone(node: Node, alice: Account) -> None:
    look = await photo_previews.table(node, alice, LOOK)

    assert await photo_previews.table(node, alice, replace(LOOK, crop=CROP.crop)) is look
    assert await photo_previews.table(node, alice, Recipe()) != look
    assert len(node.component(Previews).tables) == 2
