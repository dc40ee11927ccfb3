"""Delete: an actor deletes its account and its own posts, and nothing else."""

from __future__ import annotations

import pytest

from activitypub.handlers.received_activity import Ignored
from node.accounts import accounts
from node.database import Writer
from node.federation import tombstones
from node.interactions import boosts
from node.models.account import Account
from node.node import Node
from node.posts import posts
from tests.support.people import remote, verbs_of
from tests.support.posting import publish, receive_post
from tests.support.received import handle


async def test_a_post_is_deleted_and_local_boosts_of_it_are_undone(node: Node, alice: Account) -> None:
    """Servers that have the post through a local boost do not get the author's Delete."""

    def unit(tx: Writer) -> None:
        rita = remote(tx)
        post = receive_post(tx, rita)
        boosts.boost(tx, alice, post)
        handle(tx, rita, "Delete", {"type": "Tombstone", "id": post.uri})
        deleted = posts.by_uri(tx, post.uri)
        assert deleted is not None
        assert deleted.deleted_at is not None
        assert verbs_of(tx, alice) == ["Announce", "Undo"]

    await node.db.write(unit)


@pytest.mark.parametrize("host", ["far.example", "third.example"])
async def test_nobody_deletes_the_post_of_another(node: Node, host: str) -> None:
    def unit(tx: Writer) -> None:
        post = receive_post(tx, remote(tx))
        omar = remote(tx, "omar", host)
        with pytest.raises(Ignored):
            handle(tx, omar, "Delete", post.uri)
        kept = posts.by_uri(tx, post.uri)
        assert kept is not None
        assert kept.deleted_at is None
        assert not tombstones.is_tombstoned(tx, omar, post.uri)

    await node.db.write(unit)


async def test_nothing_local_is_deleted(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita, post = remote(tx), publish(tx, alice)
        for uri in (post.uri, alice.uri):
            with pytest.raises(Ignored):
                handle(tx, rita, "Delete", uri)
        assert accounts.get(tx, alice.id).deleted_at is None

    await node.db.write(unit)


async def test_an_account_deletes_itself_and_is_ignored_from_then_on(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        handle(tx, rita, "Delete", rita.uri)
        deleted = accounts.get(tx, rita.id)
        assert deleted.deleted_at is not None
        for kind, object_ in (("Follow", alice.uri), ("Delete", f"{rita.uri}/posts/1"), ("Update", rita.uri)):
            with pytest.raises(Ignored, match="suspended or deleted"):
                handle(tx, deleted, kind, object_)

    await node.db.write(unit)
