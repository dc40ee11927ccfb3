"""Follower synchronization (FEP-8fcf): two servers that disagree about followers agree again."""

from __future__ import annotations

from federation_tests.fediverse import Fediverse
from node.accounts import accounts
from node.database import Writer
from node.interactions import follows


async def test_a_follow_that_only_one_server_has_is_removed(fediverse: Fediverse) -> None:
    alice, bob, carol = await fediverse.people("alice@a.test", "bob@b.test", "carol@b.test")
    for fan in (bob, carol):
        await fan.follows(alice)
    await fediverse.settle()

    def lost(tx: Writer) -> None:
        """Alice's server loses Bob's follow, as after a restored backup."""
        follower = accounts.by_handle(tx, bob.handle)
        assert follower is not None
        follows.remove_silently(tx, follower, accounts.get(tx, alice.id))

    await alice.node.db.write(lost)
    await bob.node.db.write(lambda tx: tx.run("UPDATE follows SET accepted_at = 1"))
    await alice.posts("For my followers", visibility="followers")
    await fediverse.settle()

    assert await carol.is_following(alice)
    assert not await bob.is_following(alice)
    assert await carol.home() == ["For my followers"]


async def test_servers_that_agree_fetch_nothing(fediverse: Fediverse) -> None:
    alice, bob = await fediverse.people("alice@a.test", "bob@b.test")
    await bob.follows(alice)
    await fediverse.settle()
    await alice.posts("For my followers", visibility="followers")
    await fediverse.settle()
    assert await bob.is_following(alice)
    assert await bob.home() == ["For my followers"]
