"""Edits and deletions reach every node that has the photo."""

from __future__ import annotations

from federation_tests.fediverse import Fediverse, HandleOnly
from federation_tests.remote_server import RemoteServer
from federation_tests.security.scenes import alice_follows_rita, create
from node.accounts import accounts
from node.interactions import blocks
from node.posts import posts, revisions
from node.text import formatting


async def test_an_edit_reaches_every_node(fediverse: Fediverse) -> None:
    alice, bob = await fediverse.people("alice@a.test", "bob@b.test")
    await bob.follows(alice)
    await fediverse.settle()
    post = await alice.posts("Hreon", photo="A bird")
    await fediverse.settle()

    await alice.edits(post, "Heron", alts=["A heron on one leg"])
    await fediverse.settle()

    seen = await bob.sees(post)
    assert seen is not None
    assert formatting.html_to_text(seen.post.caption) == "Heron"
    assert [photo.alt for photo in seen.photos] == ["A heron on one leg"]
    assert seen.post.edited_at is not None
    history = await bob.node.db.read(revisions.by_post, seen.post)
    assert len(history) == 2


async def test_a_deletion_removes_the_photo_from_every_node(fediverse: Fediverse) -> None:
    alice, bob, carol = await fediverse.people("alice@a.test", "bob@b.test", "carol@c.test")
    await bob.follows(alice)
    await carol.follows(bob)
    await fediverse.settle()
    post = await alice.posts("A mistake", photo="Blurred")
    await fediverse.settle()
    await bob.boosts(post)
    await fediverse.settle()
    assert await carol.home() == ["A mistake"]

    await alice.deletes(post)
    await fediverse.settle()

    for person in (alice, bob, carol):
        assert await person.sees(post) is None
        assert await person.home() == []
        left = await person.node.db.read(posts.by_uri, post.uri)
        assert left is not None
        assert left.deleted_at is not None
        assert left.caption == ""
    # The delivery report tells the author how far the post and its deletion have come.
    counts = await alice.delivery_counts(post)
    assert (counts.servers, counts.delivered, counts.waiting) == (1, 1, 0)


async def test_a_deleted_account_is_gone_from_every_node(fediverse: Fediverse) -> None:
    alice, bob = await fediverse.people("alice@a.test", "bob@b.test")
    await bob.follows(alice)
    await fediverse.settle()
    post = await alice.posts("Farewell", photo="A gate")
    await fediverse.settle()
    known = await bob.finds(alice)

    await alice.leaves()
    await fediverse.settle()

    assert await bob.sees(post) is None
    assert await bob.home() == []
    left = await bob.node.db.read(lambda tx: accounts.by_id(tx, known.id))
    assert left is not None
    assert left.deleted_at is not None


async def test_a_blocked_account_that_liked_a_post_gets_no_edit(
    fediverse: Fediverse, other: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    other.person("rita")
    post = await alice.posts("One")
    await other.send(alice.node, "rita", other.activity("rita", "Like", post.uri))
    await fediverse.settle()
    await alice._do(blocks.block, await alice.finds(HandleOnly(f"rita@{other.domain}")))
    await alice.edits(post, "Two")
    await fediverse.settle()
    assert "Update" not in [one["type"] for one in other.received]


async def test_a_suspended_account_can_still_undo_and_delete(
    fediverse: Fediverse, other: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, other)
    alice_uri, rita = (await alice.account()).uri, await alice.finds(HandleOnly(f"rita@{other.domain}"))
    follow = other.activity("rita", "Follow", alice_uri)
    created = create(other)
    for activity in (follow, created):
        await other.send(alice.node, "rita", activity)
        await fediverse.settle()
    assert await alice.home() == ["Post 1"]
    await alice.node.db.write(accounts.set_visible, rita.id, is_visible=False)
    await other.send(alice.node, "rita", other.activity("rita", "Delete", created["object"]["id"]))
    await other.send(alice.node, "rita", other.activity("rita", "Undo", follow))
    await other.send(alice.node, "rita", create(other, number=2))
    await fediverse.settle()
    await alice.node.db.write(accounts.set_visible, rita.id)
    assert await alice.home() == []
    assert (await alice.account()).followers_count == 0
