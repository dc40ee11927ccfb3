"""Every endpoint requires its scope, and no endpoint is without one by mistake."""

from __future__ import annotations

from typing import Any

import pytest

from node.admin import account_actions, statistics
from node.auth import users
from node.auth.oauth import scopes as oauth_scopes
from node.models.account import Account
from node.node import Node
from tests.support.asgi import Client
from tests.web.api.conftest import App
from web.api import params
from web.api.endpoint import Route
from web.api.routes import ROUTES

NEEDS_NO_SCOPE = {
    "/.well-known/oauth-authorization-server",
    "/api/v1/apps/verify_credentials",
    "/api/v1/custom_emojis",
    "/api/v1/instance",
    "/api/v1/instance/rules",
    "/api/v2/instance",
}
# Called by an app with its id and secret, or before it has any; it may be anybody.
BY_APPS = {"/api/v1/apps", "/oauth/register", "/oauth/revoke", "/oauth/token"}


def address(route: Route) -> str:
    return route.path.replace("{id}", "1").replace("{name}", "lake")


def label(route: Route) -> str:
    return f"{route.method} {route.path}"


def test_every_route_is_listed_once_and_names_scopes_that_exist() -> None:
    assert len({label(route) for route in ROUTES}) == len(ROUTES)
    for route in ROUTES:
        assert set(route.scopes) <= oauth_scopes.SCOPES
        assert bool(route.scopes) != (route.path in NEEDS_NO_SCOPE | BY_APPS), label(route)
        assert route.method == "GET" or route.access == ("app" if route.path in BY_APPS else "user")


async def test_without_a_token_every_such_endpoint_answers_401(anonymous: Client) -> None:
    for route in [route for route in ROUTES if route.access == "user"]:
        reply = await anonymous.call(route.method, address(route))
        assert (reply.status, reply.json) == (401, {"error": "The access token is invalid"}), label(route)
        assert reply.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("role", ["user", "moderator", "admin"])
async def test_I1_every_endpoint_requires_its_own_scope_of_every_role(
    app: App, alice: Account, bob: Account, node: Node, role: str
) -> None:
    await app(alice)
    await app(bob)
    await node.db.write(users.set_role, None, bob, "admin")
    await node.db.write(users.set_role, bob, alice, role)
    for route in [route for route in ROUTES if route.scopes]:
        covering = set(route.scopes) | {scope.partition(":")[0] for scope in route.scopes} | {"follow"}
        others = " ".join(sorted(oauth_scopes.SCOPES - covering))
        reply = await (await app(alice, others)).call(route.method, address(route), {"q": "lake"})
        refusal = {"error": "This action is outside the authorized scopes"}
        assert (reply.status, reply.json) == (403, refusal), label(route)


async def test_its_scope_alone_is_enough_for_each_endpoint(app: App, alice: Account) -> None:
    for route in [route for route in ROUTES if route.scopes]:
        for scope in route.scopes:
            client = await app(alice, scope)
            query = {"q": "lake", "acct": "nobody", "status": "x"}
            reply = await client.call(route.method, address(route), query)
            assert reply.status in (200, 404, 422), label(route)
            assert reply.status == 200 or list(reply.json) == ["error"]


async def test_an_unknown_token_is_refused_even_where_none_is_needed(anonymous: Client) -> None:
    anonymous.headers["authorization"] = "Bearer nonsense"
    assert (await anonymous.get("/api/v1/timelines/public")).status == 401


async def test_a_suspended_account_cannot_use_its_token(
    app: App, alice: Account, bob: Account, node: Node
) -> None:
    client = await app(alice)
    await app(bob)
    await node.db.write(users.set_role, None, bob, "admin")
    await node.db.write(account_actions.suspend, bob, alice)
    reply = await client.get("/api/v1/accounts/verify_credentials")
    assert reply.status in (401, 403)


async def test_an_unknown_path_is_404_and_a_wrong_method_405(anonymous: Client) -> None:
    missing = await anonymous.get("/api/v1/trends/nothing")
    assert (missing.status, missing.json) == (404, {"error": "This endpoint does not exist here."})
    assert (await anonymous.call("DELETE", "/api/v1/instance")).status == 405
    assert (await anonymous.call("DELETE", "/api/v1/statuses/1/context")).status == 405
    assert (await anonymous.get("/api/v1/instance/")).status == 200


async def test_any_web_app_may_call_and_read(anonymous: Client) -> None:
    preflight = await anonymous.call("OPTIONS", "/api/v1/statuses")
    assert preflight.status == 204
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert "Authorization" in preflight.headers["access-control-allow-headers"]
    assert "Idempotency-Key" in preflight.headers["access-control-allow-headers"]
    for path in ("/api/v1/instance", "/api/v1/none", "/api/v1/timelines/home"):
        reply: Any = await anonymous.get(path)
        assert reply.headers["access-control-allow-origin"] == "*"
        assert "Link" in reply.headers["access-control-expose-headers"]
        assert reply.headers["content-type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize("token", ["", "Bearer nonsense"])
async def test_nothing_is_read_or_parsed_for_whoever_has_no_good_token(
    api: Any, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    parsed: list[bytes] = []
    monkeypatch.setattr(params, "_parse_urlencoded", lambda text: parsed.append(text) or [])

    async def refuse() -> Any:
        raise AssertionError("the body was read")

    class NotRead:
        """The API, with a body that nobody may ask for."""

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await api(scope, refuse, send)

    client = Client(NotRead(), {"authorization": token} if token else {})
    for route in [route for route in ROUTES if route.method != "GET" and route.access == "user"]:
        for form in ({"status": "x"}, None):
            reply = await client.call(route.method, f"{address(route)}?a=%41", form=form)
            assert reply.status == 401, label(route)
    assert parsed == []


async def test_a_body_that_is_too_large_is_not_read(app: App, alice: Account) -> None:
    client = await app(alice)
    reply = await client.post("/api/v1/statuses", form={"status": "x" * 1_100_000})
    assert reply.status == 413


async def test_an_account_that_uses_an_app_counts_as_active(app: App, alice: Account, node: Node) -> None:
    client = await app(alice, "read")
    assert (await node.db.read(statistics.current)).active_month == 0
    await client.get("/api/v1/timelines/home")
    assert (await node.db.read(statistics.current)).active_month == 1
