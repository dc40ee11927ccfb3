"""A photo large: the page with it alone, and what the full-screen viewer shows of its post, as JSON.

The address of that page is that of the viewer while it shows the photo, so that it can be sent to others.
"""

from __future__ import annotations

from typing import Any

from quart import Blueprint, Response, jsonify, request

from media.images import VARIANTS
from node.attachments.photo_rows import Photo
from node.attachments.stored_files import StoredFile
from node.database import Reader
from node.errors import NotFound
from node.models.account import Account
from node.posts import tagged_people
from node.posts.tagged_people import TaggedPerson
from node.text import html_blocks
from node.timelines import post_views
from node.timelines.post_views import PostView
from web.files import media_urls
from web.html import helpers, photo_frames, photo_metadata
from web.html.templates import render_page
from web.i18n import formats, js_messages
from web.i18n.translations import _, gettext
from web.request import context

blueprint = Blueprint("photo_viewer", __name__)

MAX_CAPTION_LENGTH = 300

_Tagged = dict[int, list[TaggedPerson]]


def _load_view(tx: Reader, viewer: Account | None, post_id: int) -> tuple[PostView, Account | None, _Tagged]:
    view = next(iter(post_views.by_entries(tx, viewer, [post_id])), None)
    if view is None or not view.photos:
        raise NotFound(_("There is no such post."))
    return view, viewer, tagged_people.by_photos(tx, [photo.id for photo in view.photos])


def _load_photo(
    tx: Reader, viewer: Account | None, post_id: int, number: int
) -> tuple[PostView, Photo, dict[str, Any] | None]:
    view, _viewer, _tagged = _load_view(tx, viewer, post_id)
    if not 1 <= number <= len(view.photos):
        raise NotFound(_("There is no such photo."))
    photo = view.photos[number - 1]
    is_open = view.post.visibility == "public" and not view.post.is_sensitive
    return view, photo, media_urls.preview_image(tx.site, photo) if is_open else None


@blueprint.get("/posts/<int:post_id>/photos/<int:number>")
async def show_photo(post_id: int, number: int) -> Response:
    """Shows one photo of a post. What is behind a warning stays there until somebody asks for it (`show`)."""
    view, photo, preview = await context.read(_load_photo, post_id, number)
    has_warning = bool(view.post.warning or view.post.is_sensitive)
    is_shown = not has_warning or request.args.get("show") == "1"
    file, (width, height) = _largest_file(photo), _size(photo)
    return await render_page(
        "posts/photo.html",
        view=view,
        photo=photo,
        number=number,
        is_shown=is_shown,
        preview=preview,
        largest=helpers.photo_sources(photo).largest,
        save_as=_save_as(view, photo),
        size=f"{formats.format_number(width)} × {formats.format_number(height)}" if width else "",
        bytes=formats.format_bytes(file.bytes) if file else "",
        is_panorama=photo_frames.is_panorama(photo),
    )


@blueprint.get("/posts/<int:post_id>/photos")
async def show_photos(post_id: int) -> Response:
    view, viewer, tagged = await context.read(_load_view, post_id)
    post, author = view.post, view.author
    path = helpers.post_path(post, author)
    return jsonify(
        author=author.label,
        profile=helpers.profile_path(author),
        avatar=helpers.avatar_path(author),
        caption=html_blocks.to_line(post.caption)[:MAX_CAPTION_LENGTH],
        path=path,
        likes=formats.short_number(post.likes_count) if post.likes_count else "",
        comments=formats.short_number(post.comments_count) if post.comments_count else "",
        like=f"/posts/{post.id}/{'unlike' if view.marks.liked else 'like'}" if viewer else "",
        photos=[
            {**_describe(photo, tagged.get(photo.id, [])), "saveAs": _save_as(view, photo)}
            for photo in view.photos
        ],
        words=js_messages.collect_viewer_messages(gettext),
    )


def _describe(photo: Photo, people: list[TaggedPerson]) -> dict[str, Any]:
    """Returns what is shown of one photo. `width` and `height` are those of its largest public file, 0 if unknown."""
    files = helpers.photo_sources(photo)
    whole = _largest_file(photo)
    width, height = _size(photo)
    return {
        "thumb": helpers.thumb_path(photo),
        "medium": helpers.medium_path(photo),
        "large": files.large,
        "largest": files.largest,
        "bytes": formats.format_bytes(whole.bytes) if whole else "",
        "width": width,
        "height": height,
        "panorama": photo_frames.is_panorama(photo),
        "focus": photo.focus_x,
        "alt": photo.alt,
        "people": [
            {"name": one.account.label, "path": helpers.profile_path(one.account), "x": one.x, "y": one.y}
            for one in people
        ],
        "about": photo_metadata.render_metadata([photo], people),
        "notice": helpers.incomplete_notice(photo),
    }


def _save_as(view: PostView, photo: Photo) -> str:
    """Returns the name under which a browser saves the largest file of a photo: who, which post, which photo."""
    largest = helpers.photo_sources(photo).largest
    ending = largest.rpartition(".")[2] if largest else "jpg"
    return f"{view.author.name}-{view.post.id}-{photo.position + 1}.{ending}"


def _largest_file(photo: Photo) -> StoredFile | None:
    if photo.remote_url:
        return photo.files.get(media_urls.REMOTE_FULL_VARIANT)
    return media_urls.select_file(photo, media_urls.FULL_VARIANTS)


def _size(photo: Photo) -> tuple[int, int]:
    """Returns the size of the largest file of a photo; (0, 0) if it is unknown.

    That of a photo of another server is what it will have here, by what that server says of it.
    """
    if (file := _largest_file(photo)) is not None:
        return file.width, file.height
    if not photo.width or not photo.height:
        return 0, 0
    variant = next(one for one in VARIANTS if (one.name, one.format) == media_urls.REMOTE_FULL_VARIANT)
    return variant.size(photo.width, photo.height)
