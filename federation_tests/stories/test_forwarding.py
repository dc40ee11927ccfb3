"""An answer that is also meant for the followers of whoever is answered reaches them, as it came."""

from __future__ import annotations

from federation_tests.fediverse import Fediverse, Person
from federation_tests.remote_server import PUBLIC, RemoteServer, Reply
from node.models.post import Post


async def _followed_by(alice: Person, server: RemoteServer, name: str) -> None:
    server.person(name)
    await server.send(alice.node, name, server.activity(name, "Follow", (await alice.account()).uri))
    await alice.fediverse.settle()
    server.received.clear()


async def _asked(fediverse: Fediverse, evil: RemoteServer, other: RemoteServer) -> tuple[Person, str, Post]:
    """Alice, whom nina follows, the address of her followers, and a post that rita of a third server can answer."""
    (alice,) = await fediverse.people("alice@a.test")
    followers = (await alice.account()).followers_uri
    await _followed_by(alice, other, "nina")
    post = await alice.posts("Which bird?", photo="A bird")
    await fediverse.settle()
    other.received.clear()
    evil.person("rita")
    return alice, followers, post


async def test_followers_elsewhere_get_the_answer_once_and_unchanged(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    alice, followers, post = await _asked(fediverse, evil, other)
    note = evil.note("rita", 1, inReplyTo=post.uri, cc=[followers])
    said = evil.activity("rita", "Create", note, to=[PUBLIC], cc=[followers])
    for _ in range(2):
        assert await evil.send(alice.node, "rita", said) == 202
        await fediverse.settle()
    assert other.received == [said]
    assert evil.received == []


async def test_what_is_not_meant_for_them_or_answers_nothing_of_ours_stays_here(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    alice, followers, post = await _asked(fediverse, evil, other)
    only_here = evil.note("rita", 1, inReplyTo=post.uri)
    stray = evil.note("rita", 2, cc=[followers])
    for note in (only_here, stray):
        said = evil.activity("rita", "Create", note, to=[PUBLIC], cc=note["cc"])
        assert await evil.send(alice.node, "rita", said) == 202
    await fediverse.settle()
    assert other.received == []


async def test_whoever_got_an_answer_hears_that_it_is_gone(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    alice, followers, post = await _asked(fediverse, evil, other)
    passed_on = evil.note("rita", 1, inReplyTo=post.uri, cc=[followers])
    kept_here = evil.note("rita", 2, inReplyTo=post.uri)
    gone = []
    for note in (passed_on, kept_here):
        await evil.send(alice.node, "rita", evil.activity("rita", "Create", note, to=[PUBLIC], cc=note["cc"]))
        await fediverse.settle()
        tombstone = {"id": note["id"], "type": "Tombstone"}
        gone.append(evil.activity("rita", "Delete", tombstone, to=[PUBLIC]))
        for _ in range(2):
            assert await evil.send(alice.node, "rita", gone[-1]) == 202
            await fediverse.settle()
    assert [said["type"] for said in other.received] == ["Create", "Delete"]
    assert other.received[1] == gone[0]


async def test_an_answer_that_was_passed_on_goes_everywhere_with_its_author_s_word(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice, bob = await fediverse.people("alice@a.test", "bob@b.test")
    await bob.follows(alice)
    await fediverse.settle()
    post = await alice.posts("Which bird?", photo="A bird")
    await fediverse.settle()
    evil.person("rita")
    cc = [(await alice.account()).followers_uri]
    note = evil.note("rita", 1, inReplyTo=post.uri, cc=cc)
    await evil.send(alice.node, "rita", evil.activity("rita", "Create", note, to=[PUBLIC], cc=cc))
    await fediverse.settle()
    assert await bob.conversation(post) == ["Post 1"]
    evil.replies["/users/rita/statuses/1"] = Reply(410)
    await evil.send(alice.node, "rita", evil.activity("rita", "Delete", note["id"], to=[PUBLIC]))
    await fediverse.settle()
    assert await bob.conversation(post) == []
