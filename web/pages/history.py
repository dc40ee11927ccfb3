"""The history of an edited post: its versions, and what each changed of the photos."""

from __future__ import annotations

from dataclasses import dataclass

from quart import Blueprint, Response

from node.accounts import accounts
from node.database import Reader
from node.ids import MAX_ID
from node.models.account import Account
from node.paging import Page
from node.posts import posts, revisions
from node.posts.revisions import PhotoChange, Revision
from web.html.helpers import post_path
from web.html.lists import requested_page
from web.html.templates import render_page
from web.i18n.translations import N_, gettext
from web.request import context
from web.request.look_texts import LOOK_TEXTS
from web.request.photo_form import TOOL_GROUPS

blueprint = Blueprint("history", __name__)

VERSIONS_PER_PAGE = 20
PART_TEXTS = {
    "turn": N_("Turned"),
    "flip": N_("Mirrored"),
    "straighten": N_("Straightened"),
    "vertical": N_("Vertical perspective"),
    "horizontal": N_("Horizontal perspective"),
    "crop": N_("Crop"),
    "look": N_("Look removed"),
    "levels": N_("Auto-level"),
    "focus": N_("Focal point"),
    "people": N_("Tagged people"),
    "place": N_("Location"),
    "undone": N_("Back to the original"),
    **{name: label for _group, tools in TOOL_GROUPS for name, label in tools},
}
"""What can be edited of a photo, by the names that `Revision.photo_edits` has. A look is `look:` and its id."""


@dataclass(frozen=True, slots=True)
class Version:
    """A version of a post in its history, with what it changed of the photos of the version before it.

    `has_other_changes` is True where nothing of what is listed differs from the version before.
    """

    revision: Revision
    changes: list[PhotoChange]
    has_other_changes: bool


def _version(before: Revision | None, now: Revision) -> Version:
    changes = revisions.photo_changes(before, now)
    is_same = before is not None and (before.caption, before.warning) == (now.caption, now.warning)
    return Version(now, changes, is_same and not changes)


def _load(
    tx: Reader, viewer: Account | None, post_id: int, page: Page
) -> tuple[list[Version], int | None, str]:
    post = posts.visible_by_id(tx, viewer, post_id)
    listed = revisions.by_post(tx, post, page)
    older = listed[0].id or MAX_ID if revisions.has_older(tx, post, listed) else None
    before = [*revisions.by_post(tx, post, Page(max_id=older, limit=1))] if older else [None]
    versions = [_version(earlier, now) for earlier, now in zip([*before, *listed], listed, strict=False)]
    return versions[::-1], older, post_path(post, accounts.get(tx, post.account_id))


def part_text(part: str) -> str:
    """Returns what a reader is told of one part of a photo that was edited, in their language."""
    kind, _, look = part.partition(":")
    if look in LOOK_TEXTS:
        return gettext(N_("Look %(look)s")) % {"look": gettext(LOOK_TEXTS[look][0])}
    return gettext(PART_TEXTS.get(kind, N_("Other settings")))


@blueprint.get("/posts/<int:post_id>/history")
async def show(post_id: int) -> Response:
    versions, older, back = await context.read(_load, post_id, requested_page(VERSIONS_PER_PAGE))
    return await render_page(
        "posts/history.html", versions=versions, older=older, back=back, part_text=part_text
    )
