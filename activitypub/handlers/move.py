"""Move: an account moves to another server. The activity is only a reason to fetch both accounts again.

Nothing in it is trusted but the signer: the new account must name the old one at its own address
(`alsoKnownAs`), and the old one must not name another target. Job `check_move` verifies that.
"""

from __future__ import annotations

from activitypub.handlers.received_activity import Ignored, ReceivedActivity
from activitypub.uris import Malformed, host_of
from node.database import Writer
from node.jobs import queue
from node.lifecycle import migration
from node.moderation import domain_rules


def handle_move(tx: Writer, received: ReceivedActivity) -> None:
    """Queues `check_move` if the actor moves itself, has local followers or blocks,
    and has not moved lately."""
    activity, actor = received.activity, received.actor
    target = activity.target.uri
    if activity.object.uri != actor.uri:
        raise Ignored("it would move another account")
    if target is None or target == actor.uri:
        raise Ignored("a move without a target")
    if not migration.has_local_relationships(tx, actor):
        raise Ignored("no local account is concerned")
    if not migration.is_past_cooldown(tx, actor):
        raise Ignored("the account has moved lately")
    try:
        host = host_of(target)
    except Malformed as error:
        raise Ignored("a move without a target") from error
    if domain_rules.is_blocked(tx, host):
        raise Ignored("the server of the target is blocked")
    queue.add(tx, "check_move", {"origin": actor.id, "target": target}, lane=f"fetch {host}")
