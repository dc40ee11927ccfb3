"""Relationships: follows, blocks and mutes of two accounts, from either side."""

from __future__ import annotations

import dataclasses

from node.accounts import relationships
from node.accounts.relationships import Relationship
from node.database import Database
from node.interactions import blocks, follows
from node.models.account import Account
from tests.support import people

NONE = {
    field.name: False
    for field in dataclasses.fields(Relationship)
    if field.name not in ("id", "domain_blocking")
}


def between(id_: int, **true: bool) -> Relationship:
    return Relationship(id_, **(NONE | {"muting_ends_at": None} | true))


async def test_relationships_are_listed_from_either_side_in_the_given_order(
    db: Database, alice: Account, bob: Account, mallory: Account
) -> None:
    rita = await db.write(people.remote)
    await db.write(follows.follow, alice, bob, shows_boosts=False)
    await db.write(follows.follow, alice, rita)
    await db.write(follows.follow, bob, await db.write(people.lock, alice))
    await db.write(blocks.block, mallory, alice)
    await db.write(blocks.mute, alice, bob)

    assert await db.read(relationships.with_accounts, alice, [rita.id, mallory.id, 404, bob.id, rita.id]) == [
        between(rita.id, requested=True),
        between(mallory.id, blocked_by=True),
        between(bob.id, following=True, requested_by=True, muting=True, muting_notifications=True),
    ]
    assert await db.read(relationships.with_account, mallory, alice) == between(alice.id, blocking=True)
    assert await db.read(relationships.with_account, rita, alice) == between(alice.id, requested_by=True)
    assert await db.read(relationships.with_accounts, alice, []) == []


async def test_a_block_is_between_both_and_a_mute_only_of_one(
    db: Database, alice: Account, bob: Account, mallory: Account
) -> None:
    await db.write(blocks.block, alice, bob)
    await db.write(blocks.mute, alice, mallory)

    assert await db.read(relationships.is_block_between, alice, bob)
    assert await db.read(relationships.is_block_between, bob, alice)
    assert not await db.read(relationships.is_block_between, alice, mallory)
    assert await db.read(relationships.has_blocked, alice, bob)
    assert not await db.read(relationships.has_blocked, bob, alice)
    assert await db.read(relationships.has_muted, alice, mallory)
    assert not await db.read(relationships.has_muted, mallory, alice)


async def test_a_follow_is_found_by_both_accounts_and_by_its_uri(
    db: Database, alice: Account, bob: Account
) -> None:
    made = await db.write(follows.follow, alice, bob)

    assert await db.read(relationships.follow_between, alice, bob) == made
    assert await db.read(relationships.follow_by_uri, made.uri) == made
    assert made.is_accepted
    assert await db.read(relationships.follow_between, bob, alice) is None
    assert await db.read(relationships.follow_by_uri, "https://far.example/follows/1") is None
