"""Block: ends the follows between a remote and a local account."""

from __future__ import annotations

import pytest

from activitypub.handlers.received_activity import Ignored
from node.accounts import relationships
from node.database import Writer
from node.models.account import Account
from node.node import Node
from tests.support.people import remote
from tests.support.posting import follow
from tests.support.received import handle


async def test_a_block_ends_follows_in_both_directions(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        follow(tx, alice, rita)
        follow(tx, rita, alice)
        handle(tx, rita, "Block", alice.uri, id=f"{rita.uri}#block")
        assert relationships.has_blocked(tx, rita, alice)
        assert relationships.follow_between(tx, alice, rita) is None
        assert relationships.follow_between(tx, rita, alice) is None

    await node.db.write(unit)


async def test_a_block_of_a_remote_account_is_ignored(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita, omar = remote(tx), remote(tx, "omar")
        with pytest.raises(Ignored):
            handle(tx, rita, "Block", omar.uri)
        assert not relationships.has_blocked(tx, rita, omar)

    await node.db.write(unit)
