"""Composing and editing a post: photos are uploaded one by one or with the form, and none is lost.

The id of an uploaded photo stays in the form; one that was refused leaves a message. Scripts
send each photo by itself to `/compose/photo`; without them the same form carries the files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from quart import Blueprint, Response, jsonify, request
from quart.datastructures import FileStorage
from werkzeug.datastructures import MultiDict

from activitypub.remote import lookup
from node.attachments import photo_metadata, photo_rows, photos
from node.attachments.photo_metadata import SharedMetadata
from node.attachments.photo_rows import Photo
from node.database import Reader, Writer
from node.errors import Invalid, NotAllowed, NotFound, Refused
from node.ids import parse_id
from node.interactions import quotes
from node.models.account import Account
from node.models.interaction_policy import EVERYONE, NOBODY, InteractionPolicy, InteractionRule, rule_for
from node.models.post import Post
from node.posts import posts
from node.posts.drafts import MAX_PHOTOS, Draft
from node.publishing import publishing
from node.timelines import post_views
from node.timelines.post_views import PostView
from web.html import photo_metadata as rendered_metadata
from web.html.helpers import post_path, thumb_path
from web.html.templates import render_page
from web.i18n.translations import _, gettext
from web.request import context
from web.request.redirects import see_other

blueprint = Blueprint("compose", __name__)


AUDIENCE_RULES: dict[str, InteractionRule] = {
    "everyone": EVERYONE,
    "followers": rule_for("followers"),
    "mentioned": rule_for("mentioned"),
    "nobody": NOBODY,
}


@dataclass(slots=True)
class SubmittedPost:
    """A submitted form: the draft, and a message for each photo that was refused."""

    draft: Draft
    problems: list[str]


async def _render_form(
    draft: Draft, post_photos: list[Photo], *, post: Post | None, problems: list[str], status: int = 200
) -> Response:
    quoted = None
    if post is None and draft.quote_id is not None:
        quoted = await context.read_signed_in(_load_quoted, draft.quote_id)
    response = await render_page(
        "posts/compose.html",
        draft=draft,
        quoted=quoted,
        shared=draft.shared_metadata or SharedMetadata(),
        licences=list(photo_metadata.LICENCES),
        photos=post_photos,
        camera_summaries={one.id: rendered_metadata.camera_summary(one) for one in post_photos},
        alts=draft.alts,
        post=post,
        problems=problems,
        most=MAX_PHOTOS,
        max_mb=context.current_node().config.media.max_upload_mb,
    )
    response.status_code = status
    return response


def _load_quoted(tx: Reader, account: Account, post_id: int) -> PostView | None:
    """Returns the post that is to be quoted, or None if this account may not quote it."""
    try:
        post = posts.visible_by_id(tx, account, post_id)
    except NotFound:
        return None
    views = post_views.by_entries(tx, account, [post.id]) if quotes.may_quote(tx, account, post) else []
    return next(iter(views), None)


@blueprint.get("/compose")
async def show_new() -> Response:
    await context.require_account()
    signed_in = context.signed_in_user()
    draft = Draft(
        caption=request.args.get("caption", "")[:500],
        visibility=signed_in.user.default_visibility if signed_in else "public",
        quote_id=parse_id(request.args.get("quote", "")),
    )
    return await _render_form(draft, [], post=None, problems=[])


@blueprint.post("/compose/photo")
async def upload_photo() -> Response:
    """Uploads one photo, sent by a script that shows its progress."""
    account = await context.require_account()
    submitted = (await request.files).get("photo")
    if submitted is None:
        raise Invalid(_("Please choose a photo."), field="photo")
    photo = await photos.upload(
        context.current_node(), account, submitted.read(), alt=(await request.form).get("alt", "")
    )
    return jsonify(
        id=str(photo.id),
        thumb=thumb_path(photo),
        width=photo.width,
        height=photo.height,
        camera_summary=rendered_metadata.camera_summary(photo),
    )


def _parse_ids(values: list[str]) -> list[int]:
    return [typed for value in values if (typed := parse_id(value)) is not None]


async def _upload_files(
    account: Account, files: list[FileStorage], alts: list[str]
) -> tuple[list[Photo], list[str]]:
    """Uploads the files of a form. One that is refused adds a message, and the others are kept."""
    uploaded, problems = [], []
    for n, file in enumerate(files):
        if not file.filename:
            continue
        try:
            alt = alts[n] if n < len(alts) else ""
            uploaded.append(await photos.upload(context.current_node(), account, file.read(), alt=alt))
        except Refused as refused:
            problems.append(f"{file.filename}: {gettext(refused.message)}")
    return uploaded, problems


def _sorted_by_position(ids: list[int], form: Mapping[str, str]) -> list[int]:
    """Sorts photo ids by the numbers typed beside them; equal or missing ones keep their order."""

    def position(entry: tuple[int, int]) -> tuple[int, int]:
        n, id_ = entry
        typed = form.get(f"place-{id_}", "")
        return (int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 4 else n + 1, n)

    return [id_ for _n, id_ in sorted(enumerate(ids), key=position)]


async def _read_form(account: Account) -> SubmittedPost:
    form: MultiDict[str, str] = await request.form
    files = (await request.files).getlist("photos")
    removed_ids = set(_parse_ids(form.getlist("without")))
    ids = [id_ for id_ in dict.fromkeys(_parse_ids(form.getlist("photo"))) if id_ not in removed_ids]
    ids = _sorted_by_position(ids, form)
    uploaded, problems = await _upload_files(account, files, form.getlist("alt"))
    if len(ids) + len(uploaded) > MAX_PHOTOS:
        problems.append(_("A post can have up to %(n)s photos.", n=MAX_PHOTOS))
    draft = Draft(
        caption=form.get("caption", ""),
        photo_ids=[*ids, *(one.id for one in uploaded)],
        alts={id_: form[f"alt-{id_}"] for id_ in ids if f"alt-{id_}" in form},
        visibility=form.get("visibility", "public"),
        warning=form.get("warning", ""),
        is_sensitive="is_sensitive" in form,
        policy=_read_policy(form),
        quote_id=parse_id(form.get("quote", "")),
        shared_metadata=SharedMetadata(
            frozenset(form.getlist("share")), form.get("licence", ""), form.get("place", "")
        ),
    )
    return SubmittedPost(draft, problems)


def _read_policy(form: Mapping[str, str]) -> InteractionPolicy:
    return InteractionPolicy(
        comment=AUDIENCE_RULES.get(form.get("comments", ""), EVERYONE),
        quote=AUDIENCE_RULES.get(form.get("quotes", ""), NOBODY),
    )


def _own_photos(tx: Reader, account: Account, ids: list[int], post_id: int | None) -> list[Photo]:
    """Returns those of the photos that this account may put in this post, in order."""
    post_photos = photo_rows.by_ids(tx, ids)
    return [
        post_photos[id_]
        for id_ in ids
        if id_ in post_photos
        and post_photos[id_].account_id == account.id
        and post_photos[id_].post_id in (None, post_id)
    ]


async def _render_form_again(
    submitted: SubmittedPost, post: Post | None, problems: list[str], status: int
) -> Response:
    """Renders the form again, with everything that was in it."""
    post_photos = await context.read_signed_in(
        _own_photos, list(submitted.draft.photo_ids), post.id if post else None
    )
    return await _render_form(submitted.draft, post_photos, post=post, problems=problems, status=status)


@blueprint.post("/compose")
async def publish() -> Response:
    account = await context.require_account()
    submitted = await _read_form(account)
    adds = (await request.form).get("do") == "add"
    if adds or submitted.problems:
        return await _render_form_again(
            submitted, None, submitted.problems, 200 if adds and not submitted.problems else 422
        )
    await lookup.fetch_mentioned_accounts(context.current_node(), submitted.draft.caption)
    try:
        post = await context.write(publishing.publish, submitted.draft)
    except Refused as refused:
        return await _render_form_again(submitted, None, [gettext(refused.message)], refused.status)
    return see_other(post_path(post, account))


def _load_editable(tx: Reader, account: Account, post_id: int) -> tuple[Post, list[Photo]]:
    post = posts.visible_by_id(tx, account, post_id)
    if post.account_id != account.id:
        raise NotAllowed(_("Only its author can do that."))
    return post, photo_rows.by_posts(tx, [post_id]).get(post_id, [])


@blueprint.get("/posts/<int:post_id>/edit")
async def show_edit(post_id: int) -> Response:
    post, post_photos = await context.read_signed_in(_load_editable, post_id)
    draft = Draft(
        caption=post.source,
        photo_ids=[one.id for one in post_photos],
        visibility=post.visibility,
        warning=post.warning,
        is_sensitive=post.is_sensitive,
        policy=post.interaction_policy,
        shared_metadata=photo_metadata.from_photos(post_photos),
    )
    return await _render_form(draft, post_photos, post=post, problems=[])


def _save(tx: Writer, account: Account, post_id: int, draft: Draft) -> Post:
    post, _found = _load_editable(tx, account, post_id)
    return publishing.edit(
        tx,
        account,
        post,
        replace(draft, visibility=post.visibility, language=post.language, parent_id=post.parent_id),
    )


@blueprint.post("/posts/<int:post_id>/edit")
async def save(post_id: int) -> Response:
    account = await context.require_account()
    post, _found = await context.read_signed_in(_load_editable, post_id)
    submitted = await _read_form(account)
    adds = (await request.form).get("do") == "add"
    if adds or submitted.problems:
        return await _render_form_again(
            submitted, post, submitted.problems, 200 if adds and not submitted.problems else 422
        )
    await lookup.fetch_mentioned_accounts(context.current_node(), submitted.draft.caption)
    try:
        saved = await context.write(_save, post_id, submitted.draft)
    except Refused as refused:
        return await _render_form_again(submitted, post, [gettext(refused.message)], refused.status)
    return see_other(post_path(saved, account))
