"""Follows: who follows whom, and who has asked to. Owns `follows`.

The same deeds serve the web, apps and other servers. Nobody is "following" someone elsewhere before
that server's Accept: until then the follow is pending and gives nothing. Counts, the home feed and the
sentences for other servers change in the same unit of work as the row.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from node.accounts import accounts, relationships
from node.accounts.relationships import Follow
from node.database import Reader, Writer, build, columns
from node.errors import Conflict, Invalid, NotAllowed, NotFound
from node.federation import outbox
from node.ids import new_id, now_ms
from node.models.account import Account, ListedAccount
from node.models.visibility import no_block
from node.moderation import domain_rules
from node.notifications import notifications
from node.paging import Page
from node.posts import home_feed

RESEND_REQUEST_AFTER_MS = 24 * 60 * 60 * 1000  # ms


def follow(
    tx: Writer, who: Account, target: Account, *, shows_boosts: bool = True, uri: str | None = None
) -> Follow:
    """Follow someone, or ask to. Following twice changes nothing but `shows_boosts`.

    `uri` is the id another server gave the follow. When it sends one again, it is answered again, since
    it may have missed the first answer. Raises NotFound when either has blocked the other.
    """
    _check_may_follow(tx, who, target)
    existing = relationships.follow_between(tx, who, target)
    if existing is not None:
        return _refresh_existing(tx, existing, who, target, shows_boosts, uri)
    if target.is_local and target.moved_to:
        raise NotAllowed("This person has moved to another account.")
    id_ = new_id()
    row = tx.one(
        f"""INSERT INTO follows (id, uri, follower_id, followed_id, state, shows_boosts, created_at)
            VALUES (:id, :uri, :follower, :followed, 'pending', :shows_boosts, :now)
            ON CONFLICT DO NOTHING RETURNING {columns(Follow)}""",  # noqa: S608
        id=id_,
        uri=uri or f"{(who if who.is_local else target).uri}#follows/{id_}",
        follower=who.id,
        followed=target.id,
        shows_boosts=shows_boosts,
        now=now_ms(),
    )
    if row is None:
        raise Conflict("That follow has already been processed.", detail=f"the follow id {uri} is in use")
    new = build(Follow, row)
    _send_activity(tx, who, "Follow", target.uri, target, uri=new.uri)
    if not target.is_local:
        return new
    if target.is_locked or who.is_limited:
        notifications.notify(tx, target.id, "follow_request", actor=who)
        return new
    return accept(tx, new)


def _check_may_follow(tx: Reader, who: Account, target: Account) -> None:
    if who.id == target.id:
        raise Invalid("You cannot follow yourself.")
    if not who.is_local and not target.is_local:
        raise Invalid("Neither account is on this server.", detail=f"{who.uri} follows {target.uri}")
    if who.is_inactive:
        raise NotAllowed("This account cannot follow anyone at the moment.")
    if target.is_inactive or (target.kind == "Application" and target.is_local):
        raise NotFound("There is no account by that name here.")
    if relationships.is_block_between(tx, who, target):
        raise NotFound("You cannot follow this person.", detail="one has blocked the other")
    other = who if target.is_local else target
    if not other.is_local and domain_rules.is_blocked(tx, other.domain):
        raise NotAllowed(f"This node does not exchange anything with {other.domain}.")


def _refresh_existing(
    tx: Writer, existing: Follow, who: Account, target: Account, shows_boosts: bool, uri: str | None
) -> Follow:
    now = now_ms()
    asks = (
        not target.is_local
        and not existing.is_accepted
        and now - existing.created_at > RESEND_REQUEST_AFTER_MS
    )
    if uri is not None and uri != existing.uri and relationships.follow_by_uri(tx, uri) is not None:
        raise Conflict("That follow has already been processed.", detail=f"the follow id {uri} is in use")
    # A sentence is said once under its id: asking again needs another.
    asked = f"{who.uri}#follows/{new_id()}" if asks else existing.uri
    row = tx.one(
        f"""UPDATE follows SET shows_boosts = :shows_boosts, uri = :uri, created_at = :created_at
            WHERE id = :id RETURNING {columns(Follow)}""",  # noqa: S608
        id=existing.id,
        shows_boosts=shows_boosts,
        uri=uri or asked,
        created_at=now if asks else existing.created_at,
    )
    assert row is not None
    kept = build(Follow, row)
    if asks:
        _send_activity(tx, who, "Follow", target.uri, target, uri=kept.uri)
    elif not who.is_local and kept.is_accepted:
        _send_response(tx, "Accept", kept, who, target)
    return kept


def accept(tx: Writer, asked: Follow) -> Follow:
    """Let the follower in: the person who was asked said so, here or through their server."""
    row = tx.one(
        f"""UPDATE follows SET state = 'accepted', accepted_at = :now
            WHERE id = :id AND state = 'pending' RETURNING {columns(Follow)}""",  # noqa: S608
        id=asked.id,
        now=now_ms(),
    )
    follower, followed = accounts.get(tx, asked.follower_id), accounts.get(tx, asked.followed_id)
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


def reject(tx: Writer, asked: Follow) -> None:
    """Refuse a request, or end a follow that was accepted before."""
    follower, followed = accounts.get(tx, asked.follower_id), accounts.get(tx, asked.followed_id)
    removed = _remove(tx, follower, followed)
    if removed is not None:
        _send_response(tx, "Reject", removed, follower, followed)


def send_reject(tx: Writer, who: Account, target: Account, uri: str | None) -> None:
    """Answer Reject to another server's follow that was never taken in (blocked, or not allowed)."""
    if uri and not who.is_local:
        _send_response_to_uri(tx, "Reject", uri, who, target)


def unfollow(tx: Writer, who: Account, target: Account) -> None:
    """Follow someone no longer, or withdraw the request. Unfollowing twice changes nothing."""
    removed = _remove(tx, who, target)
    if removed is not None:
        _send_activity(
            tx,
            who,
            "Undo",
            removed.uri,
            target,
            extra={"verb": "Follow", "uri": removed.uri, "object_uri": target.uri},
        )


def remove_follower(tx: Writer, who: Account, follower: Account) -> None:
    """Make someone stop following you, without blocking them."""
    existing = relationships.follow_between(tx, follower, who)
    if existing is not None:
        reject(tx, existing)


def sever(tx: Writer, one: Account, other: Account) -> None:
    """End follows and requests in both directions, as blocking does. `one` is who ends them."""
    unfollow(tx, one, other)
    remove_follower(tx, one, other)


def remove_silently(tx: Writer, follower: Account, followed: Account) -> Follow | None:
    """End a follow without a word to anyone; what it was, so that it can be put back."""
    return _remove(tx, follower, followed)


def restore(tx: Writer, ended: Follow) -> None:
    """Let a follow that was taken out hold again, unless there is another between the two by now."""
    if not tx.run(
        f"""INSERT INTO follows ({columns(Follow)})
            VALUES (:id, :uri, :follower_id, :followed_id, :state, :shows_boosts, :created_at, :accepted_at)
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


def _adjust_counts(tx: Writer, changed: Follow, by: int) -> None:
    accounts.adjust_counts(tx, changed.follower_id, following=by)
    accounts.adjust_counts(tx, changed.followed_id, followers=by)


def _send_response(tx: Writer, verb: str, answered: Follow, follower: Account, followed: Account) -> None:
    _send_response_to_uri(tx, verb, answered.uri, follower, followed)


def _send_response_to_uri(tx: Writer, verb: str, uri: str, follower: Account, followed: Account) -> None:
    extra = {"follow": {"uri": uri, "actor": follower.uri, "object": followed.uri}}
    _send_activity(tx, followed, verb, uri, follower, extra=extra)


def _send_activity(
    tx: Writer,
    who: Account,
    verb: str,
    object_uri: str,
    target: Account,
    *,
    uri: str | None = None,
    extra: dict[str, Any] | None = None,
) -> None:
    """Record a sentence for the other's server; between two of ours there is nobody to tell."""
    if not target.is_local:
        outbox.record(tx, who, verb, object_uri, uri=uri, target=target, extra=extra)


def requests(tx: Reader, who: Account, page: Page) -> list[ListedAccount]:
    """Who has asked to follow `who`, newest first."""
    return _accounts_page(tx, page, "follower_id", "followed_id", who, None, "pending")


def hides_follows_from(account: Account, viewer: Account | None) -> bool:
    """Whether somebody keeps who follows whom to themselves. The numbers are shown all the same."""
    return account.hides_follows and (viewer is None or viewer.id != account.id)


def followers(tx: Reader, account: Account, viewer: Account | None, page: Page) -> list[ListedAccount]:
    """Who follows `account`, without those between whom and the viewer there is a block; nobody, if it hides that."""
    if hides_follows_from(account, viewer):
        return []
    return _accounts_page(tx, page, "follower_id", "followed_id", account, viewer, "accepted")


def following(tx: Reader, account: Account, viewer: Account | None, page: Page) -> list[ListedAccount]:
    """Whom `account` follows, as `followers`."""
    if hides_follows_from(account, viewer):
        return []
    return _accounts_page(tx, page, "followed_id", "follower_id", account, viewer, "accepted")


def _accounts_page(
    tx: Reader, page: Page, shown: str, held: str, account: Account, viewer: Account | None, state: str
) -> list[ListedAccount]:
    rows = tx.all(
        f"""SELECT f.id AS listed_id, {columns(Account, "a")}
            FROM follows f JOIN accounts a ON a.id = f.{shown}
            WHERE f.{held} = :account AND f.state = :state
              AND a.suspended_at IS NULL AND a.deleted_at IS NULL
              AND {no_block("a.id")}
            {page.clause("f.id")}""",  # noqa: S608
        account=account.id,
        state=state,
        viewer=viewer.id if viewer else 0,
        **page.values,
    )
    return [ListedAccount(row["listed_id"], build(Account, row)) for row in page.newest_first(rows)]


def accepted_uris(
    tx: Reader, account: Account, page: Page, *, followers: bool = True
) -> list[tuple[int, str]]:
    """(id, actor uri) of followers or followed, for the collections other servers read."""
    shown, held = ("follower_id", "followed_id") if followers else ("followed_id", "follower_id")
    rows = tx.all(
        f"""SELECT f.id, a.uri FROM follows f JOIN accounts a ON a.id = f.{shown}
            WHERE f.{held} = :account AND f.state = 'accepted'
              AND a.suspended_at IS NULL AND a.deleted_at IS NULL
            {page.clause("f.id")}""",  # noqa: S608
        account=account.id,
        **page.values,
    )
    return [(row["id"], row["uri"]) for row in page.newest_first(rows)]


def follower_uris_by_host(tx: Reader, account: Account, hosts: Iterable[str]) -> dict[str, list[str]]:
    """Host → the uris of the accepted followers who live there."""
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
    """Our people who follow somebody (uri), and since when."""
    rows = tx.all(
        """SELECT a.uri, f.accepted_at FROM follows f JOIN accounts a ON a.id = f.follower_id
           WHERE f.followed_id = :account AND f.state = 'accepted' AND a.is_local""",
        account=account.id,
    )
    return [(row["uri"], row["accepted_at"] or 0) for row in rows]


def requests_count(tx: Reader, who: Account) -> int:
    return int(
        tx.value("SELECT COUNT(*) FROM follows WHERE followed_id = :who AND state = 'pending'", who=who.id)
    )


def delete_by_account(tx: Writer, who: Account) -> None:
    """Someone is gone: end all their follows, in both directions, without a word to anyone."""
    rows = tx.all(
        f"SELECT {columns(Follow)} FROM follows WHERE follower_id = :who OR followed_id = :who",  # noqa: S608
        who=who.id,
    )
    people = accounts.by_ids(tx, {id_ for row in rows for id_ in (row["follower_id"], row["followed_id"])})
    for row in rows:
        _remove(tx, people[row["follower_id"]], people[row["followed_id"]])
