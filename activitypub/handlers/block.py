"""Block: a remote account blocks a local one."""

from __future__ import annotations

from activitypub.handlers.received_activity import ReceivedActivity, local_account
from node.database import Writer
from node.interactions import blocks


def handle_block(tx: Writer, received: ReceivedActivity) -> None:
    target = local_account(tx, received.activity.object.uri)
    blocks.block(tx, received.actor, target, uri=received.uri)
    # It has ended a follow, which may have been overtaken.
    received.supersede("Follow", target.uri)
