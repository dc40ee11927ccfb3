"""Apps and the people who let them in: a real node, a browser without JavaScript, and an app that talks HTTP."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from node.auth import passwords, users
from node.models.account import Account
from node.node import Node
from tests.support.asgi import Client, Reply
from tests.support.visitors import Visitor, sign_in
from web.app import App, create_app

CALLBACK = "https://fernlight.example/callback?from=tintype"
PASSWORD = "a picture a day"
VERIFIER = "a-verifier-that-is-long-enough-for-the-standard-0123"
SCOPES = "read write follow push"


def challenge_of(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


PKCE = {"code_challenge": challenge_of(VERIFIER), "code_challenge_method": "S256"}


def told(location: str) -> dict[str, str]:
    """What an address tells the app to which it leads."""
    return dict(parse_qsl(urlsplit(location).query))


@dataclass
class TestApp:
    """An app that has registered: what it keeps, and what it asks."""

    __test__ = False

    client: Client
    registered: dict[str, Any]
    redirect_uri: str = CALLBACK
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def id_and_secret(self) -> dict[str, str]:
        return {name: self.registered[name] for name in ("client_id", "client_secret")}

    def authorize_path(self, **changes: str | None) -> str:
        """Where it sends people. A change to None leaves a parameter out."""
        params: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.registered["client_id"],
            "redirect_uri": self.redirect_uri,
            "scope": SCOPES,
            "state": "a state & more",
            **changes,
        }
        return "/oauth/authorize?" + urlencode({name: value for name, value in params.items() if value})

    async def exchange(self, given: str, **changes: str | None) -> Reply:
        params: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "code": given,
            "redirect_uri": self.redirect_uri,
            **self.id_and_secret,
            **changes,
        }
        form = {name: value for name, value in params.items() if value is not None}
        return await self.client.post("/oauth/token", form=form)

    async def own_token(self, scope: str | None = None) -> Reply:
        """Asks for a token of the app itself."""
        return await self.exchange(
            "", grant_type="client_credentials", code=None, redirect_uri=None, scope=scope
        )

    def with_token(self, token: str) -> Client:
        return Client(self.client.app, {"authorization": f"Bearer {token}"})

    async def works(self, token: str) -> bool:
        reply = await self.with_token(token).get("/api/v1/accounts/verify_credentials")
        return reply.status == 200


Register = Callable[..., Awaitable[TestApp]]
SignedIn = Callable[..., Awaitable[Visitor]]


@pytest.fixture
def web_app(node: Node) -> App:
    return create_app(node)


@pytest.fixture
def anybody(web_app: App) -> Visitor:
    return Visitor(web_app)


@pytest.fixture
def client(web_app: App) -> Client:
    """An app before it has registered."""
    return Client(web_app)


@pytest.fixture
def register(client: Client) -> Register:
    """`await register(scopes="read", redirect_uris="app://back")`: an app as Mastodon's apps register."""

    async def make(**changes: str) -> TestApp:
        form = {"client_name": "Fernlight", "redirect_uris": CALLBACK, "scopes": SCOPES, **changes}
        reply = await client.post("/api/v1/apps", form=form)
        assert reply.status == 200, reply.body
        return TestApp(client, reply.json, form["redirect_uris"].split()[0])

    return make


@pytest.fixture
def signed_in(node: Node, web_app: App) -> SignedIn:
    async def signing_in(who: Account, role: str = "user") -> Visitor:
        visitor = await sign_in(node, who, role, web_app)
        await node.db.write(users.set_password, who.id, await passwords.hash(PASSWORD))
        return visitor

    return signing_in


async def decide(visitor: Visitor, decision: str = "allow", **changes: str) -> Reply:
    """Presses a button of the consent page that is open; the answer is where that leads."""
    assert visitor.page is not None
    hidden = visitor.page.all("input", type="hidden")
    form = {one.attributes["name"]: one.attributes["value"] for one in hidden}
    body = urlencode({**form, "decision": decision, **changes}).encode()
    headers = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"}
    return await visitor._call("POST", "/oauth/authorize", body=body, headers=headers)


async def let_in(visitor: Visitor, app: TestApp, **changes: str | None) -> str:
    """Lets an app in; returns the code that it gets."""
    page = await visitor.get(app.authorize_path(**changes))
    assert page.status == 200, page.main_text
    reply = await decide(visitor)
    assert reply.status == 303, reply.body
    return told(reply.headers["location"])["code"]


async def token_of(visitor: Visitor, app: TestApp, **changes: str | None) -> str:
    """Lets an app in, and exchanges its code for a token."""
    reply = await app.exchange(await let_in(visitor, app, **changes))
    assert reply.status == 200, reply.body
    token: str = reply.json["access_token"]
    return token
