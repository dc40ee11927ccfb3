"""Statuses: posting, reading, editing, deleting and pinning. An id may also be that of a boost."""

from __future__ import annotations

from dataclasses import replace

import msgspec

from activitypub.remote import conversations, lookup
from node import rate_limits
from node.accounts import mention_links
from node.attachments import photo_rows
from node.attachments.photo_metadata import SharedMetadata
from node.auth import idempotency_keys
from node.database import Reader, Writer
from node.errors import Invalid, NotAllowed, NotFound
from node.ids import MAX_ID, now_ms, parse_id
from node.interactions import boosts, pins
from node.models.interaction_policy import DEFAULT_POLICY, EVERYONE, NOBODY, InteractionPolicy, rule_for
from node.models.post import Post
from node.posts import posts, revisions
from node.posts.drafts import Draft
from node.publishing import post_deletion, publishing, saved_drafts
from node.text.languages import parse_language
from node.timelines import post_views, timelines
from web.api.endpoint import ApiRequest, JsonResponse, RouteTable
from web.api.entities import API_VISIBILITIES
from web.api.entity_fields import format_datetime
from web.api.params import Params
from web.api.v1.media import parse_focus
from web.api.v1.own.scheduled_statuses import entity as scheduled_status
from web.api.v1.own.scheduled_statuses import parse_scheduled_at
from web.html import custom_emoji

routes = RouteTable()

MAX_POSTS_PER_THREE_HOURS = 300
VERSIONS_PER_PAGE = 40
QUOTE_RULES = {"public": EVERYONE, "followers": rule_for("followers"), "nobody": NOBODY}
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
    """Publishes a post, or schedules it for a time that is still to come (`scheduled_at`).

    With an `Idempotency-Key`, a repeated request gets the same status.
    """
    scheduled_at = request.params.text("scheduled_at")
    publish_at = parse_scheduled_at(scheduled_at) if scheduled_at else None
    _refuse_unsupported(request.params)
    await request.node.db.write(
        rate_limits.count_attempt,
        f"post:{request.caller.id}",
        limit=MAX_POSTS_PER_THREE_HOURS,
        seconds=3 * 3600,
    )
    await lookup.fetch_mentioned_accounts(request.node, request.params.text("status"))
    if "allowed_mentions" in request.params:
        unexpected = await request.node.db.read(_unexpected_mentions, request)
        if unexpected:
            return request.json_response(
                {
                    "error": "This post would mention people you may not expect.",
                    "unexpected_accounts": [msgspec.Raw(body) for body in unexpected],
                },
                422,
            )
    if publish_at is not None and publish_at > now_ms():
        return await request.node.db.write(_schedule, request, publish_at)
    return await request.node.db.write(_create, request)


def _unexpected_mentions(tx: Reader, request: ApiRequest) -> list[bytes]:
    """Returns the accounts that the text mentions and the app does not name as allowed."""
    allowed = {request.caller.id, *request.params.ids("allowed_mentions")}
    caption = mention_links.render_html(tx, request.params.text("status"), author=request.caller)
    return [request.entities.account(one) for one in caption.mentions if one.id not in allowed]


def _schedule(tx: Writer, request: ApiRequest, publish_at: int) -> JsonResponse:
    account, key = request.caller, request.idempotency_key
    draft_id = idempotency_keys.claim(tx, account, key) if key else None
    if draft_id is None:
        draft_id = saved_drafts.save(tx, account, _draft(tx, request), publish_at=publish_at).id
        if key:
            idempotency_keys.record_post(tx, account, key, draft_id)
    saved = saved_drafts.by_id(tx, account, draft_id)
    return request.json_response(scheduled_status(request, saved))


def _create(tx: Writer, request: ApiRequest) -> JsonResponse:
    post = publishing.publish_once(tx, request.caller, request.idempotency_key, _draft(tx, request))
    return JsonResponse(status_entity(tx, request, post.id))


def _draft(tx: Reader, request: ApiRequest) -> Draft:
    account, params = request.caller, request.params
    assert request.user is not None
    visibility = params.text("visibility")
    photo_ids = params.all_ids("media_ids")
    _check_media_attributes(params, photo_ids)
    return Draft(
        caption=params.text("status"),
        photo_ids=photo_ids,
        alts=_media_descriptions(params),
        focuses=_media_focuses(params),
        shared_metadata=SharedMetadata(licence=request.user.default_licence),
        policy=_parse_policy(params, DEFAULT_POLICY),
        visibility=parse_visibility(visibility) if visibility else request.user.default_visibility,
        warning=params.text("spoiler_text"),
        is_sensitive=params.flag("sensitive"),
        language=parse_language(params.text("language")) or request.user.language,
        parent_id=boosts.boosted_id(tx, account, params.reference("in_reply_to_id")),
        quote_id=boosts.boosted_id(tx, account, params.reference("quoted_status_id")),
    )


def _refuse_unsupported(params: Params) -> None:
    """Raises Invalid for what would make another post than the one that was asked for, if it were ignored."""
    if params.flag("local_only") or not params.flag("federated", True):
        raise Invalid("Posts that stay on this server are not supported.", field="local_only")
    for name in ("expires_in", "expires_at"):
        if params.text(name).strip() not in ("", "0"):
            raise Invalid("Posts that are deleted at a time are not supported.", field=name)
    if params.flag("preview"):
        raise Invalid("Previews are not supported.", field="preview")
    if params.text("poll") or any(f"poll[{key}]" in params for key in ("options", "expires_in", "multiple")):
        raise Invalid("Polls are not supported.", field="poll")


def parse_visibility(visibility: str) -> str:
    if visibility not in VISIBILITY_BY_API_NAME:
        raise Invalid("visibility is public, unlisted, private or direct.", field="visibility")
    return VISIBILITY_BY_API_NAME[visibility]


def _check_media_attributes(params: Params, photo_ids: list[int]) -> None:
    """Raises Invalid for what is sent about a photo that is not in the post."""
    for one in params.objects("media_attributes"):
        if parse_id(one.get("id", "")) not in photo_ids:
            raise Invalid("media_attributes names a photo that is not in the post.", field="media_attributes")


def _media_descriptions(params: Params) -> dict[int, str]:
    """Returns the photo descriptions sent along with the post, by photo id."""
    found = {}
    for one in params.objects("media_attributes"):
        id_ = parse_id(one.get("id", ""))
        if id_ is not None and "description" in one:
            found[id_] = one["description"]
    return found


def _media_focuses(params: Params) -> dict[int, tuple[float, float]]:
    """Returns the focal points of photos sent along with the post, by photo id."""
    found = {}
    for one in params.objects("media_attributes"):
        id_, focus = parse_id(one.get("id", "")), parse_focus(one.get("focus", ""))
        if id_ is not None and focus is not None:
            found[id_] = focus
    return found


def _parse_policy(params: Params, kept: InteractionPolicy) -> InteractionPolicy:
    """Returns the policy with the one choice apps have, who may quote; as it was if that is not sent."""
    choice = params.text("quote_approval_policy")
    if not choice:
        return kept
    if choice not in QUOTE_RULES:
        raise Invalid("quote_approval_policy is public, followers or nobody.", field="quote_approval_policy")
    return replace(kept, quote=QUOTE_RULES[choice])


@routes.asynchronous("PUT", "/api/v1/statuses/{id}", "write:statuses")
async def edit(request: ApiRequest) -> JsonResponse:
    _refuse_unsupported(request.params)
    await lookup.fetch_mentioned_accounts(request.node, request.params.text("status"))
    return await request.node.db.write(_edit, request)


def _edit(tx: Writer, request: ApiRequest) -> JsonResponse:
    """Edits a post. Parameters that are not sent keep their values."""
    post, params = _own_post(tx, request), request.params
    (view,) = post_views.by_entries(tx, request.account, [post.id])
    kept = [photo.id for photo in view.photos]
    photo_ids = params.all_ids("media_ids") if params.is_sent("media_ids") else kept
    _check_media_attributes(params, photo_ids)
    draft = Draft(
        caption=params.text("status") if "status" in params else post.source,
        photo_ids=photo_ids,
        alts=_media_descriptions(params),
        focuses=_media_focuses(params),
        visibility=post.visibility,
        warning=params.text("spoiler_text") if "spoiler_text" in params else post.warning,
        is_sensitive=params.flag("sensitive") if "sensitive" in params else post.is_sensitive,
        language=parse_language(params.text("language")) or post.language,
        parent_id=post.parent_id,
        policy=_parse_policy(params, post.interaction_policy),
    )
    publishing.edit(tx, request.caller, post, draft)
    return JsonResponse(status_entity(tx, request, post.id))


@routes.write("DELETE", "/api/v1/statuses/{id}", "write:statuses")
def delete(tx: Writer, request: ApiRequest) -> JsonResponse:
    """Deletes a post, or undoes a boost by its own id.

    The response holds the text, and the photos at addresses that only their author has, so that it can be posted again.
    """
    boost = boosts.by_id(tx, request.path_id())
    if boost is not None and boost.account_id == request.caller.id:
        post = posts.visible_by_id(tx, request.account, boost.post_id)
        boosts.unboost(tx, request.caller, post)
        return JsonResponse(status_entity(tx, request, post.id))
    post = _own_post(tx, request)
    deleted = msgspec.json.decode(status_entity(tx, request, post.id))
    keeps_photos = not request.params.flag("delete_media")
    post_deletion.delete(tx, request.caller, post, keeps_photos=keeps_photos)
    kept = photo_rows.by_ids(tx, [int(one["id"]) for one in deleted["media_attachments"]])
    deleted["media_attachments"] = [
        request.entities.attachment(kept[int(one["id"])], request.caller)
        for one in deleted["media_attachments"]
        if int(one["id"]) in kept
    ]
    return request.json_response(deleted | {"text": post.source})


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
    """Returns the text as the author typed it, for editing; of a remote post the HTML that its server sent."""
    post = post_or_boosted(tx, request)
    text = post.source if post.is_local else post.caption
    return request.json_response({"id": str(post.id), "text": text, "spoiler_text": post.warning})


@routes.public("/api/v1/statuses/{id}/history", "read:statuses")
def list_history(tx: Reader, request: ApiRequest) -> JsonResponse:
    """Returns the versions of a post, oldest first, the current one last.

    Of more than `limit` those are the latest, and `Link` leads to the versions before them.
    """
    post = post_or_boosted(tx, request)
    page = request.requested_page(VERSIONS_PER_PAGE, VERSIONS_PER_PAGE)
    versions = revisions.by_post(tx, post, page)
    (view,) = post_views.by_entries(tx, request.account, [post.id])
    account = msgspec.Raw(request.entities.account(view.author))
    attachments = {one["id"]: one for one in request.entities.attachments(view, request.account)}
    emojis = custom_emoji.to_entities(tx.site, custom_emoji.post_emoji(post, view.author))
    bodies = [
        msgspec.json.encode(
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
                "emojis": emojis,
                "poll": None,
                "quote": None,
            }
        )
        for version in versions
    ]
    has_others = page.max_id or page.min_id or revisions.has_older(tx, post, versions)
    ids = [version.id or MAX_ID for version in versions] if has_others else []
    return request.page_response(bodies, page, ids)


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
