"""A node that is unavailable for a while gets everything later, and does not hold up the others."""

from __future__ import annotations

from federation_tests.fediverse import Fediverse
from node.federation import server_availability
from node.ids import now_ms

HOUR = 3_600_000


async def test_a_node_that_was_unavailable_gets_everything_in_order(fediverse: Fediverse) -> None:
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
    counts = await alice.delivery_counts(post)
    assert (counts.servers, counts.waiting) == (2, 1)
    failing = await alice.node.db.read(server_availability.failing)
    assert [one.host for one in failing] == [fediverse.domain("b.test")]
    assert failing[0].sleeps_until > now_ms()

    await fediverse.up("b.test")
    await fediverse.settle(now=now_ms() + HOUR)

    assert await bob.home() == ["While you were away"]
    counts = await alice.delivery_counts(post)
    assert (counts.servers, counts.delivered, counts.waiting) == (2, 2, 0)
    assert await alice.node.db.read(server_availability.failing) == []


async def test_contact_from_a_node_resumes_its_deliveries_at_once(fediverse: Fediverse) -> None:
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
