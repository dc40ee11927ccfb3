"""Single requests to the pages of a node, without a handler."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from quart import Quart

from node.auth import sessions, users
from node.database import Writer
from node.models.account import Account
from node.node import Node
from web.app import create_pages_app
from web.request.session import SESSION_COOKIE

MakeRequest = Callable[..., Any]
SignIn = Callable[..., Awaitable[str]]


@pytest.fixture
def pages(node: Node) -> Quart:
    return create_pages_app(node)


@pytest.fixture
def make_request(pages: Quart) -> MakeRequest:
    """`async with make_request("POST", cookies={…}, form={…}):` the body runs inside that request."""

    def make(
        method: str = "GET",
        path: str = "/",
        *,
        session: str = "",
        cookies: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        client: str = "203.0.113.7",
        **rest: Any,
    ) -> Any:
        jar = {**(cookies or {}), **({SESSION_COOKIE: session} if session else {})}
        given = {"Host": "tintype.test", "Remote-Addr": client, **(headers or {})}
        if jar:
            given["Cookie"] = "; ".join(f"{name}={value}" for name, value in jar.items())
        return pages.test_request_context(path, method=method, headers=given, **rest)

    return make


@pytest.fixture
def sign_in(node: Node) -> SignIn:
    """`await sign_in(alice, role="moderator")`: the token of a new session."""

    async def signing_in(account: Account, role: str = "user") -> str:
        def unit(tx: Writer) -> str:
            if users.by_account(tx, account) is None:
                users.create(tx, account, email=f"{account.name}@tintype.test", password_hash="-", role=role)
            return sessions.start(tx, account, "Test browser")

        return await node.db.write(unit)

    return signing_in
