"""The drafts of the signed-in account, with its scheduled posts first. Writing and publishing them: `compose`.

What a phone shares with the installed app becomes a draft, too.
"""

from __future__ import annotations

from quart import Blueprint, Response, jsonify, request

from node.attachments import photo_rows
from node.attachments.photo_metadata import SharedMetadata
from node.database import Reader, Writer
from node.errors import Invalid, NotFound, Refused
from node.ids import parse_id
from node.models.account import Account
from node.posts.drafts import MAX_PHOTOS, Draft
from node.publishing import saved_drafts
from node.publishing.saved_drafts import SavedDraft
from web.html.templates import render_page
from web.i18n.translations import _, gettext
from web.pages import compose
from web.request import context, post_form
from web.request.post_form import SubmittedPost
from web.request.redirects import see_other

blueprint = Blueprint("drafts", __name__)


def _load_drafts(tx: Reader, account: Account) -> list[SavedDraft]:
    return saved_drafts.by_author(tx, account)


@blueprint.get("/drafts")
async def show_drafts() -> Response:
    return await render_page(
        "posts/drafts.html",
        drafts=await context.read_signed_in(_load_drafts),
        just_scheduled=parse_id(request.args.get("scheduled", "")),
    )


@blueprint.post("/drafts")
async def save_draft() -> Response:
    """Saves the form of a new post for a script, while it is written. A scheduled post is left as it is."""
    account = await context.require_account()
    submitted = await post_form.read_form(account)
    return jsonify(id=str(await context.write(_save_unless_scheduled, submitted)))


def _save_unless_scheduled(tx: Writer, account: Account, submitted: SubmittedPost) -> int:
    if submitted.publish_at is not None or saved_drafts.is_scheduled(tx, account, submitted.draft_id):
        raise Invalid(_("A scheduled post is saved with its button."), field="publish_at")
    return compose.save_draft(tx, account, submitted)


@blueprint.get("/compose/posted")
async def list_posted() -> Response:
    """Returns which of these photos (`id`) are in a post, for a browser that kept a draft which another browser may have posted."""
    ids = [parse_id(value) for value in request.args.getlist("id")[:MAX_PHOTOS]]
    posted = await context.read_signed_in(_posted, [id_ for id_ in ids if id_ is not None])
    return jsonify(posted=[str(id_) for id_ in posted])


def _posted(tx: Reader, account: Account, ids: list[int]) -> list[int]:
    photos = photo_rows.by_ids(tx, ids).values()
    return [one.id for one in photos if one.account_id == account.id and one.post_id is not None]


@blueprint.post("/compose/share")
async def receive_share() -> Response:
    """Makes a draft of what was shared with the installed app (the manifest's `share_target`), and opens it.

    The browser sends that without a form token: `session.check_shared` has checked that no other site did.
    """
    account = await context.require_account()
    form, files = await request.form, (await request.files).getlist("photos")
    texts = [form.get(name, "").strip() for name in ("title", "text", "url")]
    uploaded = await post_form.upload_files(account, files[:MAX_PHOTOS], [])
    signed_in = context.signed_in_user()
    submitted = SubmittedPost(
        Draft(
            caption="\n".join(dict.fromkeys(text for text in texts if text)),
            photo_ids=[photo.id for photo in uploaded.photos],
            visibility=signed_in.user.default_visibility if signed_in else "public",
            shared_metadata=SharedMetadata(licence=signed_in.user.default_licence if signed_in else ""),
        ),
        uploaded.problems,
        [
            *uploaded.refused,
            *post_form.undecided(form, uploaded),
            *(post_form.clean_name(file.filename) for file in files[MAX_PHOTOS:]),
        ],
    )
    try:
        draft_id = await context.write(compose.save_draft, submitted)
    except Refused as refused:
        return await compose.render_form_again(submitted, None, [gettext(refused.message)], refused.status)
    return see_other(f"/compose?draft={draft_id}")


@blueprint.post("/drafts/delete")
async def delete_draft() -> Response:
    draft_id = parse_id((await request.form).get("id", ""))
    if draft_id is None:
        raise NotFound
    await context.write(_delete, draft_id)
    return see_other("/drafts")


def _delete(tx: Writer, account: Account, draft_id: int) -> None:
    saved_drafts.delete(tx, account, draft_id)
