"""Requests that make no sense get an answer that says so, on both databases, and never an error of the server."""

from __future__ import annotations

from typing import Any

import pytest

from node.models.account import Account
from tests.support.asgi import Client
from tests.support.visitors import Visitor
from tests.web.oauth.conftest import PKCE, Register, SignedIn, decide, told

ENDPOINTS = ("/oauth/token", "/oauth/revoke", "/oauth/register", "/api/v1/apps")
NONSENSE: list[Any] = [
    None,
    [],
    "x",
    5,
    {"grant_type": ["authorization_code"]},
    {"grant_type": {"a": 1}, "code": None},
    {"grant_type": "authorization_code", "code": 5},
    {"grant_type": "authorization_code", "code": "\0"},
    {"grant_type": "authorization_code", "code": "a" * 60_000},
    {"grant_type": "client_credentials", "scope": "\u2028 é \x7f"},
    {"grant_type": "refresh_token", "refresh_token": "é.é.é"},
    {"grant_type": "refresh_token", "refresh_token": ".."},
    {"token": {"a": "b"}},
    {"redirect_uris": [1, None, {}], "client_name": True},
    {"redirect_uris": {"a": "b"}, "client_name": "x", "scope": 7},
    {"redirect_uris": ["http://[::1", "https://[x]/", "app://\ud7ff"], "client_name": "x"},
]


@pytest.mark.parametrize("sent", NONSENSE)
async def test_an_app_that_sends_nonsense_is_told_so(register: Register, sent: Any) -> None:
    app = await register(redirect_uris="pixelfed://login")
    for body in (sent, {**app.id_and_secret, **sent} if isinstance(sent, dict) else sent):
        for path in ENDPOINTS:
            reply = await app.client.post(path, sent=body)
            assert 400 <= reply.status < 500, (path, body)
            assert "error" in reply.json


async def test_addresses_that_make_no_sense_are_told_to_the_person(
    register: Register, signed_in: SignedIn, anybody: Visitor, alice: Account
) -> None:
    app, visitor = await register(), await signed_in(alice)
    for path in (
        "/oauth/authorize",
        "/oauth/authorize?client_id=%ff",
        "/oauth/authorize?client_id[]=x&scope=%00",
        "/oauth/authorize?client_id=" + "x" * 9000,
        app.authorize_path(redirect_uri="http://[::1"),
        app.authorize_path(code_challenge="é" * 50, code_challenge_method="S256"),
        app.authorize_path(state="é" * 1500),
    ):
        for browser in (visitor, anybody):
            reply = await browser._call("GET", path)
            assert (reply.status, reply.headers.get("location")) == (400, None), path


async def test_a_state_comes_back_whatever_is_in_it(
    register: Register, signed_in: SignedIn, anybody: Visitor, alice: Account
) -> None:
    app, visitor = await register(), await signed_in(alice)
    state = "é\u2028😀\r\n<b>'\"&=%00%" * 10
    await visitor.get(app.authorize_path(state=state, scope="read\twrite", **PKCE))
    location = (await decide(visitor)).headers["location"]
    assert location.isascii()
    assert location.isprintable()
    assert told(location)["state"] == state


async def test_a_form_that_says_nothing_decides_nothing(
    register: Register, signed_in: SignedIn, alice: Account
) -> None:
    app, visitor = await register(), await signed_in(alice)
    await visitor.get("/")
    assert visitor.page is not None
    for form in (
        {},
        {"decision": "allow"},
        {"decision": "allow", "client_id": "\0"},
        {"decision": "perhaps", "client_id": app.registered["client_id"]},
    ):
        reply = await visitor._call("POST", "/oauth/authorize", form={**form, "csrf": visitor.page.csrf})
        assert (reply.status in (400, 422), reply.headers.get("location")) == (True, None), form


async def test_wrong_methods_and_neighbours_are_told_from_the_endpoints(client: Client) -> None:
    assert (await client.get("/oauth/token")).status == 405
    assert (await client.post("/.well-known/oauth-authorization-server")).status == 405
    assert (await client.get("/.well-known/oauth-authorization-server/")).status in (200, 404)
    assert (await client.get("/oauth/authorize/native")).status == 404
    assert (await client.get("/oauth/applications")).status == 404
