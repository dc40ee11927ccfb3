"""Pinned posts come first on a profile, on every server."""

from __future__ import annotations

from activitypub.remote import actors, profile_preview
from federation_tests.fediverse import Fediverse, Person
from federation_tests.remote_server import RemoteServer
from federation_tests.security.scenes import alice_follows_rita, create
from node.accounts import accounts
from node.database import Reader, Writer
from node.interactions import pins
from node.jobs import queue
from node.models.post import Post
from node.posts import posts
from node.text import formatting


async def pins_of(reader: Person, author: Person) -> list[str]:
    """The captions of the author's pinned posts on the reader's node."""
    known = await reader.finds(author)

    def unit(tx: Reader) -> list[str]:
        ids = pins.post_ids(tx, accounts.get(tx, reader.id), known)
        found = posts.by_ids(tx, ids)
        return [formatting.html_to_text(found[id_].caption) for id_ in ids]

    return await reader.node.db.read(unit)


async def pin(author: Person, post: Post) -> None:
    await author.node.db.write(lambda tx: pins.pin(tx, accounts.get(tx, author.id), post))


async def unpin(author: Person, post: Post) -> None:
    await author.node.db.write(lambda tx: pins.unpin(tx, accounts.get(tx, author.id), post))


async def test_a_remote_follower_sees_pins_and_unpins(fediverse: Fediverse) -> None:
    alice, bob = await fediverse.people("alice@a.test", "bob@b.test")
    await bob.follows(alice)
    await fediverse.settle()
    one, two = await alice.posts("One"), await alice.posts("Two", visibility="unlisted")
    await pin(alice, one)
    await pin(alice, two)
    await fediverse.settle()
    assert await pins_of(bob, alice) == ["Two", "One"]
    await unpin(alice, two)
    await fediverse.settle()
    assert await pins_of(bob, alice) == ["One"]
    await alice.deletes(one)
    await fediverse.settle()
    assert await pins_of(bob, alice) == []


async def test_an_old_post_that_is_pinned_is_fetched(fediverse: Fediverse) -> None:
    alice, bob = await fediverse.people("alice@a.test", "bob@b.test")
    old = await alice.posts("From before")
    await bob.follows(alice)
    await fediverse.settle()
    await pin(alice, old)
    await fediverse.settle()
    assert await pins_of(bob, alice) == ["From before"]


async def test_looking_up_an_account_fetches_its_pinned_posts(fediverse: Fediverse) -> None:
    alice, bob = await fediverse.people("alice@a.test", "bob@b.test")
    made = [await alice.posts(f"Post {n}") for n in range(4)]
    await pin(alice, made[0])
    await pin(alice, made[2])
    await bob.finds(alice)
    await fediverse.settle()
    assert await pins_of(bob, alice) == ["Post 2", "Post 0"]


async def test_a_deleted_post_is_not_in_the_featured_collection(
    fediverse: Fediverse, other: RemoteServer
) -> None:
    (alice,) = await fediverse.people("alice@a.test")
    post = await alice.posts("Open")
    await pin(alice, post)
    await fediverse.settle()
    other.person("rita")
    status, body, _ = await other.get(alice.node.site.uri("/users/alice/collections/featured"))
    assert status == 200
    assert post.uri.encode() in body
    await alice.deletes(post)
    await fediverse.settle()
    _, body, _ = await other.get(alice.node.site.uri("/users/alice/collections/featured"))
    assert post.uri.encode() not in body


async def test_a_featured_collection_of_pages_posts_and_uris_is_read_without_loops(
    fediverse: Fediverse, other: RemoteServer
) -> None:
    """As other software serves it: with a first page, members embedded and by URI, and itself as a member."""
    alice = await alice_follows_rita(fediverse, other)
    featured = other.base + "/users/rita/featured"
    rita = other.person("rita", featured=featured)
    whole = other.note("rita", 1, is_served=False)
    other.note("rita", 2)
    page = f"{featured}?page=1"
    members = [whole, f"{rita}/statuses/2", featured, "https://third.example/1", {"type": "Hashtag"}]
    other.serve("/users/rita/featured", {"id": featured, "type": "OrderedCollection", "first": page})
    other.serve(
        "/users/rita/featured?page=1",
        {
            "id": page,
            "type": "OrderedCollectionPage",
            "first": featured,
            "next": page,
            "orderedItems": members,
        },
    )

    def refresh(tx: Writer) -> int:
        known = accounts.by_uri(tx, rita)
        assert known is not None
        queue.add(tx, "refresh_actor", {"id": known.id})
        return known.id

    account_id = await alice.node.db.write(refresh)
    await fediverse.settle()

    def pinned(tx: Reader) -> list[str]:
        ids = pins.post_ids(tx, None, accounts.get(tx, account_id))
        return [formatting.html_to_text(posts.by_ids(tx, ids)[id_].caption) for id_ in ids]

    assert await alice.node.db.read(pinned) == ["Post 1", "Post 2"]
    assert other.requests["/users/rita/featured"] <= 3

    # Later an Add with the whole post, as some servers send it.
    third = other.note("rita", 3, is_served=False)
    await other.send(alice.node, "rita", other.activity("rita", "Add", third, target=featured))
    await fediverse.settle()
    assert await alice.node.db.read(pinned) == ["Post 3", "Post 1", "Post 2"]
    await other.send(alice.node, "rita", other.activity("rita", "Remove", whole["id"], target=featured))
    await fediverse.settle()
    assert await alice.node.db.read(pinned) == ["Post 3", "Post 2"]


async def test_a_post_for_followers_is_never_pinned(fediverse: Fediverse, other: RemoteServer) -> None:
    alice = await alice_follows_rita(fediverse, other)
    featured = other.base + "/users/rita/featured"
    rita = other.person("rita", featured=featured)
    private = create(other, number=9, to=[f"{rita}/followers"], cc=[])
    await other.send(alice.node, "rita", private)
    await fediverse.settle()
    add = other.activity("rita", "Add", private["object"]["id"], target=featured)
    await other.send(alice.node, "rita", add)
    await fediverse.settle()
    assert await alice.node.db.read(lambda tx: tx.value("SELECT COUNT(*) FROM pins")) == 0


async def test_pins_are_read_again_when_a_profile_is_opened_but_not_each_time(
    fediverse: Fediverse, evil: RemoteServer
) -> None:
    featured = f"{evil.base}/users/rita/featured"
    evil.person("rita", featured=featured)
    first, second = (evil.note("rita", number) for number in (1, 2))
    listed = {"id": featured, "type": "OrderedCollection", "orderedItems": [first["id"]]}
    evil.serve("/users/rita/featured", listed)
    (alice,) = await fediverse.people("alice@a.test")
    rita = await actors.by_handle(alice.node, f"rita@{evil.domain}")
    await fediverse.settle()
    listed["orderedItems"] = [second["id"]]
    evil.serve("/users/rita/featured", listed)

    reads = evil.requests["/users/rita/featured"]
    for _ in range(3):
        await profile_preview.queue_refresh(alice.node, rita)
        await fediverse.settle()

    assert evil.requests["/users/rita/featured"] == reads + 1
    pinned = await alice.node.db.read(pins.post_uris, rita)
    assert pinned == [second["id"]]
