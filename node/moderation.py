"""Moderators' deeds. Owns no table: each deed is done by the module that owns what it changes."""

from __future__ import annotations

from node import accounts, audit, domains, outbox, sessions, tokens, users
from node.accounts import Account
from node.database import Writer
from node.errors import NotAllowed


def suspend(tx: Writer, by: Account, who: Account) -> None:
    """Hide someone and all they have posted, and sign them out. Raises NotAllowed unless `by` is staff."""
    users.check_may_judge(tx, by, who)
    accounts.show(tx, who.id, is_shown=False)
    audit.record(tx, by, "suspend", who.handle)
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
    audit.record(tx, by, "unsuspend", who.handle)
    # Somebody elsewhere comes back only as far as their server may.
    domains.judge(tx, accounts.get(tx, who.id))
    outbox.record(tx, who, "Update", who.uri)
