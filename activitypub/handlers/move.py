"""Move: somebody goes to another account. What it says is only a reason to read both accounts again.

Nothing in the activity is believed but who signed it: the new account must name the old one at its own address
(`alsoKnownAs`), and the old one must not say that it went anywhere else.
"""

from __future__ import annotations

from activitypub.handlers.received_activity import Ignored, ReceivedActivity
from activitypub.uris import Malformed, host_of
from node.database import Writer
from node.jobs import queue
from node.lifecycle import migration
from node.moderation import domain_rules


def handle_move(tx: Writer, heard: ReceivedActivity) -> None:
    activity, by = heard.activity, heard.actor
    target = activity.target.uri
    if activity.object.uri != by.uri:
        raise Ignored("somebody else would be moved")
    if target is None or target == by.uri:
        raise Ignored("a move to nowhere")
    if not migration.has_local_relationships(tx, by):
        raise Ignored("nobody here would notice")
    if not migration.is_past_cooldown(tx, by):
        raise Ignored("they have moved lately")
    try:
        host = host_of(target)
    except Malformed as error:
        raise Ignored("a move to nowhere") from error
    if domain_rules.is_blocked(tx, host):
        raise Ignored("nothing is exchanged with where they go")
    queue.add(tx, "check_move", {"origin": by.id, "target": target}, lane=f"fetch {host}")
