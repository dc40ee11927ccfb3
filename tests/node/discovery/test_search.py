"""Search: what is found of accounts, hashtags and posts, by whom, and in which order."""

from __future__ import annotations

from node.accounts import relationships
from node.database import Database, Writer
from node.discovery import search
from node.interactions import blocks, follows
from node.lifecycle import profiles
from node.models.account import Account
from node.posts.drafts import Draft
from node.publishing import publishing
from tests.support import people


def profile(tx: Writer, account: Account, **changes: object) -> Account:
    values = {
        "display_name": "",
        "bio": "",
        "is_locked": False,
        "is_discoverable": True,
        "is_indexable": False,
    }
    return profiles.update_profile(tx, account, **(values | changes))  # type: ignore[arg-type]


async def test_accounts_are_found_by_handle_and_name_the_exact_handle_first(
    db: Database, alice: Account, bob: Account
) -> None:
    await db.write(profile, bob, display_name="Ali Baba")
    far = await db.write(people.remote, "alice")
    other = await db.write(people.remote, "alicia")
    await db.write(follows.follow, bob, other)
    request = await db.read(relationships.follow_between, bob, other)
    assert request is not None
    await db.write(follows.accept, request)

    async def found(q: str, viewer: Account | None = None) -> list[str]:
        return [one.handle for one in await db.read(search.accounts, q, viewer)]

    assert await found("alice") == ["alice", "alice@far.example"]
    assert await found("@alice@far.example") == [far.handle]
    assert (await found("ali", bob))[0] == "alicia@far.example"
    assert set(await found("ALI")) == {"alice", "bob", "alice@far.example", "alicia@far.example"}
    assert await found("alice@far") == [far.handle]
    assert await found("%") == []
    assert await found("  ") == []
    assert await found(db.site.domain) == []


async def test_an_undiscoverable_account_is_found_by_handle_or_followers_only(
    db: Database, alice: Account, bob: Account, mallory: Account
) -> None:
    await db.write(profile, alice, is_discoverable=False)
    await db.write(follows.follow, bob, alice)

    async def found(q: str, viewer: Account | None) -> list[Account]:
        return [one for one in await db.read(search.accounts, q, viewer) if one.id == alice.id]

    assert await found("ali", mallory) == []
    assert len(await found("alice", mallory)) == 1
    assert len(await found("ali", bob)) == 1
    await db.write(blocks.block, alice, mallory)
    assert await found("alice", mallory) == []


async def test_public_posts_are_searched_unless_their_author_does_not_want_to_be_found(
    db: Database, alice: Account, bob: Account
) -> None:
    def given(tx: Writer) -> list[int]:
        profile(tx, bob, is_discoverable=False)
        return [
            publishing.publish(tx, author, Draft(caption=caption, visibility=visibility)).id
            for author, caption, visibility in (
                (alice, "A 100% quiet <b>lake</b>", "public"),
                (alice, "A lake for friends", "followers"),
                (bob, "Another Lake", "public"),
            )
        ]

    first, friends, bobs = await db.write(given)

    assert await db.read(search.posts, "LAKE quiet", None) == [first]
    assert await db.read(search.posts, "lake", None) == [first]
    assert await db.read(search.posts, "lake", bob) == [bobs, first]
    assert await db.read(search.posts, "lake", alice) == [friends, first]
    assert await db.read(search.posts, "lake", alice, max_id=friends) == [first]
    assert await db.read(search.posts, "100%", None) == [first]
    assert await db.read(search.posts, "0_q", None) == []
    assert await db.read(search.posts, "", alice) == []
    await db.write(profile, bob, is_discoverable=False, is_indexable=True)
    assert await db.read(search.posts, "lake", None) == [bobs, first]


async def test_comments_are_found_apart_from_posts(db: Database, alice: Account, bob: Account) -> None:
    def given(tx: Writer) -> list[int]:
        post = publishing.publish(tx, alice, Draft(caption="A lake"))
        return [post.id, publishing.publish(tx, bob, Draft(caption="What a lake", parent_id=post.id)).id]

    post, comment = await db.write(given)

    assert await db.read(search.posts, "lake", None) == [comment, post]
    assert await db.read(search.posts, "lake", None, is_comment=False) == [post]
    assert await db.read(search.posts, "lake", None, is_comment=True) == [comment]


async def test_hashtags_are_found_by_their_beginning(db: Database, alice: Account) -> None:
    await db.write(publishing.publish, alice, Draft(caption="#Lakeside morning"))

    found = await db.read(search.hashtags, "#lake")
    assert [tag.display for tag in found] == ["Lakeside"]
