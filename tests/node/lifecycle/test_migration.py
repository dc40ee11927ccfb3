"""Moves: which accounts may, to which, and how often."""

from __future__ import annotations

import pytest

from node.accounts import accounts
from node.database import Database, Writer
from node.errors import Invalid, NotAllowed
from node.ids import now_ms
from node.interactions import follows
from node.lifecycle import account_deletion, migration
from node.models.account import Account
from node.moderation import domain_rules
from tests.support.people import activities_of, remote, verbs_of


def agreed(tx: Writer, origin: Account, name: str = "new", domain: str = "new.example") -> Account:
    return remote(tx, name, domain, also_known_as=[origin.uri])


async def test_an_alias_is_sent_and_removed(db: Database, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        old = remote(tx, "old", "old.example")
        migration.add_alias(tx, alice, old)
        migration.add_alias(tx, accounts.get(tx, alice.id), old)
        assert accounts.get(tx, alice.id).aliases == [old.uri]
        migration.remove_alias(tx, accounts.get(tx, alice.id), old.uri)
        assert accounts.get(tx, alice.id).aliases == []
        assert verbs_of(tx, alice) == ["Update", "Update"]
        with pytest.raises(Invalid):
            migration.add_alias(tx, alice, alice)
        with pytest.raises(Invalid):
            migration.add_alias(tx, alice, accounts.instance_actor(tx))

    await db.write(unit)


async def test_a_move_is_sent_once_and_not_again_for_a_while(db: Database, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        new = agreed(tx, alice)
        migration.move(tx, alice, new)
        gone = accounts.get(tx, alice.id)
        assert gone.moved_to == new.uri
        assert migration.destination(tx, gone) == new
        assert activities_of(tx, alice)[-1] == ("Move", alice.uri, {"target": new.uri})
        with pytest.raises(Invalid):
            migration.move(tx, gone, new)
        migration.cancel_move(tx, gone)
        back = accounts.get(tx, alice.id)
        assert back.moved_to == ""
        assert migration.next_move_at(tx, back) > now_ms()
        with pytest.raises(Invalid, match="30 days"):
            migration.move(tx, back, new)

    await db.write(unit)


@pytest.mark.parametrize("reason", ["disagrees", "suspended server", "moved itself", "gone", "itself"])
async def test_accounts_that_nobody_can_move_to(db: Database, alice: Account, reason: str) -> None:
    def unit(tx: Writer) -> None:
        new = agreed(tx, alice)
        match reason:
            case "disagrees":
                new = remote(tx, "other", "new.example")
            case "suspended server":
                domain_rules.block(tx, "new.example")
            case "moved itself":
                new = remote(
                    tx, "new", "new.example", also_known_as=[alice.uri], moved_to="https://x.example/1"
                )
            case "gone":
                account_deletion.delete_account(tx, new)
            case "itself":
                new = alice
        with pytest.raises(Invalid):
            migration.move(tx, alice, accounts.get(tx, new.id))
        assert accounts.get(tx, alice.id).moved_to == ""

    await db.write(unit)


async def test_a_chain_of_moves_waits_for_the_cooldown(db: Database) -> None:
    def unit(tx: Writer) -> None:
        one = remote(tx, "one", "far.example")
        two = agreed(tx, one, "two")
        three = agreed(tx, two, "three")
        migration.receive_move(tx, one, two)
        for origin in (one, two):
            with pytest.raises(NotAllowed):
                migration.receive_move(tx, origin, three)
        # Others may still move to the same account: many old ones become one.
        migration.receive_move(tx, remote(tx, "four", "far.example"), agreed_with_two(tx, two))

    def agreed_with_two(tx: Writer, two: Account) -> Account:
        four = accounts.by_uri(tx, "https://far.example/users/four")
        assert four is not None
        return remote(tx, "two", "new.example", also_known_as=[*two.aliases, four.uri])

    await db.write(unit)


async def test_a_local_account_that_has_moved_is_not_followed(
    db: Database, alice: Account, bob: Account
) -> None:
    def unit(tx: Writer) -> None:
        migration.move(tx, alice, agreed(tx, alice))
        with pytest.raises(NotAllowed):
            follows.follow(tx, bob, accounts.get(tx, alice.id))

    await db.write(unit)
