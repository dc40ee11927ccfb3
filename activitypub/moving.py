"""Move: somebody goes to another account. What it says is only a reason to read both accounts again.

Nothing in the activity is believed but who signed it: the new account must name the old one at its own address
(`alsoKnownAs`), and the old one must not say that it went anywhere else.
"""

from __future__ import annotations

import logging

from activitypub import actors, lookups
from activitypub.client import Unfetchable
from activitypub.fetching import Budget, is_ours
from activitypub.heard import Heard, Ignored
from activitypub.uris import Malformed, host_of
from node import accounts, domains, jobs, moves, passwords, users
from node.accounts import Account
from node.database import Writer
from node.errors import Invalid, Refused
from node.ids import now_ms
from node.jobs import Job, Later
from node.node import Node

log = logging.getLogger("tintype.inbox")

MOST_REQUESTS = 8
MOST_TRIES = 4


def hear(tx: Writer, heard: Heard) -> None:
    activity, by = heard.activity, heard.by
    target = activity.target.uri
    if activity.object.uri != by.uri:
        raise Ignored("somebody else would be moved")
    if target is None or target == by.uri:
        raise Ignored("a move to nowhere")
    if not moves.matters(tx, by):
        raise Ignored("nobody here would notice")
    if not moves.is_settled(tx, by):
        raise Ignored("they have moved lately")
    try:
        host = host_of(target)
    except Malformed as error:
        raise Ignored("a move to nowhere") from error
    if domains.is_blocked(tx, host):
        raise Ignored("nothing is exchanged with where they go")
    jobs.add(tx, "check_move", {"origin": by.id, "target": target}, lane=f"fetch {host}")


async def check(node: Node, job: Job) -> None:
    """Job `check_move`: read both accounts anew, and believe the move if they agree."""
    origin = await node.db.read(accounts.get, job.payload["origin"])
    budget = Budget(MOST_REQUESTS, hosts=5)
    try:
        origin = await actors.find(node, origin.uri, refresh=True, budget=budget)
        target = await _read(node, job.payload["target"], budget)
        await node.db.write(moves.receive, origin, target)
    except Unfetchable as error:
        if error.temporary and job.attempts < MOST_TRIES:
            raise Later(now_ms() + (60_000 << (2 * job.attempts)), error.reason) from error
        log.info("the move of %s is not believed: %s", origin.uri, error.reason)
    except Refused as refused:
        log.info("the move of %s is not believed: %s %s", origin.uri, refused.message, refused.detail)


async def _read(node: Node, uri: str, budget: Budget | None = None) -> Account:
    return await actors.find(node, uri, refresh=not is_ours(node, uri), budget=budget)


async def find(node: Node, who: Account, name: str, *, field: str) -> Account:
    """The account that one of ours names by handle or address, read anew. Raises Invalid or Unreachable."""
    name = name.strip()
    if name and "@" not in name.removeprefix("@") and "/" not in name:
        name = f"{name.removeprefix('@')}@{node.site.handle_domain}"
    found = await lookups.resolve(node, name, who) if name else None
    if not isinstance(found, Account):
        raise Invalid("This account does not exist.", field=field)
    try:
        return await _read(node, found.uri)
    except Unfetchable as error:
        raise Invalid(
            "Their server does not answer at the moment.", field=field, detail=str(error)
        ) from error


async def move(node: Node, who: Account, password: str, name: str) -> None:
    """Move one of ours to the account they name. Raises Invalid, field 'password' or 'target'."""
    if not await passwords.verify(await node.db.read(users.password_hash, who.id), password):
        raise Invalid("The password is wrong.", field="password")
    target = await find(node, who, name, field="target")

    def unit(tx: Writer) -> None:
        moves.move(tx, accounts.get(tx, who.id), accounts.get(tx, target.id))

    await node.db.write(unit)
