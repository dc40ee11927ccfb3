"""Emoji that others give to a photo are shown, counted as likes, and taken back."""

from __future__ import annotations

from federation_tests.fediverse import Fediverse, Person
from federation_tests.remote_server import RemoteServer
from node.interactions import emoji_reactions
from node.interactions.emoji_reactions import ReactionCount
from node.models.post import Post


async def _a_bird(fediverse: Fediverse, evil: RemoteServer) -> tuple[Person, Post]:
    """A post by alice, which rita of another server can see."""
    (alice,) = await fediverse.people("alice@a.test")
    post = await alice.posts("A bird", photo="A bird")
    evil.person("rita")
    return alice, post


async def _given(person: Person, post: Post) -> list[ReactionCount]:
    return await person.node.db.read(emoji_reactions.counts_by_post, await person.account(), post)


async def _likes(person: Person, post: Post) -> int:
    seen = await person.sees(post)
    assert seen is not None
    return seen.post.likes_count


async def test_two_ways_to_give_an_emoji_and_one_to_take_it_back(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    post = await alice.posts("A bird", photo="A bird")
    for name in ("rita", "nina", "omar"):
        evil.person(name)
    party = evil.activity("rita", "EmojiReact", post.uri, content="🎉")
    await evil.send(alice.node, "rita", party)
    await evil.send(alice.node, "nina", evil.activity("nina", "Like", post.uri, _misskey_reaction="🎉"))
    await evil.send(alice.node, "omar", evil.activity("omar", "Like", post.uri))
    await fediverse.settle()
    assert await _given(alice, post) == [ReactionCount("🎉", "", 2)]
    assert await _likes(alice, post) == 3
    assert {kind for kind, _ in await alice.notifications()} == {"like"}

    await evil.send(alice.node, "rita", evil.activity("rita", "Undo", party))
    await fediverse.settle()
    assert await _given(alice, post) == [ReactionCount("🎉", "", 1)]
    assert await _likes(alice, post) == 2


async def test_a_custom_emoji_comes_with_its_picture(fediverse: Fediverse, evil: RemoteServer) -> None:
    alice, post = await _a_bird(fediverse, evil)
    blob = {
        "type": "Emoji",
        "id": f"{evil.base}/emoji/blob",
        "name": ":blob:",
        "icon": {"type": "Image", "mediaType": "image/png", "url": f"{evil.base}/blob.png"},
    }
    await evil.send(
        alice.node, "rita", evil.activity("rita", "EmojiReact", post.uri, content=":blob:", tag=[blob])
    )
    await fediverse.settle()
    (tally,) = await _given(alice, post)
    assert tally.content == ":blob:"
    assert tally.emoji.startswith('{"blob": ')


async def test_one_person_gives_few_and_each_once(fediverse: Fediverse, evil: RemoteServer) -> None:
    alice, post = await _a_bird(fediverse, evil)
    for emoji in [*"🎉🎉😀😁😂😃😄😅😆😇😈😉😊", "not an emoji", ""]:
        await evil.send(alice.node, "rita", evil.activity("rita", "EmojiReact", post.uri, content=emoji))
    await fediverse.settle()
    given = await _given(alice, post)
    assert len(given) == emoji_reactions.MAX_PER_ACCOUNT
    assert all(tally.count == 1 for tally in given)
    assert await _likes(alice, post) == 1


async def test_who_takes_one_of_two_emoji_back_still_likes(fediverse: Fediverse, evil: RemoteServer) -> None:
    alice, post = await _a_bird(fediverse, evil)
    given = [evil.activity("rita", "EmojiReact", post.uri, content=emoji) for emoji in "🎉😀"]
    for said in given:
        await evil.send(alice.node, "rita", said)
    await evil.send(alice.node, "rita", evil.activity("rita", "Undo", given[0]))
    await fediverse.settle()
    assert await _given(alice, post) == [ReactionCount("😀", "", 1)]
    assert await _likes(alice, post) == 1


async def test_who_takes_all_emoji_back_likes_no_more(fediverse: Fediverse, evil: RemoteServer) -> None:
    alice, post = await _a_bird(fediverse, evil)
    given = [evil.activity("rita", "EmojiReact", post.uri, content=emoji) for emoji in "🎉😀😁"]
    for said in [*given, *(evil.activity("rita", "Undo", one) for one in given)]:
        await evil.send(alice.node, "rita", said)
        await fediverse.settle()
    assert await _given(alice, post) == []
    assert await _likes(alice, post) == 0


async def test_one_of_two_likes_with_an_emoji_is_taken_back(fediverse: Fediverse, evil: RemoteServer) -> None:
    alice, post = await _a_bird(fediverse, evil)
    given = [evil.activity("rita", "Like", post.uri, content=emoji) for emoji in "🎉😀"]
    for said in [*given, evil.activity("rita", "Undo", given[1])]:
        await evil.send(alice.node, "rita", said)
        await fediverse.settle()
    assert await _given(alice, post) == [ReactionCount("🎉", "", 1)]
    assert await _likes(alice, post) == 1
