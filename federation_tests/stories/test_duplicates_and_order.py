"""Activities that are received twice, undone by their id alone, or in another order than they were sent."""

from __future__ import annotations

import time

import pytest

from activitypub.remote import actors
from activitypub.remote import notes as remote_notes
from federation_tests.fediverse import Fediverse
from federation_tests.remote_server import PUBLIC, RemoteServer
from federation_tests.security.scenes import alice_follows_rita, create
from node.accounts import accounts, relationships
from node.ids import now_ms
from node.interactions import likes
from node.posts import posts


async def test_a_duplicate_follow_is_accepted_again(fediverse: Fediverse, evil: RemoteServer) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    evil.person("rita")
    follow = evil.activity("rita", "Follow", (await alice.account()).uri)
    for times in (1, 2):
        # Of the same bytes in the same second the second one is a replay: what is sent again has a new signature.
        assert await evil.send(alice.node, "rita", follow, now=time.time() - 3 + times) == 202
        await fediverse.settle()
        assert [activity["type"] for activity in evil.received] == ["Accept"] * times
    assert (await alice.account()).followers_count == 1

    # A duplicate that was sent before and is received after its Undo does not follow again.
    assert await evil.send(alice.node, "rita", evil.activity("rita", "Undo", follow)) == 202
    await fediverse.settle()
    assert await evil.send(alice.node, "rita", follow, now=time.time() - 60) == 202
    await fediverse.settle()
    assert (await alice.account()).followers_count == 0


async def test_a_block_and_a_reaction_are_undone_by_id_or_by_their_members(
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
    without_id = {"type": "EmojiReact", "actor": reaction["actor"], "object": post.uri, "content": "🎉"}
    await evil.send(alice.node, "rita", evil.activity("rita", "Undo", without_id))
    await fediverse.settle()
    seen = await alice.sees(post)
    assert seen is not None
    assert seen.post.likes_count == 0


async def test_a_post_from_the_future_can_still_be_edited(fediverse: Fediverse, evil: RemoteServer) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    create_ = create(evil, updated="2099-01-01T00:00:00Z")
    await evil.send(alice.node, "rita", create_)
    await fediverse.settle()
    later = {**create_["object"], "content": "<p>Edited</p>", "updated": "2099-01-01T00:00:01Z"}
    await evil.send(alice.node, "rita", evil.activity("rita", "Update", later))
    await fediverse.settle()
    assert await alice.home() == ["Edited"]

    # Some servers set `updated` on a post that was never edited: that is no edit.
    fresh = create(evil, number=2)
    fresh["object"]["updated"] = fresh["object"]["published"]
    await evil.send(alice.node, "rita", fresh)
    await fediverse.settle()
    stored = await alice.node.db.read(posts.by_uri, fresh["object"]["id"])
    assert stored is not None
    assert stored.edited_at is None


async def test_an_edit_without_a_time_is_as_old_as_its_update_activity(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    create_ = create(evil, published="2026-11-01T10:00:00Z")
    await evil.send(alice.node, "rita", create_)
    for text, minute in (("Second", 20), ("First", 10)):
        edited = {**create_["object"], "content": f"<p>{text}</p>"}
        update = evil.activity("rita", "Update", edited, published=f"2026-11-01T10:{minute}:00Z")
        await evil.send(alice.node, "rita", update)
        await fediverse.settle()
    assert await alice.home() == ["Second"]


async def test_a_delete_by_an_actor_that_is_gone_is_accepted_and_ignored(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    evil.person("ghost")
    evil.replies["/users/ghost"].status = 410
    gone = evil.activity("ghost", "Delete", f"{evil.base}/users/ghost/statuses/1")
    assert await evil.send(alice.node, "ghost", gone) == 202


async def test_the_ancestors_of_a_long_conversation_are_fetched_in_steps(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    other.person("tom")
    parent_uri = None
    for number in range(30):
        more = {"inReplyTo": parent_uri} if parent_uri else {}
        parent_uri = other.note("tom", number, published=f"2026-11-20T10:{number:02}:00Z", **more)["id"]
    other.requests.clear()
    await evil.send(alice.node, "rita", create(evil, inReplyTo=parent_uri))
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


async def test_an_activity_that_is_undone_before_it_arrives_has_no_effect(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    post = await alice.posts("A lake", photo="A lake")
    like = evil.activity("rita", "Like", post.uri)
    other = evil.activity("rita", "Like", post.uri) | {"id": like["id"] + "-2"}
    # All in one batch: one like whose Undo comes first, and another that comes twice.
    undo, signed_at = evil.activity("rita", "Undo", like["id"]), time.time() - 60
    for activity in (undo, like, other, other, like):
        assert await evil.send(alice.node, "rita", activity, now=signed_at) == 202
    await fediverse.settle()
    seen = await alice.sees(post)
    assert seen is not None
    assert seen.post.likes_count == 1
    rita = await alice.node.db.read(accounts.by_uri, f"{evil.base}/users/rita")
    assert rita is not None
    assert await alice.node.db.read(likes.by_uri, like["id"]) is None
    assert await alice.node.db.read(likes.by_uri, other["id"]) is not None

    # An id that was ignored is processed when it comes again with a type that is known.
    early = evil.activity("rita", "Delete", {"id": f"{evil.base}/none"}) | {"type": "Nothing"}
    late = early | {"type": "Like", "object": post.uri}
    await evil.send(alice.node, "rita", evil.activity("rita", "Undo", other["id"]))
    for activity in (early, early, late):
        assert await evil.send(alice.node, "rita", activity) == 202
    await fediverse.settle()
    assert await alice.node.db.read(likes.by_uri, late["id"]) is not None


async def test_an_edit_that_overtakes_its_post_is_applied_to_it(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    activity = create(evil, published="2026-11-01T10:00:00Z")
    for text, minute in (("Third", 30), ("Second", 20)):
        edited = {**activity["object"], "content": f"<p>{text}</p>", "updated": f"2026-11-01T10:{minute}:00Z"}
        await evil.send(alice.node, "rita", evil.activity("rita", "Update", edited))
        await fediverse.settle()
    assert await alice.home() == []

    await evil.send(alice.node, "rita", activity)
    await fediverse.settle()

    assert await alice.home() == ["Third"]
    stored = await alice.node.db.read(posts.by_uri, activity["object"]["id"])
    assert stored is not None
    assert stored.edited_at is not None


@pytest.mark.parametrize("shape", ["too long to keep", "named by its id", "only its id"])
async def test_an_edit_that_overtakes_its_post_and_cannot_be_kept_is_fetched(
    fediverse: Fediverse, evil: RemoteServer, shape: str
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    activity = create(evil, published="2026-11-01T10:00:00Z")
    text = "Edited " + "x" * (70_000 if shape == "too long to keep" else 0)
    # The server answers with the edited post by the time that its Create arrives.
    edited = evil.note("rita", 1, content=f"<p>{text}</p>", published="2026-11-01T10:00:00Z")
    edited |= {"updated": "2026-11-01T10:30:00Z"}
    evil.serve("/users/rita/statuses/1", edited)
    named = {"too long to keep": edited, "named by its id": edited["id"], "only its id": {"id": edited["id"]}}
    update = evil.activity("rita", "Update", named[shape], to=edited["to"], cc=edited["cc"])
    await evil.send(alice.node, "rita", update)
    await fediverse.settle()
    assert await alice.home() == []

    await evil.send(alice.node, "rita", activity)
    await fediverse.settle()

    assert [caption[:6] for caption in await alice.home()] == ["Edited"]


@pytest.mark.parametrize("how", ["boost", "pin", "link", "parent", "forwarded"])
async def test_an_edit_that_overtakes_its_post_is_applied_however_the_post_comes_in(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer, how: str
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    rita = evil.base + "/users/rita"
    lake = await alice.posts("A lake")
    other.person("tom")
    about = create(other, "tom", 0, inReplyTo=lake.uri)
    await other.send(alice.node, "tom", about)
    # Its server answers with the post as it was.
    activity = create(evil, published="2026-11-01T10:00:00Z", inReplyTo=about["object"]["id"])
    old = activity["object"]
    edited = {**old, "content": "<p>Edited</p>", "updated": "2026-11-01T10:30:00Z"}
    await evil.send(alice.node, "rita", evil.activity("rita", "Update", edited))
    await fediverse.settle()
    assert await alice.node.db.read(posts.by_uri, old["id"]) is None

    if how == "boost":
        await evil.send(alice.node, "rita", evil.activity("rita", "Announce", old["id"], to=[PUBLIC]))
    elif how == "pin":
        evil.person("rita", featured=f"{rita}/featured")
        await actors.find(alice.node, rita, refresh=True)
        pin = evil.activity("rita", "Add", old["id"], target=f"{rita}/featured")
        await evil.send(alice.node, "rita", pin)
    elif how == "link":
        found = await remote_notes.find(alice.node, old["id"])
        assert found is not None
        assert found.caption == "<p>Edited</p>"
    elif how == "parent":
        to = [PUBLIC, (await alice.account()).uri]
        await other.send(alice.node, "tom", create(other, "tom", 2, inReplyTo=old["id"], to=to))
    else:
        await other.send(alice.node, "tom", activity)
    await fediverse.settle()

    stored = await alice.node.db.read(posts.by_uri, old["id"])
    assert stored is not None
    assert stored.caption == "<p>Edited</p>"
    assert await alice.node.db.read(lambda tx: tx.value("SELECT COUNT(*) FROM early_updates")) == 0
    # The Create that comes at last changes nothing.
    await evil.send(alice.node, "rita", activity)
    await fediverse.settle()
    assert await alice.node.db.read(posts.by_uri, old["id"]) == stored


async def test_a_dozen_posts_that_were_edited_before_they_arrived_are_all_edited(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    created = [create(evil, number=n, published="2026-11-01T10:00:00Z") for n in range(12)]
    for activity in created:
        edited = {**activity["object"], "content": "<p>Edited</p>", "updated": "2026-11-01T10:30:00Z"}
        await evil.send(alice.node, "rita", evil.activity("rita", "Update", edited))
    await fediverse.settle()
    for activity in created:
        await evil.send(alice.node, "rita", activity)
    await fediverse.settle()
    assert await alice.home() == ["Edited"] * 12


async def test_the_early_edit_of_a_post_for_few_people_is_fetched_as_one_of_them(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    audience = {"to": [(await alice.account()).uri], "cc": []}
    activity = create(evil, published="2026-11-01T10:00:00Z", **audience)
    edited = {**activity["object"], "content": "<p>Edited</p>", "updated": "2026-11-01T10:30:00Z"}
    evil.serve("/users/rita/statuses/1", edited)
    await evil.send(alice.node, "rita", evil.activity("rita", "Update", edited["id"], **audience))
    await evil.send(alice.node, "rita", activity)
    await fediverse.settle()
    post = await alice.node.db.read(posts.by_uri, edited["id"])
    assert post is not None
    assert post.caption == "<p>Edited</p>"
    assert f"{(await alice.account()).uri}#" in evil.signatures["/users/rita/statuses/1"][-1]


async def test_an_edit_of_what_nobody_here_would_see_is_not_kept(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    evil.person("sam")
    note = evil.note("sam", 1, content="<p>Edited</p>", updated="2099-01-01T00:00:00Z")
    foreign = evil.note("rita", 2, content="<p>Forged</p>")
    await evil.send(alice.node, "sam", evil.activity("sam", "Update", note))
    await evil.send(alice.node, "sam", evil.activity("sam", "Update", foreign))
    addressed = {"to": [PUBLIC], "cc": ["https://other.example/users/rita"]}
    await evil.send(alice.node, "sam", evil.activity("sam", "Update", note["id"], **addressed))
    to_alice = {"to": [(await alice.account()).uri]}
    await evil.send(alice.node, "sam", evil.activity("sam", "Update", foreign, **to_alice))
    # Deleted before it arrived: neither the edit nor the post comes back.
    gone = create(evil, number=3)
    await evil.send(alice.node, "rita", evil.activity("rita", "Delete", gone["object"]["id"]))
    await fediverse.settle()
    await evil.send(alice.node, "rita", evil.activity("rita", "Update", gone["object"]))
    await evil.send(alice.node, "rita", gone)
    await evil.send(alice.node, "rita", evil.activity("rita", "Create", evil.note("rita", 2)))
    await fediverse.settle()

    kept = await alice.node.db.read(lambda tx: tx.value("SELECT COUNT(*) FROM early_updates"))
    assert kept == 0
    assert await alice.home() == ["Post 2"]
