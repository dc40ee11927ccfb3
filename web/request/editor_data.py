"""What the editor's scripts need besides the form: the photo, those beside it, the tools, the looks and the texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from media.editing import recipes
from media.editing.looks import GROUPS, LOOKS, Look
from media.editing.recipes import MAX_SEED, MAX_STRAIGHTEN, UNSIGNED_TOOLS, Recipe
from node.attachments import photo_rows
from node.attachments.photo_rows import Photo
from node.database import Reader
from node.models.account import Account
from node.publishing import photo_previews, saved_drafts
from web.i18n.compose_messages import collect_upload_messages
from web.i18n.js_messages import collect_editor_messages
from web.i18n.translations import gettext
from web.request import photo_form
from web.request.look_texts import LOOK_TEXTS

EFFECTS = ("clarity", "vignette", "sharpen", "grain")


def seed_of(photo: Photo) -> int:
    """Returns the seed of a photo's grain, so that two photos do not share one."""
    return 1 + photo.id % MAX_SEED


def load_beside(tx: Reader, account: Account, photo: Photo) -> Sequence[Photo]:
    """Returns the photos of the same post or draft that can be edited, this one among them."""
    if photo.post_id is not None:
        found: Sequence[Photo] = photo_rows.by_posts(tx, [photo.post_id]).get(photo.post_id, ())
    else:
        found = saved_drafts.photos_beside(tx, account, photo.id)
    return [one for one in found if one.original_file] or [photo]


def collect(
    photo: Photo,
    beside: Sequence[Photo],
    recipe: Recipe,
    size: tuple[int, int],
    *,
    back: str,
    thumb_path: Callable[[Photo], str],
) -> dict[str, Any]:
    """Returns the data. `recipe` is that of the page, which the address may have from a form that is not applied yet."""
    return {
        "id": str(photo.id),
        "alt": photo.alt,
        "back": back,
        "size": size,
        "recipe": recipes.to_json(recipe),
        "photos": [_describe(one, thumb_path(one)) for one in beside],
        "copyEdge": photo_previews.COPY_EDGE,
        "mostDegrees": MAX_STRAIGHTEN,
        "columns": photo_previews.SWATCH_COLUMNS,
        "side": photo_previews.SWATCH_SIDE,
        "groups": [
            {
                "id": group.id,
                "name": gettext(photo_form.LOOK_GROUPS[group.id]),
                "looks": [_describe_look(look) for look in LOOKS.values() if look.group == group.id],
            }
            for group in GROUPS
        ],
        "tools": [
            {
                "name": gettext(group),
                "tools": [
                    {"id": name, "name": gettext(label), "low": 0 if name in UNSIGNED_TOOLS else -100}
                    for name, label in tools
                ],
            }
            for group, tools in photo_form.TOOL_GROUPS
        ],
        "shapes": [
            {"id": value, "name": gettext(label), "ratio": ratio}
            for value, (label, ratio) in photo_form.SHAPES.items()
        ],
        "texts": collect_editor_messages(gettext) | collect_upload_messages(gettext),
    }


def _describe(photo: Photo, thumb: str) -> dict[str, Any]:
    saved = recipes.parse(photo.recipe) if photo.recipe else recipes.NEUTRAL
    return {
        "id": str(photo.id),
        "thumb": thumb,
        "recipe": recipes.to_json(saved),
        "seed": seed_of(photo),
    }


def _describe_look(look: Look) -> dict[str, Any]:
    name, note = LOOK_TEXTS[look.id]
    found = {"id": look.id, "name": gettext(name), "note": gettext(note)}
    return found | {effect: getattr(look, effect) for effect in EFFECTS}
