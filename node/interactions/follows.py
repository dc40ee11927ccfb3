"""Follows and follow requests. Owns `follows`. One function serves pages, the client API and the inbox.

A follow of a remote account is pending until its server sends Accept, and gives nothing before. Counts, the home
feed and the outgoing activities change in the same unit of work as the row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from node.accounts import accounts, relationships
from node.accounts.relationships import Follow
from node.database import Reader, Writer, bounded_pages, build, columns
from node.database.bounded_pages import Walk, clause
from node.errors import Conflict, Invalid, NotAllowed, NotFound
from node.federation import outbox
from node.ids import new_id, now_ms
from node.interactions import account_lists
from node.models import deletion_hooks
from node.models.account import Account, ListedAccount
from node.moderation import domain_rules
from node.notifications import notifications
from node.paging import Found, Page
from node.posts import home_feed

RESEND_REQUEST_AFTER_MS = 24 * 60 * 60 * 1000  # ms
MAX_FOLLOWED = 20_000
_GOTOSOCIAL_FOLLOW = re.compile(r"/users/[^/]+/follow/[0-9A-HJKMNP-TV-Z]{26}$")
MAX_COUNTED_REQUESTS = 500
_OWN_ID = "#follows/"
_HOST_SQL = "COALESCE((SELECT host FROM accounts WHERE id = :follower_id AND NOT is_local), '')"


def is_own_id(tx: Reader, uri: str | None) -> bool:
    """Returns whether a URI is the id of a follow by a local account, one that stands or one that has ended."""
    return uri is not None and uri.startswith(f"{tx.site.base_url}/") and _OWN_ID in uri


def follow(
    tx: Writer, account: Account, target: Account, *, shows_boosts: bool = True, uri: str | None = None
) -> Follow:
    """Follows an account, or requests to. Following twice changes nothing but `shows_boosts`.

    `uri` is the id that a remote server gave the follow. A Follow received again is answered again, since the first
    answer may have been lost; a request to a remote account is sent again once it is `RESEND_REQUEST_AFTER_MS` old.
    Raises NotFound where there is no such account or a block between the two, NotAllowed for an account that may
    not follow, follows `MAX_FOLLOWED`, has moved, or whose server is blocked, Invalid for oneself, Conflict for a
    `uri` in use.
    """
    _check_may_follow(tx, account, target)
    existing = relationships.follow_between(tx, account, target)
    if existing is not None:
        return _refresh_existing(tx, existing, account, target, shows_boosts, uri)
    if target.is_local and target.moved_to:
        raise NotAllowed("This person has moved to another account.")
    if account.is_local:
        _check_limit(tx, account)
    id_ = new_id()
    row = tx.one(
        f"""INSERT INTO follows (id, uri, follower_id, followed_id, state, shows_boosts, created_at, host)
            VALUES (:id, :uri, :follower_id, :followed_id, 'pending', :shows_boosts, :now, {_HOST_SQL})
            ON CONFLICT DO NOTHING RETURNING {columns(Follow)}""",  # noqa: S608
        id=id_,
        uri=uri or f"{(account if account.is_local else target).uri}{_OWN_ID}{id_}",
        follower_id=account.id,
        followed_id=target.id,
        shows_boosts=shows_boosts,
        now=now_ms(),
    )
    if row is None:
        raise Conflict("That follow has already been processed.", detail=f"the follow id {uri} is in use")
    new = build(Follow, row)
    _send_activity(tx, account, "Follow", target.uri, target, uri=new.uri)
    if not target.is_local:
        return new
    if target.is_locked or account.is_limited:
        notifications.notify(tx, target.id, "follow_request", actor=account)
        return new
    return accept(tx, new)


def _check_may_follow(tx: Reader, account: Account, target: Account) -> None:
    if account.id == target.id:
        raise Invalid("You cannot follow yourself.")
    if not account.is_local and not target.is_local:
        raise Invalid("Neither account is on this server.", detail=f"{account.uri} follows {target.uri}")
    if account.is_inactive:
        raise NotAllowed("This account cannot follow anyone at the moment.")
    if target.is_inactive or (target.kind == "Application" and target.is_local):
        raise NotFound("There is no account by that name here.")
    if relationships.is_block_between(tx, account, target):
        raise NotFound("You cannot follow this person.", detail="one has blocked the other")
    other = account if target.is_local else target
    if not other.is_local and domain_rules.is_blocked(tx, other.domain):
        raise NotAllowed(f"This node does not exchange anything with {other.domain}.")


def _check_limit(tx: Reader, account: Account) -> None:
    count = tx.value("SELECT COUNT(*) FROM follows WHERE follower_id = :account", account=account.id)
    if count >= MAX_FOLLOWED:
        raise NotAllowed(f"You can follow up to {MAX_FOLLOWED:,} people. Unfollow some of them first.")


def _refresh_existing(
    tx: Writer, existing: Follow, account: Account, target: Account, shows_boosts: bool, uri: str | None
) -> Follow:
    now = now_ms()
    sends_again = (
        not target.is_local
        and not existing.is_accepted
        and now - existing.created_at > RESEND_REQUEST_AFTER_MS
    )
    if uri is not None and uri != existing.uri and relationships.follow_by_uri(tx, uri) is not None:
        raise Conflict("That follow has already been processed.", detail=f"the follow id {uri} is in use")
    # An activity is processed once under its id: a request sent again needs another one.
    new_uri = f"{account.uri}{_OWN_ID}{new_id()}" if sends_again else existing.uri
    row = tx.one(
        f"""UPDATE follows SET shows_boosts = :shows_boosts, uri = :uri, created_at = :created_at
            WHERE id = :id RETURNING {columns(Follow)}""",  # noqa: S608
        id=existing.id,
        shows_boosts=shows_boosts,
        uri=uri or new_uri,
        created_at=now if sends_again else existing.created_at,
    )
    assert row is not None
    kept = build(Follow, row)
    if sends_again:
        _send_activity(tx, account, "Follow", target.uri, target, uri=kept.uri)
    elif not account.is_local and kept.is_accepted:
        _send_response(tx, "Accept", kept, account, target)
    return kept


def accept(tx: Writer, requested: Follow) -> Follow:
    """Accepts a follow request: the followed account did, or its server sent Accept. Accepting twice changes nothing.

    Raises NotFound for a request that has been withdrawn.
    """
    row = tx.one(
        f"""UPDATE follows SET state = 'accepted', accepted_at = :now
            WHERE id = :id AND state = 'pending' RETURNING {columns(Follow)}""",  # noqa: S608
        id=requested.id,
        now=now_ms(),
    )
    follower, followed = accounts.get(tx, requested.follower_id), accounts.get(tx, requested.followed_id)
    if row is None:
        kept = relationships.follow_between(tx, follower, followed)
        if kept is None:
            raise NotFound("That request has been withdrawn.")
        return kept
    accepted = build(Follow, row)
    _adjust_counts(tx, accepted, 1)
    notifications.withdraw(tx, "follow_request", follower, account=followed)
    notifications.notify(tx, followed.id, "follow", actor=follower)
    if follower.is_local:
        home_feed.backfill(tx, follower.id, followed.id)
    _send_response(tx, "Accept", accepted, follower, followed)
    return accepted


def reject(tx: Writer, requested: Follow) -> None:
    """Rejects a request, or ends a follow that was accepted before."""
    follower, followed = accounts.get(tx, requested.follower_id), accounts.get(tx, requested.followed_id)
    removed = _remove(tx, follower, followed)
    if removed is not None:
        _send_response(tx, "Reject", removed, follower, followed)


def send_reject(tx: Writer, account: Account, target: Account, uri: str | None) -> None:
    """Sends Reject for a remote Follow that was not recorded (blocked, or not allowed)."""
    if uri and not account.is_local:
        _send_response_to_uri(tx, "Reject", uri, account, target)


def unfollow(tx: Writer, account: Account, target: Account) -> None:
    """Ends a follow, or withdraws the request. Unfollowing twice changes nothing."""
    removed = _remove(tx, account, target)
    if removed is not None:
        _send_activity(
            tx,
            account,
            "Undo",
            removed.uri,
            target,
            extra={"verb": "Follow", "uri": removed.uri, "object_uri": target.uri},
        )


def remove_follower(tx: Writer, account: Account, follower: Account) -> None:
    """Ends the follow of `account` by a follower, without a block."""
    existing = relationships.follow_between(tx, follower, account)
    if existing is not None:
        reject(tx, existing)
        if existing.is_accepted and not follower.is_local and _GOTOSOCIAL_FOLLOW.search(existing.uri):
            _end_by_block(tx, account, follower)


def _end_by_block(tx: Writer, account: Account, follower: Account) -> None:
    """Sends a block and takes it back: GoToSocial reads no Reject of a follow that was accepted.

    Its side ends the follow back too, so that one is requested again. Nothing is sent where a person there would have
    to approve it: then a follow that is believed to last does less harm.
    """
    back = relationships.follow_between(tx, account, follower)
    if back is not None and follower.is_locked:
        return
    uri = f"{account.uri}#blocks/{new_id()}"
    _send_activity(tx, account, "Block", follower.uri, follower, uri=uri)
    undone = {"verb": "Block", "uri": uri, "object_uri": follower.uri}
    _send_activity(tx, account, "Undo", uri, follower, extra=undone)
    if back is not None:
        new_uri = f"{account.uri}{_OWN_ID}{new_id()}"
        tx.run("UPDATE follows SET uri = :uri WHERE id = :id", uri=new_uri, id=back.id)
        _send_activity(tx, account, "Follow", follower.uri, follower, uri=new_uri)


def sever(tx: Writer, one: Account, other: Account) -> None:
    """Ends follows and requests in both directions, as a block by `one` does."""
    unfollow(tx, one, other)
    if (existing := relationships.follow_between(tx, other, one)) is not None:
        reject(tx, existing)


def remove_silently(tx: Writer, follower: Account, followed: Account) -> Follow | None:
    """Ends a follow and sends nothing. Returns it, so that it can be restored."""
    return _remove(tx, follower, followed)


def restore(tx: Writer, ended: Follow) -> None:
    """Restores a follow that was removed, unless there is another between the two by now."""
    if not tx.run(
        f"""INSERT INTO follows ({columns(Follow)}, host)
            VALUES (:id, :uri, :follower_id, :followed_id, :state, :shows_boosts, :created_at, :accepted_at, {_HOST_SQL})
            ON CONFLICT DO NOTHING""",  # noqa: S608
        **{name: getattr(ended, name) for name in Follow.__slots__},
    ):
        return
    if ended.is_accepted:
        _adjust_counts(tx, ended, 1)
        if accounts.get(tx, ended.follower_id).is_local:
            home_feed.backfill(tx, ended.follower_id, ended.followed_id)
    else:
        follower = accounts.get(tx, ended.follower_id)
        notifications.notify(tx, ended.followed_id, "follow_request", actor=follower)


def _remove(tx: Writer, follower: Account, followed: Account) -> Follow | None:
    row = tx.one(
        f"""DELETE FROM follows WHERE follower_id = :follower AND followed_id = :followed
            RETURNING {columns(Follow)}""",  # noqa: S608
        follower=follower.id,
        followed=followed.id,
    )
    if row is None:
        return None
    removed = build(Follow, row)
    if removed.is_accepted:
        _adjust_counts(tx, removed, -1)
        if follower.is_local:
            home_feed.remove_author(tx, follower.id, followed.id)
    notifications.withdraw(tx, "follow", follower, account=followed)
    notifications.withdraw(tx, "follow_request", follower, account=followed)
    return removed


def _adjust_counts(tx: Writer, changed: Follow, change: int) -> None:
    accounts.adjust_counts(tx, changed.follower_id, following=change)
    accounts.adjust_counts(tx, changed.followed_id, followers=change)


def _send_response(tx: Writer, verb: str, answered: Follow, follower: Account, followed: Account) -> None:
    _send_response_to_uri(tx, verb, answered.uri, follower, followed)


def _send_response_to_uri(tx: Writer, verb: str, uri: str, follower: Account, followed: Account) -> None:
    extra = {"follow": {"uri": uri, "actor": follower.uri, "object": followed.uri}}
    _send_activity(tx, followed, verb, uri, follower, extra=extra)


def _send_activity(
    tx: Writer,
    account: Account,
    verb: str,
    object_uri: str,
    target: Account,
    *,
    uri: str | None = None,
    extra: dict[str, Any] | None = None,
) -> None:
    """Records an activity for a remote target; between two local accounts nothing is sent."""
    if not target.is_local:
        outbox.record(tx, account, verb, object_uri, uri=uri, target=target, extra=extra)


def requests(tx: Reader, account: Account, page: Page) -> Found[ListedAccount]:
    """Returns who has requested to follow `account`, newest first."""
    return _accounts_page(tx, page, "follower_id", "followed_id", account, None, "pending")


def hides_follows_from(account: Account, viewer: Account | None) -> bool:
    """Returns whether an account hides its followers and whom it follows from a viewer.

    The counts are shown all the same.
    """
    return account.hides_follows and (viewer is None or viewer.id != account.id)


def followers(tx: Reader, account: Account, viewer: Account | None, page: Page) -> Found[ListedAccount]:
    """Returns the followers of `account`, newest first, without blocks with the viewer; none, if it hides them."""
    if hides_follows_from(account, viewer):
        return Found()
    return _accounts_page(tx, page, "follower_id", "followed_id", account, viewer, "accepted")


def following(tx: Reader, account: Account, viewer: Account | None, page: Page) -> Found[ListedAccount]:
    """Returns whom `account` follows; as `followers`."""
    if hides_follows_from(account, viewer):
        return Found()
    return _accounts_page(tx, page, "followed_id", "follower_id", account, viewer, "accepted")


def _accounts_page(
    tx: Reader, page: Page, shown: str, held: str, account: Account, viewer: Account | None, state: str
) -> Found[ListedAccount]:
    condition = f"t.{held} = :account AND t.state = :state"
    viewer_id = viewer.id if viewer else 0
    return account_lists.visible_accounts(
        tx, "follows", shown, condition, viewer_id, page, account=account.id, state=state
    )


def accepted_uris(
    tx: Reader, account: Account, page: Page, *, followers: bool = True
) -> Found[tuple[int, str]]:
    """Returns (follow id, actor uri) of followers or followed, for the collections `followers` and `following`."""
    shown, held = ("follower_id", "followed_id") if followers else ("followed_id", "follower_id")
    condition = f"f.{held} = :account AND f.state = 'accepted'"
    found = bounded_pages.read(
        tx,
        page,
        [Walk("f.id", f"follows f WHERE {condition}")],
        f"""SELECT f.id, a.uri FROM follows f JOIN accounts a ON a.id = f.{shown}
            WHERE {condition} AND a.suspended_at IS NULL AND a.deleted_at IS NULL
            {clause(page, "f.id")}""",  # noqa: S608
        account=account.id,
    )
    return found.replaced_by([(row["id"], row["uri"]) for row in found])


def follower_uris_by_host(tx: Reader, account: Account, hosts: Iterable[str]) -> dict[str, list[str]]:
    """Returns the uris of accepted remote followers by the host of their server."""
    rows = tx.all(
        """SELECT a.host, a.uri FROM follows f JOIN accounts a ON a.id = f.follower_id
           WHERE f.followed_id = :account AND f.state = 'accepted' AND a.host IN (:hosts)
             AND NOT a.is_local AND a.deleted_at IS NULL""",
        account=account.id,
        hosts=list(hosts),
    )
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row["host"], []).append(row["uri"])
    return found


def local_followers(tx: Reader, account: Account) -> list[tuple[str, int]]:
    """Returns (uri, accepted at, in milliseconds) of the local followers of an account."""
    rows = tx.all(
        """SELECT a.uri, f.accepted_at FROM follows f JOIN accounts a ON a.id = f.follower_id
           WHERE f.followed_id = :account AND f.state = 'accepted' AND a.is_local""",
        account=account.id,
    )
    return [(row["uri"], row["accepted_at"] or 0) for row in rows]


def requests_count(tx: Reader, account: Account) -> int:
    """Returns the number of requests to follow an account, counted up to `MAX_COUNTED_REQUESTS`."""
    return int(
        tx.value(
            """SELECT COUNT(*) FROM (SELECT 1 FROM follows
                   WHERE followed_id = :account AND state = 'pending' LIMIT :most) AS requests""",
            account=account.id,
            most=MAX_COUNTED_REQUESTS,
        )
    )


@deletion_hooks.on_account_deleted
def delete_by_account(tx: Writer, account: Account) -> None:
    """Deletes the follows of an account, in both directions, and sends nothing to anybody."""
    rows = tx.all(
        f"SELECT {columns(Follow)} FROM follows WHERE follower_id = :id OR followed_id = :id",  # noqa: S608
        id=account.id,
    )
    people = accounts.by_ids(tx, {id_ for row in rows for id_ in (row["follower_id"], row["followed_id"])})
    for row in rows:
        _remove(tx, people[row["follower_id"]], people[row["followed_id"]])
