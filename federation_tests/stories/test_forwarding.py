"""An answer that is also meant for the followers of whoever is answered reaches them, as it came."""

from __future__ import annotations

from federation_tests.fediverse import Fediverse, Person
from federation_tests.strangers import PUBLIC, Stranger


async def _followed_by(alice: Person, server: Stranger, name: str) -> None:
    server.person(name)
    await server.send(alice.node, name, server.activity(name, "Follow", (await alice.account()).uri))
    await alice.world.settle()
    server.received.clear()


async def test_followers_elsewhere_get_the_answer_once_and_unchanged(
    fediverse: Fediverse, evil: Stranger, other: Stranger
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    followers = (await alice.account()).followers_uri
    await _followed_by(alice, other, "nina")
    post = await alice.posts("Which bird?", photo="A bird")
    await fediverse.settle()
    other.received.clear()
    evil.person("rita")
    note = evil.note("rita", 1, inReplyTo=post.uri, cc=[followers])
    said = evil.activity("rita", "Create", note, to=[PUBLIC], cc=[followers])
    for _ in range(2):
        assert await evil.send(alice.node, "rita", said) == 202
        await fediverse.settle()
    assert other.received == [said]
    assert evil.received == []


async def test_what_is_not_meant_for_them_or_answers_nothing_of_ours_stays_here(
    fediverse: Fediverse, evil: Stranger, other: Stranger
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    followers = (await alice.account()).followers_uri
    await _followed_by(alice, other, "nina")
    post = await alice.posts("Which bird?", photo="A bird")
    await fediverse.settle()
    other.received.clear()
    evil.person("rita")
    only_here = evil.note("rita", 1, inReplyTo=post.uri)
    stray = evil.note("rita", 2, cc=[followers])
    for note in (only_here, stray):
        said = evil.activity("rita", "Create", note, to=[PUBLIC], cc=note["cc"])
        assert await evil.send(alice.node, "rita", said) == 202
    await fediverse.settle()
    assert other.received == []
