"""Following across nodes: at once, by request, and never again after a block."""

from __future__ import annotations

import pytest

from federation_tests.fediverse import Fediverse, Person, has
from federation_tests.remote_server import RemoteServer
from federation_tests.security.scenes import alice_follows_rita
from node.accounts import accounts, relationships
from node.database import Writer
from node.errors import NotFound
from node.interactions import blocks, follows


async def test_a_locked_account_approves_its_followers(fediverse: Fediverse) -> None:
    alice, bob = await fediverse.people("alice@a.test", "bob@b.test")
    await alice.locks()
    await bob.follows(alice)
    await fediverse.settle()
    assert not await bob.is_following(alice)
    assert await alice.notifications() == [("follow_request", "bob@b.test")]
    early = await alice.posts("Before", photo="Before", visibility="followers")
    await fediverse.settle()
    assert not await has(bob.node, early)

    await alice.accepts(bob)
    await fediverse.settle()
    later = await alice.posts("After", photo="After", visibility="followers")
    await fediverse.settle()

    assert await bob.is_following(alice)
    assert await bob.home() == ["After"]
    assert await bob.sees(later) is not None
    assert not await has(bob.node, early)


async def test_a_follow_request_can_be_rejected(fediverse: Fediverse) -> None:
    alice, bob = await fediverse.people("alice@a.test", "bob@b.test")
    await alice.locks()
    await bob.follows(alice)
    await fediverse.settle()

    await alice.rejects(bob)
    await fediverse.settle()
    post = await alice.posts("Quiet", photo="Quiet")
    await fediverse.settle()

    assert not await bob.is_following(alice)
    assert not await has(bob.node, post)


async def test_unfollowing_ends_the_deliveries(fediverse: Fediverse) -> None:
    alice, bob = await fediverse.people("alice@a.test", "bob@b.test")
    await bob.follows(alice)
    await fediverse.settle()
    await alice.posts("One", photo="One")
    await fediverse.settle()

    await bob.unfollows(alice)
    await fediverse.settle()
    second = await alice.posts("Two", photo="Two")
    await fediverse.settle()

    assert await bob.home() == []
    assert not await has(bob.node, second)
    assert (await alice.account()).followers_count == 0


async def test_a_block_ends_follows_and_ignores_what_comes_after(fediverse: Fediverse) -> None:
    alice, mallory = await fediverse.people("alice@a.test", "mallory@b.test")
    await mallory.follows(alice)
    await fediverse.settle()
    before = await alice.posts("Before", photo="Before")
    await fediverse.settle()
    assert await mallory.sees(before) is not None

    await alice.blocks(mallory)
    await fediverse.settle()
    after = await alice.posts("After", photo="After", visibility="followers")
    await fediverse.settle()

    assert not await mallory.is_following(alice)
    assert not await has(mallory.node, after)
    assert (await alice.account()).followers_count == 0

    # Her own server knows of the block, and has ended it all as well.
    for what in (mallory.likes(before), mallory.follows(alice)):
        with pytest.raises(NotFound):
            await what

    # Were it to ignore the block, everything she sends from now on is ignored here.
    await mallory.node.db.write(_forget_blocks)
    await mallory.likes(before)
    await mallory.comments(before, "Hello?")
    await mallory.follows(alice)
    await fediverse.settle()

    seen = await alice.sees(before)
    assert seen is not None
    assert seen.post.likes_count == 0
    assert await alice.conversation(before) == []
    assert not await mallory.is_following(alice)


def _forget_blocks(tx: Writer) -> None:
    tx.run("DELETE FROM blocks")


async def test_a_block_is_told_only_to_the_server_of_the_blocked_and_so_is_its_end(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    other.person("tom")
    account = await alice.account()
    await other.send(alice.node, "tom", other.activity("tom", "Follow", account.uri))
    await fediverse.settle()
    evil.received.clear()
    other.received.clear()
    rita = await alice.node.db.read(accounts.by_uri, f"{evil.base}/users/rita")
    assert rita is not None

    await alice.node.db.write(blocks.block, account, rita)
    await fediverse.settle()
    await alice.node.db.write(blocks.unblock, account, rita)
    await fediverse.settle()

    unfollow, block, unblock = evil.received
    assert unfollow["type"] == "Undo"
    assert (block["type"], block["actor"], block["object"]) == ("Block", account.uri, rita.uri)
    assert unblock["type"] == "Undo"
    assert {**unblock["object"], "@context": block["@context"]} == block
    assert other.received == []
    assert evil.requests["/users/rita/inbox"] == 4, "one Follow, and these three"


async def test_a_block_by_a_remote_account_hides_and_its_undo_frees(fediverse: Fediverse) -> None:
    alice, bob = await fediverse.people("alice@a.test", "bob@b.test")
    post = await alice.posts("A lake", photo="A lake")
    await bob.follows(alice)
    await fediverse.settle()

    await bob.blocks(alice)
    await fediverse.settle()
    assert await _is_blocked_by(alice, bob)
    await bob._do(blocks.unblock, await bob.finds(alice))
    await fediverse.settle()

    assert not await _is_blocked_by(alice, bob)
    await bob.follows(alice)
    await fediverse.settle()
    assert await bob.is_following(alice)
    assert await alice.sees(post) is not None


async def _is_blocked_by(one: Person, other: Person) -> bool:
    account, found = await one.account(), await one.finds(other)
    return await one.node.db.read(relationships.has_blocked, found, account)


async def test_a_removed_follower_gets_a_reject_of_the_follow_by_its_own_id(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    account = await alice.account()
    evil.person("rita")
    follow = evil.activity("rita", "Follow", account.uri)
    follow["id"] = f"{evil.base}/users/rita/follow/01J5QVB9TFE0XHR6RPKZ1VN4ZQ"
    await evil.send(alice.node, "rita", follow)
    await fediverse.settle()
    evil.received.clear()
    rita = await alice.node.db.read(accounts.by_uri, f"{evil.base}/users/rita")
    assert rita is not None

    await alice.node.db.write(follows.remove_follower, account, rita)
    await fediverse.settle()

    reject, block, undo = evil.received
    embedded = {"id": follow["id"], "type": "Follow", "actor": rita.uri, "object": account.uri}
    assert (reject["type"], reject["object"]) == ("Reject", embedded)
    assert (block["type"], undo["type"], undo["object"]["id"]) == ("Block", "Undo", block["id"])
