"""A server on Fedify and a node: everything that they exchange, both ways, over TLS and without."""

from __future__ import annotations

import pytest

from activitypub.remote import lookup
from federation_tests.fediverse import Fediverse, Person
from federation_tests.peers.fedify_server import Fedify, FedifyAccount
from node.errors import Refused
from node.interactions import blocks, follows, likes
from node.models.post import Post
from node.paging import Page
from node.posts import posts
from node.text import formatting

PHOTOS = [1, 4, 10]


@pytest.fixture
async def alice(world: Fediverse) -> Person:
    return await world.person("alice@a.test")


@pytest.fixture
async def fred(fedify: Fedify) -> FedifyAccount:
    return await fedify.person("fred")


async def uri(person: Person) -> str:
    return (await person.account()).uri


async def stored_post(person: Person, post_uri: str) -> Post:
    """A post of Fedify as the node of that person has stored it."""
    found = await person.node.db.read(posts.by_uri, post_uri)
    assert found is not None, f"{post_uri} did not arrive"
    return found


async def followers(person: Person) -> list[str]:
    account = await person.account()
    listed = await person.node.db.read(follows.followers, account, account, Page())
    return [one.account.uri for one in listed]


async def test_fedify_follows_us_and_unfollows(fred: FedifyAccount, alice: Person) -> None:
    await fred.follows(alice)

    assert (await fred.knows())["following"] == {await uri(alice): "accepted"}
    assert await followers(alice) == [fred.uri]
    assert [kind for kind, _ in await alice.notifications()] == ["follow"]

    await fred.unfollows(alice)

    assert await followers(alice) == []


async def test_we_follow_fedify_and_unfollow(fred: FedifyAccount, alice: Person, world: Fediverse) -> None:
    await alice.follows(fred)
    assert not await alice.is_following(fred)
    await world.settle()

    assert (await fred.knows())["followers"] == [await uri(alice)]
    assert await alice.is_following(fred)

    await alice.unfollows(fred)
    await world.settle()

    assert (await fred.knows())["followers"] == []
    assert not await alice.is_following(fred)


async def test_a_locked_account_approves_follows_first(
    fedify: Fedify, alice: Person, world: Fediverse
) -> None:
    shy = await fedify.person("shy", is_locked=True)
    await alice.locks()

    await alice.follows(shy)
    await shy.follows(alice)

    assert not await alice.is_following(shy)
    assert (await shy.knows())["following"] == {await uri(alice): "asked"}
    await shy.accepts(alice)
    await alice.accepts(shy)
    await world.settle()
    assert await alice.is_following(shy)
    assert (await shy.knows())["following"] == {await uri(alice): "accepted"}


async def test_a_rejected_follow_ends_on_fedify_too(
    fred: FedifyAccount, alice: Person, world: Fediverse
) -> None:
    await alice.locks()
    await fred.follows(alice)

    await alice.rejects(fred)
    await world.settle()

    assert (await fred.knows())["following"] == {}
    assert await followers(alice) == []


async def test_a_removed_follower_and_a_block_are_known_on_fedify(
    fred: FedifyAccount, alice: Person, world: Fediverse
) -> None:
    await fred.follows(alice)
    account, found = await alice.account(), await alice.finds(fred)

    await alice.node.db.write(follows.remove_follower, account, found)
    await world.settle()
    assert (await fred.knows())["following"] == {}

    await fred.follows(alice)
    await alice.node.db.write(blocks.block, account, found)
    await world.settle()
    assert (await fred.knows())["following"] == {}
    assert (await fred.knows())["blockedBy"] == [account.uri]

    await alice.node.db.write(blocks.unblock, account, found)
    await world.settle()
    assert (await fred.knows())["blockedBy"] == []


@pytest.mark.parametrize("number", PHOTOS)
async def test_our_photos_are_seen_on_fedify(
    fred: FedifyAccount, alice: Person, fedify: Fedify, number: int
) -> None:
    await fred.follows(alice)

    post = await alice.posts("Fog over the #lake", photos_=number, alt="The lake")
    await fedify.world.settle()

    seen = await fedify.sees(post)
    assert seen is not None
    assert (seen["author"], seen["url"]) == (await uri(alice), post.uri)
    assert "Fog over the" in seen["content"]
    assert seen["tags"] == ["Hashtag #lake"]
    # Some servers show four photos only; a link leads their users to the others.
    assert (post.uri in seen["content"]) == (number > 4)
    pictures = seen["attachments"]
    assert [one["name"] for one in pictures] == [f"The lake {n}" for n in range(number)]
    assert {(one["mediaType"], one["width"], one["height"]) for one in pictures} == {("image/jpeg", 64, 48)}
    for one in pictures:
        status, kind, size, start = await fedify.peer.do("picture", url=one["url"])
        assert (status, kind, start) == (200, "image/jpeg", "ffd8ff")
        assert size > 300
    report = await alice.delivery_counts(post)
    assert (report.servers, report.delivered) == (1, 1)


@pytest.mark.parametrize("number", PHOTOS)
async def test_photos_of_fedify_are_imported(
    fred: FedifyAccount, alice: Person, world: Fediverse, number: int
) -> None:
    await alice.follows(fred)
    await world.settle()
    alts = [f"A gull {n}" for n in range(number)]

    post_uri = await fred.posts("<p>Gulls</p>", alts)

    assert await alice.home() == ["Gulls"]
    (view,) = await alice.home_views()
    assert view.post.uri == post_uri
    assert [(one.alt, one.width, one.height) for one in view.photos] == [(alt, 64, 48) for alt in alts]
    assert view.post.visibility == "public"


async def test_fedify_likes_boosts_and_undoes_both(
    fred: FedifyAccount, alice: Person, world: Fediverse
) -> None:
    post = await alice.posts("Dunes", photo="Dunes")

    await fred.likes(post)
    await fred.likes(post)
    await fred.boosts(post)

    seen = await alice.sees(post)
    assert seen is not None
    assert (seen.post.likes_count, seen.post.boosts_count) == (1, 1)
    assert sorted(kind for kind, _ in await alice.notifications()) == ["boost", "like"]

    await fred.undoes("like", post)
    await fred.undoes("boost", post)

    seen = await alice.sees(post)
    assert seen is not None
    assert (seen.post.likes_count, seen.post.boosts_count) == (0, 0)


async def test_a_boost_by_fedify_reaches_its_local_followers(
    fred: FedifyAccount, alice: Person, world: Fediverse
) -> None:
    """Bea is unknown to Alice's node, which fetches the post from Bea's server."""
    bea = await world.person("bea@b.test")
    post = await bea.posts("Starlings", photo="A flock")
    await alice.follows(fred)
    await world.settle()

    await fred.boosts(post)

    (view,) = await alice.home_views()
    assert (view.post.uri, [one.alt for one in view.photos]) == (post.uri, ["A flock"])
    assert view.boosted_by is not None
    assert view.boosted_by.uri == fred.uri
    assert ("boost", "fred@fedify.test") in await bea.notifications()

    await fred.undoes("boost", post)

    boosted = await bea.sees(post)
    assert boosted is not None
    assert boosted.post.boosts_count == 0


async def test_likes_and_boosts_reach_fedify_and_are_undone(
    fred: FedifyAccount, alice: Person, fedify: Fedify, world: Fediverse
) -> None:
    await alice.follows(fred)
    await world.settle()
    post = await stored_post(alice, await fred.posts("<p>Reeds</p>", ["Reeds"]))

    await alice.likes(post)
    await alice.boosts(post)
    await world.settle()

    state = await fedify.state()
    assert state["likes"] == state["boosts"] == [[await uri(alice), post.uri]]

    await alice.unlikes(post)
    await alice.unboosts(post)
    await world.settle()

    state = await fedify.state()
    assert state["likes"] == state["boosts"] == []
    assert await alice.node.db.read(likes.by_uri, state["received"][-1][1]) is None


async def test_edits_and_deletions_reach_fedify(
    fred: FedifyAccount, alice: Person, fedify: Fedify, world: Fediverse
) -> None:
    await fred.follows(alice)
    post = await alice.posts("Hreon", photo="A bird")
    await world.settle()

    await alice.edits(post, "Heron", alts=["A heron"])
    await world.settle()

    seen = await fedify.sees(post)
    assert seen is not None
    assert "Heron" in seen["content"]
    assert seen["updated"] is not None
    assert [one["name"] for one in seen["attachments"]] == ["A heron"]

    await alice.deletes(post)
    await world.settle()

    assert await fedify.sees(post) is None


async def test_edits_and_deletions_on_fedify_are_applied(
    fred: FedifyAccount, alice: Person, world: Fediverse
) -> None:
    await alice.follows(fred)
    await world.settle()
    post_uri = await fred.posts("<p>Trian</p>", ["A train"])

    await fred.edits(post_uri, "<p>Train</p>")

    post = await stored_post(alice, post_uri)
    assert formatting.html_to_text(post.caption) == "Train"
    assert post.edited_at is not None

    await fred.deletes(post_uri)

    assert (await stored_post(alice, post_uri)).deleted_at is not None
    assert await alice.home() == []


async def test_a_conversation_between_the_two(
    fred: FedifyAccount, alice: Person, fedify: Fedify, world: Fediverse
) -> None:
    await fred.follows(alice)
    post = await alice.posts("Which tree is this?", photo="A tree")
    await world.settle()

    answer = await stored_post(alice, await fred.posts("<p>A beech</p>", replyTo=post.uri))
    thanks = await alice.comments(answer, "Thank you")
    await world.settle()

    assert await alice.conversation(post) == ["A beech", "Thank you"]
    assert ("comment", "fred@fedify.test") in await alice.notifications()
    seen = await fedify.sees(thanks)
    assert seen is not None
    assert seen["replyTo"] == answer.uri


async def test_each_finds_the_other_by_handle_and_url(
    fred: FedifyAccount, alice: Person, fedify: Fedify
) -> None:
    post_uri = await fred.posts("<p>Alone</p>", ["A house"])
    post = await alice.posts("Found", photo="A key")

    found = await alice.finds(fred)
    pasted = await lookup.resolve(alice.node, post_uri, await alice.account())
    seen = await fred.fetches(post.uri)
    # Fedify queries WebFinger over HTTPS only.
    is_plain = fedify.scheme == "http"
    actor = await fred.fetches(await uri(alice) if is_plain else f"@{alice.handle}")

    assert found.uri == fred.uri
    assert isinstance(pasted, Post)
    assert pasted.uri == post_uri
    assert [one["name"] for one in seen["attachments"]] == ["A key"]
    assert actor["preferredUsername"] == "alice"


async def test_a_conversation_that_began_on_fedify(
    fred: FedifyAccount, alice: Person, fedify: Fedify, world: Fediverse
) -> None:
    await alice.follows(fred)
    await world.settle()
    first = await stored_post(alice, await fred.posts("<p>Where is this?</p>", ["A bridge"]))

    answer = await alice.comments(first, "In Porto")
    await world.settle()
    seen = await fedify.sees(answer)
    assert seen is not None
    assert (seen["replyTo"], fred.uri in seen["cc"] + seen["to"]) == (first.uri, True)

    thanks = await fred.posts("<p>Of course</p>", replyTo=answer.uri)
    assert await alice.conversation(first) == ["In Porto", "Of course"]

    await fred.deletes(thanks)
    await alice.deletes(answer)
    await world.settle()
    assert await fedify.sees(answer) is None
    assert "Of course" not in await alice.conversation(first)


async def test_followers_only_posts_reach_only_followers(
    fred: FedifyAccount, alice: Person, fedify: Fedify, world: Fediverse
) -> None:
    bea = await world.person("bea@a.test")
    await fred.follows(alice)
    await alice.follows(fred)
    await world.settle()

    local_post = await alice.posts("Only for you", photo="A cake", visibility="followers")
    await world.settle()
    remote_post = await stored_post(
        alice, await fred.posts("<p>For you too</p>", ["Tea"], visibility="followers")
    )

    seen = await fedify.sees(local_post)
    assert seen is not None
    assert (seen["to"], seen["cc"]) == ([(await alice.account()).followers_uri], [])
    assert [one["name"] for one in (await fred.fetches(local_post.uri))["attachments"]] == ["A cake"]
    assert remote_post.visibility == "followers"
    assert await alice.home() == ["For you too", "Only for you"]
    assert await bea.sees(remote_post) is None
    with pytest.raises(Refused):
        await alice.boosts(remote_post)

    await fred.unfollows(alice)
    with pytest.raises(AssertionError, match="was not found"):
        await fred.fetches(local_post.uri)
