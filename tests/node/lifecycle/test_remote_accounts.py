from __future__ import annotations

import dataclasses

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.accounts import accounts, keys
from node.admin import account_actions
from node.auth import users
from node.database import Database, Writer
from node.errors import Invalid, NotFound
from node.ids import now_ms
from node.lifecycle import account_deletion, remote_accounts
from node.models.account import Account
from node.models.remote_actor import ActorKey
from tests.support import people


async def test_a_remote_account_is_known_by_its_uri_and_may_be_renamed(db: Database) -> None:
    rita = await db.write(people.remote)
    renamed = await db.write(
        remote_accounts.upsert, people.actor("rita_new", uri=rita.uri, display_name="Rita", is_locked=True)
    )

    assert renamed.id == rita.id
    assert (renamed.name, renamed.display_name, renamed.is_locked) == ("rita_new", "Rita", True)
    assert renamed.created_at == rita.created_at


async def test_a_handle_given_to_another_account_makes_another_account(db: Database) -> None:
    first = await db.write(people.remote, uri="https://far.example/ap/1")
    second = await db.write(people.remote, uri="https://far.example/ap/2")

    assert first.id != second.id
    assert await db.read(accounts.by_uri, first.uri) == first


async def test_no_remote_document_claims_a_local_account(db: Database, alice: Account) -> None:
    for claim in (
        people.actor(uri=alice.uri, domain="far.example"),
        people.actor(uri=alice.uri + "2"),
        dataclasses.replace(people.actor(), domain=db.site.domain),
        dataclasses.replace(people.actor(), domain=db.site.domain.upper()),
    ):
        with pytest.raises(Invalid):
            await db.write(remote_accounts.upsert, claim)

    assert await db.read(accounts.get, alice.id) == alice


async def test_a_remote_profile_is_cleaned_and_cut(db: Database) -> None:
    rita = await db.write(
        remote_accounts.upsert,
        people.actor(
            display_name="\u202eRita\u200b<b>",
            bio='<p onclick="x()">Hi <script>alert(1)</script><a href="javascript:x">me</a></p>'
            + "x" * 50_000,
            fields=[("Site", '<a href="https://r.example" style="x">r</a>')] * 60,
            avatar_url="javascript:alert(1)",
            moved_to="file:///etc/passwd",
            url="data:text/html,x",
            also_known_as=["https://old.example/r"] * 300 + ["gopher://x"],
            created_at=2**62,
        ),
    )

    assert rita.display_name == "Rita<b>"  # text: pages escape it
    assert "script" not in rita.bio
    assert "onclick" not in rita.bio
    assert "javascript" not in rita.bio
    assert len(rita.profile_fields) == 50
    assert "style" not in rita.profile_fields[0][1]
    assert (rita.avatar_url, rita.moved_to, rita.url) == ("", "", rita.uri)
    assert len(rita.aliases) == 256
    assert rita.created_at <= now_ms()


async def test_an_actor_without_a_usable_name_or_inbox_is_refused(db: Database) -> None:
    for bad in (people.actor("\u200b"), people.actor(inbox="ftp://x"), people.actor(inbox="")):
        with pytest.raises(Invalid):
            await db.write(remote_accounts.upsert, bad)


async def test_a_suspension_outlives_a_new_document(db: Database, alice: Account) -> None:
    def given(tx: Writer) -> None:
        users.create(tx, alice, email="a@a.test", password_hash="x", role="moderator")
        account_actions.suspend(tx, alice, people.remote(tx))

    await db.write(given)
    rita = await db.write(remote_accounts.upsert, people.actor(display_name="Back"))

    assert rita.suspended_at is not None


async def test_a_deleted_remote_account_does_not_come_back(db: Database) -> None:
    rita = await db.write(people.remote)
    await db.write(account_deletion.delete_account, rita)

    with pytest.raises(NotFound):
        await db.write(remote_accounts.upsert, people.actor())

    gone = await db.read(accounts.get, rita.id)
    assert gone.deleted_at is not None
    assert await db.read(keys.by_account, gone) == []


@pytest.mark.parametrize("name", ["x" * 2048, "ø" * 1024])
async def test_remote_names_may_have_2048_bytes(db: Database, name: str) -> None:
    uri = "https://far.example/people/1"
    rita = await db.write(people.remote, name, uri=uri, display_name="R" * 2048, inbox=f"{uri}/inbox")

    assert (rita.name, len(rita.display_name)) == (name, 2048)
    assert await db.read(accounts.by_handle, f"@{name}@far.example") == rita
    assert len(rita.label) <= 201


async def test_a_longer_remote_name_is_refused(db: Database) -> None:
    uri = "https://far.example/people/1"
    with pytest.raises(Invalid):
        await db.write(people.remote, "x" * 2049, uri=uri, inbox=f"{uri}/inbox")


async def test_what_the_server_suspends_it_can_unsuspend(db: Database) -> None:
    await db.write(people.remote)

    suspended = await db.write(people.remote, is_suspended=True)
    lifted = await db.write(people.remote)

    assert (suspended.is_inactive, lifted.is_inactive) == (True, False)


async def test_an_unknown_kind_of_actor_is_a_person(db: Database) -> None:
    kinds = [
        (await db.write(people.remote, f"r{n}", kind=kind)).kind for n, kind in enumerate(("Group", "Alien"))
    ]

    assert kinds == ["Group", "Person"]


async def test_new_keys_replace_the_old_ones(db: Database) -> None:
    rita = await db.write(people.remote)
    new = ActorKey(f"{rita.uri}#key-2", "rsa", people.REMOTE_KEY.replace("remote", "another"))

    await db.write(people.remote, keys=[new])

    assert [key.id for key in await db.read(keys.by_account, rita)] == [new.id]


async def test_the_policy_of_its_server_applies_from_the_first_document(db: Database) -> None:
    await db.write(
        lambda tx: tx.run(
            "INSERT INTO domain_blocks (domain, created_at, strength) VALUES ('far.example', 1, 'limit')"
        )
    )

    rita = await db.write(people.remote)

    assert rita.is_limited


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    name=st.text(min_size=1, max_size=40),
    text=st.text(max_size=200),
    uri=st.text(max_size=60),
)
async def test_any_document_is_either_refused_or_cleaned(
    db: Database, name: str, text: str, uri: str
) -> None:
    actor = people.actor(
        name,
        uri="https://far.example/users/any",
        display_name=text,
        bio=text,
        url=uri,
        moved_to=uri,
        avatar_url=uri,
    )
    try:
        account = await db.write(remote_accounts.upsert, actor)
    except Invalid:
        return

    assert account.name
    assert "<script" not in account.bio
    for kept in (account.url, account.moved_to, account.avatar_url):
        assert kept == "" or kept.startswith(("https://", "http://"))
