"""Statuses: posting, reading, and what one does to a status. An id may also be that of a boost."""

from __future__ import annotations

import msgspec

from activitypub.remote import conversations, lookup
from node import rate_limits
from node.auth import idempotency_keys
from node.database import Reader, Writer
from node.errors import Invalid, NotAllowed, NotFound
from node.ids import read_id
from node.interactions import bookmarks, boosts, likes, pins
from node.models.post import Post
from node.posts import posts, revisions
from node.posts.drafts import Draft
from node.publishing import post_deletion, publishing
from node.timelines import post_views, timelines
from web.api.endpoint import Answer, Call
from web.api.entities import VISIBILITIES
from web.api.entity_fields import moment
from web.api.params import Params
from web.api.v1.accounts import LISTED_DEFAULT, LISTED_MOST, people
from web.html import custom_emoji

POSTS_IN_THREE_HOURS = 300
OURS = {theirs: ours for ours, theirs in VISIBILITIES.items()}


def _target(tx: Reader, call: Call) -> Post:
    """The post in the path, or the boosted one when the id is a boost's; raises NotFound."""
    id_ = call.id()
    try:
        return posts.seen_by(tx, call.account, id_)
    except NotFound:
        boost = boosts.seen_by(tx, call.account, id_)
        if boost is None:
            raise
        return posts.seen_by(tx, call.account, boost.post_id)


def _own(tx: Reader, call: Call) -> Post:
    post = posts.seen_by(tx, call.account, call.id())
    if post.account_id != call.who.id:
        raise NotAllowed("This post belongs to someone else.")
    return post


def _status(tx: Reader, call: Call, post_id: int) -> bytes:
    shown = post_views.of(tx, call.account, [post_id])
    if not shown:
        raise NotFound
    return call.entities.status(shown[0], call.account)


def show(tx: Reader, call: Call) -> Answer:
    id_ = call.id()
    boost = boosts.seen_by(tx, call.account, id_)
    if boost is not None:
        shown = post_views.of(tx, call.account, [timelines.Entry(boost.id, boost.post_id, boost.account_id)])
        if not shown:
            raise NotFound
        return Answer(call.entities.status(shown[0], call.account))
    return Answer(_status(tx, call, id_))


async def create(call: Call) -> Answer:
    """Publish. With an `Idempotency-Key`, sending again gives the same status."""
    if call.params.text("scheduled_at"):
        raise Invalid("Scheduled posts are not supported.", field="scheduled_at")
    if "poll[options]" in call.params:
        raise Invalid("Polls are not supported.", field="poll")
    await call.node.db.write(
        rate_limits.count, f"post:{call.who.id}", limit=POSTS_IN_THREE_HOURS, seconds=3 * 3600
    )
    await lookup.mentions(call.node, call.params.text("status"))
    return await call.node.db.write(_create, call)


def _create(tx: Writer, call: Call) -> Answer:
    who, params, key = call.who, call.params, call.idempotency_key
    assert call.user is not None
    if key and (known := idempotency_keys.claim(tx, who, key)):
        return Answer(_status(tx, call, known))
    visibility = params.text("visibility")
    draft = Draft(
        caption=params.text("status"),
        photo_ids=params.ids("media_ids"),
        alts=_alts(params),
        visibility=_ours(visibility) if visibility else call.user.default_visibility,
        warning=params.text("spoiler_text"),
        is_sensitive=params.flag("sensitive"),
        language=params.text("language") or call.user.language,
        parent_id=params.id("in_reply_to_id"),
        quote_id=params.id("quoted_status_id"),
    )
    post = publishing.publish(tx, who, draft)
    if key:
        idempotency_keys.remember(tx, who, key, post.id)
    return Answer(_status(tx, call, post.id))


def _ours(visibility: str) -> str:
    if visibility not in OURS:
        raise Invalid("visibility is public, unlisted, private or direct.", field="visibility")
    return OURS[visibility]


def _alts(params: Params) -> dict[int, str]:
    """Descriptions sent along with the post."""
    found = {}
    for one in params.objects("media_attributes"):
        id_ = read_id(one.get("id", ""))
        if id_ is not None and "description" in one:
            found[id_] = one["description"]
    return found


async def edit(call: Call) -> Answer:
    await lookup.mentions(call.node, call.params.text("status"))
    return await call.node.db.write(_edit, call)


def _edit(tx: Writer, call: Call) -> Answer:
    """What is not sent stays as it is."""
    post, params = _own(tx, call), call.params
    (view,) = post_views.of(tx, call.account, [post.id])
    draft = Draft(
        caption=params.text("status") if "status" in params else post.source,
        photo_ids=params.ids("media_ids") if "media_ids" in params else [photo.id for photo in view.photos],
        alts=_alts(params),
        visibility=post.visibility,
        warning=params.text("spoiler_text") if "spoiler_text" in params else post.warning,
        is_sensitive=params.flag("sensitive", post.is_sensitive),
        language=params.text("language") or post.language,
        parent_id=post.parent_id,
        policy=post.allows,
    )
    publishing.edit(tx, call.who, post, draft)
    return Answer(_status(tx, call, post.id))


def delete(tx: Writer, call: Call) -> Answer:
    """Delete a post, or take back a boost by its own id. The answer holds the text, to write it anew."""
    boost = boosts.by_id(tx, call.id())
    if boost is not None and boost.account_id == call.who.id:
        post = posts.seen_by(tx, call.account, boost.post_id)
        boosts.unboost(tx, call.who, post)
        return Answer(_status(tx, call, post.id))
    post = _own(tx, call)
    body = _status(tx, call, post.id)
    post_deletion.delete(tx, call.who, post)
    return Answer(body[:-1] + b',"text":' + msgspec.json.encode(post.source) + b"}")


async def context(call: Call) -> Answer:
    """The conversation round a post; its own server is asked by this whether there is more, for the next time."""
    if call.account is not None:
        await conversations.look(call.node, await call.node.db.read(_target, call))
    return await call.node.db.read(_context, call)


def _context(tx: Reader, call: Call) -> Answer:
    ancestors, descendants = timelines.conversation(tx, call.account, _target(tx, call))
    return call.json(
        {
            name: [
                msgspec.Raw(body)
                for body in call.entities.statuses(post_views.of(tx, call.account, ids), call.account)
            ]
            for name, ids in (("ancestors", ancestors), ("descendants", descendants))
        }
    )


def source(tx: Reader, call: Call) -> Answer:
    """What the author typed, to edit it."""
    post = _own(tx, call)
    return call.json({"id": str(post.id), "text": post.source, "spoiler_text": post.warning})


def history(tx: Reader, call: Call) -> Answer:
    """Every version, the first one first, the present one last."""
    post = _target(tx, call)
    (view,) = post_views.of(tx, call.account, [post.id])
    account = msgspec.Raw(call.entities.account(view.author))
    attachments = {one["id"]: one for one in call.entities.attachments(view)}
    return call.json(
        [
            {
                "content": version.caption,
                "spoiler_text": version.warning,
                "sensitive": version.is_sensitive,
                "created_at": moment(version.created_at),
                "account": account,
                "media_attachments": [
                    attachments[str(photo_id)] | {"description": alt or None}
                    for photo_id, alt in version.photos
                    if str(photo_id) in attachments
                ],
                "emojis": custom_emoji.entities(tx.site, custom_emoji.of_post(post, view.author)),
                "poll": None,
                "quote": None,
            }
            for version in revisions.of(tx, post)
        ]
    )


def favourited_by(tx: Reader, call: Call) -> Answer:
    page = call.page(LISTED_DEFAULT, LISTED_MOST)
    bodies, ids = people(call, likes.of(tx, _target(tx, call), call.account, page))
    return call.listed(bodies, page, ids)


def reblogged_by(tx: Reader, call: Call) -> Answer:
    page = call.page(LISTED_DEFAULT, LISTED_MOST)
    bodies, ids = people(call, boosts.of(tx, _target(tx, call), call.account, page))
    return call.listed(bodies, page, ids)


def favourite(tx: Writer, call: Call) -> Answer:
    post = _target(tx, call)
    likes.like(tx, call.who, post, is_seen=True)
    return Answer(_status(tx, call, post.id))


def unfavourite(tx: Writer, call: Call) -> Answer:
    post = _target(tx, call)
    likes.unlike(tx, call.who, post)
    return Answer(_status(tx, call, post.id))


def reblog(tx: Writer, call: Call) -> Answer:
    """Boost; the answer is the boost's own status round the post."""
    post = _target(tx, call)
    visibility = call.params.text("visibility", "public")
    boost = boosts.boost(tx, call.who, post, visibility=_ours(visibility or "public"), is_seen=True)
    (view,) = post_views.of(tx, call.account, [timelines.Entry(boost.id, post.id, call.who.id)])
    return Answer(call.entities.status(view, call.account))


def unreblog(tx: Writer, call: Call) -> Answer:
    post = _target(tx, call)
    boosts.unboost(tx, call.who, post)
    return Answer(_status(tx, call, post.id))


def bookmark(tx: Writer, call: Call) -> Answer:
    post = _target(tx, call)
    bookmarks.add(tx, call.who, post, is_seen=True)
    return Answer(_status(tx, call, post.id))


def unbookmark(tx: Writer, call: Call) -> Answer:
    post = _target(tx, call)
    bookmarks.remove(tx, call.who, post)
    return Answer(_status(tx, call, post.id))


def pin(tx: Writer, call: Call) -> Answer:
    post = _target(tx, call)
    pins.pin(tx, call.who, post, is_seen=True)
    return Answer(_status(tx, call, post.id))


def unpin(tx: Writer, call: Call) -> Answer:
    post = _target(tx, call)
    pins.unpin(tx, call.who, post)
    return Answer(_status(tx, call, post.id))
