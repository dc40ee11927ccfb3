"""Which hashtags are followed; what that brings into feeds: `tests/web/api/test_followed_hashtags.py`."""

from __future__ import annotations

from node.database import Writer
from node.models.account import Account
from node.node import Node
from node.paging import Page
from node.posts import followed_hashtags, hashtags


async def test_a_hashtag_is_followed_once_however_it_is_written(
    node: Node, alice: Account, bob: Account
) -> None:
    def unit(tx: Writer) -> None:
        for name in ("Fog", "#fog", "FOG"):
            followed_hashtags.follow(tx, alice, name)
        ((_, found),) = followed_hashtags.by_account(tx, alice, Page())
        assert found.display == "Fog"
        assert followed_hashtags.followed_ids(tx, alice, [found.id, 5]) == {found.id}
        assert not followed_hashtags.is_followed(tx, bob, found)
        assert not followed_hashtags.is_followed(tx, None, found)

    await node.db.write(unit)


async def test_unfollowing_twice_or_an_unknown_hashtag_changes_nothing(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        assert followed_hashtags.unfollow(tx, alice, "never") is None
        found = followed_hashtags.follow(tx, alice, "fog")
        for _ in range(2):
            assert followed_hashtags.unfollow(tx, alice, "Fog") == hashtags.by_name(tx, "fog") == found
        assert followed_hashtags.by_account(tx, alice, Page()) == []

    await node.db.write(unit)


async def test_what_a_deleted_account_followed_is_deleted(node: Node, alice: Account, bob: Account) -> None:
    def unit(tx: Writer) -> None:
        for who in (alice, bob):
            followed_hashtags.follow(tx, who, "fog")
        followed_hashtags.delete_by_account(tx, alice)
        assert followed_hashtags.by_account(tx, alice, Page()) == []
        assert len(followed_hashtags.by_account(tx, bob, Page())) == 1

    await node.db.write(unit)
