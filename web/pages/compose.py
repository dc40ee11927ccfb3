"""Writing a post and changing it: photos come one by one or all with the form, and none is lost.

A photo that was taken in stays with the form as a number; one that was refused leaves a sentence. Scripts
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
from node.attachments.photo_metadata import Shared
from node.attachments.photo_rows import Photo
from node.database import Reader, Writer
from node.errors import Invalid, NotAllowed, NotFound, Refused
from node.ids import read_id
from node.interactions import quotes
from node.models.account import Account
from node.models.interaction_policy import EVERYONE, NOBODY, InteractionPolicy, Rule, only
from node.models.post import Post
from node.posts import posts
from node.posts.drafts import MOST_PHOTOS, Draft
from node.publishing import publishing
from node.timelines import post_views
from node.timelines.post_views import PostView
from web.html import photo_metadata as shown
from web.html.helpers import post_path, thumb_path
from web.html.templates import page
from web.i18n.translations import _, gettext
from web.request import context
from web.request.redirects import go

blueprint = Blueprint("compose", __name__)


RULES: dict[str, Rule] = {
    "everyone": EVERYONE,
    "followers": only("followers"),
    "mentioned": only("mentioned"),
    "nobody": NOBODY,
}


@dataclass(slots=True)
class Sent:
    """What a form brought: the draft, and a sentence for each photo that was refused."""

    draft: Draft
    problems: list[str]


async def _form(
    draft: Draft, found: list[Photo], *, post: Post | None, problems: list[str], status: int = 200
) -> Response:
    quoted = None
    if post is None and draft.quote_id is not None:
        quoted = await context.look_signed_in(_quoted, draft.quote_id)
    response = await page(
        "posts/compose.html",
        draft=draft,
        quoted=quoted,
        shared=draft.shared or Shared(),
        licences=list(photo_metadata.LICENCES),
        photos=found,
        written={one.id: shown.written(one) for one in found},
        alts=draft.alts,
        post=post,
        problems=problems,
        most=MOST_PHOTOS,
        max_mb=context.node().config.media.max_upload_mb,
    )
    response.status_code = status
    return response


def _quoted(tx: Reader, who: Account, post_id: int) -> PostView | None:
    """The post that is to be quoted, if this person may."""
    try:
        post = posts.seen_by(tx, who, post_id)
    except NotFound:
        return None
    found = post_views.of(tx, who, [post.id]) if quotes.may_quote(tx, who, post) else []
    return next(iter(found), None)


@blueprint.get("/compose")
async def new() -> Response:
    await context.asking()
    person = context.person()
    draft = Draft(
        caption=request.args.get("caption", "")[:500],
        visibility=person.user.default_visibility if person else "public",
        quote_id=read_id(request.args.get("quote", "")),
    )
    return await _form(draft, [], post=None, problems=[])


@blueprint.post("/compose/photo")
async def photo() -> Response:
    """One photo, sent by a script that shows its progress."""
    who = await context.asking()
    sent = (await request.files).get("photo")
    if sent is None:
        raise Invalid(_("Please choose a photo."), field="photo")
    made = await photos.upload(context.node(), who, sent.read(), alt=(await request.form).get("alt", ""))
    return jsonify(
        id=str(made.id),
        thumb=thumb_path(made),
        width=made.width,
        height=made.height,
        written=shown.written(made),
    )


def _numbers(values: list[str]) -> list[int]:
    return [number for value in values if (number := read_id(value)) is not None]


async def _take(who: Account, files: list[FileStorage], alts: list[str]) -> tuple[list[Photo], list[str]]:
    """Upload the files of a form. One that is refused leaves its sentence, and the others stay."""
    taken, problems = [], []
    for n, file in enumerate(files):
        if not file.filename:
            continue
        try:
            alt = alts[n] if n < len(alts) else ""
            taken.append(await photos.upload(context.node(), who, file.read(), alt=alt))
        except Refused as refused:
            problems.append(f"{file.filename}: {gettext(refused.message)}")
    return taken, problems


def _placed(ids: list[int], form: Mapping[str, str]) -> list[int]:
    """In the order of the numbers typed beside the photos; equal or missing ones keep their order."""

    def place(entry: tuple[int, int]) -> tuple[int, int]:
        n, id_ = entry
        typed = form.get(f"place-{id_}", "")
        return (int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 4 else n + 1, n)

    return [id_ for _n, id_ in sorted(enumerate(ids), key=place)]


async def _read(who: Account) -> Sent:
    form: MultiDict[str, str] = await request.form
    files = (await request.files).getlist("photos")
    left_out = set(_numbers(form.getlist("without")))
    ids = [id_ for id_ in dict.fromkeys(_numbers(form.getlist("photo"))) if id_ not in left_out]
    ids = _placed(ids, form)
    taken, problems = await _take(who, files, form.getlist("alt"))
    if len(ids) + len(taken) > MOST_PHOTOS:
        problems.append(_("A post can have up to %(n)s photos.", n=MOST_PHOTOS))
    draft = Draft(
        caption=form.get("caption", ""),
        photo_ids=[*ids, *(one.id for one in taken)],
        alts={id_: form[f"alt-{id_}"] for id_ in ids if f"alt-{id_}" in form},
        visibility=form.get("visibility", "public"),
        warning=form.get("warning", ""),
        is_sensitive="is_sensitive" in form,
        policy=_policy(form),
        quote_id=read_id(form.get("quote", "")),
        shared=Shared(frozenset(form.getlist("share")), form.get("licence", ""), form.get("place", "")),
    )
    return Sent(draft, problems)


def _policy(form: Mapping[str, str]) -> InteractionPolicy:
    return InteractionPolicy(
        comment=RULES.get(form.get("comments", ""), EVERYONE),
        quote=RULES.get(form.get("quotes", ""), NOBODY),
    )


def _own(tx: Reader, who: Account, ids: list[int], post_id: int | None) -> list[Photo]:
    """Those of the photos that this person may put in this post, in order."""
    found = photo_rows.by_ids(tx, ids)
    return [
        found[id_]
        for id_ in ids
        if id_ in found and found[id_].account_id == who.id and found[id_].post_id in (None, post_id)
    ]


async def _again(sent: Sent, post: Post | None, problems: list[str], status: int) -> Response:
    """The form once more, with everything that was in it."""
    found = await context.look_signed_in(_own, list(sent.draft.photo_ids), post.id if post else None)
    return await _form(sent.draft, found, post=post, problems=problems, status=status)


@blueprint.post("/compose")
async def publish() -> Response:
    who = await context.asking()
    sent = await _read(who)
    adds = (await request.form).get("do") == "add"
    if adds or sent.problems:
        return await _again(sent, None, sent.problems, 200 if adds and not sent.problems else 422)
    await lookup.mentions(context.node(), sent.draft.caption)
    try:
        post = await context.act(publishing.publish, sent.draft)
    except Refused as refused:
        return await _again(sent, None, [gettext(refused.message)], refused.status)
    return go(post_path(post, who))


def _editable(tx: Reader, who: Account, post_id: int) -> tuple[Post, list[Photo]]:
    post = posts.seen_by(tx, who, post_id)
    if post.account_id != who.id:
        raise NotAllowed(_("Only its author can do that."))
    return post, photo_rows.of_posts(tx, [post_id]).get(post_id, [])


@blueprint.get("/posts/<int:post_id>/edit")
async def edit(post_id: int) -> Response:
    post, found = await context.look_signed_in(_editable, post_id)
    draft = Draft(
        caption=post.source,
        photo_ids=[one.id for one in found],
        visibility=post.visibility,
        warning=post.warning,
        is_sensitive=post.is_sensitive,
        policy=post.allows,
        shared=photo_metadata.of(found),
    )
    return await _form(draft, found, post=post, problems=[])


def _save(tx: Writer, who: Account, post_id: int, draft: Draft) -> Post:
    post, _found = _editable(tx, who, post_id)
    return publishing.edit(
        tx,
        who,
        post,
        replace(draft, visibility=post.visibility, language=post.language, parent_id=post.parent_id),
    )


@blueprint.post("/posts/<int:post_id>/edit")
async def save(post_id: int) -> Response:
    who = await context.asking()
    post, _found = await context.look_signed_in(_editable, post_id)
    sent = await _read(who)
    adds = (await request.form).get("do") == "add"
    if adds or sent.problems:
        return await _again(sent, post, sent.problems, 200 if adds and not sent.problems else 422)
    await lookup.mentions(context.node(), sent.draft.caption)
    try:
        saved = await context.act(_save, post_id, sent.draft)
    except Refused as refused:
        return await _again(sent, post, [gettext(refused.message)], refused.status)
    return go(post_path(saved, who))
