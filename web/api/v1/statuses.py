"""Statuses: posting, reading, and what one does to a status. An id may also be that of a boost."""

from __future__ import annotations

import msgspec

from activitypub.remote import conversations, lookup
from node import rate_limits
from node.auth import idempotency_keys
from node.database import Reader, Writer
from node.errors import Invalid, NotAllowed, NotFound
from node.ids import parse_id
from node.interactions import bookmarks, boosts, likes, pins
from node.models.post import Post
from node.posts import posts, revisions
from node.posts.drafts import Draft
from node.publishing import post_deletion, publishing
from node.timelines import post_views, timelines
from web.api.endpoint import ApiRequest, JsonResponse
from web.api.entities import API_VISIBILITIES
from web.api.entity_fields import format_datetime
from web.api.params import Params
from web.api.v1.accounts import DEFAULT_LIST_LIMIT, MAX_LIST_LIMIT, account_entities
from web.html import custom_emoji

MAX_POSTS_PER_THREE_HOURS = 300
VISIBILITY_BY_API_NAME = {theirs: ours for ours, theirs in API_VISIBILITIES.items()}


def _post_or_boosted(tx: Reader, call: ApiRequest) -> Post:
    """The post in the path, or the boosted one when the id is a boost's; raises NotFound."""
    id_ = call.path_id()
    try:
        return posts.visible_by_id(tx, call.account, id_)
    except NotFound:
        boost = boosts.visible_by_id(tx, call.account, id_)
        if boost is None:
            raise
        return posts.visible_by_id(tx, call.account, boost.post_id)


def _own_post(tx: Reader, call: ApiRequest) -> Post:
    post = posts.visible_by_id(tx, call.account, call.path_id())
    if post.account_id != call.caller.id:
        raise NotAllowed("This post belongs to someone else.")
    return post


def _status_entity(tx: Reader, call: ApiRequest, post_id: int) -> bytes:
    shown = post_views.by_entries(tx, call.account, [post_id])
    if not shown:
        raise NotFound
    return call.entities.status(shown[0], call.account)


def show(tx: Reader, call: ApiRequest) -> JsonResponse:
    id_ = call.path_id()
    boost = boosts.visible_by_id(tx, call.account, id_)
    if boost is not None:
        shown = post_views.by_entries(
            tx, call.account, [timelines.TimelineEntry(boost.id, boost.post_id, boost.account_id)]
        )
        if not shown:
            raise NotFound
        return JsonResponse(call.entities.status(shown[0], call.account))
    return JsonResponse(_status_entity(tx, call, id_))


async def create(call: ApiRequest) -> JsonResponse:
    """Publish. With an `Idempotency-Key`, sending again gives the same status."""
    if call.params.text("scheduled_at"):
        raise Invalid("Scheduled posts are not supported.", field="scheduled_at")
    if "poll[options]" in call.params:
        raise Invalid("Polls are not supported.", field="poll")
    await call.node.db.write(
        rate_limits.count_attempt, f"post:{call.caller.id}", limit=MAX_POSTS_PER_THREE_HOURS, seconds=3 * 3600
    )
    await lookup.fetch_mentioned_accounts(call.node, call.params.text("status"))
    return await call.node.db.write(_create, call)


def _create(tx: Writer, call: ApiRequest) -> JsonResponse:
    who, params, key = call.caller, call.params, call.idempotency_key
    assert call.user is not None
    if key and (known := idempotency_keys.claim(tx, who, key)):
        return JsonResponse(_status_entity(tx, call, known))
    visibility = params.text("visibility")
    draft = Draft(
        caption=params.text("status"),
        photo_ids=params.ids("media_ids"),
        alts=_media_descriptions(params),
        visibility=_parse_visibility(visibility) if visibility else call.user.default_visibility,
        warning=params.text("spoiler_text"),
        is_sensitive=params.flag("sensitive"),
        language=params.text("language") or call.user.language,
        parent_id=params.id("in_reply_to_id"),
        quote_id=params.id("quoted_status_id"),
    )
    post = publishing.publish(tx, who, draft)
    if key:
        idempotency_keys.record_post(tx, who, key, post.id)
    return JsonResponse(_status_entity(tx, call, post.id))


def _parse_visibility(visibility: str) -> str:
    if visibility not in VISIBILITY_BY_API_NAME:
        raise Invalid("visibility is public, unlisted, private or direct.", field="visibility")
    return VISIBILITY_BY_API_NAME[visibility]


def _media_descriptions(params: Params) -> dict[int, str]:
    """Descriptions sent along with the post."""
    found = {}
    for one in params.objects("media_attributes"):
        id_ = parse_id(one.get("id", ""))
        if id_ is not None and "description" in one:
            found[id_] = one["description"]
    return found


async def edit(call: ApiRequest) -> JsonResponse:
    await lookup.fetch_mentioned_accounts(call.node, call.params.text("status"))
    return await call.node.db.write(_edit, call)


def _edit(tx: Writer, call: ApiRequest) -> JsonResponse:
    """What is not sent stays as it is."""
    post, params = _own_post(tx, call), call.params
    (view,) = post_views.by_entries(tx, call.account, [post.id])
    draft = Draft(
        caption=params.text("status") if "status" in params else post.source,
        photo_ids=params.ids("media_ids") if "media_ids" in params else [photo.id for photo in view.photos],
        alts=_media_descriptions(params),
        visibility=post.visibility,
        warning=params.text("spoiler_text") if "spoiler_text" in params else post.warning,
        is_sensitive=params.flag("sensitive", post.is_sensitive),
        language=params.text("language") or post.language,
        parent_id=post.parent_id,
        policy=post.interaction_policy,
    )
    publishing.edit(tx, call.caller, post, draft)
    return JsonResponse(_status_entity(tx, call, post.id))


def delete(tx: Writer, call: ApiRequest) -> JsonResponse:
    """Delete a post, or take back a boost by its own id. The answer holds the text, to write it anew."""
    boost = boosts.by_id(tx, call.path_id())
    if boost is not None and boost.account_id == call.caller.id:
        post = posts.visible_by_id(tx, call.account, boost.post_id)
        boosts.unboost(tx, call.caller, post)
        return JsonResponse(_status_entity(tx, call, post.id))
    post = _own_post(tx, call)
    body = _status_entity(tx, call, post.id)
    post_deletion.delete(tx, call.caller, post)
    return JsonResponse(body[:-1] + b',"text":' + msgspec.json.encode(post.source) + b"}")


async def show_context(call: ApiRequest) -> JsonResponse:
    """The conversation round a post; its own server is asked by this whether there is more, for the next time."""
    if call.account is not None:
        await conversations.queue_crawl(call.node, await call.node.db.read(_post_or_boosted, call))
    return await call.node.db.read(_show_context, call)


def _show_context(tx: Reader, call: ApiRequest) -> JsonResponse:
    ancestors, descendants = timelines.thread(tx, call.account, _post_or_boosted(tx, call))
    return call.json_response(
        {
            name: [
                msgspec.Raw(body)
                for body in call.entities.statuses(post_views.by_entries(tx, call.account, ids), call.account)
            ]
            for name, ids in (("ancestors", ancestors), ("descendants", descendants))
        }
    )


def show_source(tx: Reader, call: ApiRequest) -> JsonResponse:
    """What the author typed, to edit it."""
    post = _own_post(tx, call)
    return call.json_response({"id": str(post.id), "text": post.source, "spoiler_text": post.warning})


def list_history(tx: Reader, call: ApiRequest) -> JsonResponse:
    """Every version, the first one first, the present one last."""
    post = _post_or_boosted(tx, call)
    (view,) = post_views.by_entries(tx, call.account, [post.id])
    account = msgspec.Raw(call.entities.account(view.author))
    attachments = {one["id"]: one for one in call.entities.attachments(view)}
    return call.json_response(
        [
            {
                "content": version.caption,
                "spoiler_text": version.warning,
                "sensitive": version.is_sensitive,
                "created_at": format_datetime(version.created_at),
                "account": account,
                "media_attachments": [
                    attachments[str(photo_id)] | {"description": alt or None}
                    for photo_id, alt in version.photos
                    if str(photo_id) in attachments
                ],
                "emojis": custom_emoji.to_entities(tx.site, custom_emoji.post_emoji(post, view.author)),
                "poll": None,
                "quote": None,
            }
            for version in revisions.by_post(tx, post)
        ]
    )


def list_favourited_by(tx: Reader, call: ApiRequest) -> JsonResponse:
    page = call.requested_page(DEFAULT_LIST_LIMIT, MAX_LIST_LIMIT)
    bodies, ids = account_entities(call, likes.likers(tx, _post_or_boosted(tx, call), call.account, page))
    return call.page_response(bodies, page, ids)


def list_reblogged_by(tx: Reader, call: ApiRequest) -> JsonResponse:
    page = call.requested_page(DEFAULT_LIST_LIMIT, MAX_LIST_LIMIT)
    bodies, ids = account_entities(call, boosts.boosters(tx, _post_or_boosted(tx, call), call.account, page))
    return call.page_response(bodies, page, ids)


def favourite(tx: Writer, call: ApiRequest) -> JsonResponse:
    post = _post_or_boosted(tx, call)
    likes.like(tx, call.caller, post, is_visible=True)
    return JsonResponse(_status_entity(tx, call, post.id))


def unfavourite(tx: Writer, call: ApiRequest) -> JsonResponse:
    post = _post_or_boosted(tx, call)
    likes.unlike(tx, call.caller, post)
    return JsonResponse(_status_entity(tx, call, post.id))


def reblog(tx: Writer, call: ApiRequest) -> JsonResponse:
    """Boost; the answer is the boost's own status round the post."""
    post = _post_or_boosted(tx, call)
    visibility = call.params.text("visibility", "public")
    boost = boosts.boost(
        tx, call.caller, post, visibility=_parse_visibility(visibility or "public"), is_visible=True
    )
    (view,) = post_views.by_entries(
        tx, call.account, [timelines.TimelineEntry(boost.id, post.id, call.caller.id)]
    )
    return JsonResponse(call.entities.status(view, call.account))


def unreblog(tx: Writer, call: ApiRequest) -> JsonResponse:
    post = _post_or_boosted(tx, call)
    boosts.unboost(tx, call.caller, post)
    return JsonResponse(_status_entity(tx, call, post.id))


def bookmark(tx: Writer, call: ApiRequest) -> JsonResponse:
    post = _post_or_boosted(tx, call)
    bookmarks.add(tx, call.caller, post, is_visible=True)
    return JsonResponse(_status_entity(tx, call, post.id))


def unbookmark(tx: Writer, call: ApiRequest) -> JsonResponse:
    post = _post_or_boosted(tx, call)
    bookmarks.remove(tx, call.caller, post)
    return JsonResponse(_status_entity(tx, call, post.id))


def pin(tx: Writer, call: ApiRequest) -> JsonResponse:
    post = _post_or_boosted(tx, call)
    pins.pin(tx, call.caller, post, is_visible=True)
    return JsonResponse(_status_entity(tx, call, post.id))


def unpin(tx: Writer, call: ApiRequest) -> JsonResponse:
    post = _post_or_boosted(tx, call)
    pins.unpin(tx, call.caller, post)
    return JsonResponse(_status_entity(tx, call, post.id))
