"""The lists of accounts: the latest first, page by page, without blocked, suspended and deleted accounts."""

from __future__ import annotations

from node.accounts import accounts
from node.database import Reader, Writer
from node.interactions import account_lists, blocks, likes
from node.models.account import Account, ListedAccount
from node.models.post import Post
from node.node import Node
from node.paging import Page
from tests.support.people import remote
from tests.support.posting import publish


def liked(tx: Writer, author: Account, *accounts_: Account) -> Post:
    post = publish(tx, author)
    for account in accounts_:
        likes.like(tx, account, post, uri=f"like:{account.id}")
    return post


def listed(tx: Reader, post: Post, viewer_id: int = 0, page: Page | None = None) -> list[ListedAccount]:
    return account_lists.visible_accounts(
        tx, "likes", "account_id", "t.post_id = :post", viewer_id, page or Page(), post=post.id
    )


def names(found: list[ListedAccount]) -> list[str]:
    return [one.account.name for one in found]


async def test_the_latest_is_first_and_the_next_page_follows_the_last_id(
    node: Node, alice: Account, bob: Account, mallory: Account
) -> None:
    post = await node.db.write(liked, alice, mallory, bob, alice)

    first = await node.db.read(listed, post, 0, Page(limit=2))
    second = await node.db.read(listed, post, 0, Page(limit=2, max_id=first[-1].id))

    assert (names(first), names(second)) == (["alice", "bob"], ["mallory"])


async def test_only_rows_that_match_the_condition_are_listed(
    node: Node, alice: Account, bob: Account
) -> None:
    post = await node.db.write(liked, alice, bob)
    other = await node.db.write(liked, alice, alice)

    assert names(await node.db.read(listed, post)) == ["bob"]
    assert names(await node.db.read(listed, other)) == ["alice"]


async def test_a_block_hides_each_from_the_other_and_from_nobody_else(
    node: Node, alice: Account, bob: Account, mallory: Account
) -> None:
    post = await node.db.write(liked, alice, bob, mallory)
    await node.db.write(blocks.block, bob, mallory)

    assert names(await node.db.read(listed, post, bob.id)) == ["bob"]
    assert names(await node.db.read(listed, post, mallory.id)) == ["mallory"]
    assert names(await node.db.read(listed, post, alice.id)) == ["mallory", "bob"]
    assert names(await node.db.read(listed, post)) == ["mallory", "bob"]


async def test_suspended_and_deleted_accounts_are_not_listed(
    node: Node, alice: Account, bob: Account
) -> None:
    def given(tx: Writer) -> Post:
        rita, rob = remote(tx), remote(tx, "rob")
        post = liked(tx, alice, bob, rita, rob)
        accounts.set_visible(tx, rita.id, is_visible=False)
        accounts.mark_deleted(tx, rob.id)
        return post

    post = await node.db.write(given)

    assert names(await node.db.read(listed, post)) == ["bob"]
