"""Accounts: profiles, their lists of posts, followers and follows; following, blocking and muting."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from activitypub.remote import profile_preview
from node.accounts import accounts, relationships
from node.database import Reader, Writer
from node.errors import Invalid, NotFound
from node.ids import MAX_ID
from node.interactions import blocks, follows, pins
from node.models.account import Account, ListedAccount
from node.paging import Found, Page
from node.text import formatting
from node.timelines import post_summaries, post_views, timelines
from node.timelines.post_views import PostView
from web.api.endpoint import ApiRequest, JsonResponse, RouteTable
from web.api.entity_fields import format_optional_datetime, relationship

routes = RouteTable()

DEFAULT_LIST_LIMIT, MAX_LIST_LIMIT = 40, 80


@routes.public("/api/v1/accounts/{id}", "read:accounts")
def show(tx: Reader, request: ApiRequest) -> JsonResponse:
    return _account_response(tx, request, request.path_account(tx))


def _account_response(tx: Reader, request: ApiRequest, account: Account) -> JsonResponse:
    """Returns a response with one account; one that has moved names the account it moved to."""
    return JsonResponse(request.entities.account_with_move(tx, account))


@routes.public("/api/v1/accounts/lookup", "read:accounts")
def lookup(tx: Reader, request: ApiRequest) -> JsonResponse:
    """Finds an account by its handle among those in the database; only the search asks other servers."""
    account = accounts.by_handle(tx, request.required_param("acct"))
    if account is None or account.deleted_at is not None:
        raise NotFound
    return _account_response(tx, request, account)


@routes.read("/api/v1/accounts/relationships", "read:follows")
def show_relationships(tx: Reader, request: ApiRequest) -> JsonResponse:
    """Returns the caller's relationship with each of the accounts; unknown ids are left out."""
    found = relationships.with_accounts(tx, request.caller, request.params.ids("id"))
    return request.json_response([relationship(one) for one in found])


@routes.asynchronous("GET", "/api/v1/accounts/{id}/statuses", "read:statuses", access="anyone")
async def list_statuses(request: ApiRequest) -> JsonResponse:
    """Returns the posts of an account.

    For a remote one this also queues a fetch of its newest posts, for the next time.
    """
    if request.account is not None:
        account = await request.node.db.read(request.path_account)
        await profile_preview.queue_refresh(request.node, account)
    return await request.node.db.read(_list_statuses, request)


def _list_statuses(tx: Reader, request: ApiRequest) -> JsonResponse:
    """Returns the posts and boosts of an account; or its pinned posts, the latest pin first.

    Lists with photos or with a hashtag have no boosts, as in Mastodon: photos that somebody else has taken are not theirs.
    """
    account, page = request.path_account(tx), request.requested_page()
    if request.params.flag("pinned"):
        shown = _pinned(tx, request, account, page)
        return request.page_response(
            request.entities.statuses(shown, request.account),
            page,
            shown.replaced_by([]),
            "pinned",
            "only_media",
            "exclude_replies",
            "tagged",
        )
    only_photos, tagged = request.params.flag("only_media"), request.params.text("tagged")
    entries = timelines.profile(
        tx,
        request.account,
        account,
        page,
        only_photos=only_photos,
        include_comments=not request.params.flag("exclude_replies"),
        include_boosts=not (request.params.flag("exclude_reblogs") or only_photos or tagged),
        tagged=tagged,
    )
    bodies = request.entities.page(
        tx, request.account, post_summaries.by_entries(tx, request.account, entries)
    )
    ids = entries.replaced_by([entry.id for entry in entries])
    return request.page_response(
        bodies, page, ids, "only_media", "exclude_replies", "exclude_reblogs", "tagged"
    )


def _pinned(tx: Reader, request: ApiRequest, account: Account, page: Page) -> Found[PostView]:
    """Returns the pinned posts that the other parameters of the list select, the latest pin first.

    A `max_id` that is one of them is a place in this order; any other bound is one of ids.
    """
    params = request.params
    tag = formatting.normalize_hashtag(params.text("tagged")) if params.text("tagged") else ""
    below, above = page.max_id or MAX_ID, max(page.min_id or 0, page.since_id or 0)
    ids = pins.post_ids(tx, request.account, account)
    if below in ids:
        ids, below = ids[ids.index(below) + 1 :], MAX_ID
    shown = [
        view
        for view in post_views.by_entries(tx, request.account, ids)
        if above < view.post.id < below
        and (view.photos or not params.flag("only_media"))
        and not (view.post.is_comment and params.flag("exclude_replies"))
        and (not tag or tag in dict(view.hashtags))
    ]
    listed = shown[: page.limit]
    return Found(listed, older=listed[-1].post.id if len(shown) > len(listed) else None)


def account_list_response(
    request: ApiRequest, list_page: Callable[[Page], Found[ListedAccount]]
) -> JsonResponse:
    """Responds with one page of a list of accounts, which `list_page` reads: the page that the request names."""
    page = request.requested_page(DEFAULT_LIST_LIMIT, MAX_LIST_LIMIT)
    listed = list_page(page)
    bodies = [request.entities.account(one.account) for one in listed]
    return request.page_response(bodies, page, listed.replaced_by([one.id for one in listed]))


@routes.public("/api/v1/accounts/{id}/followers", "read:accounts")
def list_followers(tx: Reader, request: ApiRequest) -> JsonResponse:
    return account_list_response(
        request, lambda page: follows.followers(tx, request.path_account(tx), request.account, page)
    )


@routes.public("/api/v1/accounts/{id}/following", "read:accounts")
def list_following(tx: Reader, request: ApiRequest) -> JsonResponse:
    return account_list_response(
        request, lambda page: follows.following(tx, request.path_account(tx), request.account, page)
    )


@routes.read("/api/v1/blocks", "read:blocks")
def list_blocked(tx: Reader, request: ApiRequest) -> JsonResponse:
    return account_list_response(request, lambda page: blocks.blocked_accounts(tx, request.caller, page))


@routes.read("/api/v1/mutes", "read:mutes")
def list_muted(tx: Reader, request: ApiRequest) -> JsonResponse:
    """Returns the muted accounts, each with when its mute ends."""
    page = request.requested_page(DEFAULT_LIST_LIMIT, MAX_LIST_LIMIT)
    listed = blocks.muted_accounts(tx, request.caller, page)
    ends = blocks.mute_ends(tx, request.caller, [one.account.id for one in listed])
    bodies = [
        msgspec.json.encode(
            request.entities.account_fields(one.account)
            | {"mute_expires_at": format_optional_datetime(ends.get(one.account.id))}
        )
        for one in listed
    ]
    return request.page_response(bodies, page, listed.replaced_by([one.id for one in listed]))


def _relationship_response(tx: Reader, request: ApiRequest, account: Account) -> JsonResponse:
    """Returns a response with the relationship after the action."""
    (between,) = relationships.with_accounts(tx, request.caller, [account.id])
    return request.json_response(relationship(between))


def _shows_boosts(tx: Reader, account: Account, other: Account) -> bool:
    existing = relationships.follow_between(tx, account, other)
    return existing is None or existing.shows_boosts


@routes.write("POST", "/api/v1/accounts/{id}/follow", "write:follows")
def follow(tx: Writer, request: ApiRequest) -> JsonResponse:
    """Follows an account. Following again changes only whether its boosts are shown.

    What this node cannot do is refused: to notify of each post, and to show only some languages.
    """
    if request.params.flag("notify"):
        raise Invalid("Notifications of each post of an account are not supported.", field="notify")
    if any(request.params.all_values("languages")):
        raise Invalid("Following an account in some languages only is not supported.", field="languages")
    account = request.path_account(tx)
    shows_boosts = request.params.flag("reblogs", _shows_boosts(tx, request.caller, account))
    follows.follow(tx, request.caller, account, shows_boosts=shows_boosts)
    return _relationship_response(tx, request, account)


@routes.write("POST", "/api/v1/accounts/{id}/unfollow", "write:follows")
def unfollow(tx: Writer, request: ApiRequest) -> JsonResponse:
    account = request.path_account(tx)
    follows.unfollow(tx, request.caller, account)
    return _relationship_response(tx, request, account)


@routes.write("POST", "/api/v1/accounts/{id}/remove_from_followers", "write:follows")
def remove_from_followers(tx: Writer, request: ApiRequest) -> JsonResponse:
    account = request.path_account(tx)
    follows.remove_follower(tx, request.caller, account)
    return _relationship_response(tx, request, account)


@routes.write("POST", "/api/v1/accounts/{id}/block", "write:blocks")
def block(tx: Writer, request: ApiRequest) -> JsonResponse:
    account = request.path_account(tx)
    blocks.block(tx, request.caller, account)
    return _relationship_response(tx, request, account)


@routes.write("POST", "/api/v1/accounts/{id}/unblock", "write:blocks")
def unblock(tx: Writer, request: ApiRequest) -> JsonResponse:
    account = request.path_account(tx)
    blocks.unblock(tx, request.caller, account)
    return _relationship_response(tx, request, account)


def _parse_duration(text: str) -> int:
    """Returns a number of seconds, 0 for none. Raises Invalid."""
    text = text.strip() or "0"
    if not (text.isascii() and text.isdecimal() and len(text) <= 12):
        raise Invalid("duration is a number of seconds.", field="duration")
    return int(text)


@routes.write("POST", "/api/v1/accounts/{id}/mute", "write:mutes")
def mute(tx: Writer, request: ApiRequest) -> JsonResponse:
    """Mutes an account, for `duration` seconds or, with 0 or none, until it is unmuted."""
    account, seconds = request.path_account(tx), _parse_duration(request.params.text("duration"))
    blocks.mute(
        tx,
        request.caller,
        account,
        hides_notifications=request.params.flag("notifications", True),
        seconds=seconds,
    )
    return _relationship_response(tx, request, account)


@routes.write("POST", "/api/v1/accounts/{id}/unmute", "write:mutes")
def unmute(tx: Writer, request: ApiRequest) -> JsonResponse:
    account = request.path_account(tx)
    blocks.unmute(tx, request.caller, account)
    return _relationship_response(tx, request, account)
