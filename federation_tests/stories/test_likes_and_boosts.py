"""Likes and boosts reach other nodes, are counted once, and can be undone."""

from __future__ import annotations

from federation_tests.fediverse import Fediverse, has


async def test_a_like_reaches_the_author_and_can_be_undone(fediverse: Fediverse) -> None:
    alice, bob = await fediverse.people("alice@a.test", "bob@b.test")
    await bob.follows(alice)
    await fediverse.settle()
    post = await alice.posts("Heron", photo="A heron")
    await fediverse.settle()

    await bob.likes(post)
    await fediverse.settle()

    seen = await alice.sees(post)
    assert seen is not None
    assert seen.post.likes_count == 1
    assert ("like", "bob@b.test") in await alice.notifications()

    await bob.unlikes(post)
    await fediverse.settle()

    seen = await alice.sees(post)
    assert seen is not None
    assert seen.post.likes_count == 0
    assert ("like", "bob@b.test") not in await alice.notifications()


async def test_a_boost_shows_the_photo_to_the_boosters_followers(fediverse: Fediverse) -> None:
    alice, bob, carol = await fediverse.people("alice@a.test", "bob@b.test", "carol@c.test")
    await bob.follows(alice)
    await carol.follows(bob)
    await fediverse.settle()
    post = await alice.posts("Heron", photo="A heron")
    await fediverse.settle()
    assert not await has(carol.node, post)

    await bob.boosts(post)
    await fediverse.settle()

    assert await carol.home() == ["Heron"]
    views = await carol.home_views()
    assert views[0].author.full_handle == alice.handle
    assert views[0].boosted_by is not None
    assert views[0].boosted_by.full_handle == bob.handle
    assert [photo.alt for photo in views[0].photos] == ["A heron"]
    assert ("boost", "bob@b.test") in await alice.notifications()
    seen = await alice.sees(post)
    assert seen is not None
    assert seen.post.boosts_count == 1

    await bob.unboosts(post)
    await fediverse.settle()

    assert await carol.home() == []
    seen = await alice.sees(post)
    assert seen is not None
    assert seen.post.boosts_count == 0
