"""Accounts: profiles, who follows whom, and what one person decides about another."""

from __future__ import annotations

import msgspec

from activitypub.remote import profile_preview
from node.accounts import accounts, relationships
from node.database import Reader, Writer
from node.errors import NotFound
from node.interactions import blocks, follows, pins
from node.lifecycle import migration
from node.models.account import Account, ListedAccount
from node.text import formatting
from node.timelines import post_summaries, post_views, timelines
from web.api.endpoint import ApiRequest, JsonResponse
from web.api.entities import API_VISIBILITIES
from web.api.entity_fields import relationship

DEFAULT_LIST_LIMIT, MAX_LIST_LIMIT = 40, 80


def show(tx: Reader, call: ApiRequest) -> JsonResponse:
    return _account_response(tx, call, call.path_account(tx))


def _account_response(tx: Reader, call: ApiRequest, account: Account) -> JsonResponse:
    """One account; of somebody who has moved with the account they moved to."""
    moved = None if account.is_inactive else migration.destination(tx, account)
    if moved is None:
        return JsonResponse(call.entities.account(account))
    fields = call.entities.account_fields(account)
    return call.json_response(fields | {"moved": msgspec.Raw(call.entities.account(moved))})


def lookup(tx: Reader, call: ApiRequest) -> JsonResponse:
    """By handle, among the people known here; other servers are asked by the search."""
    account = accounts.by_handle(tx, call.required_param("acct"))
    if account is None or account.deleted_at is not None:
        raise NotFound
    return _account_response(tx, call, account)


def verify_credentials(tx: Reader, call: ApiRequest) -> JsonResponse:
    """The caller, with what only they may know of themselves."""
    who, user = call.caller, call.user
    assert user is not None
    fields = call.entities.account_fields(who)
    fields["source"] = {
        "privacy": API_VISIBILITIES[user.default_visibility],
        "sensitive": False,
        "language": user.language or None,
        "note": who.bio_source,
        "fields": [{"name": name, "value": value, "verified_at": None} for name, value in who.source_fields],
        "follow_requests_count": follows.requests_count(tx, who),
        "hide_collections": who.hides_follows,
        "discoverable": who.is_discoverable,
        "indexable": who.is_indexable,
        "attribution_domains": who.attribution_domain_list,
        "quote_policy": "nobody",
    }
    moved = migration.destination(tx, who)
    if moved is not None:
        fields["moved"] = msgspec.Raw(call.entities.account(moved))
    fields["role"] = {
        "id": {"admin": "3", "moderator": "2"}.get(user.role, "1"),
        "name": user.role if user.role != "user" else "",
        "color": "",
        "permissions": "0",
        "highlighted": False,
        "collection_limit": 0,
    }
    return call.json_response(fields)


def show_relationships(tx: Reader, call: ApiRequest) -> JsonResponse:
    """How the caller stands to each of the people asked about; unknown ids are left out."""
    found = relationships.with_accounts(tx, call.caller, call.params.ids("id"))
    return call.json_response([relationship(one) for one in found])


async def list_statuses(call: ApiRequest) -> JsonResponse:
    """What someone posted; somebody of another server is also asked for by this, for the next time."""
    account = await call.node.db.read(call.path_account)
    if call.account is not None:
        await profile_preview.queue_refresh(call.node, account)
    return await call.node.db.read(_list_statuses, call)


def _list_statuses(tx: Reader, call: ApiRequest) -> JsonResponse:
    """What someone posted and boosted; or what they have pinned, the latest first."""
    account, page = call.path_account(tx), call.requested_page()
    if call.params.flag("pinned"):
        shown = post_views.by_entries(tx, call.account, pins.post_ids(tx, call.account, account))
        return call.page_response(call.entities.statuses(shown, call.account), page, [])
    entries = timelines.profile(
        tx,
        call.account,
        account,
        page,
        only_photos=call.params.flag("only_media"),
        include_comments=not call.params.flag("exclude_replies"),
        include_boosts=not call.params.flag("exclude_reblogs"),
    )
    if tag := call.params.text("tagged"):
        name = formatting.normalize_hashtag(tag)
        shown = [
            view for view in post_views.by_entries(tx, call.account, entries) if name in dict(view.hashtags)
        ]
        bodies = call.entities.statuses(shown, call.account)
    else:
        bodies = call.entities.page(tx, call.account, post_summaries.by_entries(tx, call.account, entries))
    ids = [entry.id for entry in entries]
    return call.page_response(bodies, page, ids, "only_media", "exclude_replies", "exclude_reblogs", "tagged")


def account_entities(call: ApiRequest, listed: list[ListedAccount]) -> tuple[list[bytes], list[int]]:
    """The accounts of a list, and the ids that it is paged by."""
    return [call.entities.account(one.account) for one in listed], [one.id for one in listed]


def list_followers(tx: Reader, call: ApiRequest) -> JsonResponse:
    page = call.requested_page(DEFAULT_LIST_LIMIT, MAX_LIST_LIMIT)
    bodies, ids = account_entities(call, follows.followers(tx, call.path_account(tx), call.account, page))
    return call.page_response(bodies, page, ids)


def list_following(tx: Reader, call: ApiRequest) -> JsonResponse:
    page = call.requested_page(DEFAULT_LIST_LIMIT, MAX_LIST_LIMIT)
    bodies, ids = account_entities(call, follows.following(tx, call.path_account(tx), call.account, page))
    return call.page_response(bodies, page, ids)


def list_blocked(tx: Reader, call: ApiRequest) -> JsonResponse:
    page = call.requested_page(DEFAULT_LIST_LIMIT, MAX_LIST_LIMIT)
    bodies, ids = account_entities(call, blocks.blocked_accounts(tx, call.caller, page))
    return call.page_response(bodies, page, ids)


def list_muted(tx: Reader, call: ApiRequest) -> JsonResponse:
    page = call.requested_page(DEFAULT_LIST_LIMIT, MAX_LIST_LIMIT)
    bodies, ids = account_entities(call, blocks.muted_accounts(tx, call.caller, page))
    return call.page_response(bodies, page, ids)


def _relationship_response(tx: Reader, call: ApiRequest, account: Account) -> JsonResponse:
    """The relationship after a deed."""
    (between,) = relationships.with_accounts(tx, call.caller, [account.id])
    return call.json_response(relationship(between))


def follow(tx: Writer, call: ApiRequest) -> JsonResponse:
    """Following again changes only whether boosts are shown."""
    account = call.path_account(tx)
    follows.follow(tx, call.caller, account, shows_boosts=call.params.flag("reblogs", True))
    return _relationship_response(tx, call, account)


def unfollow(tx: Writer, call: ApiRequest) -> JsonResponse:
    account = call.path_account(tx)
    follows.unfollow(tx, call.caller, account)
    return _relationship_response(tx, call, account)


def remove_from_followers(tx: Writer, call: ApiRequest) -> JsonResponse:
    account = call.path_account(tx)
    follows.remove_follower(tx, call.caller, account)
    return _relationship_response(tx, call, account)


def block(tx: Writer, call: ApiRequest) -> JsonResponse:
    account = call.path_account(tx)
    blocks.block(tx, call.caller, account)
    return _relationship_response(tx, call, account)


def unblock(tx: Writer, call: ApiRequest) -> JsonResponse:
    account = call.path_account(tx)
    blocks.unblock(tx, call.caller, account)
    return _relationship_response(tx, call, account)


def mute(tx: Writer, call: ApiRequest) -> JsonResponse:
    account = call.path_account(tx)
    blocks.mute(tx, call.caller, account, hides_notifications=call.params.flag("notifications", True))
    return _relationship_response(tx, call, account)


def unmute(tx: Writer, call: ApiRequest) -> JsonResponse:
    account = call.path_account(tx)
    blocks.unmute(tx, call.caller, account)
    return _relationship_response(tx, call, account)
