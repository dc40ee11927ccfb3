"""Apps register themselves, however they send it, and are told what is wrong with what they send."""

from __future__ import annotations

import json
from typing import Any

import pytest

from node.auth.oauth import apps
from tests.support.asgi import Client
from tests.web.oauth.conftest import CALLBACK, Register
from web.oauth import registration

WANTED = {
    "client_name": "Fernlight",
    "redirect_uris": CALLBACK,
    "scopes": "read write:statuses",
    "website": "https://fernlight.example",
}


@pytest.mark.parametrize("way", ["form", "json", "query", "multipart"])
async def test_an_app_registers_by_form_json_query_or_multipart(client: Client, way: str) -> None:
    sent: dict[str, Any] = {
        "form": {"form": WANTED},
        "json": {"sent": WANTED},
        "query": {"query": WANTED},
        "multipart": {"form": WANTED, "files": {}},
    }[way]

    reply = await client.post("/api/v1/apps", **sent)

    assert reply.status == 200
    found = reply.json
    assert len(found.pop("client_id")) > 30
    assert len(found.pop("client_secret")) > 40
    assert found.pop("id").isdecimal()
    assert found == {
        "name": "Fernlight",
        "website": "https://fernlight.example",
        "scopes": ["read", "write:statuses"],
        "redirect_uris": [CALLBACK],
        "redirect_uri": CALLBACK,
        "client_secret_expires_at": 0,
        "vapid_key": "",
    }


@pytest.mark.parametrize(
    "uris",
    [
        ["pixelfed://login"],
        ["icecubesapp://"],
        ["com.example.app:/back"],
        ["urn:ietf:wg:oauth:2.0:oob"],
        ["http://localhost:3000/cb", "http://127.0.0.1/cb", "http://[::1]:80/cb"],
        ["https://a.example/cb", "https://b.example:8443/cb?x=1"],
    ],
)
async def test_an_app_has_one_address_or_several_of_any_kind(client: Client, uris: list[str]) -> None:
    lines = await client.post("/api/v1/apps", form={**WANTED, "redirect_uris": "\n".join(uris)})
    listed = await client.post("/api/v1/apps", sent={**WANTED, "redirect_uris": uris})
    standard = await client.post("/oauth/register", sent={"client_name": "App", "redirect_uris": uris})

    assert lines.json["redirect_uris"] == listed.json["redirect_uris"] == uris
    assert (standard.status, standard.json["redirect_uris"]) == (201, uris)


@pytest.mark.parametrize(
    "uri",
    [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "data:text/html,x",
        "intent://x#Intent;end",
        "view-source:https://a.example/",
        "http://a.example/cb",
        "http://localhost.evil.example/cb",
        "http://localhost@evil.example/cb",
        "https://good.example@evil.example/cb",
        "https:///cb",
        "https:cb",
        "https://a.example/cb#part",
        "https://a.example/<b>",
        "https://a.example/\\evil.example",
        "/callback",
        "callback",
        "app:",
        "urn:another",
        "https://bücher.example/cb",
        "https://a.example/" + "a" * 2000,
    ],
)
async def test_addresses_that_people_must_not_be_sent_to_are_refused(client: Client, uri: str) -> None:
    form = {**WANTED, "redirect_uris": uri}
    assert (await client.post("/api/v1/apps", form=form)).status == 422
    reply = await client.post("/oauth/register", sent={"client_name": "App", "redirect_uris": [uri]})
    assert (reply.status, reply.json["error"]) == (400, "invalid_redirect_uri")


@pytest.mark.parametrize(
    "change", [{"client_name": ""}, {"redirect_uris": ""}, {"scopes": "read everything"}]
)
async def test_an_incomplete_registration_is_refused(client: Client, change: dict[str, str]) -> None:
    reply = await client.post("/api/v1/apps", form={**WANTED, **change})
    assert reply.status == 422
    assert list(reply.json) == ["error"]


async def test_an_app_registers_by_rfc_7591(client: Client) -> None:
    reply = await client.post(
        "/oauth/register",
        sent={
            "client_name": "Fernlight",
            "client_uri": "https://fernlight.example",
            "redirect_uris": [CALLBACK, "fernlight://back"],
            "scope": "read write",
            "grant_types": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_method": "none",
            "logo_uri": "https://fernlight.example/logo.png",
        },
    )
    found = reply.json
    assert reply.status == 201
    assert found.pop("client_id")
    assert found.pop("client_secret")
    assert found.pop("client_id_issued_at")
    assert found == {
        "client_name": "Fernlight",
        "client_uri": "https://fernlight.example",
        "redirect_uris": [CALLBACK, "fernlight://back"],
        "scope": "read write",
        "grant_types": list(registration.GRANT_TYPES),
        "response_types": ["code"],
        "token_endpoint_auth_method": "client_secret_basic",
        "client_secret_expires_at": 0,
    }
    unnamed = await client.post("/oauth/register", sent={"redirect_uris": [CALLBACK]})
    assert (unnamed.status, unnamed.json["client_name"]) == (201, "fernlight.example")
    wrong = await client.post("/oauth/register", sent={"redirect_uris": [CALLBACK], "scope": "everything"})
    assert (wrong.status, wrong.json["error"]) == (400, "invalid_client_metadata")


async def test_a_name_cannot_hide_what_is_written_around_it(register: Register) -> None:
    app = await register(client_name="Fern\u202elight\n\x07 app")
    assert app.registered["name"].isprintable()
    assert "\u202e" not in app.registered["name"]


async def test_an_old_token_is_no_hindrance_to_registering(client: Client) -> None:
    client.headers["authorization"] = "Bearer of-another-server"
    assert (await client.post("/api/v1/apps", form=WANTED)).status == 200


async def test_an_address_and_all_of_them_register_so_many_apps_an_hour(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apps, "MAX_PER_NETWORK_AND_HOUR", 2)
    for _ in range(2):
        assert (await client.post("/api/v1/apps", form=WANTED)).status == 200
    for path in ("/api/v1/apps", "/oauth/register"):
        refused = await client.post(path, form=WANTED)
        assert refused.status == 429
        assert int(refused.headers["retry-after"]) > 0

    monkeypatch.setattr(apps, "MAX_PER_NETWORK_AND_HOUR", 1000)
    monkeypatch.setattr(apps, "MAX_PER_HOUR", 1)
    assert (await client.post("/api/v1/apps", form=WANTED)).status == 429


async def test_a_body_that_is_too_large_is_not_read(client: Client) -> None:
    body = json.dumps({**WANTED, "website": "x" * 70_000}).encode()
    reply = await client.post("/api/v1/apps", body=body, headers={"content-type": "application/json"})
    assert reply.status == 413
