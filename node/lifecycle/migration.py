"""Moving from one account to another, here or elsewhere. Owns `moves`.

The new account says first that it is also the old one (`also_known_as`); then the old one says that it has
moved. Only both together count. Whoever of ours follows the old one follows the new one instead, unless there
is a block between the two. Nobody moves again soon, nor is moved on at once from where they just arrived: so a
chain of moves cannot lead followers far in one go.
"""

from __future__ import annotations

from node.accounts import accounts, relationships
from node.database import Reader, Writer
from node.errors import Invalid, NotAllowed, Refused
from node.federation import outbox
from node.ids import now_ms
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
"""When one of ours may move again."""
REMOTE_MOVE_COOLDOWN_MS = 7 * DAY_MS
"""When somebody elsewhere may move again, or on."""
MAX_ALIASES = 10
BATCH_SIZE = 50


def add_alias(tx: Writer, who: Account, other: Account) -> None:
    """One of ours says that another account is theirs too. Raises Invalid."""
    if other.id == who.id or other.is_inactive or other.kind == "Application":
        raise Invalid("That is not one of your other accounts.", field="alias")
    if other.uri in who.aliases:
        return
    if len(who.aliases) >= MAX_ALIASES:
        raise Invalid(f"No more than {MAX_ALIASES} accounts can be named.", field="alias")
    _update_actor(tx, who, aliases=[*who.aliases, other.uri], moved_to=who.moved_to)


def remove_alias(tx: Writer, who: Account, uri: str) -> None:
    if uri in who.aliases:
        _update_actor(tx, who, aliases=[one for one in who.aliases if one != uri], moved_to=who.moved_to)


def move(tx: Writer, who: Account, target: Account) -> None:
    """One of ours goes to another account, which has just been read. Raises Invalid, field 'target'."""
    if not who.is_local or who.is_inactive:
        raise NotAllowed("This account cannot move.")
    if who.moved_to:
        raise Invalid("This account has moved already.", field="target")
    again = next_move_at(tx, who)
    if again > now_ms():
        raise Invalid("This account has moved recently. It can move again after 30 days.", field="target")
    _check_target(tx, who, target)
    _record_move(tx, who, target)
    _update_actor(tx, who, aliases=who.aliases, moved_to=target.uri)
    outbox.record(tx, who, "Move", who.uri, extra={"target": target.uri})


def cancel_move(tx: Writer, who: Account) -> None:
    """One of ours is here again. Who has followed them elsewhere stays there."""
    if who.moved_to:
        _update_actor(tx, who, aliases=who.aliases, moved_to="")


def next_move_at(tx: Reader, who: Account) -> int:
    """When somebody may move again; 0 for at any time."""
    moved_at = tx.value("SELECT moved_at FROM moves WHERE account_id = :who", who=who.id)
    return 0 if moved_at is None else int(moved_at) + MOVE_COOLDOWN_MS


def receive_move(tx: Writer, origin: Account, target: Account) -> None:
    """Somebody elsewhere has moved, as they say and the new account, just read, agrees. Raises Refused."""
    if origin.is_local or origin.is_inactive:
        raise NotAllowed("This account cannot move.", detail=origin.uri)
    if origin.moved_to not in ("", target.uri):
        raise Invalid("Their server says the account has moved.", detail=origin.moved_to)
    if not is_past_cooldown(tx, origin):
        raise NotAllowed("This account has moved recently.", detail=origin.uri)
    _check_target(tx, origin, target)
    _record_move(tx, origin, target)


def is_past_cooldown(tx: Reader, account: Account) -> bool:
    """Whether somebody elsewhere may move: they have not moved lately, and nobody has just moved to them."""
    return not tx.value(
        """SELECT 1 FROM moves WHERE account_id = :id AND moved_at > :since
           UNION ALL SELECT 1 FROM moves WHERE target_id = :id AND moved_at > :since LIMIT 1""",
        id=account.id,
        since=now_ms() - REMOTE_MOVE_COOLDOWN_MS,
    )


def has_local_relationships(tx: Reader, origin: Account) -> bool:
    """Whether anybody here follows, has muted or has blocked them."""
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


def _update_actor(tx: Writer, who: Account, *, aliases: list[str], moved_to: str) -> None:
    accounts.set_migration(tx, who.id, aliases=aliases, moved_to=moved_to)
    outbox.record(tx, who, "Update", who.uri)


async def carry_over(node: Node, job: Job) -> None:
    """Job `carry_over`: our people who follow, mute or block the old account do so to the new one."""
    origin_id, target_id = job.payload["origin"], job.payload["target"]
    for unit in (_carry_mutes, _carry_blocks, _carry_follows):
        after = 0
        while (after := await node.db.write(unit, origin_id, target_id, after)) > 0:
            pass


def _load_pair(tx: Reader, origin_id: int, target_id: int) -> tuple[Account, Account] | None:
    found = accounts.by_ids(tx, (origin_id, target_id))
    origin, target = found.get(origin_id), found.get(target_id)
    if origin is None or target is None or target.is_inactive:
        return None
    return origin, target


def _carry_follows(tx: Writer, origin_id: int, target_id: int, after: int) -> int:
    """The next few; the last id there was, 0 at the end."""
    two = _load_pair(tx, origin_id, target_id)
    rows = tx.all(
        """SELECT f.id, f.follower_id, f.shows_boosts FROM follows f JOIN accounts a ON a.id = f.follower_id
           WHERE f.followed_id = :origin AND f.id > :after AND a.is_local
           ORDER BY f.id LIMIT :most""",
        origin=origin_id,
        after=after,
        most=BATCH_SIZE,
    )
    if two is None or not rows:
        return 0
    origin, target = two
    people = accounts.by_ids(tx, (row["follower_id"] for row in rows))
    for row in rows:
        follower = people[row["follower_id"]]
        try:
            follows.follow(tx, follower, target, shows_boosts=bool(row["shows_boosts"]))
        except Refused:
            # A block, or themselves: what they have stays as it is.
            continue
        follows.unfollow(tx, follower, origin)
        notifications.notify(tx, follower.id, "move", actor=target)
    return int(rows[-1]["id"])


def _carry_mutes(tx: Writer, origin_id: int, target_id: int, after: int) -> int:
    two = _load_pair(tx, origin_id, target_id)
    rows = tx.all(
        """SELECT m.id, m.account_id, m.hides_notifications FROM mutes m
           WHERE m.target_id = :origin AND m.id > :after ORDER BY m.id LIMIT :most""",
        origin=origin_id,
        after=after,
        most=BATCH_SIZE,
    )
    if two is None or not rows:
        return 0
    _, target = two
    people = accounts.by_ids(tx, (row["account_id"] for row in rows))
    for row in rows:
        who = people[row["account_id"]]
        if who.id != target.id and not relationships.has_muted(tx, who, target):
            blocks.mute(tx, who, target, hides_notifications=bool(row["hides_notifications"]))
    return int(rows[-1]["id"])


def _carry_blocks(tx: Writer, origin_id: int, target_id: int, after: int) -> int:
    """Whoever has blocked the old account does not want the new one, unless they follow it already."""
    two = _load_pair(tx, origin_id, target_id)
    rows = tx.all(
        """SELECT b.id, b.account_id FROM blocks b JOIN accounts a ON a.id = b.account_id
           WHERE b.target_id = :origin AND a.is_local AND b.id > :after ORDER BY b.id LIMIT :most""",
        origin=origin_id,
        after=after,
        most=BATCH_SIZE,
    )
    if two is None or not rows:
        return 0
    _, target = two
    people = accounts.by_ids(tx, (row["account_id"] for row in rows))
    for row in rows:
        who = people[row["account_id"]]
        if who.id != target.id and relationships.follow_between(tx, who, target) is None:
            blocks.block(tx, who, target)
    return int(rows[-1]["id"])


def destination(tx: Reader, account: Account) -> Account | None:
    """Where somebody has moved, if that is known here and, of somebody elsewhere, the new account agrees."""
    found = accounts.by_uri(tx, account.moved_to) if account.moved_to else None
    if found is None or found.is_inactive:
        return None
    return found if account.is_local or account.uri in found.aliases else None


def aliases(tx: Reader, who: Account) -> list[tuple[str, Account | None]]:
    """The other accounts somebody names: their ids, and who they are as far as that is known here."""
    return [(uri, accounts.by_uri(tx, uri)) for uri in who.aliases]
