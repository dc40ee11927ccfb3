"""Verifies moves between servers, and moves a local account to another server.

Modules import it `as remote_migration`. Of a Move only its signature is believed: both actors are fetched anew, the new
one must name the old one (`alsoKnownAs`), and the old one must not name another target.
"""

from __future__ import annotations

import logging

from activitypub.client.client import Unfetchable
from activitypub.client.documents import is_local_uri
from activitypub.client.fetch_budget import FetchBudget
from activitypub.remote import actors, lookup
from node.accounts import accounts
from node.database import Writer
from node.errors import Invalid, Refused
from node.ids import now_ms
from node.jobs.queue import Job, RetryLater
from node.lifecycle import migration
from node.models.account import Account
from node.node import Node

log = logging.getLogger("tintype.inbox")

MAX_REQUESTS = 8
MAX_ATTEMPTS = 4


async def check(node: Node, job: Job) -> None:
    """Job `check_move`: fetches both accounts anew, and carries out the move if they agree."""
    origin = await node.db.read(accounts.get, job.payload["origin"])
    budget = FetchBudget(MAX_REQUESTS, hosts=5)
    try:
        origin = await actors.find(node, origin.uri, refresh=True, budget=budget)
        target = await _refetch_account(node, job.payload["target"], budget)
        await node.db.write(migration.receive_move, origin, target)
    except Unfetchable as error:
        if error.temporary and job.attempts < MAX_ATTEMPTS:
            raise RetryLater(now_ms() + (60_000 << (2 * job.attempts)), error.reason) from error
        log.info("the move of %s is not accepted: %s", origin.uri, error.reason)
    except Refused as refused:
        log.info("the move of %s is not accepted: %s %s", origin.uri, refused.message, refused.detail)


async def fetch_target(node: Node, job: Job) -> None:
    """Job `fetch_move_target`: fetches the account to which a remote account says that it has moved."""
    account = await node.db.read(accounts.by_id, job.payload["id"])
    if account is None or account.is_local or account.is_inactive:
        return
    try:
        await find_target(node, account)
    except Unfetchable as error:
        if error.temporary and job.attempts < MAX_ATTEMPTS:
            raise RetryLater(now_ms() + (60_000 << (2 * job.attempts)), error.reason) from error
        log.info("the account that %s moved to cannot be fetched: %s", account.uri, error.reason)


async def find_target(node: Node, account: Account) -> None:
    """Fetches the account to which this one has moved, so that pages and apps can name it; not where that moved on to.

    Raises Unfetchable. Only an account that lists this one as an alias counts: `migration.destination` looks.
    """
    if not account.moved_to or is_local_uri(node, account.moved_to):
        return
    if await node.db.read(migration.destination, account) is None:
        budget = FetchBudget(4, hosts=2)
        await actors.find(node, account.moved_to, refresh=True, budget=budget, is_move_target=True)


async def _refetch_account(node: Node, uri: str, budget: FetchBudget | None = None) -> Account:
    return await actors.find(node, uri, refresh=not is_local_uri(node, uri), budget=budget)


async def find_account(node: Node, viewer: Account, name: str, *, field: str) -> Account:
    """Finds the account that `viewer` names by handle or URL, fetched anew. Raises Invalid or Unreachable."""
    name = name.strip()
    if name and "@" not in name.removeprefix("@") and "/" not in name:
        name = f"{name.removeprefix('@')}@{node.site.handle_domain}"
    found = await lookup.resolve(node, name, viewer) if name else None
    if not isinstance(found, Account):
        raise Invalid("This account does not exist.", field=field)
    try:
        return await _refetch_account(node, found.uri)
    except Unfetchable as error:
        raise Invalid(
            "Their server does not answer at the moment.", field=field, detail=str(error)
        ) from error


async def move(node: Node, account: Account, name: str) -> None:
    """Moves a local account to the account called `name`. Raises Invalid, field 'target'.

    Whoever calls it knows that it is the person themselves: a move takes the followers along at once.
    """
    target = await find_account(node, account, name, field="target")

    def unit(tx: Writer) -> None:
        migration.move(tx, accounts.get(tx, account.id), accounts.get(tx, target.id))

    await node.db.write(unit)
