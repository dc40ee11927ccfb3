"""Applies the option `handle_domain`, the domain in the handles of local accounts. Called at start. Owns no table."""

from __future__ import annotations

from node.accounts import accounts
from node.database import Writer
from node.federation import outbox


def apply_handle_domain(tx: Writer) -> None:
    """Gives local accounts the domain of the option, and sends an Update for each where it changed."""
    for account in accounts.set_handle_domain(tx):
        outbox.record(tx, account, "Update", account.uri)
