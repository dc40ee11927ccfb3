"""Moderators' deeds. Owns no table: each deed is done by the module that owns what it changes."""

from __future__ import annotations

from node import accounts, audit, domains, outbox, posts, reports, sessions, tokens, users
from node.accounts import Account
from node.database import Writer
from node.errors import NotAllowed, NotFound
from node.posts import Post


def suspend(tx: Writer, by: Account, who: Account) -> None:
    """Hide someone and all they have posted, and sign them out. Raises NotAllowed unless `by` is staff."""
    users.check_may_judge(tx, by, who)
    accounts.show(tx, who.id, is_shown=False)
    audit.record(tx, by, "suspend", who.handle)
    reports.close_all_about(tx, by, who)
    sessions.end_all(tx, who)
    tokens.end_all(tx, who)
    outbox.record(tx, who, "Update", who.uri)


def unsuspend(tx: Writer, by: Account, who: Account) -> None:
    """Bring a suspended person back, with all they had."""
    users.check_may_judge(tx, by, who)
    user = users.by_account(tx, who)
    if user is not None and user.state == "pending":
        raise NotAllowed("This person's sign-up is pending. Please approve or reject it.")
    accounts.show(tx, who.id)
    audit.record(tx, by, "unsuspend", who.handle)
    # Somebody elsewhere comes back only as far as their server may.
    domains.judge(tx, accounts.get(tx, who.id))
    outbox.record(tx, who, "Update", who.uri)


def delete_reported(tx: Writer, by: Account, report_id: int, post_id: int) -> Post:
    """Delete a post that was reported, everywhere if it is of ours, here if it is not. Raises NotFound."""
    users.check_is_staff(tx, by)
    post = posts.by_id(tx, post_id) if reports.is_about(tx, report_id, post_id) else None
    if post is None or post.deleted_at is not None:
        raise NotFound("There is no such post.")
    author = accounts.get(tx, post.account_id)
    users.check_may_judge(tx, by, author)
    if post.is_local:
        posts.delete(tx, author, post)
    else:
        posts.remove(tx, post)
    audit.record(tx, by, "delete-post", author.handle, post.uri)
    return post
