"""People with apps: `await app(alice)` is a client that holds a token of hers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from node.auth import access_tokens, users
from node.auth.oauth import scopes as oauth_scopes
from node.database import Writer
from node.models.account import Account
from node.node import Node
from tests.support.asgi import Client
from web.api import Api

App = Callable[..., Awaitable[Client]]


def _token(tx: Writer, who: Account, scopes: str) -> str:
    if users.by_account(tx, who) is None:
        users.create(tx, who, email=f"{who.name}@tintype.test", password_hash="-")
    return access_tokens.create(tx, who, oauth_scopes.parse_scopes(scopes), "Test app", "https://app.test")


@pytest.fixture
def api(node: Node) -> Any:
    return Api(node)


@pytest.fixture
def anonymous(api: Any) -> Client:
    """Somebody's app without a token."""
    return Client(api)


@pytest.fixture
def app(node: Node, api: Any) -> App:
    async def make(who: Account, scopes: str = "read write follow") -> Client:
        token = await node.db.write(_token, who, scopes)
        return Client(api, {"authorization": f"Bearer {token}"})

    return make


@pytest.fixture
def post(app: App) -> Callable[..., Awaitable[Any]]:
    """`await post(alice, "Morning", …)`: a status, as its author's app gets it back."""

    async def make(who: Account, text: str = "Morning", **more: Any) -> Any:
        reply = await (await app(who)).post("/api/v1/statuses", sent={"status": text, **more})
        assert reply.status == 200, reply.body
        return reply.json

    return make
