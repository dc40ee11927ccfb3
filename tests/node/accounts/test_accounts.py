from __future__ import annotations

import dataclasses

import pytest

from node.accounts import accounts, keys
from node.admin import account_actions
from node.auth import users
from node.database import Database, Writer
from node.errors import Conflict, Invalid, NotFound
from node.ids import now_ms
from node.lifecycle import account_deletion, profiles, remote_accounts
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


async def test_someone_elsewhere_is_known_by_uri_and_may_change_their_name(db: Database) -> None:
    rita = await db.write(people.remote)
    renamed = await db.write(
        remote_accounts.upsert, people.actor("rita_new", uri=rita.uri, display_name="Rita", is_locked=True)
    )

    assert renamed.id == rita.id
    assert (renamed.name, renamed.display_name, renamed.is_locked) == ("rita_new", "Rita", True)
    assert renamed.created_at == rita.created_at


async def test_a_handle_that_passes_on_does_not_take_the_person_with_it(db: Database) -> None:
    first = await db.write(people.remote, uri="https://far.example/ap/1")
    second = await db.write(people.remote, uri="https://far.example/ap/2")

    assert first.id != second.id
    assert await db.read(accounts.by_uri, first.uri) == first


async def test_nobody_elsewhere_can_be_one_of_ours(db: Database, alice: Account) -> None:
    for false in (
        people.actor(uri=alice.uri, domain="far.example"),
        people.actor(uri=alice.uri + "2"),
        dataclasses.replace(people.actor(), domain=db.site.domain),
        dataclasses.replace(people.actor(), domain=db.site.domain.upper()),
    ):
        with pytest.raises(Invalid):
            await db.write(remote_accounts.upsert, false)

    assert await db.read(accounts.get, alice.id) == alice


async def test_a_foreign_profile_is_cleaned_and_cut(db: Database) -> None:
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


async def test_someone_without_a_usable_name_or_inbox_is_refused(db: Database) -> None:
    for bad in (people.actor("\u200b"), people.actor(inbox="ftp://x"), people.actor(inbox="")):
        with pytest.raises(Invalid):
            await db.write(remote_accounts.upsert, bad)


async def test_a_profile_is_checked_rendered_and_told(db: Database, alice: Account) -> None:
    changed = await db.write(
        profiles.update_profile,
        alice,
        display_name="Alice  Liddell",
        bio="Photos of <lakes>\r\nhttps://alice.example",
        fields=[("Site", "https://alice.example"), ("", "dropped")],
        is_locked=True,
        is_discoverable=False,
        is_indexable=True,
    )

    assert changed.label == "Alice Liddell"
    assert "&lt;lakes&gt;" in changed.bio
    assert changed.bio_source.startswith("Photos of <lakes>\n")
    assert changed.profile_fields[0][0] == "Site"
    assert 'href="https://alice.example"' in changed.profile_fields[0][1]
    assert len(changed.profile_fields) == 1
    assert (changed.is_locked, changed.is_discoverable, changed.is_indexable) == (True, False, True)
    assert await db.read(people.verbs, alice) == ["Update"]


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("display_name", {"display_name": "x" * 61}),
        ("bio", {"bio": "x" * 1001}),
        ("fields", {"fields": [("a", "b")] * 5}),
        ("fields", {"fields": [("a", "b" * 256)]}),
    ],
)
async def test_a_profile_that_is_too_long_is_refused_with_its_field(
    db: Database, alice: Account, field: str, values: dict[str, str]
) -> None:
    profile = {
        "display_name": "",
        "bio": "",
        "is_locked": False,
        "is_discoverable": True,
        "is_indexable": False,
    }

    with pytest.raises(Invalid) as refused:
        await db.write(profiles.update_profile, alice, **(profile | values))  # type: ignore[arg-type]

    assert refused.value.field == field


async def test_a_suspension_outlives_a_new_document(db: Database, alice: Account) -> None:
    def given(tx: Writer) -> None:
        users.create(tx, alice, email="a@a.test", password_hash="x", role="moderator")
        account_actions.suspend(tx, alice, people.remote(tx))

    await db.write(given)
    rita = await db.write(remote_accounts.upsert, people.actor(display_name="Back"))

    assert rita.suspended_at is not None


async def test_whoever_was_deleted_elsewhere_does_not_come_back(db: Database) -> None:
    rita = await db.write(people.remote)
    await db.write(account_deletion.delete_account, rita)

    with pytest.raises(NotFound):
        await db.write(remote_accounts.upsert, people.actor())

    gone = await db.read(accounts.get, rita.id)
    assert gone.deleted_at is not None
    assert await db.read(keys.by_account, gone) == []


async def test_the_node_itself_is_made_once(db: Database, pairs: dict[str, keys.KeyPair]) -> None:
    first = await db.write(accounts.create_instance_actor, pairs["alice"])
    second = await db.write(accounts.create_instance_actor, pairs["bob"])

    assert first == second == await db.read(accounts.instance_actor)
    assert first.uri == db.site.uri("/actor")
    assert first.kind == "Application"


@pytest.mark.parametrize("name", ["x" * 2048, "ø" * 1024])
async def test_names_elsewhere_may_have_2048_bytes(db: Database, name: str) -> None:
    uri = "https://far.example/people/1"
    rita = await db.write(people.remote, name, uri=uri, display_name="R" * 2048, inbox=f"{uri}/inbox")

    assert (rita.name, len(rita.display_name)) == (name, 2048)
    assert await db.read(accounts.by_handle, f"@{name}@far.example") == rita
    assert len(rita.label) <= 201


async def test_a_name_elsewhere_that_is_longer_is_nobody_s(db: Database) -> None:
    uri = "https://far.example/people/1"
    with pytest.raises(Invalid):
        await db.write(people.remote, "x" * 2049, uri=uri, inbox=f"{uri}/inbox")
