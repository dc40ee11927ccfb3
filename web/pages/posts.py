"""The page of a post with its comments, its likes and boosts, and the actions on a post."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from quart import Blueprint, Response, jsonify, redirect, request

from activitypub.remote import conversations, lookup
from activitypub.server.resources import local_post
from node.accounts import accounts
from node.attachments import photo_rows
from node.attachments.photo_rows import Photo
from node.database import Reader, Writer
from node.errors import Gone, Invalid, NotAllowed, NotFound
from node.federation import delivery_reports
from node.federation.delivery_reports import DeliveryReport
from node.ids import parse_id
from node.interactions import boosts, emoji_reactions, likes, quotes
from node.interactions.emoji_reactions import ReactionCount
from node.interactions.quotes import QuoteAuthorization
from node.models.account import Account
from node.models.interaction_policy import InteractionRule
from node.models.post import Post
from node.paging import Page
from node.posts import drafts, posts, tagged_people
from node.posts.drafts import Draft
from node.posts.tagged_people import TaggedPerson
from node.publishing import post_deletion, publishing
from node.timelines import post_views, threads, timelines
from node.timelines.post_views import CommentNode, PostView
from web.files import media_urls
from web.html.helpers import post_path, profile_path
from web.html.lists import (
    CommentLine,
    ViewerRelationship,
    flatten_comments,
    requested_page,
    viewer_relationships,
)
from web.html.post_actions import POST_ACTIONS
from web.html.templates import render_page
from web.i18n.translations import _, gettext
from web.pages import compose
from web.request import context
from web.request.post_form import AUDIENCE_RULES, read_key
from web.request.redirects import referring_path, see_other, wants_json

blueprint = Blueprint("posts", __name__)

ACCOUNTS_PER_PAGE = 40


@dataclass(frozen=True, slots=True)
class PostPage:
    """Everything that the page of a post shows."""

    view: PostView
    ancestors: list[PostView]
    comments: list[CommentNode]
    delivery_report: DeliveryReport | None
    image: dict[str, Any] | None = field(default=None)
    reactions: list[ReactionCount] = field(default_factory=list)
    quote: tuple[str, PostView | None] | None = None
    quoted_by: list[tuple[QuoteAuthorization, Account]] = field(default_factory=list)
    can_quote: bool = False
    tagged: dict[int, list[TaggedPerson]] = field(default_factory=dict)


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
        threads.comment_tree(tx, viewer, post),
        delivery_reports.latest(tx, viewer, post_id) if viewer is not None and mine else None,
        _card_image(tx, view),
        emoji_reactions.counts_by_post(tx, viewer, post),
        _load_quote(tx, viewer, post),
        quotes.authorizations_by_post(tx, post) if mine else [],
        viewer is not None and quotes.may_quote(tx, viewer, post),
        tagged_people.by_photos(tx, [photo.id for photo in view.photos]) if view.photos else {},
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
    return media_urls.preview_image(tx.site, view.photos[0])


async def _render_post(loaded: PostPage, **more: Any) -> Response:
    if context.signed_in_user() is not None:
        await conversations.queue_crawl(context.current_node(), loaded.view.post)
    reply_to = parse_id(request.args.get("reply", ""))
    response = await render_page(
        "posts/post.html",
        view=loaded.view,
        ancestors=[CommentLine(view, 0, 0) for view in loaded.ancestors],
        entries=flatten_comments(loaded.comments, reply_to),
        delivery_report=loaded.delivery_report,
        card_image=loaded.image,
        reactions=loaded.reactions,
        quote=loaded.quote,
        quoted_by=loaded.quoted_by,
        can_quote=loaded.can_quote,
        tagged=loaded.tagged,
        is_tagged=_is_tagged(loaded),
        reply_to=reply_to,
        here=post_path(loaded.view.post, loaded.view.author),
        **{"draft": "", "problem": "", **more},
    )
    post = loaded.view.post
    if post.is_local and post.is_open:
        response.headers["Link"] = f'<{post.uri}>; rel="alternate"; type="application/activity+json"'
    return response


def _is_tagged(loaded: PostPage) -> bool:
    """Returns whether the person who looks at a post is tagged in it."""
    signed_in = context.signed_in_user()
    return signed_in is not None and any(
        one.account.id == signed_in.account.id for people in loaded.tagged.values() for one in people
    )


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


def _load_page_or_path(tx: Reader, viewer: Account | None, post_id: int) -> PostPage | str:
    """Returns the page of a remote post, and of a local one only the path of its page."""
    post = posts.visible_by_id(tx, viewer, post_id)
    if post.is_local:
        return post_path(post, accounts.get(tx, post.account_id))
    return _load_page(tx, viewer, post_id)


@blueprint.get("/posts/<int:post_id>")
async def show_post(post_id: int) -> Response:
    loaded = await context.read(_load_page_or_path, post_id)
    if isinstance(loaded, str):
        return redirect(loaded, 302)  # type: ignore[return-value]
    return await _render_post(loaded)


def _load_likes_or_boosts(
    tx: Reader, viewer: Account | None, post_id: int, page: Page, kind: str
) -> tuple[list[Account], int | None, dict[int, ViewerRelationship], str]:
    post = posts.visible_by_id(tx, viewer, post_id)
    listed = (likes.likers if kind == "likes" else boosts.boosters)(tx, post, viewer, page)
    people = [one.account for one in listed]
    older = listed.older
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


def _path_of_post_by(tx: Reader, viewer: Account | None, handle: str, post_id: int) -> str:
    post = posts.visible_by_id(tx, viewer, post_id)
    author = accounts.get(tx, post.account_id)
    named = accounts.by_handle(tx, handle)
    if named is None or named.id != author.id:
        raise NotFound
    return post_path(post, author)


@blueprint.get("/@<handle>/<int:post_id>")
@blueprint.get("/@<handle>/statuses/<int:post_id>")
async def redirect_mastodon_path(handle: str, post_id: int) -> Response:
    """Leads from the addresses that Mastodon gives posts, which people and apps make themselves, to ours."""
    return redirect(await context.read(_path_of_post_by, handle, post_id), 302)  # type: ignore[return-value]


ACTIONS = {action.name: action.do for action in POST_ACTIONS} | {
    f"un{action.name}": action.undo for action in POST_ACTIONS
}


@blueprint.get("/posts/<int:post_id>/who-can-comment")
async def show_comment_rule(post_id: int) -> Response:
    post, path = await context.read_signed_in(_own_post, post_id)
    return await render_page(
        "posts/who_can_comment.html", post=post, rule=post.interaction_policy.comment.summary, back=path
    )


def _change_comment_rule(tx: Writer, account: Account, post_id: int, rule: InteractionRule | None) -> str:
    post, path = _own_post(tx, account, post_id)
    if rule is None:
        raise Invalid(_("Please choose who can comment."), field="comments")
    publishing.change_comment_rule(tx, account, post, rule)
    return path


@blueprint.post("/posts/<int:post_id>/who-can-comment")
async def change_comment_rule(post_id: int) -> Response:
    rule = AUDIENCE_RULES.get((await request.form).get("comments", ""))
    return see_other(await context.write(_change_comment_rule, post_id, rule))


def _run_action(tx: Writer, account: Account, post_id: int, action: str) -> None:
    ACTIONS[action](tx, account, posts.visible_by_id(tx, account, post_id))


@blueprint.post(f"/posts/<int:post_id>/<any({', '.join(ACTIONS)}):action>")
async def run_action(post_id: int, action: str) -> Response:
    await context.write(_run_action, post_id, action)
    if wants_json():
        return jsonify(ok=True)
    back = (await request.form).get("back", "") or referring_path(f"/posts/{post_id}")
    return see_other(back, fragment=f"post-{post_id}")


def _add_comment(tx: Writer, account: Account, post_id: int, caption: str, key: str) -> tuple[Post, str]:
    parent = posts.visible_by_id(tx, account, post_id)
    draft = Draft(caption=caption, parent_id=post_id, visibility=parent.visibility)
    comment = publishing.publish_once(tx, account, key, draft)
    return comment, post_path(parent, accounts.get(tx, parent.account_id))


@blueprint.post("/posts/<int:post_id>/comment")
async def add_comment(post_id: int) -> Response:
    caption = (await request.form).get("caption", "")
    await context.require_account()
    await lookup.fetch_mentioned_accounts(context.current_node(), caption)
    try:
        comment, path = await context.write(_add_comment, post_id, caption, await read_key())
    except Invalid as invalid:
        if wants_json():
            raise
        loaded = await context.read(_load_page, post_id)
        response = await _render_post(loaded, draft=caption, problem=gettext(invalid.message))
        response.status_code = invalid.status
        return response
    if wants_json():
        return jsonify(ok=True, id=str(comment.id))
    return see_other((await request.form).get("back", "") or path, fragment=f"post-{comment.id}")


def _own_post(tx: Reader, account: Account, post_id: int) -> tuple[Post, str]:
    post = posts.visible_by_id(tx, account, post_id)
    if post.account_id != account.id:
        raise NotAllowed(_("Only its author can do that."))
    return post, post_path(post, account)


def _load_own_view(tx: Reader, account: Account, post_id: int) -> tuple[PostView, str]:
    _post, path = _own_post(tx, account, post_id)
    return post_views.by_entries(tx, account, [post_id])[0], path


@blueprint.get("/posts/<int:post_id>/delete")
async def confirm_delete(post_id: int) -> Response:
    view, path = await context.read_signed_in(_load_own_view, post_id)
    post = view.post
    parent = f"/posts/{post.parent_id}" if post.parent_id else ""
    return await render_page(
        "confirm.html",
        title=_("Delete this comment?") if post.is_comment else _("Delete this post?"),
        message=_(
            "It is deleted here at once, and other servers are asked to delete it. This cannot be undone."
        ),
        label=_("Delete"),
        redraft_label="" if post.is_comment else _("Delete and edit as a new post"),
        action=f"/posts/{post_id}/delete",
        back=path,
        after=parent,
        account=None,
        view=view,
    )


def _delete(tx: Writer, account: Account, post_id: int) -> tuple[Draft, list[Photo]]:
    """Deletes a post; returns what it held, as a draft of a new one."""
    post, _path = _own_post(tx, account, post_id)
    kept = photo_rows.by_posts(tx, [post_id]).get(post_id, [])
    quoted = quotes.by_post(tx, post)
    draft = replace(drafts.from_post(post, kept), quote_id=quoted.target_id if quoted else None)
    post_deletion.delete(tx, account, post, keeps_photos=True)
    return draft, kept


@blueprint.post("/posts/<int:post_id>/delete")
async def delete(post_id: int) -> Response:
    account = await context.require_account()
    draft, kept = await context.write(_delete, post_id)
    form = await request.form
    if form.get("redraft"):
        return await compose.render_form(draft, kept, post=None, problems=[])
    return see_other(form.get("back", "") or profile_path(account))


def _revoke_quote(tx: Writer, account: Account, authorization_id: int) -> Post:
    return quotes.revoke(tx, account, authorization_id)


@blueprint.post("/quotes/<int:authorization_id>/withdraw")
async def revoke_quote(authorization_id: int) -> Response:
    post = await context.write(_revoke_quote, authorization_id)
    return see_other(f"/posts/{post.id}")
