"""One post with its conversation, who liked and boosted it, what it said before, and what one can do to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from quart import Blueprint, Response, jsonify, redirect, request

from activitypub.remote import conversations, lookup
from activitypub.server.resources import local_post
from node.accounts import accounts
from node.database import Reader, Writer
from node.errors import Gone, NotAllowed, NotFound
from node.federation import delivery_reports
from node.federation.delivery_reports import Telling
from node.interactions import bookmarks, boosts, emoji_reactions, likes, pins, quotes
from node.interactions.emoji_reactions import Tally
from node.interactions.quotes import Stamp
from node.models.account import Account
from node.models.post import Post
from node.paging import Page
from node.posts import posts, revisions
from node.posts.drafts import Draft
from node.posts.revisions import Edit
from node.publishing import post_deletion, publishing
from node.timelines import post_views, threads, timelines
from node.timelines.post_views import PostView
from web.files import media_urls
from web.html.helpers import path_of, post_path
from web.html.lists import Bond, bonds, flattened, paging
from web.html.templates import page
from web.i18n.translations import _
from web.request import context
from web.request.redirects import came_from, go, wants_json

blueprint = Blueprint("posts", __name__)

PEOPLE = 40
Deed = Callable[[Writer, Account, Post], Any]


@dataclass(frozen=True, slots=True)
class Whole:
    """All that the page of a post shows."""

    view: PostView
    ancestors: list[PostView]
    entries: list[tuple[PostView | None, int, int]]
    telling: Telling | None
    image: dict[str, Any] | None = field(default=None)
    reactions: list[Tally] = field(default_factory=list)
    quote: tuple[str, PostView | None] | None = None
    quoted_by: list[tuple[Stamp, Account]] = field(default_factory=list)
    can_quote: bool = False


def _whole(tx: Reader, viewer: Account | None, post_id: int, name: str | None = None) -> Whole:
    post = posts.seen_by(tx, viewer, post_id)
    view = next(iter(post_views.of(tx, viewer, [post_id])), None)
    if view is None or (name is not None and (not post.is_local or view.author.name.lower() != name.lower())):
        raise NotFound(_("There is no such post."))
    above = timelines.conversation(tx, viewer, post)[0] if post.is_comment else []
    mine = viewer is not None and viewer.id == post.account_id
    return Whole(
        view,
        post_views.of(tx, viewer, above),
        flattened(threads.tree(tx, viewer, post)),
        delivery_reports.newest(tx, viewer, post_id) if viewer is not None and mine else None,
        _image(tx, view),
        emoji_reactions.of(tx, viewer, post),
        _quote(tx, viewer, post),
        quotes.of_post(tx, post) if mine else [],
        viewer is not None and quotes.may_quote(tx, viewer, post),
    )


def _quote(tx: Reader, viewer: Account | None, post: Post) -> tuple[str, PostView | None] | None:
    """The address of what a post quotes, and what of it this viewer may see; None for no quote at all."""
    said = quotes.of(tx, post)
    if said is None:
        return None
    shown = post_views.of(tx, viewer, [said.target_id]) if said.target_id is not None else []
    return said.target_uri, next(iter(shown), None)


def _image(tx: Reader, view: PostView) -> dict[str, Any] | None:
    if not view.photos or view.post.visibility != "public":
        return None
    photo = view.photos[0]
    file = media_urls.chosen(photo, media_urls.PREVIEW)
    address = media_urls.of_photo(tx.site, photo, media_urls.PREVIEW, is_open=True)
    if not address:
        return None
    return {
        "url": address,
        "width": file.width if file else photo.width,
        "height": file.height if file else photo.height,
    }


async def _show(whole: Whole, **more: Any) -> Response:
    if context.person() is not None:
        await conversations.look(context.node(), whole.view.post)
    response = await page(
        "posts/post.html",
        view=whole.view,
        ancestors=[(view, 0, 0) for view in whole.ancestors],
        entries=whole.entries,
        telling=whole.telling,
        card_image=whole.image,
        reactions=whole.reactions,
        quote=whole.quote,
        quoted_by=whole.quoted_by,
        can_quote=whole.can_quote,
        **{"draft": "", "problem": "", **more},
    )
    post = whole.view.post
    if post.is_local and post.is_open:
        response.headers["Link"] = f'<{post.uri}>; rel="alternate"; type="application/activity+json"'
    return response


def _at_home(tx: Reader, viewer: Account | None, post_id: int, name: str) -> Whole:
    try:
        return _whole(tx, viewer, post_id, name)
    except NotFound:
        post = local_post(tx, name, post_id)
        if post is not None and post.deleted_at is not None and post.is_open:
            raise Gone(_("This post was deleted.")) from None
        raise


@blueprint.get("/p/<name>/<int:post_id>")
async def local(name: str, post_id: int) -> Response:
    return await _show(await context.look(_at_home, post_id, name))


@blueprint.get("/posts/<int:post_id>")
async def post(post_id: int) -> Response:
    whole = await context.look(_whole, post_id)
    path = post_path(whole.view.post, whole.view.author)
    if path != request.path:
        return redirect(path, 302)  # type: ignore[return-value]
    return await _show(whole)


def _likers(
    tx: Reader, viewer: Account | None, post_id: int, part: Page, kind: str
) -> tuple[list[Account], int | None, dict[int, Bond], str]:
    post = posts.seen_by(tx, viewer, post_id)
    listed = (likes if kind == "likes" else boosts).of(tx, post, viewer, part)
    people = [one.account for one in listed]
    older = listed[-1].id if len(listed) >= part.limit else None
    author = accounts.get(tx, post.account_id)
    return people, older, bonds(tx, viewer, people), post_path(post, author)


@blueprint.get("/posts/<int:post_id>/<any(likes, boosts):kind>")
async def people(post_id: int, kind: str) -> Response:
    found, older, between, back = await context.look(_likers, post_id, paging(PEOPLE), kind)
    title = _("Likes") if kind == "likes" else _("Boosts")
    return await page(
        "people/list.html", title=title, people=found, older=older, bonds=between, back=back, nobody=""
    )


def _history(tx: Reader, viewer: Account | None, post_id: int) -> tuple[list[Edit], str]:
    post = posts.seen_by(tx, viewer, post_id)
    return revisions.of(tx, post), post_path(post, accounts.get(tx, post.account_id))


@blueprint.get("/posts/<int:post_id>/history")
async def history(post_id: int) -> Response:
    found, back = await context.look(_history, post_id)
    return await page("posts/history.html", edits=found[::-1], back=back)


# `_do` has found that they see the post.
DEEDS: dict[str, Deed] = {
    "like": partial(likes.like, is_seen=True),
    "unlike": likes.unlike,
    "boost": partial(boosts.boost, is_seen=True),
    "unboost": boosts.unboost,
    "bookmark": partial(bookmarks.add, is_seen=True),
    "unbookmark": bookmarks.remove,
    "pin": partial(pins.pin, is_seen=True),
    "unpin": pins.unpin,
}


def _do(tx: Writer, who: Account, post_id: int, deed: str) -> None:
    DEEDS[deed](tx, who, posts.seen_by(tx, who, post_id))


@blueprint.post(f"/posts/<int:post_id>/<any({', '.join(DEEDS)}):deed>")
async def do(post_id: int, deed: str) -> Response:
    await context.act(_do, post_id, deed)
    if wants_json():
        return jsonify(ok=True)
    back = (await request.form).get("back", "") or came_from(f"/posts/{post_id}")
    return go(back, mark=f"post-{post_id}")


def _comment(tx: Writer, who: Account, post_id: int, caption: str) -> tuple[Post, str]:
    parent = posts.seen_by(tx, who, post_id)
    made = publishing.publish(
        tx, who, Draft(caption=caption, parent_id=post_id, visibility=parent.visibility)
    )
    return made, post_path(parent, accounts.get(tx, parent.account_id))


@blueprint.post("/posts/<int:post_id>/comment")
async def comment(post_id: int) -> Response:
    caption = (await request.form).get("caption", "")
    await context.asking()
    await lookup.mentions(context.node(), caption)
    made, path = await context.act(_comment, post_id, caption)
    if wants_json():
        return jsonify(ok=True, id=str(made.id))
    return go(path, mark=f"post-{made.id}")


def _mine(tx: Reader, who: Account, post_id: int) -> tuple[Post, str]:
    post = posts.seen_by(tx, who, post_id)
    if post.account_id != who.id:
        raise NotAllowed(_("Only its author can do that."))
    return post, post_path(post, who)


@blueprint.get("/posts/<int:post_id>/delete")
async def ask_delete(post_id: int) -> Response:
    post, path = await context.look_signed_in(_mine, post_id)
    parent = f"/posts/{post.parent_id}" if post.parent_id else ""
    return await page(
        "confirm.html",
        title=_("Delete this comment?") if post.is_comment else _("Delete this post?"),
        sentence=_(
            "It is deleted here at once, and other servers are asked to delete it. This cannot be undone."
        ),
        label=_("Delete"),
        action=f"/posts/{post_id}/delete",
        back=path,
        after=parent,
        account=None,
    )


def _delete(tx: Writer, who: Account, post_id: int) -> None:
    post, _path = _mine(tx, who, post_id)
    post_deletion.delete(tx, who, post)


@blueprint.post("/posts/<int:post_id>/delete")
async def delete(post_id: int) -> Response:
    who = await context.asking()
    await context.act(_delete, post_id)
    return go((await request.form).get("back", "") or path_of(who))


def _withdraw(tx: Writer, who: Account, stamp_id: int) -> Post:
    return quotes.withdraw(tx, who, stamp_id)


@blueprint.post("/quotes/<int:stamp_id>/withdraw")
async def withdraw_quote(stamp_id: int) -> Response:
    post = await context.act(_withdraw, stamp_id)
    return go(f"/posts/{post.id}")
