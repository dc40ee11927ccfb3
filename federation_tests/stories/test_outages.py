"""A node that is down for a while misses nothing, and holds up nobody else."""

from __future__ import annotations

from federation_tests.fediverse import Fediverse
from node.federation import server_availability
from node.ids import now_ms

HOUR = 3_600_000


async def test_a_node_that_was_down_gets_everything_in_order(fediverse: Fediverse) -> None:
    alice, bob, carol = await fediverse.people("alice@a.test", "bob@b.test", "carol@c.test")
    for follower in (bob, carol):
        await follower.follows(alice)
    await fediverse.settle()

    await fediverse.down("b.test")
    post = await alice.posts("Whlie you were away", photo="A clock")
    await fediverse.settle()
    await alice.edits(post, "While you were away")
    await fediverse.settle()

    assert await carol.home() == ["While you were away"]
    assert await bob.home() == []
    tally = await alice.delivery_counts(post)
    assert (tally.servers, tally.waiting) == (2, 1)
    asleep = await alice.node.db.read(server_availability.failing)
    assert [one.host for one in asleep] == [fediverse.domain("b.test")]
    assert asleep[0].sleeps_until > now_ms()

    await fediverse.up("b.test")
    await fediverse.settle(now=now_ms() + HOUR)

    assert await bob.home() == ["While you were away"]
    tally = await alice.delivery_counts(post)
    assert (tally.servers, tally.delivered, tally.waiting) == (2, 2, 0)
    assert await alice.node.db.read(server_availability.failing) == []


async def test_a_knock_wakes_what_waits_for_that_node(fediverse: Fediverse) -> None:
    alice, bob = await fediverse.people("alice@a.test", "bob@b.test")
    await bob.follows(alice)
    await alice.follows(bob)
    await fediverse.settle()
    await fediverse.down("b.test")
    await alice.posts("Are you there?", photo="A lamp")
    await fediverse.settle()
    assert await bob.home() == []

    await fediverse.up("b.test")
    await bob.posts("Back again", photo="A window")
    await fediverse.settle()

    assert "Back again" in await alice.home()
    assert "Are you there?" in await bob.home()
