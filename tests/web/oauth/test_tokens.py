"""Codes and tokens: what an app gets, what it can do with it, and how each of them ends."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable

import pytest

from node.admin import account_actions
from node.auth import access_tokens, users
from node.auth.oauth import app_tokens, authorization_codes
from node.database import Reader
from node.lifecycle import account_deletion
from node.models.account import Account
from node.node import Node
from tests.support.asgi import Client
from tests.support.schema import columns
from tests.web.oauth.conftest import (
    CALLBACK,
    PKCE,
    SCOPES,
    VERIFIER,
    Register,
    SignedIn,
    decide,
    let_in,
    token_of,
    told,
)

REFUSED = "Invalid 'code' in request."


@pytest.mark.parametrize("uses_pkce", [False, True])
async def test_a_person_lets_an_app_in_and_it_acts_as_them(
    register: Register, signed_in: SignedIn, alice: Account, uses_pkce: bool
) -> None:
    app, visitor = await register(), await signed_in(alice)
    code = await let_in(visitor, app, **(PKCE if uses_pkce else {}))

    reply = await app.exchange(code, code_verifier=VERIFIER if uses_pkce else None)

    assert reply.status == 200
    assert reply.headers["access-control-allow-origin"] == "*"
    assert "no-store" in reply.headers["cache-control"]
    token = reply.json["access_token"]
    assert {**reply.json, "access_token": ""} == {
        "access_token": "",
        "token_type": "Bearer",
        "scope": "follow push read write",
        "created_at": reply.json["created_at"],
    }
    me = await app.with_token(token).get("/api/v1/accounts/verify_credentials")
    assert me.json["username"] == "alice"
    posted = await app.with_token(token).post("/api/v1/statuses", form={"status": "Morning"})
    assert posted.status == 200
    shown = await app.with_token(token).get("/api/v1/apps/verify_credentials")
    assert shown.json["name"] == "Fernlight"
    assert shown.json["scopes"] == sorted(SCOPES.split())


async def test_the_app_gets_its_state_back_and_the_name_of_this_server(
    register: Register, signed_in: SignedIn, alice: Account
) -> None:
    app, visitor = await register(), await signed_in(alice)
    await visitor.get(app.authorize_path())
    location = (await decide(visitor)).headers["location"]

    assert location.startswith(f"{CALLBACK}&")
    assert {**told(location), "code": ""} == {
        "from": "tintype",
        "code": "",
        "state": "a state & more",
        "iss": "https://tintype.test/",
    }


@pytest.mark.parametrize(
    ("uri", "start"),
    [
        ("icecubesapp://", "icecubesapp://?code="),
        ("pixelfed://login", "pixelfed://login?code="),
        ("com.example.app:/back", "com.example.app:/back?code="),
        ("https://a.example/?a=%20b&c", "https://a.example/?a=%20b&c&code="),
    ],
)
async def test_the_address_of_an_app_stays_as_it_registered_it(
    register: Register, signed_in: SignedIn, alice: Account, uri: str, start: str
) -> None:
    app, visitor = await register(redirect_uris=uri), await signed_in(alice)
    await visitor.get(app.authorize_path())
    assert (await decide(visitor)).headers["location"].startswith(start)


async def test_an_app_with_one_address_need_not_say_it(
    register: Register, signed_in: SignedIn, alice: Account
) -> None:
    app, visitor = await register(), await signed_in(alice)
    code = await let_in(visitor, app, redirect_uri=None)
    assert (await app.exchange(code)).status == 200
    several = await register(redirect_uris=f"{CALLBACK} app://back")
    assert (await visitor.get(several.authorize_path(redirect_uri=None))).status == 400


async def test_a_code_without_an_address_is_shown_to_be_copied(
    register: Register, signed_in: SignedIn, alice: Account
) -> None:
    app, visitor = await register(redirect_uris="urn:ietf:wg:oauth:2.0:oob"), await signed_in(alice)
    await visitor.get(app.authorize_path())
    shown = await decide(visitor)
    assert shown.status == 200
    assert "no-store" in shown.headers["cache-control"]
    code = shown.body.decode().partition('id="f-code" value="')[2].partition('"')[0]
    assert (await app.exchange(code)).status == 200

    await visitor.get(app.authorize_path())
    assert b"Not let in" in (await decide(visitor, "deny")).body


async def test_a_code_works_once_and_a_second_use_revokes_what_it_gave(
    register: Register, signed_in: SignedIn, alice: Account
) -> None:
    app, visitor = await register(), await signed_in(alice)
    code = await let_in(visitor, app)
    token = (await app.exchange(code)).json["access_token"]
    other = await token_of(visitor, app)
    assert await app.works(token)

    again = await app.exchange(code)

    assert (again.status, again.json) == (400, {"error": "invalid_grant", "error_description": REFUSED})
    assert not await app.works(token)
    assert await app.works(other)


async def test_of_two_requests_with_one_code_none_keeps_a_token(
    register: Register, signed_in: SignedIn, alice: Account
) -> None:
    app, visitor = await register(), await signed_in(alice)
    code = await let_in(visitor, app)

    replies = await asyncio.gather(*(app.exchange(code) for _ in range(4)))

    assert sorted(reply.status for reply in replies) == [200, 400, 400, 400]
    tokens = [reply.json["access_token"] for reply in replies if reply.status == 200]
    assert [await app.works(token) for token in tokens] == [False]


async def test_a_code_works_for_ten_minutes(
    register: Register, signed_in: SignedIn, alice: Account, clock: Callable[[int], None]
) -> None:
    app, visitor = await register(), await signed_in(alice)
    early, late = await let_in(visitor, app), await let_in(visitor, app)
    clock(authorization_codes.LIFETIME_MS - 60_000)
    assert (await app.exchange(early)).status == 200
    clock(authorization_codes.LIFETIME_MS + 60_000)
    assert (await app.exchange(late)).json["error"] == "invalid_grant"


async def test_an_app_has_a_token_of_its_own_that_acts_for_nobody(register: Register) -> None:
    app = await register(scopes="read admin:read")
    reply = await app.own_token("read write admin:read")
    assert (reply.status, reply.json["scope"]) == (200, "read")
    token = reply.json["access_token"]
    mine = app.with_token(token)
    assert (await mine.get("/api/v1/apps/verify_credentials")).json["name"] == "Fernlight"
    assert (await mine.get("/api/v1/timelines/public")).status == 200
    assert (await mine.get("/api/v1/accounts/verify_credentials")).status == 401
    assert (await mine.get("/oauth/userinfo")).status == 401
    nothing = await app.own_token("write")
    assert (nothing.status, nothing.json["error"]) == (400, "invalid_scope")

    await app.client.post("/oauth/revoke", form={**app.id_and_secret, "token": token})
    assert (await mine.get("/api/v1/apps/verify_credentials")).status == 401


async def test_an_app_says_who_it_is_in_the_header_or_the_body(
    register: Register, signed_in: SignedIn, alice: Account
) -> None:
    app, visitor = await register(), await signed_in(alice)
    code = await let_in(visitor, app)
    basic = base64.b64encode(":".join(app.id_and_secret.values()).encode()).decode()
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
    reply = await app.client.post("/oauth/token", form=form, headers={"authorization": f"Basic {basic}"})
    assert reply.status == 200
    as_json = {**form, **app.id_and_secret, "code": await let_in(visitor, app)}
    assert (await app.client.post("/oauth/token", sent=as_json)).status == 200


@pytest.mark.parametrize(
    "header", ["Basic", "Basic ", "Basic /w==", "Basic !", "Basic JTAwOiUwMA==", "Basic eA==", "Bearer x"]
)
async def test_an_unreadable_header_is_no_client(client: Client, header: str) -> None:
    reply = await client.post(
        "/oauth/token", form={"grant_type": "client_credentials"}, headers={"authorization": header}
    )
    assert (reply.status, reply.json["error"]) == (401, "invalid_client")
    assert reply.headers["www-authenticate"].startswith("Basic")


async def test_wrong_requests_for_a_token_get_the_errors_of_the_rfc(
    register: Register, signed_in: SignedIn, alice: Account
) -> None:
    app, visitor = await register(), await signed_in(alice)
    code = await let_in(visitor, app)
    for changes, status, error in (
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_secret": None}, 401, "invalid_client"),
        ({"client_id": "unknown"}, 400, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": 'a"\\\n\x7fé'}, 400, "unsupported_grant_type"),
        ({"grant_type": None}, 400, "unsupported_grant_type"),
        ({"code": None}, 400, "invalid_request"),
        ({"code": "made-up"}, 400, "invalid_grant"),
        ({"redirect_uri": "https://fernlight.example/other"}, 400, "invalid_grant"),
        ({"redirect_uri": None}, 400, "invalid_grant"),
        ({"code_verifier": VERIFIER}, 400, "invalid_request"),
    ):
        reply = await app.exchange(code, **changes)
        assert (reply.status, reply.json["error"]) == (status, error), changes
    assert (await app.exchange(code)).status == 200


async def test_an_app_gives_a_token_back_and_only_its_own(
    register: Register, signed_in: SignedIn, alice: Account
) -> None:
    app, other, visitor = await register(), await register(), await signed_in(alice)
    token = await token_of(visitor, app)
    for _ in range(2):
        reply = await other.client.post("/oauth/revoke", form={**other.id_and_secret, "token": token})
        assert (reply.status, reply.json) == (200, {})
    assert await app.works(token)
    refused = await app.client.post("/oauth/revoke", form={"token": token, "client_id": "made-up"})
    assert (refused.status, refused.json["error"]) == (401, "invalid_client")
    missing = await app.client.post("/oauth/revoke", form=app.id_and_secret)
    assert (missing.status, missing.json["error"]) == (400, "invalid_request")

    # The token itself may be in the header, where it is of no account.
    mine = app.with_token(token)
    for _ in range(2):
        assert (await mine.post("/oauth/revoke", form={**app.id_and_secret, "token": token})).status == 200
        assert not await app.works(token)


async def test_what_ends_an_account_ends_its_apps_and_codes_at_once(
    register: Register, signed_in: SignedIn, alice: Account, bob: Account, mallory: Account, node: Node
) -> None:
    app = await register()
    await signed_in(bob)
    await node.db.write(users.set_role, None, bob, "admin")
    for who, end in (
        (alice, lambda tx: account_actions.suspend(tx, bob, alice)),
        (mallory, lambda tx: account_deletion.delete_account(tx, mallory)),
    ):
        visitor = await signed_in(who)
        token, code = await token_of(visitor, app), await let_in(visitor, app)
        assert await app.works(token)
        await node.db.write(end)
        assert not await app.works(token)
        assert (await app.exchange(code)).json["error"] == "invalid_grant"
        # The browser is no help either: it is signed out.
        assert "/sign-in" in (await visitor.get(app.authorize_path())).path


async def test_signing_an_app_out_ends_its_token_and_what_it_has_yet_to_exchange(
    register: Register, signed_in: SignedIn, alice: Account
) -> None:
    app, visitor = await register(), await signed_in(alice)
    for chosen in ("one", "all"):
        token, code = await token_of(visitor, app), await let_in(visitor, app)
        page = await visitor.get("/settings/sessions")
        ids = [one.attributes["value"] for one in page.all("button", name="token")]
        await visitor.post("/settings/apps/end", {"token": ids[0] if chosen == "one" else "all"})
        assert not await app.works(token)
        assert (await app.exchange(code)).json["error"] == "invalid_grant"


async def test_tokens_made_by_the_command_stay_valid_and_are_bounded_with_the_others(
    register: Register, signed_in: SignedIn, alice: Account, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, visitor = await register(), await signed_in(alice)
    by_command = await node.db.write(access_tokens.create, alice, {"read"}, "Script")
    assert await app.works(by_command)
    monkeypatch.setattr(access_tokens, "MAX_PER_ACCOUNT", 3)
    tokens = [await token_of(visitor, app) for _ in range(3)]
    assert [await app.works(token) for token in (by_command, *tokens)] == [False, True, True, True]


async def test_codes_and_tokens_of_apps_are_bounded(
    register: Register, signed_in: SignedIn, alice: Account, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authorization_codes, "MAX_PER_ACCOUNT", 2)
    monkeypatch.setattr(app_tokens, "MAX_PER_APP", 2)
    app, visitor = await register(), await signed_in(alice)
    codes = [await let_in(visitor, app) for _ in range(3)]
    assert [(await app.exchange(code)).status for code in codes] == [400, 200, 200]
    for _ in range(3):
        await app.own_token()
    assert await node.db.read(lambda tx: tx.value("SELECT COUNT(*) FROM app_tokens")) == 2


async def test_a_copy_of_the_database_holds_no_code_token_or_secret(
    register: Register, signed_in: SignedIn, alice: Account, node: Node
) -> None:
    app, visitor = await register(), await signed_in(alice)
    secrets = [await token_of(visitor, app), await let_in(visitor, app), app.registered["client_secret"]]
    own = await app.own_token()
    secrets.append(own.json["access_token"])

    def everything(tx: Reader) -> str:
        tables = sorted({column.table for column in columns()})
        return repr([dict(row) for table in tables for row in tx.all(f"SELECT * FROM {table}")])

    stored = await node.db.read(everything)
    assert app.registered["client_id"] in stored
    assert [secret for secret in secrets if secret in stored] == []


async def test_a_token_for_the_profile_alone_says_who_signed_in(
    register: Register, signed_in: SignedIn, alice: Account
) -> None:
    app, visitor = await register(scopes="profile"), await signed_in(alice)
    token = await token_of(visitor, app, scope="profile")
    for reply in (
        await app.with_token(token).get("/oauth/userinfo"),
        await app.with_token(token).post("/oauth/userinfo", form={"a": "b"}),
    ):
        assert reply.json == {
            "iss": "https://tintype.test/",
            "sub": alice.uri,
            "name": "alice",
            "preferred_username": "alice",
            "profile": "https://tintype.test/@alice",
            "picture": reply.json["picture"],
        }
    assert (await app.with_token(token).get("/api/v1/timelines/home")).status == 403


async def test_this_server_says_what_it_offers(client: Client) -> None:
    reply = await client.get("/.well-known/oauth-authorization-server")
    assert reply.headers["access-control-allow-origin"] == "*"
    found = reply.json
    assert found["issuer"] == "https://tintype.test/"
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert found["authorization_response_iss_parameter_supported"] is True
    assert {"read", "write:media", "profile", "push", "admin:write:reports"} <= set(found["scopes_supported"])
    for name, address in found.items():
        if name.endswith("_endpoint"):
            path = address.removeprefix("https://tintype.test")
            assert (await client.get(path)).status != 404, name


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/revoke", "/oauth/register", "/api/v1/apps"])
async def test_a_web_app_may_call_from_its_own_address(client: Client, path: str) -> None:
    preflight = await client.call("OPTIONS", path, headers={"origin": "https://phanpy.example"})
    assert preflight.status == 204
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert "POST" in preflight.headers["access-control-allow-methods"]


async def test_an_address_asks_for_so_many_tokens_an_hour(
    register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.api.v1.oauth.MAX_TOKEN_REQUESTS_PER_HOUR", 1)
    app = await register()
    assert (await app.own_token()).status == 200
    assert (await app.own_token()).status == 429
