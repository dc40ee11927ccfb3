"""What is said twice, taken back by its name alone, or edited out of time."""

from __future__ import annotations

from federation_tests.fediverse import Fediverse
from federation_tests.remote_server import RemoteServer
from federation_tests.security.scenes import alice_follows_rita, create
from node.accounts import accounts, relationships
from node.ids import now_ms
from node.interactions import likes
from node.posts import posts


async def test_a_follow_that_is_sent_again_is_answered_again(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    evil.person("rita")
    asked = evil.activity("rita", "Follow", (await alice.account()).uri)
    for times in (1, 2):
        assert await evil.send(alice.node, "rita", asked) == 202
        await fediverse.settle()
        assert [said["type"] for said in evil.received] == ["Accept"] * times
    assert (await alice.account()).followers_count == 1

    # One that was taken back meanwhile and comes late does not begin it anew.
    assert await evil.send(alice.node, "rita", evil.activity("rita", "Undo", asked)) == 202
    await fediverse.settle()
    assert await evil.send(alice.node, "rita", asked) == 202
    await fediverse.settle()
    assert (await alice.account()).followers_count == 0


async def test_a_block_and_an_emoji_are_taken_back_however_they_are_named(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    rita = await alice.node.db.read(accounts.by_uri, f"{evil.base}/users/rita")
    assert rita is not None
    block = evil.activity("rita", "Block", (await alice.account()).uri)
    await evil.send(alice.node, "rita", block)
    await fediverse.settle()
    assert await alice.node.db.read(relationships.has_blocked, rita, await alice.account())
    await evil.send(alice.node, "rita", evil.activity("rita", "Undo", block["id"]))
    await fediverse.settle()
    assert not await alice.node.db.read(relationships.has_blocked, rita, await alice.account())

    post = await alice.posts("A lake", photo="A lake")
    reaction = evil.activity("rita", "EmojiReact", post.uri, content="🎉")
    await evil.send(alice.node, "rita", reaction)
    await fediverse.settle()
    seen = await alice.sees(post)
    assert seen is not None
    assert seen.post.likes_count == 1
    nameless = {"type": "EmojiReact", "actor": reaction["actor"], "object": post.uri, "content": "🎉"}
    await evil.send(alice.node, "rita", evil.activity("rita", "Undo", nameless))
    await fediverse.settle()
    seen = await alice.sees(post)
    assert seen is not None
    assert seen.post.likes_count == 0


async def test_a_post_from_the_future_can_still_be_edited(fediverse: Fediverse, evil: RemoteServer) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    said = create(evil, updated="2099-01-01T00:00:00Z")
    await evil.send(alice.node, "rita", said)
    await fediverse.settle()
    later = {**said["object"], "content": "<p>Edited</p>", "updated": "2099-01-01T00:00:01Z"}
    await evil.send(alice.node, "rita", evil.activity("rita", "Update", later))
    await fediverse.settle()
    assert await alice.home() == ["Edited"]

    # Some say when it was updated although it never was: that is no edit.
    fresh = create(evil, number=2)
    fresh["object"]["updated"] = fresh["object"]["published"]
    await evil.send(alice.node, "rita", fresh)
    await fediverse.settle()
    stored = await alice.node.db.read(posts.by_uri, fresh["object"]["id"])
    assert stored is not None
    assert stored.edited_at is None


async def test_an_edit_without_a_time_is_as_old_as_its_telling(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    said = create(evil, published="2026-11-01T10:00:00Z")
    await evil.send(alice.node, "rita", said)
    for words, minute in (("Second", 20), ("First", 10)):
        edited = {**said["object"], "content": f"<p>{words}</p>"}
        telling = evil.activity("rita", "Update", edited, published=f"2026-11-01T10:{minute}:00Z")
        await evil.send(alice.node, "rita", telling)
        await fediverse.settle()
    assert await alice.home() == ["Second"]


async def test_a_deletion_by_somebody_who_is_gone_is_taken_and_dropped(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    evil.person("ghost")
    evil.replies["/users/ghost"].status = 410
    gone = evil.activity("ghost", "Delete", f"{evil.base}/users/ghost/statuses/1")
    assert await evil.send(alice.node, "ghost", gone) == 202


async def test_the_way_up_a_long_conversation_is_gone_in_steps(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    other.person("tom")
    above = None
    for number in range(30):
        more = {"inReplyTo": above} if above else {}
        above = other.note("tom", number, published=f"2026-11-20T10:{number:02}:00Z", **more)["id"]
    other.requests.clear()
    await evil.send(alice.node, "rita", create(evil, inReplyTo=above))
    await fediverse.settle()
    assert other.requests.total() <= 20
    root = await alice.node.db.read(posts.by_uri, f"{other.base}/users/tom/statuses/0")
    assert root is None
    for minute in range(1, 6):
        await fediverse.settle(now=_in(minute))
    root = await alice.node.db.read(posts.by_uri, f"{other.base}/users/tom/statuses/0")
    assert root is not None
    assert len(await alice.conversation(root)) == 30


def _in(minutes: int) -> int:
    return now_ms() + minutes * 61_000


async def test_what_is_taken_back_before_it_arrives_is_not_done(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    post = await alice.posts("A lake", photo="A lake")
    like = evil.activity("rita", "Like", post.uri)
    other = evil.activity("rita", "Like", post.uri) | {"id": like["id"] + "-2"}
    # All in one batch: one that is taken back first, and another twice.
    for said in (evil.activity("rita", "Undo", like["id"]), like, other, other, like):
        assert await evil.send(alice.node, "rita", said) == 202
    await fediverse.settle()
    seen = await alice.sees(post)
    assert seen is not None
    assert seen.post.likes_count == 1
    rita = await alice.node.db.read(accounts.by_uri, f"{evil.base}/users/rita")
    assert rita is not None
    assert await alice.node.db.read(likes.by_uri, like["id"]) is None
    assert await alice.node.db.read(likes.by_uri, other["id"]) is not None

    # What was ignored is heard when it comes again and means something.
    early = evil.activity("rita", "Delete", {"id": f"{evil.base}/none"}) | {"type": "Nothing"}
    late = early | {"type": "Like", "object": post.uri}
    await evil.send(alice.node, "rita", evil.activity("rita", "Undo", other["id"]))
    for said in (early, early, late):
        assert await evil.send(alice.node, "rita", said) == 202
    await fediverse.settle()
    assert await alice.node.db.read(likes.by_uri, late["id"]) is not None
