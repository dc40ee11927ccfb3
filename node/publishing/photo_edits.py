"""Photo edits: a photo made anew from its original by a recipe, in no post yet or in one. Owns no table.

The recipe stays with the photo, so every edit starts from what was uploaded, and can be changed or undone as long as the
original is there: until a post takes the photo, 7 days at most, or for good where originals are kept. Other servers get finished pixels:
the author edits their post by it, which leaves a revision and sends an Update.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from media.editing import recipes
from media.editing.recipes import BadRecipe, Recipe
from media.images import Picture
from media.sandbox import EditRequest
from node.attachments import photo_rows, photos, stored_files
from node.attachments.photo_rows import Photo
from node.attachments.stored_files import StoredFiles
from node.database import Reader, Writer
from node.errors import Conflict, Invalid
from node.models.account import Account
from node.node import Node
from node.posts.drafts import MAX_PHOTOS
from node.publishing import photo_details

NO_ORIGINAL = (
    "The original of this photo is no longer kept here, so it can't be edited. Please upload it again."
)


def parse(text: str) -> Recipe:
    """Reads a recipe that a person sends. Raises Invalid."""
    try:
        return recipes.parse(text)
    except BadRecipe as error:
        raise refusal(error) from error


def refusal(error: BadRecipe) -> Invalid:
    """Returns what a person is told of a recipe that is none."""
    return Invalid(
        "These changes to the photo can't be made here. Please reload the page and try again.",
        field="recipe",
        detail=str(error),
    )


async def edit(
    node: Node, account: Account, photo_id: int, recipe: Recipe, *, start: Recipe | None = None
) -> Photo:
    """Edits a photo of this account by a recipe; a neutral one undoes all edits. The same recipe again changes nothing.

    `start` is the recipe that the photo had when the person began. Raises NotFound, Invalid for a photo without its
    original, Conflict if it was edited meanwhile, and for a photo in a post what `publishing.edit` raises.
    """
    starts = {} if start is None else {photo_id: start}
    [edited] = await edit_all(node, account, {photo_id: recipe}, starts)
    return edited


async def edit_all(
    node: Node,
    account: Account,
    recipes_by_photo: Mapping[int, Recipe],
    starts: Mapping[int, Recipe] | None = None,
) -> list[Photo]:
    """Edits photos, all of them or none; a post is edited once, however many of them are in it. Raises what `edit` does."""
    if len(recipes_by_photo) > MAX_PHOTOS:
        raise Invalid(f"Up to {MAX_PHOTOS} photos can be edited at a time.", field="recipe")
    photos_before = [await node.db.read(editable, account, photo_id) for photo_id in recipes_by_photo]
    for photo in photos_before:
        _check_start(photo, recipes_by_photo[photo.id], (starts or {}).get(photo.id))
    made: list[_Made] = []
    async with AsyncExitStack() as failing:
        for photo in photos_before:
            recipe = recipes_by_photo[photo.id]
            spelling = "" if recipe.is_neutral else recipes.canonical(recipe)
            if spelling != photo.recipe:
                one = await _make(node, account, photo, spelling)
                keys = (file.key for file in one.stored.values())
                await failing.enter_async_context(stored_files.discarded_on_failure(node, *keys))
                made.append(one)
        edited = await node.db.write(_record, account, made) if made else {}
    for one in made:
        await stored_files.restore_missing(node, one.stored, one.picture.files)
    return [edited.get(photo.id, photo) for photo in photos_before]


def _check_start(photo: Photo, wanted: Recipe, start: Recipe | None) -> None:
    current = recipe_of(photo)
    if start is not None and not (_are_same(current, start) or _are_same(current, wanted)):
        raise Conflict(photo_details.CHANGED_MEANWHILE)


def recipe_of(photo: Photo) -> Recipe:
    """Returns the recipe by which a photo is edited: a neutral one if it is not."""
    return recipes.parse(photo.recipe) if photo.recipe else recipes.NEUTRAL


def _are_same(one: Recipe, other: Recipe) -> bool:
    return one == other or (one.is_neutral and other.is_neutral)


@dataclass(frozen=True, slots=True)
class _Made:
    """A photo as it was, and the files that its new recipe makes."""

    before: Photo
    recipe: str
    picture: Picture
    stored: StoredFiles


async def _make(node: Node, account: Account, photo: Photo, recipe: str) -> _Made:
    try:
        data = await node.storage.get(photo.original_file)
    except KeyError as error:
        raise Invalid(NO_ORIGINAL, field="photo") from error
    picture = await stored_files.render_upload(
        node, account, data, photos.IMMEDIATE_VARIANTS, field="photo", edit=EditRequest(recipe)
    )
    return _Made(photo, recipe, picture, await stored_files.store(node, picture.files))


def editable(tx: Reader, account: Account, photo_id: int) -> Photo:
    """Returns a photo of this account. Raises NotFound, and Invalid for one without its original."""
    photo = photo_rows.owned_by(tx, account, photo_id)
    if not photo.original_file:
        raise Invalid(NO_ORIGINAL, field="photo")
    return photo


def _edited_parts(made: _Made) -> list[str]:
    """Returns the names of what a new recipe changed, a look by its name, for the history of a post."""
    recipe = recipes.parse(made.recipe) if made.recipe else recipes.NEUTRAL
    if recipe.is_neutral:
        return ["undone"]
    parts = recipes.changed_parts(recipe_of(made.before), recipe)
    return [f"look:{recipe.look}" if part == "look" and recipe.look else part for part in parts]


def _record(tx: Writer, account: Account, made: Sequence[_Made]) -> dict[int, Photo]:
    edited: dict[int, Photo] = {}
    for one in made:
        current = photo_rows.owned_by(tx, account, one.before.id)
        photo = photos.replace_edit(tx, account, one.before, one.recipe, one.picture, one.stored)
        photo_details.follow_shape(tx, account, current, photo)
        edited[photo.id] = photo
    parts = {one.before.id: _edited_parts(one) for one in made}
    for photo in {photo.post_id: photo for photo in edited.values()}.values():
        photo_details.edit_post(tx, account, photo, parts)
    return photo_rows.by_ids(tx, list(edited))
