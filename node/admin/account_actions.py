"""What moderators do about accounts and posts: suspend, unsuspend, delete; and whoever deletes their own. Owns no table.

The admin pages and the commands call it. Each change is made by the module that owns the table, after a check that the moderator may
do it, and is recorded in the audit log in the same unit of work.
"""

from __future__ import annotations

from node.accounts import accounts
from node.admin import reports
from node.auth import sessions, sign_ups, users
from node.auth.mail import user_mail
from node.auth.oauth import authorization_codes
from node.database import Writer
from node.errors import N_, Invalid, NotFound
from node.federation import outbox
from node.lifecycle import account_deletion
from node.mail.outgoing_mail import MailKind
from node.models.account import Account
from node.models.post import Post
from node.moderation import audit_log, domain_rules
from node.posts import posts
from node.publishing import post_deletion


def suspend(tx: Writer, moderator: Account | None, account: Account) -> None:
    """Hides an account with all its posts, ends its sessions and tokens, and closes the reports about it.

    Works for local and remote accounts; `moderator` is None on the command line. Raises NotAllowed unless they may
    moderate this account, for the last admin, and for a sign-up that is pending.
    """
    _check(tx, moderator, account)
    users.keep_one_admin(tx, account)
    accounts.set_visible(tx, account.id, is_visible=False)
    audit_log.record(tx, moderator, "suspend", account.handle)
    reports.close_all_of_account(tx, moderator, account)
    sessions.end_all(tx, account)
    authorization_codes.sign_out_apps(tx, account)
    outbox.record(tx, account, "Update", account.uri)


def unsuspend(tx: Writer, moderator: Account | None, account: Account) -> None:
    """Makes a suspended account visible again, with all its posts. Raises NotAllowed.

    A pending sign-up is suspended too, and must be approved or rejected instead.
    """
    _check(tx, moderator, account)
    accounts.set_visible(tx, account.id)
    audit_log.record(tx, moderator, "unsuspend", account.handle)
    # A remote account stays suspended while its server is.
    domain_rules.apply_to_account(tx, accounts.get(tx, account.id))
    outbox.record(tx, account, "Update", account.uri)


def delete(tx: Writer, moderator: Account | None, account: Account) -> None:
    """Deletes a local account with all its posts for good. Raises NotAllowed as `suspend` does."""
    _check(tx, moderator, account)
    users.keep_one_admin(tx, account)
    audit_log.record(tx, moderator, "delete-account", account.handle)
    reports.close_all_of_account(tx, moderator, account)
    account_deletion.delete_account(tx, account)


def delete_own(tx: Writer, account: Account, typed_name: str) -> None:
    """Deletes the account of somebody who asks for it and has typed its name, and tells them by mail.

    Raises Invalid for another name, and NotAllowed for the last admin.
    """
    if typed_name.strip().removeprefix("@").lower() not in (
        account.name.lower(),
        account.full_handle.lower(),
    ):
        raise Invalid(N_("This is not the name of your account."), field="name")
    users.lock_admins(tx)
    users.keep_one_admin(tx, account)
    user_mail.tell(tx, account, MailKind.ACCOUNT_DELETED, about=account.full_handle)
    reports.close_all_of_account(tx, None, account)
    account_deletion.delete_account(tx, account)


def _check(tx: Writer, moderator: Account | None, account: Account) -> None:
    users.lock_admins(tx)
    users.check_may_moderate(tx, moderator, account)
    sign_ups.check_decided(tx, account)


def delete_reported_post(tx: Writer, moderator: Account, report_id: int, post_id: int) -> Post:
    """Deletes a post that the report names: with a Delete activity if it is local, only on this node if not.

    Raises NotAllowed, and NotFound for any other post and for one that is deleted already.
    """
    users.check_is_staff(tx, moderator)
    post = posts.by_id(tx, post_id) if reports.includes_post(tx, report_id, post_id) else None
    if post is None or post.deleted_at is not None:
        raise NotFound("There is no such post.")
    author = accounts.get(tx, post.account_id)
    users.check_may_moderate(tx, moderator, author)
    if post.is_local:
        post_deletion.delete(tx, author, post)
    else:
        post_deletion.remove_locally(tx, post)
    audit_log.record(tx, moderator, "delete-post", author.handle, post.uri)
    return post
