"""Any sequence of follows, blocks and mutes: rows, counts and feeds agree with a model of plain rules."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.accounts import accounts, relationships
from node.database import Database, Writer
from node.errors import NotFound
from node.interactions import blocks, follows
from node.models.account import Account
from node.posts.drafts import Draft
from node.publishing import publishing
from tests.support import people

ACTIONS = ("follow", "accept", "reject", "unfollow", "remove", "block", "unblock", "mute", "unmute")
LOCAL = ("alice", "bob", "carol")
EVERYONE = (*LOCAL, "rita")
LOCKED = ("carol", "rita")

steps = st.lists(
    st.tuples(st.sampled_from(ACTIONS), st.sampled_from(EVERYONE), st.sampled_from(EVERYONE)).filter(
        lambda step: step[1] != step[2]
    ),
    max_size=25,
)


class Enough(Exception):
    """Takes a whole sequence back, so that each begins on an empty node."""


@dataclass
class Rules:
    """The same world in a few lines."""

    follows: dict[tuple[str, str], str] = field(default_factory=dict)
    blocks: set[tuple[str, str]] = field(default_factory=set)
    mutes: set[tuple[str, str]] = field(default_factory=set)

    def do(self, action: str, actor: str, target: str) -> None:
        pair = (actor, target)
        if action == "follow" and not {pair, (target, actor)} & self.blocks:
            self.follows.setdefault(pair, "pending" if target in LOCKED else "accepted")
        elif action == "accept" and (target, actor) in self.follows:
            self.follows[target, actor] = "accepted"
        elif action in ("reject", "remove"):
            self.follows.pop((target, actor), None)
        elif action == "unfollow":
            self.follows.pop(pair, None)
        elif action == "block":
            self.blocks.add(pair)
            self.follows.pop(pair, None)
            self.follows.pop((target, actor), None)
        elif action == "unblock":
            self.blocks.discard(pair)
        elif action == "mute" and actor in LOCAL:
            self.mutes.add(pair)
        elif action == "unmute":
            self.mutes.discard(pair)

    def feed(self, actor: str) -> set[str]:
        """Whose post is in the home feed of an account: everyone has published one public post."""
        followed = {
            target for (by, target), state in self.follows.items() if by == actor and state == "accepted"
        }
        return {actor} | {
            target for target in followed if (actor, target) not in self.mutes and target in LOCAL
        }


def do(tx: Writer, action: str, actor: Account, target: Account) -> None:
    if action == "follow":
        try:
            follows.follow(
                tx, actor, target, uri=None if actor.is_local else f"{actor.uri}#follow/{target.name}"
            )
        except NotFound:
            follows.send_reject(tx, actor, target, f"{actor.uri}#follow/{target.name}")
    elif action in ("accept", "reject"):
        request = relationships.follow_between(tx, target, actor)
        if request is not None:
            (follows.accept if action == "accept" else follows.reject)(tx, request)
    elif action == "unfollow":
        follows.unfollow(tx, actor, target)
    elif action == "remove":
        follows.remove_follower(tx, actor, target)
    elif action in ("mute", "unmute") and not actor.is_local:
        return
    else:
        getattr(blocks, action)(tx, actor, target)


def compare(tx: Writer, rules: Rules, known: dict[str, Account]) -> None:
    name = {account.id: label for label, account in known.items()}
    rows = tx.all("SELECT follower_id, followed_id, state FROM follows")
    assert {
        (name[row["follower_id"]], name[row["followed_id"]]): row["state"] for row in rows
    } == rules.follows
    for label, account in known.items():
        now = accounts.get(tx, account.id)
        accepted = [pair for pair, state in rules.follows.items() if state == "accepted"]
        assert now.following_count == sum(by == label for by, _ in accepted)
        assert now.followers_count == sum(target == label for _, target in accepted)
    for label in LOCAL:
        feed = tx.all("SELECT by_id FROM feed WHERE account_id = :id", id=known[label].id)
        assert sorted(name[row["by_id"]] for row in feed) == sorted(rules.feed(label))
    for row in tx.all("SELECT account_id, by_id, kind FROM notifications"):
        notified, by = name[row["account_id"]], name[row["by_id"]]
        assert notified in LOCAL
        assert not {(notified, by), (by, notified)} & rules.blocks
        wanted = "pending" if row["kind"] == "follow_request" else "accepted"
        assert rules.follows.get((by, notified)) == wanted


@given(steps=steps)
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_any_sequence_keeps_rows_counts_feeds_and_notifications_consistent(
    db: Database, pairs: dict[str, Any], steps: list[tuple[str, str, str]]
) -> None:
    def play(tx: Writer) -> None:
        known = {label: accounts.create_local(tx, label, pair=pairs["alice"]) for label in LOCAL}
        known["carol"] = people.lock(tx, known["carol"])
        known["rita"] = people.remote(tx)
        for label in LOCAL:
            publishing.publish(tx, known[label], Draft(caption=f"by {label}"))
        rules = Rules()
        for step in steps:
            action, actor, target = step
            do(tx, action, known[actor], known[target])
            rules.do(action, actor, target)
            compare(tx, rules, known)
        raise Enough

    with contextlib.suppress(Enough):
        await db.write(play)
