"""Move: somebody elsewhere says that they are at another address now, and job `move`, which looks whether it is true.

Nothing in the activity is believed but that it was said: both accounts are asked for anew, each at its own
server, and `moves.arrive` compares what they say.
"""

from __future__ import annotations

import logging

from activitypub import actors
from activitypub.client import Unfetchable
from activitypub.fetching import Budget
from activitypub.heard import Heard, Ignored
from activitypub.uris import host_of
from node import accounts, follows, jobs, moves
from node.accounts import Account
from node.database import Writer
from node.errors import Invalid, Refused
from node.ids import now_ms
from node.jobs import GiveUp, Job, Later
from node.node import Node

log = logging.getLogger("tintype.inbox")

MOST_TRIES = 6


def move(tx: Writer, heard: Heard) -> None:
    activity, by = heard.activity, heard.by
    uri = activity.target.uri
    if activity.object.uri != by.uri:
        raise Ignored("only somebody themselves can move")
    if uri is None or uri == by.uri:
        raise Ignored("a move to nowhere")
    if not follows.held_here(tx, by, 0, 1):
        raise Ignored("nobody here follows them")
    jobs.add(tx, "move", {"from": by.id, "to": uri}, lane=f"fetch {host_of(uri)}")


async def look(node: Node, job: Job) -> None:
    """Job `move`: ask both servers, and take the followers along if both say so."""
    origin = await node.db.read(accounts.by_id, job.payload["from"])
    if origin is None or origin.is_gone:
        return
    budget = Budget()
    try:
        origin = await actors.find(node, origin.uri, refresh=True, budget=budget)
        target = await actors.find(node, job.payload["to"], refresh=True, budget=budget)
    except Unfetchable as error:
        if error.temporary and job.attempts < MOST_TRIES:
            raise Later(now_ms() + (60_000 << (2 * job.attempts)), error.reason) from error
        raise GiveUp(error.reason) from error
    reason = await node.db.write(_arrive, job, origin, target)
    if reason:
        log.info("move of %s to %s ignored: %s", origin.uri, target.uri, reason)


def _arrive(tx: Writer, job: Job, origin: Account, target: Account) -> str:
    return moves.arrive(tx, origin, target) if jobs.finish(tx, job) else ""


async def leave(node: Node, who: Account, target: Account) -> None:
    """One of ours moves away, to an account that is asked for anew. Raises Invalid, Conflict or Unreachable."""
    try:
        target = await actors.find(node, target.uri, refresh=True)
    except Unfetchable as error:
        raise Invalid(
            "That account cannot be reached at the moment.", field="target", detail=error.reason
        ) from error
    except Refused as error:
        raise Invalid(error.message, field="target", detail=error.detail) from error
    await node.db.write(moves.leave, who, target)
