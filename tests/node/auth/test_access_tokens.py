"""Access tokens: only the hash is stored, and a wide scope includes the narrow ones."""

from __future__ import annotations

from functools import partial

import pytest

from node.accounts import accounts
from node.auth import access_tokens, users
from node.auth.oauth import scopes as oauth_scopes
from node.database import Database
from node.errors import Invalid
from node.models.account import Account


async def test_a_token_is_found_by_its_text_until_it_is_revoked(db: Database, alice: Account) -> None:
    token = await db.write(access_tokens.create, alice, {"read", "write"}, "Camera")
    found = await db.read(access_tokens.by_token, token)

    assert found is not None
    assert (found.account_id, found.scopes, found.app.name) == (alice.id, {"read", "write"}, "Camera")
    assert await db.read(access_tokens.by_token, token[:-1]) is None
    hashes = await db.read(lambda tx: [row["hash"] for row in tx.all("SELECT hash FROM tokens")])
    assert token not in hashes

    await db.write(access_tokens.revoke_all, alice)
    assert await db.read(access_tokens.by_token, token) is None


async def test_an_app_of_one_name_is_created_once(db: Database, alice: Account, bob: Account) -> None:
    for account in (alice, bob):
        await db.write(access_tokens.create, account, {"read"}, "Camera")

    assert await db.read(lambda tx: tx.value("SELECT COUNT(*) FROM apps")) == 1


@pytest.mark.parametrize(
    ("granted", "needed", "allowed"),
    [
        ("read", "read:statuses", True),
        ("read:statuses", "read:statuses", True),
        ("read:statuses", "read", False),
        ("read:statuses", "read:accounts", False),
        ("write", "read:statuses", False),
        ("follow", "write:follows", True),
        ("follow", "read:blocks", True),
        ("follow", "write:statuses", False),
        ("write", "write:media", True),
        ("profile", "read:accounts", False),
    ],
)
def test_a_wide_scope_includes_the_narrow_ones(granted: str, needed: str, allowed: bool) -> None:
    assert oauth_scopes.allows(oauth_scopes.parse_scopes(granted), needed) is allowed


@pytest.mark.parametrize("text", ["", "read admin", "everything", "read:everything"])
def test_unknown_scopes_are_refused(text: str) -> None:
    with pytest.raises(Invalid):
        oauth_scopes.parse_scopes(text)


async def test_the_version_of_a_token_changes_with_its_user(db: Database, alice: Account) -> None:
    await db.write(users.create, alice, email="a@a.test", password_hash="x")
    token = await db.write(access_tokens.create, alice, {"read"}, "Camera")
    versions = [await db.read(access_tokens.version, token)]

    await db.write(users.set_preferences, alice, language="de")
    versions.append(await db.read(access_tokens.version, token))
    await db.write(accounts.adjust_counts, alice.id, posts=1)
    versions.append(await db.read(access_tokens.version, token))

    assert None not in versions
    assert len(set(versions)) == 3
    assert await db.read(access_tokens.version, token) == versions[-1]
    assert await db.read(access_tokens.version, token + "x") is None


async def test_the_tokens_of_an_account_are_listed_and_revoked_one_by_one(
    db: Database, alice: Account, bob: Account
) -> None:
    tokens = [await db.write(access_tokens.create, alice, {"read"}, name) for name in ("Camera", "Tablet")]
    his = await db.write(access_tokens.create, bob, {"read"}, "Camera")
    listed = await db.read(access_tokens.by_account, alice)
    assert [(one.app.name, one.scopes, one.used_at) for one in listed] == [
        ("Tablet", {"read"}, None),
        ("Camera", {"read"}, None),
    ]

    assert await db.write(access_tokens.revoke, bob, listed[0].id) is False
    assert await db.write(access_tokens.revoke, alice, listed[0].id) is True
    assert await db.write(access_tokens.revoke, alice, listed[0].id) is False

    assert await db.read(access_tokens.by_token, tokens[1]) is None
    for token in (tokens[0], his):
        assert await db.read(access_tokens.by_token, token) is not None


async def test_the_last_use_of_a_token_is_recorded(db: Database, alice: Account) -> None:
    await db.write(partial(users.create, email="a@a.test", password_hash="-"), alice)
    token = await db.write(access_tokens.create, alice, {"read"}, "Camera")
    (before,) = await db.read(access_tokens.by_account, alice)
    version = await db.read(access_tokens.version, token)

    await db.write(access_tokens.mark_used, before)

    (used,) = await db.read(access_tokens.by_account, alice)
    assert used.used_at is not None
    assert await db.read(access_tokens.version, token) != version  # so a cached one is read again
