"""Moderators' deeds. Owns no table: each deed is done by the module that owns what it changes."""

from __future__ import annotations

from node import accounts, outbox, sessions, tokens, users
from node.accounts import Account
from node.database import Writer
from node.errors import NotAllowed


def suspend(tx: Writer, by: Account, who: Account) -> None:
    """Hide someone and all they have posted, and sign them out. Raises NotAllowed unless `by` is staff."""
    users.check_may_judge(tx, by, who)
    if who.suspended_at is None:
        accounts.show(tx, who.id, is_shown=False)
    sessions.end_all(tx, who)
    tokens.end_all(tx, who)
    outbox.record(tx, who, "Update", who.uri)


def unsuspend(tx: Writer, by: Account, who: Account) -> None:
    """Bring a suspended person back, with all they had."""
    users.check_may_judge(tx, by, who)
    user = users.by_account(tx, who)
    if user is not None and user.state == "pending":
        raise NotAllowed("This person is waiting for approval, which is another decision.")
    accounts.show(tx, who.id)
    outbox.record(tx, who, "Update", who.uri)
