"""Moving accounts between servers: a Move is believed once both accounts, read anew, agree.

Nothing in the activity is believed but who signed it: the new account must name the old one at its own address
(`alsoKnownAs`), and the old one must not say that it went anywhere else.
"""

from __future__ import annotations

import logging

from activitypub.client.client import Unfetchable
from activitypub.client.documents import is_ours
from activitypub.client.fetch_budget import Budget
from activitypub.remote import actors, lookup
from node.accounts import accounts
from node.auth import passwords, users
from node.database import Writer
from node.errors import Invalid, Refused
from node.ids import now_ms
from node.jobs.queue import Job, Later
from node.lifecycle import migration
from node.models.account import Account
from node.node import Node

log = logging.getLogger("tintype.inbox")

MOST_REQUESTS = 8
MOST_TRIES = 4


async def check(node: Node, job: Job) -> None:
    """Job `check_move`: read both accounts anew, and believe the move if they agree."""
    origin = await node.db.read(accounts.get, job.payload["origin"])
    budget = Budget(MOST_REQUESTS, hosts=5)
    try:
        origin = await actors.find(node, origin.uri, refresh=True, budget=budget)
        target = await _read(node, job.payload["target"], budget)
        await node.db.write(migration.receive, origin, target)
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
    found = await lookup.resolve(node, name, who) if name else None
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
        migration.move(tx, accounts.get(tx, who.id), accounts.get(tx, target.id))

    await node.db.write(unit)
