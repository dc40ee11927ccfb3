"""Clients that others wrote, as they talk: Authlib's own, and the requests of apps one by one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from authlib.common.security import generate_token
from authlib.oauth2.client import OAuth2Client

from node.models.account import Account
from tests.support.asgi import Client, Reply
from tests.support.visitors import Visitor
from tests.web.oauth.conftest import CALLBACK, SignedIn, challenge_of, decide, told

OOB = "urn:ietf:wg:oauth:2.0:oob"
Photo = Callable[..., bytes]


class Response:
    """An answer as Authlib's client reads it."""

    def __init__(self, reply: Reply) -> None:
        self.status_code, self.text = reply.status, reply.body.decode()

    def json(self) -> Any:
        return json.loads(self.text)

    def raise_for_status(self) -> None:
        assert self.status_code < 500


class Session:
    """What Authlib's client sends its requests with, from a thread of its own."""

    def __init__(self, client: Client) -> None:
        self._client, self._loop = client, asyncio.get_running_loop()

    def request(
        self, method: str, url: str, *, auth: Any = None, data: Any = None, headers: Any = None, **rest: Any
    ) -> Response:
        form = data if isinstance(data, dict) else dict(data or {})
        path, sent = urlsplit(url).path, dict(headers or {})
        if auth is not None:
            body = urlencode(form)
            _, sent, body = auth.prepare(method, url, sent, body)
            form = {name: value[0] for name, value in _parsed(body).items()}
        future = asyncio.run_coroutine_threadsafe(
            self._client.call(method, path, form=form, headers=sent), self._loop
        )
        return Response(future.result(20))

    def post(self, url: str, **rest: Any) -> Response:
        return self.request("POST", url, **rest)


def _parsed(body: str) -> dict[str, list[str]]:
    return parse_qs(body)


class AuthlibClient(OAuth2Client):  # type: ignore[misc]
    """Authlib's client, over the session above."""

    def __init__(self, client: Client, **options: Any) -> None:
        super().__init__(Session(client), **options)


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
async def test_authlib_s_client_signs_in_with_pkce_and_revokes(
    client: Client, signed_in: SignedIn, alice: Account, method: str
) -> None:
    visitor = await signed_in(alice)
    metadata = (await client.get("/.well-known/oauth-authorization-server")).json
    registered = await client.post(
        urlsplit(metadata["registration_endpoint"]).path,
        sent={"client_name": "Authlib", "redirect_uris": [CALLBACK], "scope": "read write"},
    )
    oauth = AuthlibClient(
        client,
        client_id=registered.json["client_id"],
        client_secret=registered.json["client_secret"],
        token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method,
        scope="read write",
        redirect_uri=CALLBACK,
        code_challenge_method="S256",
    )
    verifier = generate_token(64)
    url, state = oauth.create_authorization_url(metadata["authorization_endpoint"], code_verifier=verifier)
    page = await visitor.get(f"{urlsplit(url).path}?{urlsplit(url).query}")
    assert page.status == 200
    location = (await decide(visitor)).headers["location"]

    token = await asyncio.to_thread(
        oauth.fetch_token,
        metadata["token_endpoint"],
        authorization_response=location,
        state=state,
        code_verifier=verifier,
    )

    app = Client(client.app, {"authorization": f"Bearer {token['access_token']}"})
    assert (await app.get("/api/v1/accounts/verify_credentials")).json["username"] == "alice"
    revoked = await asyncio.to_thread(
        oauth.revoke_token, metadata["revocation_endpoint"], token=token["access_token"]
    )
    assert revoked.status_code == 200
    assert (await app.get("/api/v1/accounts/verify_credentials")).status == 401


async def _copied_code(visitor: Visitor, path: str, query: dict[str, str]) -> str:
    """The code that a person copies from the page."""
    page = await visitor.get(f"{path}?{urlencode(query)}")
    assert page.status == 200, page.main_text
    shown = (await decide(visitor)).body.decode()
    return shown.partition('id="f-code" value="')[2].partition('"')[0]


async def _post_album(app: Client, photo: Photo, status_form: Callable[[list[str]], dict[str, Any]]) -> Any:
    ids = []
    for seed in range(2):
        reply = await app.post(
            "/api/v2/media", form={"description": "A lake"}, files={"file": photo(90, 60, "JPEG", seed=seed)}
        )
        assert reply.status in (200, 202), reply.body
        ids.append(reply.json["id"])
        assert (await app.get(f"/api/v1/media/{ids[-1]}")).json["url"]
    posted = await app.post("/api/v1/statuses", **status_form(ids))
    assert posted.status == 200, posted.body
    assert [one["id"] for one in posted.json["media_attachments"]] == ids
    return posted.json


async def test_mastodon_py_signs_in_and_posts_an_album(
    client: Client, signed_in: SignedIn, alice: Account, photo: Photo
) -> None:
    visitor = await signed_in(alice)
    scopes = ["read", "write", "follow", "push"]
    headers = {"user-agent": "mastodonpy"}
    made = await client.post(
        "/api/v1/apps",
        form={"client_name": "My app", "scopes": " ".join(scopes), "redirect_uris": OOB},
        headers=headers,
    )
    assert (await client.get("/api/v2/instance")).status == 200
    code = await _copied_code(
        visitor,
        "/oauth/authorize",
        {
            "client_id": made.json["client_id"],
            "response_type": "code",
            "redirect_uri": OOB,
            "scope": " ".join(scopes),
            "force_login": "False",
            "state": "None",
            "lang": "None",
        },
    )
    given = await client.post(
        "/oauth/token",
        form={
            "code": code,
            "redirect_uri": OOB,
            "grant_type": "authorization_code",
            "client_id": made.json["client_id"],
            "client_secret": made.json["client_secret"],
            "scope": " ".join(scopes),
        },
        headers=headers,
    )
    assert set(scopes) <= set(given.json["scope"].split(" "))
    app = Client(client.app, {"authorization": f"Bearer {given.json['access_token']}"})
    assert (await app.get("/api/v1/accounts/verify_credentials")).json["username"] == "alice"
    await _post_album(
        app,
        photo,
        lambda ids: {"form": [("status", "Two lakes"), *(("media_ids[]", one) for one in ids)]},
    )
    end = {"client_id": made.json["client_id"], "client_secret": made.json["client_secret"]}
    ended = await app.post("/oauth/revoke", form={**end, "token": given.json["access_token"]})
    assert ended.status == 200
    assert (await app.get("/api/v1/accounts/verify_credentials")).status == 401


async def test_toot_signs_in_and_posts_an_album(
    client: Client, signed_in: SignedIn, alice: Account, photo: Photo
) -> None:
    visitor = await signed_in(alice)
    made = await client.post(
        "/api/v1/apps",
        sent={
            "client_name": "toot - a Mastodon CLI client",
            "redirect_uris": OOB,
            "scopes": "read write follow",
            "website": "https://github.com/ihabunek/toot",
        },
    )
    code = await _copied_code(
        visitor,
        "/oauth/authorize/",  # with a slash at the end
        {
            "response_type": "code",
            "redirect_uri": OOB,
            "scope": "read write follow",
            "client_id": made.json["client_id"],
        },
    )
    given = await client.post(
        "/oauth/token",
        form={
            "grant_type": "authorization_code",
            "client_id": made.json["client_id"],
            "client_secret": made.json["client_secret"],
            "code": code,
            "redirect_uri": OOB,
        },
    )
    app = Client(client.app, {"authorization": f"Bearer {given.json['access_token']}"})
    assert (await app.get("/api/v1/accounts/verify_credentials")).status == 200
    await _post_album(
        app,
        photo,
        lambda ids: {
            "sent": {"status": "Two lakes", "media_ids": ids, "visibility": "public"},
            "headers": {"idempotency-key": "3f8c"},
        },
    )
    end = {"client_id": made.json["client_id"], "client_secret": made.json["client_secret"]}
    await client.post("/oauth/revoke", form={**end, "token": given.json["access_token"]})
    assert (await app.get("/api/v1/accounts/verify_credentials")).status == 401


async def test_pixelfed_s_app_signs_in(client: Client, signed_in: SignedIn, alice: Account) -> None:
    visitor = await signed_in(alice)
    scopes = "read write follow push"
    made = await client.post(
        "/api/v1/apps",
        form={
            "client_name": "Pixelfed for Android",
            "redirect_uris": "pixelfed://login",
            "scopes": scopes,
            "website": "https://pixelfed.org",
        },
        files={},
    )
    for name in ("client_id", "client_secret", "name", "redirect_uri"):
        assert made.json[name]
    # As the app writes it: the address is not encoded, and there is neither state nor PKCE.
    page = await visitor.get(
        f"/oauth/authorize?client_id={made.json['client_id']}&scope=read+write+follow+push"
        "&redirect_uri=pixelfed://login&response_type=code"
    )
    assert "Let Pixelfed for Android use your account?" in page.main_text
    location = (await decide(visitor)).headers["location"]
    assert location.startswith("pixelfed://login?code=")
    mine = {"client_id": made.json["client_id"], "client_secret": made.json["client_secret"]}
    given = await client.post(
        "/oauth/token",
        form={
            **mine,
            "redirect_uri": "pixelfed://login",
            "grant_type": "authorization_code",
            "code": told(location)["code"],
            "scope": f"{scopes} admin:read admin:write",
        },
        files={},
    )
    assert given.status == 200, given.body
    token = given.json
    assert token["scope"] == "follow push read write"
    for name in ("access_token", "refresh_token", "created_at", "expires_in"):
        assert token[name], f"the app stores {name}"
    app = Client(client.app, {"authorization": f"Bearer {token['access_token']}"})
    assert (await app.get("/api/v1/accounts/verify_credentials", {"_pe": "1"})).json["username"] == "alice"

    refresh = {**mine, "grant_type": "refresh_token", "refresh_token": token["refresh_token"]}
    again = await client.post("/oauth/token", form=refresh)
    assert (again.status, again.json["access_token"]) == (200, token["access_token"])
    wider = await client.post("/oauth/token", form={**refresh, "scope": "admin:read"})
    assert (wider.status, wider.json["error"]) == (400, "invalid_scope")
    made_up = await client.post("/oauth/token", form={**refresh, "refresh_token": "made-up"})
    assert (made_up.status, made_up.json["error"]) == (400, "invalid_grant")
    await visitor.get("/settings/password")
    await visitor.post("/settings/apps/end", {"token": "all"})
    ended = await client.post("/oauth/token", form=refresh)
    assert (ended.status, ended.json["error"]) == (400, "invalid_grant")


async def test_no_other_app_is_given_a_refresh_token(
    client: Client, signed_in: SignedIn, alice: Account
) -> None:
    made = await client.post("/api/v1/apps", form={"client_name": "App", "redirect_uris": CALLBACK})
    mine = {"client_id": made.json["client_id"], "client_secret": made.json["client_secret"]}
    reply = await client.post(
        "/oauth/token", form={**mine, "grant_type": "refresh_token", "refresh_token": "x"}
    )
    assert (reply.status, reply.json["error"]) == (400, "unauthorized_client")


async def test_elk_signs_in_with_json(client: Client, signed_in: SignedIn, alice: Account) -> None:
    visitor = await signed_in(alice)
    address = "https://elk.zone/api/tintype.test/oauth/https%3A%2F%2Felk.zone"
    made = await client.post(
        "/api/v1/apps",
        sent={
            "client_name": "Elk",
            "website": "https://elk.zone",
            "redirect_uris": address,
            "scopes": "read write follow push",
        },
    )
    query = urlencode(
        {
            "client_id": made.json["client_id"],
            "force_login": "true",
            "scope": "read write follow push",
            "response_type": "code",
            "redirect_uri": address,
            "lang": "en-US",
        }
    )
    await visitor.get(f"/oauth/authorize?{query}")
    location = (await decide(visitor)).headers["location"]
    assert location.startswith(f"{address}?code=")
    given = await client.post(
        "/oauth/token",
        sent={
            "client_id": made.json["client_id"],
            "client_secret": made.json["client_secret"],
            "redirect_uri": address,
            "grant_type": "authorization_code",
            "code": told(location)["code"],
            "scope": "read write follow push",
        },
    )
    assert given.status == 200


async def test_phanpy_signs_in_from_its_own_address(
    client: Client, signed_in: SignedIn, alice: Account
) -> None:
    visitor = await signed_in(alice)
    origin = {"origin": "https://phanpy.social"}
    form = {
        "client_name": "Phanpy",
        "redirect_uris": "https://phanpy.social/",
        "scopes": "read write follow push",
        "website": "https://phanpy.social",
    }
    made = await client.post("/api/v1/apps", form=form, headers=origin)
    metadata = await client.get("/.well-known/oauth-authorization-server", headers=origin)
    assert "S256" in metadata.json["code_challenge_methods_supported"]
    verifier = generate_token(64)
    query = {
        "client_id": made.json["client_id"],
        "code_challenge_method": "S256",
        "code_challenge": challenge_of(verifier),
        "redirect_uri": "https://phanpy.social/",
        "response_type": "code",
        "scope": "read write follow push",
    }
    await visitor.get(f"/oauth/authorize?{urlencode(query)}")
    location = (await decide(visitor)).headers["location"]
    given = await client.post(
        "/oauth/token",
        form={
            "client_id": made.json["client_id"],
            "client_secret": made.json["client_secret"],
            "redirect_uri": "https://phanpy.social/",
            "grant_type": "authorization_code",
            "code": told(location)["code"],
            "scope": "read write follow push",
            "code_verifier": verifier,
        },
        headers=origin,
    )
    for reply in (made, metadata, given):
        assert reply.status == 200
        assert reply.headers["access-control-allow-origin"] == "*"
        assert reply.headers["content-type"].startswith("application/json")
