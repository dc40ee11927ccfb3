"""The domain of handles (`handle_domain`): local accounts get the one of the options at start."""

from __future__ import annotations

from node.accounts import accounts
from node.database import Writer
from node.federation import outbox


def adopt_handle_domain(tx: Writer) -> None:
    """At start: if the option was changed, our people are called by what it says now. Other servers hear of it."""
    for who in accounts.set_handle_domain(tx):
        outbox.record(tx, who, "Update", who.uri)
