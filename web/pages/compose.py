"""Composing and editing a post: photos are uploaded one by one or with the form, and none is lost.

The id of an uploaded photo stays in the form. One that was refused stays too, by its name (`missing`): nothing is
published until its author has added it again (by its name, or in its own field, `again-N`) or chosen to post without
it (`skip`). Scripts send each photo by itself to `/compose/photo` and keep the same fields; without them the same form
carries the files. The form of a saved draft has its id (`draft`); with a time (`publish_at`) the post is scheduled
instead of published. A script that sends the form gets JSON: where to go (`path`), or what is wrong (`error`) with the
photos that are still there (`photos`).

While the form has the field `asks_descriptions`, photos without a description are asked about before they are posted:
here, or by a script before it sends the form. It is gone once somebody has chosen to post them anyway.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlencode

from quart import Blueprint, Response, jsonify, request

from activitypub.remote import lookup
from node.attachments import photo_metadata, photo_rows, photos
from node.attachments.photo_metadata import SharedMetadata
from node.attachments.photo_rows import Photo
from node.auth import idempotency_keys
from node.database import Reader, Writer
from node.errors import Invalid, NotAllowed, NotFound, Refused
from node.ids import parse_id
from node.interactions import quotes
from node.models.account import Account
from node.models.audience import OPEN_VISIBILITIES, narrower
from node.models.post import Post
from node.posts import drafts, posts
from node.posts.drafts import MAX_PHOTOS, Draft
from node.publishing import publishing, saved_drafts
from node.publishing.saved_drafts import SavedDraft
from node.timelines import post_views
from node.timelines.post_views import PostView
from node.uploads import receiving
from web.files import media_urls
from web.html import photo_frames
from web.html import photo_metadata as rendered_metadata
from web.html.helpers import incomplete_notice, post_path, thumb_path
from web.html.templates import render_page
from web.i18n import compose_messages, js_messages
from web.i18n.translations import _, gettext
from web.request import context, post_form
from web.request.post_form import POST_ANYWAY, SubmittedPost, own_photos, read_form, read_key
from web.request.redirects import see_other, wants_json

blueprint = Blueprint("compose", __name__)


async def render_form(
    draft: Draft,
    post_photos: list[Photo],
    *,
    post: Post | None,
    problems: list[str],
    missing: Sequence[str] = (),
    draft_id: int | None = None,
    publish_at: int | None = None,
    asks_descriptions: bool = True,
    undescribed: Sequence[Photo] = (),
    had_photos: bool = False,
    asks_text_only: bool = False,
    replaced: Sequence[int] = (),
    status: int = 200,
) -> Response:
    """Renders the form. `undescribed` are the photos without a description that it asks about; `replaced` are those that
    have the description of another photo, in whose place they are."""
    quoted, signed_in = None, context.signed_in_user()
    if post is None and draft.quote_id is not None:
        quoted = await context.read_signed_in(_load_quoted, draft.quote_id)
    response = await render_page(
        "posts/compose.html",
        draft=draft,
        quoted=quoted,
        shared=draft.shared_metadata or SharedMetadata(),
        licences=[(name, name) for name in photo_metadata.LICENCES],
        photos=post_photos,
        previews={one.id: _preview_path(one) for one in post_photos},
        marks=await context.read_signed_in(rendered_metadata.load_marks, post_photos),
        camera_summaries={one.id: rendered_metadata.camera_summary(one) for one in post_photos},
        alts=draft.alts,
        post=post,
        version=_version(post),
        problems=problems,
        missing=missing,
        draft_id=draft_id,
        once=(await request.form).get("once"),
        publish_at=publish_at,
        asks_descriptions=asks_descriptions and bool(signed_in and signed_in.user.asks_descriptions),
        undescribed=undescribed,
        had_photos=had_photos,
        asks_text_only=asks_text_only,
        replaced=replaced,
        drafts_count=0 if post else await context.read_signed_in(_count_drafts),
        most=MAX_PHOTOS,
        max_alt=photo_metadata.MAX_ALT_LENGTH,
        max_mb=photos.max_upload_mb(context.current_node()),
        texts=js_messages.to_script_json(compose_messages.collect(gettext)),
    )
    response.status_code = status
    return response


def _preview_path(photo: Photo) -> str:
    """Returns the path of a photo as large as a phone shows it, '' for none."""
    file = media_urls.select_file(photo, media_urls.PREVIEW_VARIANTS)
    return f"/media/{file.key}" if file else ""


def _version(post: Post | None) -> str:
    """Returns when a posted post was last changed: a form that was filled in before then would undo that change."""
    return str(post.edited_at or 0) if post else ""


def _count_drafts(tx: Reader, account: Account) -> int:
    return saved_drafts.count(tx, account)


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
    if (draft_id := parse_id(request.args.get("draft", ""))) is not None:
        saved = await context.read_signed_in(_load_draft, draft_id)
        return await render_form(
            saved.draft,
            list(saved.photos),
            post=None,
            problems=[gettext(saved.problem)] if saved.problem else [],
            missing=saved.missing,
            draft_id=saved.id,
            publish_at=saved.publish_at,
        )
    visibility = signed_in.user.default_visibility if signed_in else "public"
    quote_id = parse_id(request.args.get("quote", ""))
    quoted = await context.read_signed_in(_load_quoted, quote_id) if quote_id is not None else None
    if quoted is not None and quoted.post.visibility not in OPEN_VISIBILITIES:
        visibility = narrower(visibility, quoted.post.visibility)
    draft = Draft(
        caption=request.args.get("caption", "")[:500],
        visibility=visibility,
        shared_metadata=SharedMetadata(licence=signed_in.user.default_licence if signed_in else ""),
        quote_id=quote_id,
    )
    return await render_form(draft, [], post=None, problems=[])


def _load_draft(tx: Reader, account: Account, draft_id: int) -> SavedDraft:
    return saved_drafts.by_id(tx, account, draft_id)


@blueprint.post("/compose/photo")
async def upload_photo() -> Response:
    """Uploads one photo, sent by a script that shows its progress: a file, or the id of an upload that has arrived."""
    account = await context.require_account()
    node, form = context.current_node(), await request.form
    alt, upload_id = form.get("alt", ""), parse_id(form.get("upload", ""))
    submitted = (await request.files).get("photo")
    if upload_id is not None:
        photo = await receiving.become_photo(node, account, upload_id, alt=alt)
    elif submitted is not None:
        photo = await photos.upload(node, account, submitted.stream, alt=alt)
    else:
        raise Invalid(_("Please choose a photo."), field="photo")
    return jsonify(
        id=str(photo.id),
        thumb=thumb_path(photo),
        preview=_preview_path(photo),
        surround=photo_frames.surround_class(photo),
        width=photo.width,
        height=photo.height,
        camera_summary=rendered_metadata.camera_summary(photo),
        notice=incomplete_notice(photo),
    )


async def render_form_again(
    submitted: SubmittedPost,
    post: Post | None,
    problems: list[str],
    status: int,
    undescribed: Sequence[Photo] = (),
) -> Response:
    """Renders the form again, with everything that was in it; a script still has that, and gets what is wrong."""
    if wants_json():
        answer = jsonify(
            error="\n".join(problems),
            photos=[str(id_) for id_ in submitted.draft.photo_ids],
            version=_version(post),
        )
        answer.status_code = status
        return answer
    return await render_form(
        submitted.draft,
        await _load_photos(submitted, post),
        post=post,
        problems=problems,
        missing=submitted.missing,
        draft_id=submitted.draft_id,
        publish_at=submitted.publish_at,
        asks_descriptions=submitted.asks_descriptions,
        undescribed=undescribed,
        had_photos=submitted.had_photos,
        asks_text_only=submitted.lost_all_photos() and not submitted.missing,
        replaced=submitted.replaced,
        status=status,
    )


async def _load_photos(submitted: SubmittedPost, post: Post | None) -> list[Photo]:
    return await context.read_signed_in(
        own_photos, list(submitted.draft.photo_ids), post.id if post else None
    )


async def _ask_for_descriptions(submitted: SubmittedPost, post: Post | None) -> Response | None:
    """Returns the form with a question about the new photos without a description, or None if there is none to ask."""
    if not submitted.asks_descriptions or (await request.form).get("do") != "post" or wants_json():
        return None
    alts = submitted.draft.alts
    new = [one for one in await _load_photos(submitted, post) if one.post_id is None]
    undescribed = [one for one in new if not alts.get(one.id, one.alt).strip()]
    if not undescribed:
        return None
    return await render_form_again(submitted, post, [], 422, undescribed)


@blueprint.post("/compose")
async def publish() -> Response:
    account = await context.require_account()
    action = (await request.form).get("do", "")
    if action in ("post", POST_ANYWAY) and (key := await read_key()):
        # Sent again, since its answer was lost: its photos are in a post already.
        published = await context.read_signed_in(_find_published, key)
        if published is not None:
            return _lead_to(post_path(published, account))
    submitted = await read_form(account)
    leads_to_photo = post_form.leads_to_photo(action)
    if action not in ("add", "draft") and not leads_to_photo:
        _check_text_only(submitted)
    photo_page = post_form.find_photo_page(action, submitted.draft.photo_ids)
    try:
        if action == "draft":
            submitted.draft_id = await context.write(save_draft, submitted)
        elif leads_to_photo:
            submitted.draft_id = await context.write(_save_as_it_is, submitted)
        # Those that are missing are named in the draft; the others can be edited meanwhile.
        can_wait = photo_page is not None and submitted.lacks_only_photos
        if (
            action == "add"
            or (submitted.problems and not can_wait)
            or (leads_to_photo and photo_page is None)
        ):
            return await render_form_again(
                submitted, None, submitted.problems, 422 if submitted.problems else 200
            )
        if action == "draft":
            return _lead_to("/drafts")
        if photo_page is not None:
            return _lead_to(photo_page, back=f"/compose?draft={submitted.draft_id}")
        if (question := await _ask_for_descriptions(submitted, None)) is not None:
            return question
        await lookup.fetch_mentioned_accounts(context.current_node(), submitted.draft.caption)
        if submitted.publish_at is not None:
            scheduled_id = await context.write(_schedule, submitted)
            return _lead_to("/drafts", scheduled=str(scheduled_id))
        post = await context.write(_publish, submitted)
    except Refused as refused:
        return await render_form_again(submitted, None, [gettext(refused.message)], refused.status)
    return _lead_to(post_path(post, account))


def _check_text_only(submitted: SubmittedPost) -> None:
    """Adds a problem where a post with photos would become one of words alone."""
    if submitted.lost_all_photos() and not submitted.problems:
        submitted.problems.append(
            _(
                "There is no photo in this post any more. Add one, or choose to post the caption without a photo."
            )
        )


def _find_published(tx: Reader, account: Account, key: str) -> Post | None:
    post_id = idempotency_keys.find_post(tx, account, key)
    return None if post_id is None else posts.by_id(tx, post_id)


def _lead_to(path: str, **query: str) -> Response:
    """Redirects to a page; a script that sent the form is told its path."""
    if query:
        path += f"{'&' if '?' in path else '?'}{urlencode(query)}"
    return jsonify(path=path) if wants_json() else see_other(path)


def _save_as_it_is(tx: Writer, account: Account, it: SubmittedPost) -> int:
    """Saves what was submitted, which stays scheduled if it is; returns the id of the draft."""
    if it.publish_at is None:
        return save_draft(tx, account, it)
    return saved_drafts.save(
        tx, account, it.draft, draft_id=it.draft_id, missing=it.missing, publish_at=it.publish_at
    ).id


def save_draft(tx: Writer, account: Account, it: SubmittedPost) -> int:
    """Saves what was submitted, complete or not; returns the id of the draft. It has no time any more."""
    return saved_drafts.save(tx, account, it.draft, draft_id=it.draft_id, missing=it.missing).id


def _schedule(tx: Writer, account: Account, it: SubmittedPost) -> int:
    return saved_drafts.save(tx, account, it.draft, draft_id=it.draft_id, publish_at=it.publish_at).id


def _publish(tx: Writer, account: Account, submitted: SubmittedPost) -> Post:
    post = publishing.publish_once(tx, account, submitted.key, submitted.draft)
    if submitted.draft_id is not None:
        saved_drafts.delete(tx, account, submitted.draft_id)
    return post


def _load_editable(tx: Reader, account: Account, post_id: int) -> tuple[Post, list[Photo]]:
    post = posts.visible_by_id(tx, account, post_id)
    if post.account_id != account.id:
        raise NotAllowed(_("Only its author can do that."))
    return post, photo_rows.by_posts(tx, [post_id]).get(post_id, [])


@blueprint.get("/posts/<int:post_id>/edit")
async def show_edit(post_id: int) -> Response:
    post, post_photos = await context.read_signed_in(_load_editable, post_id)
    draft = drafts.from_post(post, post_photos)
    return await render_form(draft, post_photos, post=post, problems=[])


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
    post, post_photos = await context.read_signed_in(_load_editable, post_id)
    submitted = await read_form(account, post_id)
    submitted.had_photos |= bool(post_photos)
    form = await request.form
    adds = form.get("do") == "add"
    if form.get("version", _version(post)) != _version(post):
        submitted.problems.append(
            _(
                "This post was changed in another tab or app while you edited it. Save again to replace that change."
            )
        )
    photo_page = post_form.find_photo_page(form.get("do", ""), submitted.draft.photo_ids)
    if not adds and photo_page is None:
        _check_text_only(submitted)
    # A script names the missing ones again when it comes back from the page of a photo.
    can_wait = photo_page is not None and submitted.lacks_only_photos and wants_json()
    if adds or (submitted.problems and not can_wait):
        return await render_form_again(
            submitted, post, submitted.problems, 200 if adds and not submitted.problems else 422
        )
    if (question := await _ask_for_descriptions(submitted, post)) is not None:
        return question
    await lookup.fetch_mentioned_accounts(context.current_node(), submitted.draft.caption)
    try:
        saved = await context.write(_save, post_id, submitted.draft)
    except Refused as refused:
        return await render_form_again(submitted, post, [gettext(refused.message)], refused.status)
    if photo_page is not None:
        return _lead_to(photo_page, back=f"/posts/{post_id}/edit")
    return _lead_to(post_path(saved, account))
