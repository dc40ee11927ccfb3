"""Moderators' deeds. Owns no table: each deed is done by the module that owns what it changes."""

from __future__ import annotations

from node.accounts import accounts
from node.admin import reports
from node.auth import access_tokens, sessions, users
from node.database import Writer
from node.errors import NotAllowed, NotFound
from node.federation import outbox
from node.models.account import Account
from node.models.post import Post
from node.moderation import audit_log, domain_rules
from node.posts import posts
from node.publishing import post_deletion


def suspend(tx: Writer, by: Account, who: Account) -> None:
    """Hide someone and all they have posted, and sign them out. Raises NotAllowed unless `by` is staff."""
    users.check_may_moderate(tx, by, who)
    accounts.set_visible(tx, who.id, is_visible=False)
    audit_log.record(tx, by, "suspend", who.handle)
    reports.close_all_of_account(tx, by, who)
    sessions.end_all(tx, who)
    access_tokens.revoke_all(tx, who)
    outbox.record(tx, who, "Update", who.uri)


def unsuspend(tx: Writer, by: Account, who: Account) -> None:
    """Bring a suspended person back, with all they had."""
    users.check_may_moderate(tx, by, who)
    user = users.by_account(tx, who)
    if user is not None and user.state == "pending":
        raise NotAllowed("This person's sign-up is pending. Please approve or reject it.")
    accounts.set_visible(tx, who.id)
    audit_log.record(tx, by, "unsuspend", who.handle)
    # Somebody elsewhere comes back only as far as their server may.
    domain_rules.apply_to_account(tx, accounts.get(tx, who.id))
    outbox.record(tx, who, "Update", who.uri)


def delete_reported_post(tx: Writer, by: Account, report_id: int, post_id: int) -> Post:
    """Delete a post that was reported, everywhere if it is of ours, here if it is not. Raises NotFound."""
    users.check_is_staff(tx, by)
    post = posts.by_id(tx, post_id) if reports.includes_post(tx, report_id, post_id) else None
    if post is None or post.deleted_at is not None:
        raise NotFound("There is no such post.")
    author = accounts.get(tx, post.account_id)
    users.check_may_moderate(tx, by, author)
    if post.is_local:
        post_deletion.delete(tx, author, post)
    else:
        post_deletion.remove_locally(tx, post)
    audit_log.record(tx, by, "delete-post", author.handle, post.uri)
    return post
