"""Accounts: names and handles, the uris of local accounts, what a remote server may claim, and suspension."""

from __future__ import annotations

import dataclasses

import pytest

from node.accounts import accounts, keys
from node.admin import account_actions
from node.auth import users
from node.database import Database, Writer
from node.errors import Conflict, NotAllowed
from node.lifecycle import account_deletion
from node.models.account import Account
from node.models.domain_policy import DomainPolicy
from node.node import Node
from tests.support import people


async def test_a_local_account_has_uris_of_this_node_and_keys(db: Database, alice: Account) -> None:
    base = db.site.base_url

    assert alice.uri == f"{base}/users/alice"
    assert alice.url == f"{base}/@alice"
    assert alice.inbox == f"{base}/users/alice/inbox"
    assert (alice.handle, alice.full_handle) == ("alice", f"alice@{db.site.domain}")
    assert [key.algorithm for key in await db.read(keys.by_account, alice)] == ["rsa", "ed25519"]


async def test_a_name_is_taken_once_whatever_its_case(
    db: Database, alice: Account, pairs: dict[str, keys.KeyPair]
) -> None:
    with pytest.raises(Conflict):
        await db.write(accounts.create_local, "ALICE", pair=pairs["bob"])


async def test_the_name_of_a_deleted_account_stays_taken(
    db: Database, alice: Account, pairs: dict[str, keys.KeyPair]
) -> None:
    await db.write(account_deletion.delete_account, alice)

    with pytest.raises(Conflict):
        await db.write(accounts.create_local, "alice", pair=pairs["bob"])


async def test_accounts_are_found_by_every_spelling_of_their_handle(db: Database, alice: Account) -> None:
    rita = await db.write(people.remote)

    for handle in ("alice", "@Alice", f"alice@{db.site.domain}", f"@ALICE@{db.site.domain.upper()}"):
        assert await db.read(accounts.by_handle, handle) == alice
    assert await db.read(accounts.by_handle, "@rita@far.example") == rita
    assert await db.read(accounts.by_handle, "rita") is None


async def test_the_instance_actor_is_created_once(db: Database, pairs: dict[str, keys.KeyPair]) -> None:
    first = await db.write(accounts.create_instance_actor, pairs["alice"])
    second = await db.write(accounts.create_instance_actor, pairs["bob"])

    assert first == second == await db.read(accounts.instance_actor)
    assert first.uri == db.site.uri("/actor")
    assert first.kind == "Application"


async def test_counts_change_and_the_last_post_never_moves_back(db: Database, alice: Account) -> None:
    await db.write(accounts.adjust_counts, alice.id, posts=2, followers=1, posted_at=2000)
    await db.write(accounts.adjust_counts, alice.id, posts=-1, following=3, posted_at=1000)
    await db.write(accounts.adjust_counts, alice.id)

    account = await db.read(accounts.get, alice.id)
    assert (account.posts_count, account.followers_count, account.following_count) == (1, 1, 3)
    assert account.last_posted_at == 2000


async def test_counts_that_a_server_does_not_claim_stay_as_they_were(db: Database, alice: Account) -> None:
    def claim(tx: Writer, account: Account, **counts: int | None) -> None:
        claimed = {"posts": None, "followers": None, "following": None} | counts
        accounts.set_claimed_counts(tx, account.id, **claimed, hides_follows=None)

    rita = await db.write(people.remote)
    await db.write(claim, rita, posts=7, followers=8)
    await db.write(claim, rita, followers=0)
    await db.write(claim, alice, posts=7)

    account = await db.read(accounts.get, rita.id)
    assert (account.claimed_posts, account.claimed_followers, account.claimed_following) == (7, 0, None)
    assert account.looked_at is not None
    assert await db.read(accounts.looked_at, account.id) == account.looked_at
    assert await db.read(accounts.get, alice.id) == alice


async def test_the_policy_of_a_server_spares_what_a_moderator_suspended(db: Database, alice: Account) -> None:
    def given(tx: Writer) -> tuple[Account, Account, Account]:
        users.create(tx, alice, email="a@a.test", password_hash="x", role="moderator")
        rita, sam, other = people.remote(tx), people.remote(tx, "sam"), people.remote(tx, domain="b.example")
        account_actions.suspend(tx, alice, sam)
        return rita, sam, other

    rita, sam, other = await db.write(given)
    suspend = DomainPolicy("suspend", rejects_media=True)
    await db.write(accounts.apply_policy_to_server, "far.example", "far.example", suspend)

    changed = await db.read(accounts.by_ids, [rita.id, sam.id, other.id])
    assert [changed[one.id].is_inactive for one in (rita, sam, other)] == [True, True, False]
    assert changed[rita.id].is_without_media

    await db.write(accounts.apply_policy_to_server, "far.example", "far.example", DomainPolicy())

    changed = await db.read(accounts.by_ids, [rita.id, sam.id])
    assert [changed[one.id].is_inactive for one in (rita, sam)] == [False, True]
    assert not changed[rita.id].is_limited


async def test_a_policy_never_applies_to_a_local_account(db: Database, alice: Account) -> None:
    await db.write(accounts.apply_policy_to_accounts, [alice.id], DomainPolicy("suspend"))

    assert await db.read(accounts.get, alice.id) == alice


async def test_a_server_ends_its_own_suspension_but_not_that_of_a_moderator(
    db: Database, alice: Account
) -> None:
    def given(tx: Writer) -> Account:
        users.create(tx, alice, email="a@a.test", password_hash="x", role="moderator")
        return people.remote(tx)

    rita = await db.write(given)
    rita = await db.write(accounts.apply_remote_suspension, rita, is_suspended=True)
    assert (rita.is_inactive, rita.suspended_there) == (True, True)
    rita = await db.write(accounts.apply_remote_suspension, rita, is_suspended=False)
    assert (rita.is_inactive, rita.suspended_there) == (False, False)

    await db.write(account_actions.suspend, alice, rita)
    await db.write(accounts.apply_remote_suspension, rita, is_suspended=True)
    await db.write(accounts.apply_remote_suspension, rita, is_suspended=False)

    assert (await db.read(accounts.get, rita.id)).is_inactive


async def test_only_an_account_that_was_never_visible_frees_its_name(
    db: Database, alice: Account, pairs: dict[str, keys.KeyPair]
) -> None:
    with pytest.raises(NotAllowed):
        await db.write(accounts.delete_unapproved, alice)
    await db.write(accounts.set_visible, alice.id, is_visible=False)

    await db.write(accounts.delete_unapproved, await db.read(accounts.get, alice.id))

    assert await db.read(accounts.by_id, alice.id) is None
    again = await db.write(accounts.create_local, "alice", pair=pairs["alice"])
    assert again.id != alice.id


async def test_an_account_is_marked_deleted_once_and_emptied(db: Database, alice: Account) -> None:
    assert await db.write(accounts.mark_deleted, alice.id) is True
    assert await db.write(accounts.mark_deleted, alice.id) is False

    gone = await db.read(accounts.get, alice.id)
    assert (gone.name, gone.display_name, gone.bio, gone.fields) == ("alice", "", "", "[]")
    assert not gone.is_discoverable


async def test_local_accounts_follow_a_change_of_the_handle_domain(node: Node, alice: Account) -> None:
    site = dataclasses.replace(node.site, configured_handle_domain="photos.example")
    rita = await node.db.write(people.remote)
    actor = await node.db.read(accounts.instance_actor)
    node.db.site = site

    renamed = await node.db.write(accounts.set_handle_domain)

    assert [account.full_handle for account in renamed] == ["alice@photos.example"]
    for handle in ("alice", "alice@photos.example", f"alice@{site.domain}"):
        assert (await node.db.read(accounts.by_handle, handle)) == renamed[0]
    assert await node.db.read(accounts.by_ids, [rita.id, actor.id]) == {rita.id: rita, actor.id: actor}
    assert await node.db.write(accounts.set_handle_domain) == []


async def test_a_local_account_of_another_address_is_found(db: Database, alice: Account) -> None:
    def unit(tx: Writer) -> tuple[Account | None, Account | None]:
        before = accounts.of_another_address(tx)
        tx.run(
            "UPDATE accounts SET uri = :uri WHERE id = :id",
            uri="http://localhost:8080/users/alice",
            id=alice.id,
        )
        return before, accounts.of_another_address(tx)

    before, found = await db.write(unit)

    assert before is None
    assert found is not None
    assert found.id == alice.id
