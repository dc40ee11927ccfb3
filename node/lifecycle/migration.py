"""Moves from one account to another, local or remote. Owns `moves`. Called by settings, `Move` handlers and a job.

The new account first lists the old one as an alias (`alsoKnownAs`); then the old one sends Move. Only both together
count. Local followers of the old account then follow the new one instead, unless there is a block between the two.
An account cannot move again soon, nor on from where others have just moved: so a chain of moves cannot lead
followers far at once.
"""

from __future__ import annotations

from collections.abc import Callable

from node.accounts import accounts, relationships
from node.database import Reader, Row, Writer
from node.errors import Invalid, NotAllowed, Refused
from node.federation import outbox
from node.ids import CLOCK_TOLERANCE_MS, has_passed, now_ms
from node.interactions import blocks, follows
from node.jobs import queue
from node.jobs.queue import Job
from node.models.account import Account
from node.moderation import domain_rules
from node.node import Node
from node.notifications import notifications
from node.text import hostnames

DAY_MS = 24 * 3_600_000
MOVE_COOLDOWN_MS = 30 * DAY_MS
"""How long until a local account may move again."""
REMOTE_MOVE_COOLDOWN_MS = 7 * DAY_MS
"""How long until a remote account may move again, or on."""
MAX_ALIASES = 10
BATCH_SIZE = 50

_Carry = Callable[[Writer, Account, Account, Account, Row], None]
"""Carries one row over: the local account, the old account, the new one, and the row of the relationship."""


def add_alias(tx: Writer, account: Account, other: Account) -> None:
    """Adds an alias to a local account: another account of the same person. Raises Invalid, field `alias`."""
    if other.id == account.id or other.is_inactive or other.kind == "Application":
        raise Invalid("That is not one of your other accounts.", field="alias")
    if other.uri in account.aliases:
        return
    if len(account.aliases) >= MAX_ALIASES:
        raise Invalid(f"No more than {MAX_ALIASES} accounts can be named.", field="alias")
    _update_actor(tx, account, aliases=[*account.aliases, other.uri], moved_to=account.moved_to)


def remove_alias(tx: Writer, account: Account, uri: str) -> None:
    if uri in account.aliases:
        _update_actor(
            tx, account, aliases=[one for one in account.aliases if one != uri], moved_to=account.moved_to
        )


def move(tx: Writer, account: Account, target: Account) -> None:
    """Moves a local account to another one, which has just been fetched. Its followers are sent a Move.

    Raises NotAllowed for an account that cannot move, and Invalid, field `target`, for a target that cannot be moved
    to, or too soon after the last move.
    """
    if not account.is_local or account.is_inactive:
        raise NotAllowed("This account cannot move.")
    if account.moved_to:
        raise Invalid("This account has moved already.", field="target")
    if next_move_at(tx, account) > now_ms():
        raise Invalid("This account has moved recently. It can move again after 30 days.", field="target")
    _check_target(tx, account, target)
    _record_move(tx, account, target)
    _update_actor(tx, account, aliases=account.aliases, moved_to=target.uri)
    outbox.record(tx, account, "Move", account.uri, extra={"target": target.uri})


def cancel_move(tx: Writer, account: Account) -> None:
    """Cancels the move of a local account. Followers that the new account has got stay with it."""
    if account.moved_to:
        _update_actor(tx, account, aliases=account.aliases, moved_to="")


def next_move_at(tx: Reader, account: Account) -> int:
    """Returns when an account may move again, in milliseconds since 1970; 0 for at any time."""
    moved_at = tx.value("SELECT moved_at FROM moves WHERE account_id = :account", account=account.id)
    if moved_at is None or has_passed(MOVE_COOLDOWN_MS, moved_at):
        return 0
    return int(moved_at) + MOVE_COOLDOWN_MS


def receive_move(tx: Writer, origin: Account, target: Account) -> None:
    """Records the move of a remote account to a target, which has just been fetched. Raises NotAllowed or Invalid."""
    if origin.is_local or origin.is_inactive:
        raise NotAllowed("This account cannot move.", detail=origin.uri)
    if origin.moved_to not in ("", target.uri):
        raise Invalid("Their server says the account has moved.", detail=origin.moved_to)
    if not is_past_cooldown(tx, origin):
        raise NotAllowed("This account has moved recently.", detail=origin.uri)
    _check_target(tx, origin, target)
    _record_move(tx, origin, target)


def is_past_cooldown(tx: Reader, account: Account) -> bool:
    """Returns whether a remote account may move: it has not moved lately, and nobody has just moved to it."""
    return not tx.value(
        """SELECT 1 FROM moves WHERE account_id = :id AND moved_at > :since AND moved_at <= :latest
           UNION ALL SELECT 1 FROM moves WHERE target_id = :id AND moved_at > :since AND moved_at <= :latest
           LIMIT 1""",
        id=account.id,
        since=now_ms() - REMOTE_MOVE_COOLDOWN_MS,
        latest=now_ms() + CLOCK_TOLERANCE_MS,
    )


def has_local_relationships(tx: Reader, origin: Account) -> bool:
    """Returns whether any local account follows, has muted or has blocked this one."""
    return bool(
        tx.value(
            """SELECT 1 FROM accounts a WHERE a.is_local AND (
                   a.id IN (SELECT follower_id FROM follows WHERE followed_id = :id)
                   OR a.id IN (SELECT account_id FROM mutes WHERE target_id = :id)
                   OR a.id IN (SELECT account_id FROM blocks WHERE target_id = :id)) LIMIT 1""",
            id=origin.id,
        )
    )


def _check_target(tx: Reader, origin: Account, target: Account) -> None:
    if target.id == origin.id:
        raise Invalid("That is the same account.", field="target")
    if target.is_inactive or target.kind == "Application":
        raise Invalid("This account does not exist.", field="target")
    if origin.uri not in target.aliases:
        raise Invalid(
            "The new account does not list this account as an alias yet.", field="target", detail=target.uri
        )
    if target.moved_to:
        raise Invalid("The new account has itself moved.", field="target", detail=target.uri)
    if not target.is_local:
        for name in (target.domain, hostnames.from_uri(target.uri)):
            if domain_rules.is_blocked(tx, name):
                raise Invalid(f"This node does not exchange anything with {name}.", field="target")
    if relationships.is_block_between(tx, origin, target):
        raise Invalid("One of the accounts has blocked the other.", field="target")


def _record_move(tx: Writer, origin: Account, target: Account) -> None:
    tx.run(
        """INSERT INTO moves (account_id, target_id, moved_at) VALUES (:origin, :target, :now)
           ON CONFLICT (account_id) DO UPDATE SET target_id = excluded.target_id,
               moved_at = excluded.moved_at""",
        origin=origin.id,
        target=target.id,
        now=now_ms(),
    )
    queue.add(tx, "carry_over", {"origin": origin.id, "target": target.id})


def _update_actor(tx: Writer, account: Account, *, aliases: list[str], moved_to: str) -> None:
    accounts.set_migration(tx, account.id, aliases=aliases, moved_to=moved_to)
    outbox.record(tx, account, "Update", account.uri)


async def carry_over(node: Node, job: Job) -> None:
    """Job `carry_over`: makes local accounts that follow,
    mute or block the old account do so to the new one."""
    origin_id, target_id = job.payload["origin"], job.payload["target"]
    for query, carry in (
        (_MUTES_SQL, _carry_mute),
        (_BLOCKS_SQL, _carry_block),
        (_FOLLOWS_SQL, _carry_follow),
    ):
        after = 0
        while (after := await node.db.write(_carry_batch, query, carry, origin_id, target_id, after)) > 0:
            pass


_MUTES_SQL = """SELECT m.id, m.account_id, m.hides_notifications FROM mutes m
    WHERE m.target_id = :origin AND m.id > :after ORDER BY m.id LIMIT :most"""
_BLOCKS_SQL = """SELECT b.id, b.account_id FROM blocks b JOIN accounts a ON a.id = b.account_id
    WHERE b.target_id = :origin AND a.is_local AND b.id > :after ORDER BY b.id LIMIT :most"""
_FOLLOWS_SQL = """SELECT f.id, f.follower_id AS account_id, f.shows_boosts
    FROM follows f JOIN accounts a ON a.id = f.follower_id
    WHERE f.followed_id = :origin AND a.is_local AND f.id > :after ORDER BY f.id LIMIT :most"""


def _carry_batch(tx: Writer, query: str, carry: _Carry, origin_id: int, target_id: int, after: int) -> int:
    """Carries over the next few rows that a query finds. Returns the id of the last one, 0 at the end."""
    pair = accounts.by_ids(tx, (origin_id, target_id))
    origin, target = pair.get(origin_id), pair.get(target_id)
    if origin is None or target is None or target.is_inactive:
        return 0
    rows = tx.all(query, origin=origin_id, after=after, most=BATCH_SIZE)
    people = accounts.by_ids(tx, (row["account_id"] for row in rows))
    for row in rows:
        carry(tx, people[row["account_id"]], origin, target, row)
    return int(rows[-1]["id"]) if rows else 0


def _carry_mute(tx: Writer, account: Account, _origin: Account, target: Account, row: Row) -> None:
    if account.id != target.id and not relationships.has_muted(tx, account, target):
        blocks.mute(tx, account, target, hides_notifications=bool(row["hides_notifications"]))


def _carry_block(tx: Writer, account: Account, _origin: Account, target: Account, _row: Row) -> None:
    """Blocks the new account for one who has blocked the old one, unless they follow it already."""
    if account.id != target.id and relationships.follow_between(tx, account, target) is None:
        blocks.block(tx, account, target)


def _carry_follow(tx: Writer, follower: Account, origin: Account, target: Account, row: Row) -> None:
    try:
        follows.follow(tx, follower, target, shows_boosts=bool(row["shows_boosts"]))
    except Refused:
        # A block between the two, or the target itself: the follow stays as it is.
        return
    follows.unfollow(tx, follower, origin)
    notifications.notify(tx, follower.id, "move", actor=target)


def destination(tx: Reader, account: Account) -> Account | None:
    """Returns the account to which another has moved, if known; of a remote one only if the new account lists it."""
    found = accounts.by_uri(tx, account.moved_to) if account.moved_to else None
    if found is None or found.is_inactive:
        return None
    return found if account.is_local or account.uri in found.aliases else None


def aliases(tx: Reader, account: Account) -> list[tuple[str, Account | None]]:
    """Returns the aliases of an account: each uri, and its account if known."""
    return [(uri, accounts.by_uri(tx, uri)) for uri in account.aliases]
