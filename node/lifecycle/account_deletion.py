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

BATCH_SIZE = 20


def inboxes_to_notify(tx: Reader, who: Account) -> list[str]:
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


def delete_relationships_and_logins(tx: Writer, who: Account) -> None:
    """End what ties someone to others. Their public keys stay if ours: the farewell must be signed."""
    follows.delete_by_account(tx, who)
    severed_follows.delete_by_account(tx, who.id)
    blocks.delete_by_account(tx, who)
    notifications.delete_by_account(tx, who.id)
    sessions.end_all(tx, who)
    access_tokens.revoke_all(tx, who)
    users.delete_by_account(tx, who.id)
    registration.delete_invites_by_account(tx, who.id)
    avatars.delete_all_files(tx, who.id)
    if not who.is_local:
        keys.delete_by_account(tx, who)


async def delete_content(node: Node, job: Job) -> None:
    """Job forget_person: take away what someone posted."""
    account_id = job.payload["id"]
    while await node.db.write(_delete_content_batch, account_id):
        pass


def _delete_content_batch(tx: Writer, account_id: int) -> int:
    who = accounts.by_id(tx, account_id)
    if who is None or who.deleted_at is None:
        return 0
    page = Page(limit=BATCH_SIZE)
    rows = tx.all(
        f"""SELECT p.id FROM posts p
            WHERE p.account_id = :who AND p.deleted_at IS NULL {page.clause("p.id")}""",  # noqa: S608
        who=who.id,
        **page.values,
    )
    for row in rows:
        post = posts.by_id(tx, row["id"])
        if post is not None:
            post_deletion.remove_locally(tx, post)
    if not rows:
        likes.delete_by_account(tx, who)
        emoji_reactions.delete_by_account(tx, who)
        quotes.delete_by_account(tx, who)
        boosts.delete_by_account(tx, who)
        bookmarks.delete_by_account(tx, who)
        photos.delete_by_account(tx, who)
    return len(rows)


def delete_account(tx: Writer, who: Account) -> None:
    """Someone leaves for good, one of ours or by their own server's word. Their posts go soon after.

    Other servers that may know them are named in the sentence, since the follows are gone when it is sent.
    """
    addresses = inboxes_to_notify(tx, who) if who.is_local else []
    delete_relationships_and_logins(tx, who)
    if accounts.mark_deleted(tx, who.id):
        queue.add(tx, "forget_person", {"id": who.id})
        outbox.record(tx, who, "Delete", who.uri, extra={"inboxes": addresses})
