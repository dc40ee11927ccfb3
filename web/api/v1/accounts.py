"""Accounts: profiles, who follows whom, and what one person decides about another."""

from __future__ import annotations

import msgspec

from activitypub.remote import profile_preview
from node.accounts import accounts, relationships
from node.database import Reader, Writer
from node.errors import NotFound
from node.interactions import blocks, follows, pins
from node.lifecycle import migration
from node.models.account import Account, Listed
from node.text import formatting
from node.timelines import post_summaries, post_views, timelines
from web.api.endpoint import Answer, Call
from web.api.entities import VISIBILITIES
from web.api.entity_fields import relationship

LISTED_DEFAULT, LISTED_MOST = 40, 80


def show(tx: Reader, call: Call) -> Answer:
    return _account(tx, call, call.person(tx))


def _account(tx: Reader, call: Call, account: Account) -> Answer:
    """One account; of somebody who has moved with the account they moved to."""
    moved = None if account.is_gone else migration.destination(tx, account)
    if moved is None:
        return Answer(call.entities.account(account))
    fields = call.entities.account_fields(account)
    return call.json(fields | {"moved": msgspec.Raw(call.entities.account(moved))})


def lookup(tx: Reader, call: Call) -> Answer:
    """By handle, among the people known here; other servers are asked by the search."""
    account = accounts.by_handle(tx, call.required("acct"))
    if account is None or account.deleted_at is not None:
        raise NotFound
    return _account(tx, call, account)


def verify_credentials(tx: Reader, call: Call) -> Answer:
    """The caller, with what only they may know of themselves."""
    who, user = call.who, call.user
    assert user is not None
    fields = call.entities.account_fields(who)
    fields["source"] = {
        "privacy": VISIBILITIES[user.default_visibility],
        "sensitive": False,
        "language": user.language or None,
        "note": who.bio_source,
        "fields": [{"name": name, "value": value, "verified_at": None} for name, value in who.typed_fields],
        "follow_requests_count": follows.requests_count(tx, who),
        "hide_collections": who.hides_follows,
        "discoverable": who.is_discoverable,
        "indexable": who.is_indexable,
        "attribution_domains": who.sites,
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
    return call.json(fields)


def relationships_of(tx: Reader, call: Call) -> Answer:
    """How the caller stands to each of the people asked about; unknown ids are left out."""
    found = relationships.of(tx, call.who, call.params.ids("id"))
    return call.json([relationship(one) for one in found])


async def statuses(call: Call) -> Answer:
    """What someone posted; somebody of another server is also asked for by this, for the next time."""
    account = await call.node.db.read(call.person)
    if call.account is not None:
        await profile_preview.ask(call.node, account)
    return await call.node.db.read(_statuses, call)


def _statuses(tx: Reader, call: Call) -> Answer:
    """What someone posted and boosted; or what they have pinned, the latest first."""
    account, page = call.person(tx), call.page()
    if call.params.flag("pinned"):
        shown = post_views.of(tx, call.account, pins.of(tx, call.account, account))
        return call.listed(call.entities.statuses(shown, call.account), page, [])
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
        name = formatting.normal_tag(tag)
        shown = [view for view in post_views.of(tx, call.account, entries) if name in dict(view.hashtags)]
        bodies = call.entities.statuses(shown, call.account)
    else:
        bodies = call.entities.page(tx, call.account, post_summaries.of(tx, call.account, entries))
    ids = [entry.id for entry in entries]
    return call.listed(bodies, page, ids, "only_media", "exclude_replies", "exclude_reblogs", "tagged")


def people(call: Call, listed: list[Listed]) -> tuple[list[bytes], list[int]]:
    """The accounts of a list, and the ids that it is paged by."""
    return [call.entities.account(one.account) for one in listed], [one.id for one in listed]


def followers(tx: Reader, call: Call) -> Answer:
    page = call.page(LISTED_DEFAULT, LISTED_MOST)
    bodies, ids = people(call, follows.followers(tx, call.person(tx), call.account, page))
    return call.listed(bodies, page, ids)


def following(tx: Reader, call: Call) -> Answer:
    page = call.page(LISTED_DEFAULT, LISTED_MOST)
    bodies, ids = people(call, follows.following(tx, call.person(tx), call.account, page))
    return call.listed(bodies, page, ids)


def blocked(tx: Reader, call: Call) -> Answer:
    page = call.page(LISTED_DEFAULT, LISTED_MOST)
    bodies, ids = people(call, blocks.blocked_by(tx, call.who, page))
    return call.listed(bodies, page, ids)


def muted(tx: Reader, call: Call) -> Answer:
    page = call.page(LISTED_DEFAULT, LISTED_MOST)
    bodies, ids = people(call, blocks.muted_by(tx, call.who, page))
    return call.listed(bodies, page, ids)


def _now(tx: Reader, call: Call, account: Account) -> Answer:
    """The relationship after a deed."""
    (between,) = relationships.of(tx, call.who, [account.id])
    return call.json(relationship(between))


def follow(tx: Writer, call: Call) -> Answer:
    """Following again changes only whether boosts are shown."""
    account = call.person(tx)
    follows.follow(tx, call.who, account, shows_boosts=call.params.flag("reblogs", True))
    return _now(tx, call, account)


def unfollow(tx: Writer, call: Call) -> Answer:
    account = call.person(tx)
    follows.unfollow(tx, call.who, account)
    return _now(tx, call, account)


def remove_from_followers(tx: Writer, call: Call) -> Answer:
    account = call.person(tx)
    follows.remove_follower(tx, call.who, account)
    return _now(tx, call, account)


def block(tx: Writer, call: Call) -> Answer:
    account = call.person(tx)
    blocks.block(tx, call.who, account)
    return _now(tx, call, account)


def unblock(tx: Writer, call: Call) -> Answer:
    account = call.person(tx)
    blocks.unblock(tx, call.who, account)
    return _now(tx, call, account)


def mute(tx: Writer, call: Call) -> Answer:
    account = call.person(tx)
    blocks.mute(tx, call.who, account, hides_notifications=call.params.flag("notifications", True))
    return _now(tx, call, account)


def unmute(tx: Writer, call: Call) -> Answer:
    account = call.person(tx)
    blocks.unmute(tx, call.who, account)
    return _now(tx, call, account)
