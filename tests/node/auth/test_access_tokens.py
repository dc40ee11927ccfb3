from __future__ import annotations

import pytest

from node.auth import access_tokens
from node.database import Database
from node.errors import Invalid
from node.models.account import Account


async def test_a_token_is_known_by_itself_and_ends(db: Database, alice: Account) -> None:
    secret = await db.write(access_tokens.create, alice, {"read", "write"}, "Camera")
    found = await db.read(access_tokens.by_token, secret)

    assert found is not None
    assert (found.account_id, found.scopes, found.app.name) == (alice.id, {"read", "write"}, "Camera")
    assert await db.read(access_tokens.by_token, secret[:-1]) is None
    kept = await db.read(lambda tx: [row["hash"] for row in tx.all("SELECT hash FROM tokens")])
    assert secret not in kept

    await db.write(access_tokens.end_all, alice)
    assert await db.read(access_tokens.by_token, secret) is None


async def test_an_app_is_made_once(db: Database, alice: Account, bob: Account) -> None:
    for who in (alice, bob):
        await db.write(access_tokens.create, who, {"read"}, "Camera")

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
def test_a_wide_scope_holds_the_narrow_ones(granted: str, needed: str, allowed: bool) -> None:
    assert access_tokens.allows(access_tokens.parse_scopes(granted), needed) is allowed


@pytest.mark.parametrize("text", ["", "read admin:write", "everything", "read:everything"])
def test_unknown_scopes_are_refused(text: str) -> None:
    with pytest.raises(Invalid):
        access_tokens.parse_scopes(text)
