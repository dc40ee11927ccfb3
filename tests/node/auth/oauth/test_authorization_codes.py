"""Rows of codes: of which app they are, that a race has one winner, and that they go with their account."""

from __future__ import annotations

import pytest

from node.auth import access_tokens
from node.auth.oauth import apps, authorization_codes
from node.auth.oauth.apps import ClientApp
from node.database import Database, Reader, Writer
from node.ids import now_ms
from node.lifecycle import account_deletion
from node.models.account import Account


@pytest.fixture
async def app(db: Database) -> ClientApp:
    return (await db.write(apps.register, name="App", redirect_uris=["app://"]))[0]


def _create(tx: Writer, app: ClientApp, account: Account, code: str = "code") -> None:
    authorization_codes.create(
        tx, code, app, account, redirect_uri="app://", scopes=["write", "read"], challenge="c"
    )


async def test_a_code_is_found_by_its_own_app_only(db: Database, app: ClientApp, alice: Account) -> None:
    other = (await db.write(apps.register, name="Other", redirect_uris=["app://"]))[0]
    await db.write(_create, app, alice)

    found = await db.read(authorization_codes.find, "code", app)

    assert found is not None
    assert (found.account_id, found.scopes, found.is_usable) == (alice.id, "read write", True)
    assert "code" not in found.hash
    assert await db.read(authorization_codes.find, "code", other) is None
    assert await db.read(authorization_codes.find, "other", app) is None


async def test_a_code_is_exchanged_once(db: Database, app: ClientApp, alice: Account) -> None:
    def exchange(tx: Writer) -> bool:
        code = authorization_codes.find(tx, "code", app)
        assert code is not None
        return authorization_codes.mark_used(tx, code, access_tokens.issue(tx, alice, ["read"], app.id)[1])

    await db.write(_create, app, alice)
    assert [await db.write(exchange), await db.write(exchange)] == [True, False]
    used = await db.read(authorization_codes.find, "code", app)
    assert used is not None
    assert not used.is_usable
    await db.write(authorization_codes.revoke_token_of, used)
    assert len(await db.read(access_tokens.by_account, alice)) == 1, (
        "that of the second exchange, which the caller ends"
    )


async def test_codes_go_with_the_account_when_it_signs_apps_out_and_after_a_day(
    db: Database, app: ClientApp, alice: Account, bob: Account
) -> None:
    def count(tx: Reader) -> int:
        return int(tx.value("SELECT COUNT(*) FROM authorization_codes"))

    for who, code in ((alice, "a"), (bob, "b")):
        await db.write(_create, app, who, code)
        await db.write(access_tokens.issue, who, ["read"], app.id)
    assert await db.write(authorization_codes.sign_out_apps, alice) == 1
    assert await db.read(count) == 1
    await db.write(account_deletion.delete_account, bob)
    assert await db.read(count) == 0

    await db.write(_create, app, alice)
    token = (await db.write(access_tokens.issue, alice, ["read"], app.id))[1]
    assert await db.write(authorization_codes.sign_out_app, alice, token)
    assert not await db.write(authorization_codes.sign_out_app, alice, token)
    assert await db.read(count) == 0

    await db.write(_create, app, alice)
    assert await db.write(authorization_codes.clean_up, now_ms()) == 0
    later = now_ms() + authorization_codes.RETENTION_MS + 1
    assert await db.write(authorization_codes.clean_up, later) == 1
