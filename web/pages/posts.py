"""The page of a post with its comments, its likes, boosts and history, and the actions on a post."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from quart import Blueprint, Response, jsonify, redirect, request

from activitypub.remote import conversations, lookup
from activitypub.server.resources import local_post
from node.accounts import accounts
from node.database import Reader, Writer
from node.errors import Gone, NotAllowed, NotFound
from node.federation import delivery_reports
from node.federation.delivery_reports import DeliveryReport
from node.interactions import boosts, emoji_reactions, likes, quotes
from node.interactions.emoji_reactions import ReactionCount
from node.interactions.quotes import QuoteAuthorization
from node.models.account import Account
from node.models.post import Post
from node.paging import Page
from node.posts import posts, revisions
from node.posts.drafts import Draft
from node.posts.revisions import Revision
from node.publishing import post_deletion, publishing
from node.timelines import post_views, threads, timelines
from node.timelines.post_views import PostView
from web.files import media_urls
from web.html.helpers import post_path, profile_path
from web.html.lists import ViewerRelationship, flatten_comments, requested_page, viewer_relationships
from web.html.post_actions import POST_ACTIONS
from web.html.templates import render_page
from web.i18n.translations import _
from web.request import context
from web.request.redirects import referring_path, see_other, wants_json

blueprint = Blueprint("posts", __name__)

ACCOUNTS_PER_PAGE = 40


@dataclass(frozen=True, slots=True)
class PostPage:
    """Everything that the page of a post shows."""

    view: PostView
    ancestors: list[PostView]
    comments: list[tuple[PostView | None, int, int]]
    delivery_report: DeliveryReport | None
    image: dict[str, Any] | None = field(default=None)
    reactions: list[ReactionCount] = field(default_factory=list)
    quote: tuple[str, PostView | None] | None = None
    quoted_by: list[tuple[QuoteAuthorization, Account]] = field(default_factory=list)
    can_quote: bool = False


def _load_page(tx: Reader, viewer: Account | None, post_id: int, name: str | None = None) -> PostPage:
    post = posts.visible_by_id(tx, viewer, post_id)
    view = next(iter(post_views.by_entries(tx, viewer, [post_id])), None)
    if view is None or (name is not None and (not post.is_local or view.author.name.lower() != name.lower())):
        raise NotFound(_("There is no such post."))
    above = timelines.thread(tx, viewer, post)[0] if post.is_comment else []
    mine = viewer is not None and viewer.id == post.account_id
    return PostPage(
        view,
        post_views.by_entries(tx, viewer, above),
        flatten_comments(threads.comment_tree(tx, viewer, post)),
        delivery_reports.latest(tx, viewer, post_id) if viewer is not None and mine else None,
        _card_image(tx, view),
        emoji_reactions.counts_by_post(tx, viewer, post),
        _load_quote(tx, viewer, post),
        quotes.authorizations_by_post(tx, post) if mine else [],
        viewer is not None and quotes.may_quote(tx, viewer, post),
    )


def _load_quote(tx: Reader, viewer: Account | None, post: Post) -> tuple[str, PostView | None] | None:
    """Returns the URI of the quoted post, and its view if this viewer may see it;
    None for no quote at all."""
    quote = quotes.by_post(tx, post)
    if quote is None:
        return None
    shown = post_views.by_entries(tx, viewer, [quote.target_id]) if quote.target_id is not None else []
    return quote.target_uri, next(iter(shown), None)


def _card_image(tx: Reader, view: PostView) -> dict[str, Any] | None:
    if not view.photos or view.post.visibility != "public":
        return None
    photo = view.photos[0]
    file = media_urls.select_file(photo, media_urls.PREVIEW_VARIANTS)
    address = media_urls.photo_url(tx.site, photo, media_urls.PREVIEW_VARIANTS, is_open=True)
    if not address:
        return None
    return {
        "url": address,
        "width": file.width if file else photo.width,
        "height": file.height if file else photo.height,
    }


async def _render_post(loaded: PostPage, **more: Any) -> Response:
    if context.signed_in_user() is not None:
        await conversations.queue_crawl(context.current_node(), loaded.view.post)
    response = await render_page(
        "posts/post.html",
        view=loaded.view,
        ancestors=[(view, 0, 0) for view in loaded.ancestors],
        entries=loaded.comments,
        delivery_report=loaded.delivery_report,
        card_image=loaded.image,
        reactions=loaded.reactions,
        quote=loaded.quote,
        quoted_by=loaded.quoted_by,
        can_quote=loaded.can_quote,
        **{"draft": "", "problem": "", **more},
    )
    post = loaded.view.post
    if post.is_local and post.is_open:
        response.headers["Link"] = f'<{post.uri}>; rel="alternate"; type="application/activity+json"'
    return response


def _load_local_page(tx: Reader, viewer: Account | None, post_id: int, name: str) -> PostPage:
    try:
        return _load_page(tx, viewer, post_id, name)
    except NotFound:
        post = local_post(tx, name, post_id)
        if post is not None and post.deleted_at is not None and post.is_open:
            raise Gone(_("This post was deleted.")) from None
        raise


@blueprint.get("/p/<name>/<int:post_id>")
async def show_local_post(name: str, post_id: int) -> Response:
    return await _render_post(await context.read(_load_local_page, post_id, name))


@blueprint.get("/posts/<int:post_id>")
async def show_post(post_id: int) -> Response:
    loaded = await context.read(_load_page, post_id)
    path = post_path(loaded.view.post, loaded.view.author)
    if path != request.path:
        return redirect(path, 302)  # type: ignore[return-value]
    return await _render_post(loaded)


def _load_likes_or_boosts(
    tx: Reader, viewer: Account | None, post_id: int, page: Page, kind: str
) -> tuple[list[Account], int | None, dict[int, ViewerRelationship], str]:
    post = posts.visible_by_id(tx, viewer, post_id)
    listed = (likes.likers if kind == "likes" else boosts.boosters)(tx, post, viewer, page)
    people = [one.account for one in listed]
    older = listed[-1].id if len(listed) >= page.limit else None
    author = accounts.get(tx, post.account_id)
    return people, older, viewer_relationships(tx, viewer, people), post_path(post, author)


@blueprint.get("/posts/<int:post_id>/<any(likes, boosts):kind>")
async def show_likes_or_boosts(post_id: int, kind: str) -> Response:
    people, older, relationship_by_id, back = await context.read(
        _load_likes_or_boosts, post_id, requested_page(ACCOUNTS_PER_PAGE), kind
    )
    title = _("Likes") if kind == "likes" else _("Boosts")
    return await render_page(
        "people/list.html",
        title=title,
        people=people,
        older=older,
        relationships=relationship_by_id,
        back=back,
        empty_text="",
    )


def _load_history(tx: Reader, viewer: Account | None, post_id: int) -> tuple[list[Revision], str]:
    post = posts.visible_by_id(tx, viewer, post_id)
    return revisions.by_post(tx, post), post_path(post, accounts.get(tx, post.account_id))


@blueprint.get("/posts/<int:post_id>/history")
async def show_history(post_id: int) -> Response:
    edits, back = await context.read(_load_history, post_id)
    return await render_page("posts/history.html", edits=edits[::-1], back=back)


ACTIONS = {action.name: action.do for action in POST_ACTIONS} | {
    f"un{action.name}": action.undo for action in POST_ACTIONS
}


def _run_action(tx: Writer, account: Account, post_id: int, action: str) -> None:
    ACTIONS[action](tx, account, posts.visible_by_id(tx, account, post_id))


@blueprint.post(f"/posts/<int:post_id>/<any({', '.join(ACTIONS)}):action>")
async def run_action(post_id: int, action: str) -> Response:
    await context.write(_run_action, post_id, action)
    if wants_json():
        return jsonify(ok=True)
    back = (await request.form).get("back", "") or referring_path(f"/posts/{post_id}")
    return see_other(back, fragment=f"post-{post_id}")


def _add_comment(tx: Writer, account: Account, post_id: int, caption: str) -> tuple[Post, str]:
    parent = posts.visible_by_id(tx, account, post_id)
    comment = publishing.publish(
        tx, account, Draft(caption=caption, parent_id=post_id, visibility=parent.visibility)
    )
    return comment, post_path(parent, accounts.get(tx, parent.account_id))


@blueprint.post("/posts/<int:post_id>/comment")
async def add_comment(post_id: int) -> Response:
    caption = (await request.form).get("caption", "")
    await context.require_account()
    await lookup.fetch_mentioned_accounts(context.current_node(), caption)
    comment, path = await context.write(_add_comment, post_id, caption)
    if wants_json():
        return jsonify(ok=True, id=str(comment.id))
    return see_other(path, fragment=f"post-{comment.id}")


def _own_post(tx: Reader, account: Account, post_id: int) -> tuple[Post, str]:
    post = posts.visible_by_id(tx, account, post_id)
    if post.account_id != account.id:
        raise NotAllowed(_("Only its author can do that."))
    return post, post_path(post, account)


@blueprint.get("/posts/<int:post_id>/delete")
async def confirm_delete(post_id: int) -> Response:
    post, path = await context.read_signed_in(_own_post, post_id)
    parent = f"/posts/{post.parent_id}" if post.parent_id else ""
    return await render_page(
        "confirm.html",
        title=_("Delete this comment?") if post.is_comment else _("Delete this post?"),
        message=_(
            "It is deleted here at once, and other servers are asked to delete it. This cannot be undone."
        ),
        label=_("Delete"),
        action=f"/posts/{post_id}/delete",
        back=path,
        after=parent,
        account=None,
    )


def _delete(tx: Writer, account: Account, post_id: int) -> None:
    post, _path = _own_post(tx, account, post_id)
    post_deletion.delete(tx, account, post)


@blueprint.post("/posts/<int:post_id>/delete")
async def delete(post_id: int) -> Response:
    account = await context.require_account()
    await context.write(_delete, post_id)
    return see_other((await request.form).get("back", "") or profile_path(account))


def _revoke_quote(tx: Writer, account: Account, authorization_id: int) -> Post:
    return quotes.revoke(tx, account, authorization_id)


@blueprint.post("/quotes/<int:authorization_id>/withdraw")
async def revoke_quote(authorization_id: int) -> Response:
    post = await context.write(_revoke_quote, authorization_id)
    return see_other(f"/posts/{post.id}")
