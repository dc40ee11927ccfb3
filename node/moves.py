"""Moving between accounts: other names of somebody, leaving for one of them, and who comes along. Owns no table.

Two accounts are one person's only if each names the other: the old one says where it moved, the new one
lists the old as an alias. Nobody moves twice within `PAUSE_MS`, nobody moves on to an account that has moved
itself, and whoever has blocked the new account, or may not follow it, stays where they are.
"""

from __future__ import annotations

from node import accounts, follows, jobs, notifications, outbox
from node.accounts import Account
from node.database import Reader, Writer
from node.errors import Conflict, Invalid, Refused
from node.ids import now_ms
from node.jobs import Job
from node.node import Node

DAY = 24 * 3_600_000
PAUSE_MS = 30 * DAY
MOST_ALIASES = 10
AT_ONCE = 50


def add_alias(tx: Writer, who: Account, other: Account) -> None:
    """`other` is who `who` was, or is elsewhere: followers may come from there. Raises Invalid."""
    aliases = accounts.get(tx, who.id).aliases
    if other.id == who.id:
        raise Invalid("That is this account itself.", field="other")
    if other.uri in aliases:
        return
    if len(aliases) >= MOST_ALIASES:
        raise Invalid(f"There is room for {MOST_ALIASES} other accounts.", field="other")
    accounts.set_aliases(tx, who, [*aliases, other.uri])


def remove_alias(tx: Writer, who: Account, uri: str) -> None:
    aliases = accounts.get(tx, who.id).aliases
    if uri in aliases:
        accounts.set_aliases(tx, who, [one for one in aliases if one != uri])


def leave(tx: Writer, who: Account, target: Account) -> None:
    """Move away, with all followers. `target` must be as its server describes it now. Raises Invalid or Conflict."""
    who = accounts.get(tx, who.id)
    problem = _problem(who, target)
    if problem:
        raise Invalid(problem, field="target", detail=f"{who.uri} to {target.uri}")
    if _is_resting(who):
        raise Conflict("You have moved less than 30 days ago. Please wait before you move again.")
    accounts.set_moved(tx, who, target.uri, now_ms())
    outbox.record(tx, who, "Move", who.uri, target=target)
    _queue(tx, who, target)


def come_back(tx: Writer, who: Account) -> None:
    """Be at home here again. Followers who have gone do not return by themselves."""
    who = accounts.get(tx, who.id)
    if who.moved_to:
        accounts.set_moved(tx, who, "", who.moved_at)


def arrive(tx: Writer, origin: Account, target: Account) -> str:
    """Somebody elsewhere says that they have moved; both were fetched just now. Why nothing is done, or ''."""
    origin, target = accounts.get(tx, origin.id), accounts.get(tx, target.id)
    if origin.is_gone:
        return "the old account is gone"
    problem = _problem(origin, target)
    if problem:
        return problem
    if origin.moved_to not in ("", target.uri):
        return "their own document names another place"
    if _is_resting(origin):
        return "they have moved before, not long ago"
    accounts.set_moved(tx, origin, target.uri, now_ms())
    _queue(tx, origin, target)
    return ""


def _problem(origin: Account, target: Account) -> str:
    if target.is_gone:
        return "That account is gone."
    if origin.id == target.id:
        return "That is this account itself."
    if origin.uri not in target.aliases:
        return "That account does not name this one as another account of yours yet."
    if target.moved_to:
        return "That account has moved somewhere else itself."
    return ""


def _is_resting(who: Account) -> bool:
    return who.moved_at is not None and who.moved_at > now_ms() - PAUSE_MS


def _queue(tx: Writer, origin: Account, target: Account) -> None:
    jobs.add(tx, "take_along", {"from": origin.id, "to": target.id})


async def take_along(node: Node, job: Job) -> None:
    """Job `take_along`: whoever here follows the old account follows the new one."""
    after = 0
    while (last := await node.db.write(_some, job.payload["from"], job.payload["to"], after)) is not None:
        after = last


def _some(tx: Writer, from_id: int, to_id: int, after: int) -> int | None:
    """Some of them; the id of the last follow, or None when there are no more."""
    people = accounts.by_ids(tx, [from_id, to_id])
    origin, target = people[from_id], people[to_id]
    found = _followers_here(tx, origin, after)
    for held, follower in found:
        try:
            follows.follow(tx, follower, target, shows_boosts=held.shows_boosts)
        except Refused:
            continue
        follows.unfollow(tx, follower, origin)
        notifications.notify(tx, follower.id, "move", by=target)
    return found[-1][0].id if found else None


def _followers_here(tx: Reader, origin: Account, after: int) -> list[tuple[follows.Follow, Account]]:
    held = follows.held_here(tx, origin, after, AT_ONCE)
    people = accounts.by_ids(tx, [one.follower_id for one in held])
    return [(one, people[one.follower_id]) for one in held]
