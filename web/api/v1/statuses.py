"""Statuses: posting, reading, editing, deleting and pinning. An id may also be that of a boost."""

from __future__ import annotations

import msgspec

from activitypub.remote import conversations, lookup
from node import rate_limits
from node.auth import idempotency_keys
from node.database import Reader, Writer
from node.errors import Invalid, NotAllowed, NotFound
from node.ids import parse_id
from node.interactions import boosts, pins
from node.models.post import Post
from node.posts import posts, revisions
from node.posts.drafts import Draft
from node.publishing import post_deletion, publishing
from node.timelines import post_views, timelines
from web.api.endpoint import ApiRequest, JsonResponse, RouteTable
from web.api.entities import API_VISIBILITIES
from web.api.entity_fields import format_datetime
from web.api.params import Params
from web.html import custom_emoji

routes = RouteTable()

MAX_POSTS_PER_THREE_HOURS = 300
VISIBILITY_BY_API_NAME = {api_name: visibility for visibility, api_name in API_VISIBILITIES.items()}


def post_or_boosted(tx: Reader, request: ApiRequest) -> Post:
    """Returns the post in the path, or the boosted post when the id is that of a boost. Raises NotFound."""
    id_ = request.path_id()
    try:
        return posts.visible_by_id(tx, request.account, id_)
    except NotFound:
        boost = boosts.visible_by_id(tx, request.account, id_)
        if boost is None:
            raise
        return posts.visible_by_id(tx, request.account, boost.post_id)


def _own_post(tx: Reader, request: ApiRequest) -> Post:
    post = posts.visible_by_id(tx, request.account, request.path_id())
    if post.account_id != request.caller.id:
        raise NotAllowed("This post belongs to someone else.")
    return post


def status_entity(tx: Reader, request: ApiRequest, post_id: int) -> bytes:
    shown = post_views.by_entries(tx, request.account, [post_id])
    if not shown:
        raise NotFound
    return request.entities.status(shown[0], request.account)


@routes.public("/api/v1/statuses/{id}", "read:statuses")
def show(tx: Reader, request: ApiRequest) -> JsonResponse:
    id_ = request.path_id()
    boost = boosts.visible_by_id(tx, request.account, id_)
    if boost is not None:
        shown = post_views.by_entries(
            tx, request.account, [timelines.TimelineEntry(boost.id, boost.post_id, boost.account_id)]
        )
        if not shown:
            raise NotFound
        return JsonResponse(request.entities.status(shown[0], request.account))
    return JsonResponse(status_entity(tx, request, id_))


@routes.asynchronous("POST", "/api/v1/statuses", "write:statuses")
async def create(request: ApiRequest) -> JsonResponse:
    """Publishes a post. With an `Idempotency-Key`, a repeated request gets the same status."""
    if request.params.text("scheduled_at"):
        raise Invalid("Scheduled posts are not supported.", field="scheduled_at")
    if "poll[options]" in request.params:
        raise Invalid("Polls are not supported.", field="poll")
    await request.node.db.write(
        rate_limits.count_attempt,
        f"post:{request.caller.id}",
        limit=MAX_POSTS_PER_THREE_HOURS,
        seconds=3 * 3600,
    )
    await lookup.fetch_mentioned_accounts(request.node, request.params.text("status"))
    return await request.node.db.write(_create, request)


def _create(tx: Writer, request: ApiRequest) -> JsonResponse:
    account, params, key = request.caller, request.params, request.idempotency_key
    assert request.user is not None
    if key and (known := idempotency_keys.claim(tx, account, key)):
        return JsonResponse(status_entity(tx, request, known))
    visibility = params.text("visibility")
    draft = Draft(
        caption=params.text("status"),
        photo_ids=params.ids("media_ids"),
        alts=_media_descriptions(params),
        visibility=parse_visibility(visibility) if visibility else request.user.default_visibility,
        warning=params.text("spoiler_text"),
        is_sensitive=params.flag("sensitive"),
        language=params.text("language") or request.user.language,
        parent_id=params.id("in_reply_to_id"),
        quote_id=params.id("quoted_status_id"),
    )
    post = publishing.publish(tx, account, draft)
    if key:
        idempotency_keys.record_post(tx, account, key, post.id)
    return JsonResponse(status_entity(tx, request, post.id))


def parse_visibility(visibility: str) -> str:
    if visibility not in VISIBILITY_BY_API_NAME:
        raise Invalid("visibility is public, unlisted, private or direct.", field="visibility")
    return VISIBILITY_BY_API_NAME[visibility]


def _media_descriptions(params: Params) -> dict[int, str]:
    """Returns the photo descriptions sent along with the post, by photo id."""
    found = {}
    for one in params.objects("media_attributes"):
        id_ = parse_id(one.get("id", ""))
        if id_ is not None and "description" in one:
            found[id_] = one["description"]
    return found


@routes.asynchronous("PUT", "/api/v1/statuses/{id}", "write:statuses")
async def edit(request: ApiRequest) -> JsonResponse:
    await lookup.fetch_mentioned_accounts(request.node, request.params.text("status"))
    return await request.node.db.write(_edit, request)


def _edit(tx: Writer, request: ApiRequest) -> JsonResponse:
    """Edits a post. Parameters that are not sent keep their values."""
    post, params = _own_post(tx, request), request.params
    (view,) = post_views.by_entries(tx, request.account, [post.id])
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
    publishing.edit(tx, request.caller, post, draft)
    return JsonResponse(status_entity(tx, request, post.id))


@routes.write("DELETE", "/api/v1/statuses/{id}", "write:statuses")
def delete(tx: Writer, request: ApiRequest) -> JsonResponse:
    """Deletes a post, or undoes a boost by its own id. The response holds the text, so that it can be posted again."""
    boost = boosts.by_id(tx, request.path_id())
    if boost is not None and boost.account_id == request.caller.id:
        post = posts.visible_by_id(tx, request.account, boost.post_id)
        boosts.unboost(tx, request.caller, post)
        return JsonResponse(status_entity(tx, request, post.id))
    post = _own_post(tx, request)
    body = status_entity(tx, request, post.id)
    post_deletion.delete(tx, request.caller, post)
    return JsonResponse(body[:-1] + b',"text":' + msgspec.json.encode(post.source) + b"}")


@routes.asynchronous("GET", "/api/v1/statuses/{id}/context", "read:statuses", access="anyone")
async def show_context(request: ApiRequest) -> JsonResponse:
    """Returns the ancestors and descendants of a post.

    This also queues a fetch of its remote replies, for the next time.
    """
    if request.account is not None:
        await conversations.queue_crawl(request.node, await request.node.db.read(post_or_boosted, request))
    return await request.node.db.read(_show_context, request)


def _show_context(tx: Reader, request: ApiRequest) -> JsonResponse:
    ancestors, descendants = timelines.thread(tx, request.account, post_or_boosted(tx, request))
    return request.json_response(
        {
            name: [
                msgspec.Raw(body)
                for body in request.entities.statuses(
                    post_views.by_entries(tx, request.account, ids), request.account
                )
            ]
            for name, ids in (("ancestors", ancestors), ("descendants", descendants))
        }
    )


@routes.read("/api/v1/statuses/{id}/source", "read:statuses")
def show_source(tx: Reader, request: ApiRequest) -> JsonResponse:
    """Returns the text as the author typed it, for editing."""
    post = _own_post(tx, request)
    return request.json_response({"id": str(post.id), "text": post.source, "spoiler_text": post.warning})


@routes.public("/api/v1/statuses/{id}/history", "read:statuses")
def list_history(tx: Reader, request: ApiRequest) -> JsonResponse:
    """Returns all versions of a post, oldest first, the current one last."""
    post = post_or_boosted(tx, request)
    (view,) = post_views.by_entries(tx, request.account, [post.id])
    account = msgspec.Raw(request.entities.account(view.author))
    attachments = {one["id"]: one for one in request.entities.attachments(view)}
    return request.json_response(
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


@routes.write("POST", "/api/v1/statuses/{id}/pin", "write:accounts")
def pin(tx: Writer, request: ApiRequest) -> JsonResponse:
    post = post_or_boosted(tx, request)
    pins.pin(tx, request.caller, post, visibility_checked=True)
    return JsonResponse(status_entity(tx, request, post.id))


@routes.write("POST", "/api/v1/statuses/{id}/unpin", "write:accounts")
def unpin(tx: Writer, request: ApiRequest) -> JsonResponse:
    post = post_or_boosted(tx, request)
    pins.unpin(tx, request.caller, post)
    return JsonResponse(status_entity(tx, request, post.id))
