"""Following across nodes: at once, by request, and never again after a block."""

from __future__ import annotations

from federation_tests.fediverse import Fediverse, has


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

    # Everything she sends from now on is ignored.
    await mallory.likes(before)
    await mallory.comments(before, "Hello?")
    await mallory.follows(alice)
    await fediverse.settle()

    seen = await alice.sees(before)
    assert seen is not None
    assert seen.post.likes_count == 0
    assert await alice.conversation(before) == []
    assert not await mallory.is_following(alice)
