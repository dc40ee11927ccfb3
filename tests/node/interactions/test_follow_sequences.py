"""Whatever people do to each other, in whatever order: rows, counts and feeds say what plain rules say."""

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

DEEDS = ("follow", "accept", "reject", "unfollow", "remove", "block", "unblock", "mute", "unmute")
OURS = ("alice", "bob", "carol")
EVERYONE = (*OURS, "rita")
LOCKED = ("carol", "rita")

steps = st.lists(
    st.tuples(st.sampled_from(DEEDS), st.sampled_from(EVERYONE), st.sampled_from(EVERYONE)).filter(
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

    def do(self, deed: str, who: str, whom: str) -> None:
        pair = (who, whom)
        if deed == "follow" and not {pair, (whom, who)} & self.blocks:
            self.follows.setdefault(pair, "pending" if whom in LOCKED else "accepted")
        elif deed == "accept" and (whom, who) in self.follows:
            self.follows[whom, who] = "accepted"
        elif deed in ("reject", "remove"):
            self.follows.pop((whom, who), None)
        elif deed == "unfollow":
            self.follows.pop(pair, None)
        elif deed == "block":
            self.blocks.add(pair)
            self.follows.pop(pair, None)
            self.follows.pop((whom, who), None)
        elif deed == "unblock":
            self.blocks.discard(pair)
        elif deed == "mute" and who in OURS:
            self.mutes.add(pair)
        elif deed == "unmute":
            self.mutes.discard(pair)

    def feed(self, who: str) -> set[str]:
        """Whose post is in somebody's home feed: everyone has posted once, to everyone."""
        followed = {whom for (by, whom), state in self.follows.items() if by == who and state == "accepted"}
        return {who} | {whom for whom in followed if (who, whom) not in self.mutes and whom in OURS}


def do(tx: Writer, deed: str, who: Account, whom: Account) -> None:
    if deed == "follow":
        try:
            follows.follow(tx, who, whom, uri=None if who.is_local else f"{who.uri}#follow/{whom.name}")
        except NotFound:
            follows.decline(tx, who, whom, f"{who.uri}#follow/{whom.name}")
    elif deed in ("accept", "reject"):
        asked = relationships.between(tx, whom, who)
        if asked is not None:
            (follows.accept if deed == "accept" else follows.reject)(tx, asked)
    elif deed == "unfollow":
        follows.unfollow(tx, who, whom)
    elif deed == "remove":
        follows.remove_follower(tx, who, whom)
    elif deed in ("mute", "unmute") and not who.is_local:
        return
    else:
        getattr(blocks, deed)(tx, who, whom)


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
        assert now.followers_count == sum(whom == label for _, whom in accepted)
    for label in OURS:
        feed = tx.all("SELECT by_id FROM feed WHERE account_id = :id", id=known[label].id)
        assert sorted(name[row["by_id"]] for row in feed) == sorted(rules.feed(label))
    for row in tx.all("SELECT account_id, by_id, kind FROM notifications"):
        told, by = name[row["account_id"]], name[row["by_id"]]
        assert told in OURS
        assert not {(told, by), (by, told)} & rules.blocks
        wanted = "pending" if row["kind"] == "follow_request" else "accepted"
        assert rules.follows.get((by, told)) == wanted


@given(steps=steps)
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_any_sequence_keeps_rows_counts_feeds_and_notifications_true(
    db: Database, pairs: dict[str, Any], steps: list[tuple[str, str, str]]
) -> None:
    def play(tx: Writer) -> None:
        known = {label: accounts.create_local(tx, label, pair=pairs["alice"]) for label in OURS}
        known["carol"] = people.lock(tx, known["carol"])
        known["rita"] = people.remote(tx)
        for label in OURS:
            publishing.publish(tx, known[label], Draft(caption=f"by {label}"))
        rules = Rules()
        for step in steps:
            deed, who, whom = step
            do(tx, deed, known[who], known[whom])
            rules.do(deed, who, whom)
            compare(tx, rules, known)
        raise Enough

    with contextlib.suppress(Enough):
        await db.write(play)
