"""Whether staff may act as such: a node can ask for two-step sign-in. Owns no table."""

from __future__ import annotations

from node.auth import passwords, users
from node.auth.second_step import authenticator_apps
from node.database import Reader
from node.models.account import Account


def lacks_second_step(tx: Reader, account: Account) -> bool:
    """Returns whether one of the staff has yet to set up what this node asks for."""
    if not tx.site.staff_needs_second_step or authenticator_apps.is_on(tx, account.id):
        return False
    return passwords.is_set(
        users.password_hash(tx, account.id)
    )  # passkeys alone are more than a password and a code
