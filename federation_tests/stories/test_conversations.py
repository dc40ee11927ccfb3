"""Comments at any depth, by people of several nodes, come together under the photo."""

from __future__ import annotations

from federation_tests.fediverse import Fediverse, has


async def test_a_tree_of_comments_grows_across_nodes(fediverse: Fediverse) -> None:
    alice, bob, carol = await fediverse.people("alice@a.test", "bob@b.test", "carol@c.test")
    for follower in (bob, carol):
        await follower.follows(alice)
    await bob.follows(carol)
    await carol.follows(bob)
    await fediverse.settle()
    post = await alice.posts("Which bird is this?", photo="A bird")
    await fediverse.settle()

    guess = await bob.comments(post, "A wren?")
    await fediverse.settle()
    better = await carol.comments(guess, "A wren indeed, look at the tail")
    await fediverse.settle()
    await alice.comments(better, "Thank you both")
    await fediverse.settle()

    whole = ["A wren?", "A wren indeed, look at the tail", "Thank you both"]
    assert await alice.conversation(post) == whole
    assert await bob.conversation(post) == whole
    assert ("comment", "bob@b.test") in await alice.notifications()
    assert ("comment", "carol@c.test") in await bob.notifications()
    assert ("comment", "alice@a.test") in await carol.notifications()
    seen = await alice.sees(post)
    assert seen is not None
    assert seen.post.comments_count == 1


async def test_a_comment_on_a_photo_for_followers_stays_among_them(fediverse: Fediverse) -> None:
    alice, bob, carol = await fediverse.people("alice@a.test", "bob@b.test", "carol@c.test")
    await bob.follows(alice)
    await carol.follows(bob)
    await fediverse.settle()
    post = await alice.posts("Home", photo="A kitchen", visibility="followers")
    await fediverse.settle()

    comment = await bob.comments(post, "Looks warm")
    await fediverse.settle()

    assert comment.visibility == "followers"
    assert await alice.conversation(post) == ["Looks warm"]
    seen = await alice.sees(post)
    assert seen is not None
    assert seen.post.comments_count == 0
    assert not await has(carol.node, post)
    assert "Looks warm" not in await carol.home()
