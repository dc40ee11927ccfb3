"""Tokens of apps themselves: told from those of people, given back, and deleted when they are old."""

from __future__ import annotations

from node.auth.oauth import app_tokens, apps
from node.database import Database
from node.ids import now_ms


async def test_a_token_is_known_until_its_app_gives_it_back_or_it_is_old(db: Database) -> None:
    app = (await db.write(apps.register, name="App", redirect_uris=["app://"]))[0]
    other = (await db.write(apps.register, name="Other", redirect_uris=["app://"]))[0]
    one, two = [await db.write(app_tokens.create, app, ["write", "read"]) for _ in range(2)]
    assert app_tokens.is_app_token(one)
    assert not app_tokens.is_app_token("1.abc.def")

    found = await db.read(app_tokens.by_token, one)
    assert found is not None
    assert (found.app, found.scopes) == (app, {"read", "write"})
    assert not await db.write(app_tokens.revoke, other.id, one)
    assert await db.write(app_tokens.revoke, app.id, one)
    assert await db.read(app_tokens.by_token, one) is None

    await db.write(app_tokens.clean_up, now_ms(), None)
    assert await db.read(app_tokens.by_token, two) is not None
    await db.write(app_tokens.clean_up, now_ms() + app_tokens.RETENTION_MS + 1, None)
    assert await db.read(app_tokens.by_token, two) is None
