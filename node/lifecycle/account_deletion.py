"""What happens to everything someone had, once they leave. Called by `accounts.delete`.

What ties them to others ends in the same unit of work; posts may be thousands, so a job takes them away
a few at a time. Owns no table.
"""

from __future__ import annotations

from node.accounts import accounts, keys
from node.attachments import avatars, photos
from node.auth import access_tokens, sessions, users
from node.database import Reader, Writer
from node.federation import outbox
from node.interactions import (
    blocks,
    bookmarks,
    boosts,
    emoji_reactions,
    follows,
    likes,
    quotes,
    severed_follows,
)
from node.jobs import queue
from node.jobs.queue import Job
from node.lifecycle import registration
from node.models.account import Account
from node.node import Node
from node.notifications import notifications
from node.paging import Page
from node.posts import posts
from node.publishing import post_deletion

AT_ONCE = 20


def inboxes(tx: Reader, who: Account) -> list[str]:
    """The inboxes of other servers with someone who follows `who`, or whom `who` follows."""
    rows = tx.all(
        """SELECT DISTINCT CASE WHEN a.shared_inbox <> '' THEN a.shared_inbox ELSE a.inbox END AS inbox
           FROM accounts a
           WHERE NOT a.is_local AND (
               a.id IN (SELECT f.follower_id FROM follows f WHERE f.followed_id = :who)
               OR a.id IN (SELECT f.followed_id FROM follows f WHERE f.follower_id = :who))""",
        who=who.id,
    )
    return [row["inbox"] for row in rows]


def clear(tx: Writer, who: Account) -> None:
    """End what ties someone to others. Their public keys stay if ours: the farewell must be signed."""
    follows.remove_all_of(tx, who)
    severed_follows.remove_all_of(tx, who.id)
    blocks.remove_all_of(tx, who)
    notifications.remove_all_of(tx, who.id)
    sessions.end_all(tx, who)
    access_tokens.end_all(tx, who)
    users.remove(tx, who.id)
    registration.remove_invites(tx, who.id)
    avatars.remove(tx, who.id)
    if not who.is_local:
        keys.forget(tx, who)


async def forget(node: Node, job: Job) -> None:
    """Job forget_person: take away what someone posted."""
    account_id = job.payload["id"]
    while await node.db.write(_forget_some, account_id):
        pass


def _forget_some(tx: Writer, account_id: int) -> int:
    who = accounts.by_id(tx, account_id)
    if who is None or who.deleted_at is None:
        return 0
    page = Page(limit=AT_ONCE)
    rows = tx.all(
        f"""SELECT p.id FROM posts p
            WHERE p.account_id = :who AND p.deleted_at IS NULL {page.clause("p.id")}""",  # noqa: S608
        who=who.id,
        **page.values,
    )
    for row in rows:
        post = posts.by_id(tx, row["id"])
        if post is not None:
            post_deletion.remove(tx, post)
    if not rows:
        likes.forget_by(tx, who)
        emoji_reactions.forget_by(tx, who)
        quotes.forget_by(tx, who)
        boosts.forget_by(tx, who)
        bookmarks.forget_by(tx, who)
        photos.remove_loose_of(tx, who)
    return len(rows)


def delete(tx: Writer, who: Account) -> None:
    """Someone leaves for good, one of ours or by their own server's word. Their posts go soon after.

    Other servers that may know them are named in the sentence, since the follows are gone when it is sent.
    """
    addresses = inboxes(tx, who) if who.is_local else []
    clear(tx, who)
    if accounts.mark_deleted(tx, who.id):
        queue.add(tx, "forget_person", {"id": who.id})
        outbox.record(tx, who, "Delete", who.uri, extra={"inboxes": addresses})
