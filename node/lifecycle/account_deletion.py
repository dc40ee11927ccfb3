"""Deletes accounts, local ones and remote ones by word of their server, and everything they had.

What ties an account to others ends in the unit of work that deletes it; its posts may be thousands, so the job
`forget_person` deletes them a few at a time, and after them the other content. What is deleted when is registered
by the modules that own the tables (see `deletion_hooks`; `post_deletion` imports those below its own package). The row
of the account stays, emptied, so that its name is never given out again. Owns no table.
"""

from __future__ import annotations

from node.accounts import accounts
from node.database import Reader, Writer
from node.federation import outbox
from node.jobs import queue
from node.jobs.queue import Job
from node.models import deletion_hooks
from node.models.account import Account
from node.node import Node
from node.paging import Page
from node.posts import posts
from node.publishing import post_deletion

deletion_hooks.import_owners("node.publishing")

BATCH_SIZE = 20


def delete_account(tx: Writer, account: Account) -> None:
    """Deletes an account for good; its content follows in a job. Doing it twice changes nothing.

    Other servers that may know a local one are named in the activity, since its follows are gone when it is sent.
    """
    addresses = inboxes_to_notify(tx, account) if account.is_local else []
    deletion_hooks.on_account_deleted.run(tx, account)
    if accounts.mark_deleted(tx, account.id):
        queue.add(tx, "forget_person", {"id": account.id})
        outbox.record(tx, account, "Delete", account.uri, extra={"inboxes": addresses})


def inboxes_to_notify(tx: Reader, account: Account) -> list[str]:
    """Returns the inboxes of remote followers and of the remote accounts followed, each (shared) inbox once."""
    rows = tx.all(
        """SELECT DISTINCT CASE WHEN a.shared_inbox <> '' THEN a.shared_inbox ELSE a.inbox END AS inbox
           FROM accounts a
           WHERE NOT a.is_local AND (
               a.id IN (SELECT f.follower_id FROM follows f WHERE f.followed_id = :id)
               OR a.id IN (SELECT f.followed_id FROM follows f WHERE f.follower_id = :id))""",
        id=account.id,
    )
    return [row["inbox"] for row in rows]


async def delete_content(node: Node, job: Job) -> None:
    """Job `forget_person`: deletes the posts of a deleted account, then its other content."""
    account_id = job.payload["id"]
    while await node.db.write(_delete_content_batch, account_id):
        pass


def _delete_content_batch(tx: Writer, account_id: int) -> int:
    """Deletes the next few posts, or what is left once there are none. Returns how many posts there were."""
    account = accounts.by_id(tx, account_id)
    if account is None or account.deleted_at is None:
        return 0
    page = Page(limit=BATCH_SIZE)
    rows = tx.all(
        f"""SELECT p.id FROM posts p
            WHERE p.account_id = :account AND p.deleted_at IS NULL {page.clause("p.id")}""",  # noqa: S608
        account=account.id,
        **page.values,
    )
    for row in rows:
        post = posts.by_id(tx, row["id"])
        if post is not None:
            post_deletion.remove_locally(tx, post)
    if not rows:
        deletion_hooks.on_account_content_deleted.run(tx, account)
    return len(rows)
