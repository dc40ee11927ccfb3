"""Move: queues a check of both accounts, and only where it matters."""

from __future__ import annotations

import pytest

from activitypub.handlers.received_activity import Ignored
from node.database import Writer
from node.models.account import Account
from node.moderation import domain_rules
from node.node import Node
from tests.support.people import remote
from tests.support.posting import follow
from tests.support.received import handle, jobs

TARGET = "https://new.example/users/rita"


async def test_a_move_of_a_followed_account_is_checked(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        follow(tx, alice, rita)
        handle(tx, rita, "Move", rita.uri, target=TARGET)
        assert jobs(tx, "check_move") == [{"origin": rita.id, "target": TARGET}]

    await node.db.write(unit)


async def test_a_move_that_concerns_no_local_account_is_ignored(node: Node) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        with pytest.raises(Ignored, match="no local account"):
            handle(tx, rita, "Move", rita.uri, target=TARGET)

    await node.db.write(unit)


@pytest.mark.parametrize("target", [None, "https://far.example/users/rita", "not an address", ""])
async def test_a_move_needs_a_target(node: Node, alice: Account, target: str | None) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        follow(tx, alice, rita)
        with pytest.raises(Ignored, match="without a target"):
            handle(tx, rita, "Move", rita.uri, target=target)
        assert jobs(tx, "check_move") == []

    await node.db.write(unit)


async def test_nobody_moves_another_account(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita, omar = remote(tx), remote(tx, "omar")
        follow(tx, alice, rita)
        with pytest.raises(Ignored, match="another account"):
            handle(tx, omar, "Move", rita.uri, target=omar.uri)

    await node.db.write(unit)


async def test_nobody_moves_to_a_blocked_server(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        follow(tx, alice, rita)
        domain_rules.block(tx, "new.example")
        with pytest.raises(Ignored, match="blocked"):
            handle(tx, rita, "Move", rita.uri, target=TARGET)

    await node.db.write(unit)
