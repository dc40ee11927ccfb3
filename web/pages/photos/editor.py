"""The page on which the author of a photo edits it, the previews that it shows, and the table of a recipe's colours.

A form without scripts: every button sends the whole recipe, and what is not applied yet is in the address of the page.
Scripts replace the form: they draw the working copy themselves, and save all photos they changed in one request.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from quart import Blueprint, Response, jsonify, request

from media.editing import recipes
from media.editing.looks import GROUPS, LOOKS
from media.editing.recipes import MAX_STRAIGHTEN, TURNS, UNSIGNED_TOOLS, BadRecipe, Recipe
from node.attachments import photo_rows
from node.attachments.photo_rows import Photo
from node.database import Reader
from node.errors import Conflict, Invalid, Refused
from node.ids import parse_id
from node.models.account import Account
from node.publishing import photo_edits, photo_previews
from web.html.helpers import thumb_path
from web.html.templates import render_page
from web.i18n.js_messages import to_script_json
from web.i18n.translations import _, gettext
from web.request import context, editor_data, photo_form
from web.request.look_texts import LOOK_TEXTS
from web.request.redirects import safe_path, see_other

blueprint = Blueprint("photo_editor", __name__)

PREVIEW_CACHE = "private, max-age=86400"
RECIPE, START = "recipe-", "start-"
TABLE_CACHE = "private, max-age=31536000, immutable"


def _load_photo(tx: Reader, account: Account, photo_id: int) -> Photo:
    return photo_rows.owned_by(tx, account, photo_id)


def _path(photo_id: int, what: str, recipe: Recipe, **more: str) -> str:
    return f"/photos/{photo_id}/{what}?{urlencode({'recipe': recipes.canonical(recipe), **more})}"


def read_back(value: str | None, photo: Photo) -> str:
    """Returns where to go afterwards: a path of this node, or where the photo is."""
    return safe_path(value or "", f"/posts/{photo.post_id}/edit" if photo.post_id else "/drafts")


async def _render(
    photo: Photo, recipe: Recipe, back: str, *, start: Recipe, problem: str = "", status: int = 200
) -> Response:
    account = await context.require_account()
    node = context.current_node()
    values: dict[str, object] = {"is_editable": True}
    try:
        size = await photo_previews.original_size(node, account, photo.id)
        values["shape"] = photo_form.shape_of(recipe, size)
        values["preview_size"] = photo_form.cropped_size(recipe, size, photo_previews.PREVIEW_EDGE)
        beside = await context.read_signed_in(editor_data.load_beside, photo)
        values["script_data"] = to_script_json(
            editor_data.collect(photo, beside, recipe, size, back=back, thumb_path=thumb_path)
        )
    except Invalid as gone:
        values = {"is_editable": False, "shape": "", "preview_size": (0, 0)}
        problem, status = gettext(gone.message), gone.status
    response = await render_page(
        "posts/photo_editor.html",
        **values,
        photo=photo,
        recipe=recipe,
        neutral=recipes.NEUTRAL,
        back=back,
        start=recipes.canonical(start),
        is_outdated=status == Conflict.status,
        problem=problem,
        preview=_path(photo.id, "preview", recipe),
        swatches=_path(photo.id, "swatches", photo_previews.swatch_recipe(recipe)),
        swatch_side=photo_previews.SWATCH_SIDE,
        swatch_columns=photo_previews.SWATCH_COLUMNS,
        looks=[
            (photo_form.LOOK_GROUPS[group.id], [look for look in LOOKS.values() if look.group == group.id])
            for group in GROUPS
        ],
        look_texts=LOOK_TEXTS,
        places={look: divmod(n, photo_previews.SWATCH_COLUMNS) for n, look in enumerate(("", *LOOKS))},
        shapes=photo_form.SHAPES,
        insets=photo_form.insets(recipe),
        turns=TURNS,
        most_degrees=MAX_STRAIGHTEN,
        tool_groups=photo_form.TOOL_GROUPS,
        unsigned=UNSIGNED_TOOLS,
    )
    response.status_code = status
    return response


@blueprint.get("/photos/<int:photo_id>/edit")
async def show(photo_id: int) -> Response:
    photo = await context.read_signed_in(_load_photo, photo_id)
    saved = photo_edits.recipe_of(photo)
    recipe, start = (
        photo_edits.parse(text) if (text := request.args.get(name)) else saved for name in ("recipe", "start")
    )
    return await _render(photo, recipe, read_back(request.args.get("back"), photo), start=start)


@blueprint.post("/photos/<int:photo_id>/edit")
async def save(photo_id: int) -> Response:
    account = await context.require_account()
    photo = await context.read_signed_in(_load_photo, photo_id)
    form, node = await request.form, context.current_node()
    back, recipe = read_back(form.get("back"), photo), recipes.NEUTRAL
    start = photo_edits.recipe_of(photo)
    try:
        start = photo_edits.parse(form["start"]) if "start" in form else start
        if form.get("do") != "reset":
            size = await photo_previews.original_size(node, account, photo.id)
            recipe = _read_recipe(form, size, photo)
        if form.get("do") == "apply":
            await photo_edits.edit(node, account, photo.id, recipe, start=start)
            return see_other(back)
        if form.get("do") == "auto":
            recipe = await photo_previews.found_levels(node, account, photo.id, recipe)
    except Refused as refused:
        problem = gettext(refused.message)
        if isinstance(refused, Conflict):
            # To apply it again is to replace what was changed.
            photo = await context.read_signed_in(_load_photo, photo_id)
            start = photo_edits.recipe_of(photo)
            problem = f"{problem} {_('Apply again to replace that change.')}"
        return await _render(photo, recipe, back, start=start, problem=problem, status=refused.status)
    return see_other(_path(photo.id, "edit", recipe, back=back, start=recipes.canonical(start)))


def _read_recipe(form: dict[str, str], size: tuple[int, int], photo: Photo) -> Recipe:
    try:
        return photo_form.read_recipe(form, size, editor_data.seed_of(photo))
    except BadRecipe as error:
        raise photo_edits.refusal(error) from error


@blueprint.get("/photos/<int:photo_id>/preview")
async def show_preview(photo_id: int) -> Response:
    account = await context.require_account()
    recipe = photo_edits.parse(request.args.get("recipe", ""))
    data = await photo_previews.preview(context.current_node(), account, photo_id, recipe)
    return Response(data, content_type="image/webp", headers={"Cache-Control": PREVIEW_CACHE})


@blueprint.get("/photos/<int:photo_id>/swatches")
async def show_swatches(photo_id: int) -> Response:
    account = await context.require_account()
    recipe = photo_edits.parse(request.args.get("recipe", ""))
    data = await photo_previews.swatches(context.current_node(), account, photo_id, recipe)
    return Response(data, content_type="image/webp", headers={"Cache-Control": PREVIEW_CACHE})


@blueprint.get("/photos/table")
async def show_table() -> Response:
    account = await context.require_account()
    recipe = photo_edits.parse(request.args.get("recipe", ""))
    data = await photo_previews.table(context.current_node(), account, recipe)
    return Response(data, content_type="application/octet-stream", headers={"Cache-Control": TABLE_CACHE})


@blueprint.get("/photos/<int:photo_id>/copy")
async def show_copy(photo_id: int) -> Response:
    """Returns the upright photo that a browser edits."""
    account = await context.require_account()
    data = await photo_previews.working_copy(context.current_node(), account, photo_id)
    return Response(data, content_type="image/jpeg", headers={"Cache-Control": PREVIEW_CACHE})


@blueprint.get("/photos/<int:photo_id>/levels")
async def show_levels(photo_id: int) -> Response:
    """Returns the amounts that auto-level finds."""
    account = await context.require_account()
    recipe = photo_edits.parse(request.args.get("recipe", ""))
    found = await photo_previews.found_levels(context.current_node(), account, photo_id, recipe)
    return jsonify(recipe=recipes.to_json(found))


@blueprint.post("/photos/edits")
async def save_all() -> Response:
    """Saves the recipes of several photos, `recipe-ID` each: all of them or none.

    `start-ID` is the recipe that a photo had before. Where another has been saved since, the answer has the present ones.
    """
    account = await context.require_account()
    form, node = await request.form, context.current_node()
    wanted = _recipes_by_photo(form, RECIPE)
    try:
        async with photo_previews.turn(node, account):
            saved = await photo_edits.edit_all(node, account, wanted, _recipes_by_photo(form, START))
    except Conflict as conflict:
        current = [await context.read_signed_in(_load_photo, photo_id) for photo_id in wanted]
        found = {str(photo.id): recipes.to_json(photo_edits.recipe_of(photo)) for photo in current}
        answer = jsonify(error=gettext(conflict.message), recipes=found)
        answer.status_code = conflict.status
        return answer
    return jsonify(saved=[str(photo.id) for photo in saved])


def _recipes_by_photo(form: Mapping[str, str], prefix: str) -> dict[int, Recipe]:
    return {
        photo_id: photo_edits.parse(text)
        for name, text in form.items()
        if (photo_id := parse_id(name.removeprefix(prefix))) is not None and name.startswith(prefix)
    }
