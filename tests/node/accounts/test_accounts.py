from __future__ import annotations

import pytest

from node.accounts import accounts, keys
from node.database import Database
from node.errors import Conflict
from node.lifecycle import account_deletion
from node.models.account import Account
from tests.support import people


async def test_one_of_ours_gets_addresses_of_this_node_and_keys(db: Database, alice: Account) -> None:
    base = db.site.base_url

    assert alice.uri == f"{base}/users/alice"
    assert alice.url == f"{base}/@alice"
    assert alice.inbox == f"{base}/users/alice/inbox"
    assert (alice.handle, alice.full_handle) == ("alice", f"alice@{db.site.domain}")
    assert [key.algorithm for key in await db.read(keys.by_account, alice)] == ["rsa", "ed25519"]


async def test_a_name_is_given_once_whatever_its_case(
    db: Database, alice: Account, pairs: dict[str, keys.KeyPair]
) -> None:
    with pytest.raises(Conflict):
        await db.write(accounts.create_local, "ALICE", pair=pairs["bob"])


async def test_a_deleted_name_is_never_given_again(
    db: Database, alice: Account, pairs: dict[str, keys.KeyPair]
) -> None:
    await db.write(account_deletion.delete_account, alice)

    with pytest.raises(Conflict):
        await db.write(accounts.create_local, "alice", pair=pairs["bob"])


async def test_people_are_found_by_handle_in_every_spelling(db: Database, alice: Account) -> None:
    rita = await db.write(people.remote)

    for handle in ("alice", "@Alice", f"alice@{db.site.domain}", f"@ALICE@{db.site.domain.upper()}"):
        assert await db.read(accounts.by_handle, handle) == alice
    assert await db.read(accounts.by_handle, "@rita@far.example") == rita
    assert await db.read(accounts.by_handle, "rita") is None


async def test_the_node_itself_is_made_once(db: Database, pairs: dict[str, keys.KeyPair]) -> None:
    first = await db.write(accounts.create_instance_actor, pairs["alice"])
    second = await db.write(accounts.create_instance_actor, pairs["bob"])

    assert first == second == await db.read(accounts.instance_actor)
    assert first.uri == db.site.uri("/actor")
    assert first.kind == "Application"
