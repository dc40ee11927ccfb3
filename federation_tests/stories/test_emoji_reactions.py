"""Emoji reactions of other servers are shown, counted as likes, and undone."""

from __future__ import annotations

from federation_tests.fediverse import Fediverse, Person
from federation_tests.remote_server import RemoteServer
from node.interactions import emoji_reactions
from node.interactions.emoji_reactions import ReactionCount
from node.models.post import Post


async def _post_and_rita(fediverse: Fediverse, evil: RemoteServer) -> tuple[Person, Post]:
    """A post by alice, and rita of another server."""
    (alice,) = await fediverse.people("alice@a.test")
    post = await alice.posts("A bird", photo="A bird")
    evil.person("rita")
    return alice, post


async def _reactions(person: Person, post: Post) -> list[ReactionCount]:
    return await person.node.db.read(emoji_reactions.counts_by_post, await person.account(), post)


async def _likes(person: Person, post: Post) -> int:
    seen = await person.sees(post)
    assert seen is not None
    return seen.post.likes_count


async def test_a_reaction_is_counted_in_both_forms_and_undone(
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
    assert await _reactions(alice, post) == [ReactionCount("🎉", "", 2)]
    assert await _likes(alice, post) == 3
    assert {kind for kind, _ in await alice.notifications()} == {"like"}

    await evil.send(alice.node, "rita", evil.activity("rita", "Undo", party))
    await fediverse.settle()
    assert await _reactions(alice, post) == [ReactionCount("🎉", "", 1)]
    assert await _likes(alice, post) == 2


async def test_a_custom_emoji_is_shown_with_its_image(fediverse: Fediverse, evil: RemoteServer) -> None:
    alice, post = await _post_and_rita(fediverse, evil)
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
    (reaction,) = await _reactions(alice, post)
    assert reaction.content == ":blob:"
    assert reaction.emoji.startswith('{"blob": ')


async def test_one_account_gives_few_emoji_and_each_once(fediverse: Fediverse, evil: RemoteServer) -> None:
    alice, post = await _post_and_rita(fediverse, evil)
    for emoji in [*"🎉🎉😀😁😂😃😄😅😆😇😈😉😊", "not an emoji", ""]:
        await evil.send(alice.node, "rita", evil.activity("rita", "EmojiReact", post.uri, content=emoji))
    await fediverse.settle()
    given = await _reactions(alice, post)
    assert len(given) == emoji_reactions.MAX_PER_ACCOUNT
    assert all(reaction.count == 1 for reaction in given)
    assert await _likes(alice, post) == 1


async def test_undoing_one_of_two_reactions_keeps_the_like(fediverse: Fediverse, evil: RemoteServer) -> None:
    alice, post = await _post_and_rita(fediverse, evil)
    given = [evil.activity("rita", "EmojiReact", post.uri, content=emoji) for emoji in "🎉😀"]
    for activity in given:
        await evil.send(alice.node, "rita", activity)
    await evil.send(alice.node, "rita", evil.activity("rita", "Undo", given[0]))
    await fediverse.settle()
    assert await _reactions(alice, post) == [ReactionCount("😀", "", 1)]
    assert await _likes(alice, post) == 1


async def test_undoing_all_reactions_removes_the_like(fediverse: Fediverse, evil: RemoteServer) -> None:
    alice, post = await _post_and_rita(fediverse, evil)
    given = [evil.activity("rita", "EmojiReact", post.uri, content=emoji) for emoji in "🎉😀😁"]
    for activity in [*given, *(evil.activity("rita", "Undo", one) for one in given)]:
        await evil.send(alice.node, "rita", activity)
        await fediverse.settle()
    assert await _reactions(alice, post) == []
    assert await _likes(alice, post) == 0


async def test_one_of_two_likes_with_an_emoji_is_undone(fediverse: Fediverse, evil: RemoteServer) -> None:
    alice, post = await _post_and_rita(fediverse, evil)
    given = [evil.activity("rita", "Like", post.uri, content=emoji) for emoji in "🎉😀"]
    for activity in [*given, evil.activity("rita", "Undo", given[1])]:
        await evil.send(alice.node, "rita", activity)
        await fediverse.settle()
    assert await _reactions(alice, post) == [ReactionCount("🎉", "", 1)]
    assert await _likes(alice, post) == 1
