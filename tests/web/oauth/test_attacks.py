"""What attackers of OAuth try (RFC 9700, 4), one test each; what needs a browser is in tests/browser/test_consent.py.

| attack | what stops it |
|---|---|
| mix-up | the answer names this server (RFC 9207), errors and refusals too; a code is worth nothing to another app |
| redirect | an address is compared character by character with those that were registered |
| replay | a code works once; a second use revokes what the first one gave |
| PKCE downgrade | a challenge makes the verifier a must, a verifier needs a challenge, `plain` is refused |
| CSRF on consent | the form has a token of the session, and other sites cannot send it |
| scope lifting | what is granted is what was registered, asked for and shown; the token request cannot add to it |
| open redirect | a page, and no redirect, for whatever is wrong; `next` stays on this node |
| clickjacking | no page of the way can be put into a frame; a click that comes with the window counts for nothing |
"""

from __future__ import annotations

import pytest

from node.models.account import Account
from tests.support.visitors import Visitor
from tests.web.oauth.conftest import (
    CALLBACK,
    PKCE,
    VERIFIER,
    Register,
    SignedIn,
    challenge_of,
    decide,
    let_in,
    token_of,
    told,
)


async def test_mix_up_the_app_is_told_which_server_answers_and_no_other_app_can_use_the_code(
    register: Register, signed_in: SignedIn, alice: Account
) -> None:
    app, attacker, visitor = await register(), await register(), await signed_in(alice)
    issuer = (await app.client.get("/.well-known/oauth-authorization-server")).json["issuer"]
    await visitor.get(app.authorize_path())
    allowed = told((await decide(visitor)).headers["location"])
    await visitor.get(app.authorize_path())
    denied = told((await decide(visitor, "deny")).headers["location"])
    page = await visitor.get(app.authorize_path(scope="none"))
    wrong = told(next(one for one in page.all("a") if "Back to" in one.text).attributes["href"])
    assert allowed["iss"] == denied["iss"] == wrong["iss"] == issuer

    stolen = await attacker.exchange(allowed["code"])
    assert (stolen.status, stolen.json["error"]) == (400, "invalid_grant")
    as_the_app = await attacker.exchange(allowed["code"], client_id=app.registered["client_id"])
    assert (as_the_app.status, as_the_app.json["error"]) == (401, "invalid_client")
    assert (await app.exchange(allowed["code"])).status == 200, "what others try ends nothing"


@pytest.mark.parametrize(
    "uri",
    [
        "https://fernlight.example/callback",
        "https://fernlight.example/callback?from=tintype&next=https://evil.example",
        "https://fernlight.example/callback?from=tintype#",
        "https://fernlight.example/callback/../evil?from=tintype",
        "https://fernlight.example:444/callback?from=tintype",
        "https://fernlight.example.evil.example/callback?from=tintype",
        "https://fernlight.example@evil.example/callback?from=tintype",
        "https://FERNLIGHT.example/callback?from=tintype",
        "http://fernlight.example/callback?from=tintype",
        " https://fernlight.example/callback?from=tintype",
        "https://fernlight.example/callback?from=tintype ",
        "https://fernlight.example/callback?from=tintyp%65",
        "//evil.example/",
        "javascript:alert(1)",
    ],
)
async def test_redirect_no_address_but_the_registered_one_gets_a_code(
    register: Register, signed_in: SignedIn, alice: Account, uri: str
) -> None:
    app, visitor = await register(), await signed_in(alice)
    assert (await visitor.get(app.authorize_path(redirect_uri=uri))).status == 400
    await visitor.get(app.authorize_path())
    reply = await decide(visitor, redirect_uri=uri)
    assert reply.status == 400
    assert "location" not in reply.headers


async def test_I5_redirect_pkce_single_use_and_revocation(
    register: Register, signed_in: SignedIn, alice: Account
) -> None:
    """The row of the security table: what its other tests say one by one, in one way through."""
    app, visitor = await register(), await signed_in(alice)
    code = await let_in(visitor, app, **PKCE)
    other = await app.exchange(code, redirect_uri=f"{CALLBACK}&x", code_verifier=VERIFIER)
    assert other.json["error"] == "invalid_grant"
    assert (await app.exchange(code, code_verifier="x" * 43)).json["error"] == "invalid_grant"
    token = (await app.exchange(code, code_verifier=VERIFIER)).json["access_token"]
    assert await app.works(token)
    await app.client.post("/oauth/revoke", form={**app.id_and_secret, "token": token})
    assert not await app.works(token)
    assert (await app.exchange(code, code_verifier=VERIFIER)).json["error"] == "invalid_grant"


async def test_replay_a_code_used_twice_is_worth_nothing_to_both(
    register: Register, signed_in: SignedIn, alice: Account
) -> None:
    app, visitor = await register(), await signed_in(alice)
    code = await let_in(visitor, app, **PKCE)
    token = (await app.exchange(code, code_verifier=VERIFIER)).json["access_token"]
    assert await app.works(token)
    # Whoever replays it knows the secret of the app, as that of an app on a phone is known, but no verifier.
    assert (await app.exchange(code)).json["error"] == "invalid_grant"
    assert not await app.works(token)


async def test_pkce_downgrade_a_challenge_cannot_be_taken_away_or_weakened(
    register: Register, signed_in: SignedIn, alice: Account
) -> None:
    app, visitor = await register(), await signed_in(alice)
    with_challenge = await let_in(visitor, app, **PKCE)
    assert (await app.exchange(with_challenge)).json["error"] == "invalid_request"
    assert (await app.exchange(with_challenge, code_verifier="")).json["error"] == "invalid_request"
    for wrong in (PKCE["code_challenge"], challenge_of(PKCE["code_challenge"])):
        reply = await app.exchange(with_challenge, code_verifier=wrong)
        assert reply.json["error"] == "invalid_grant"
    without = await let_in(visitor, app)  # the attacker has cut the challenge out of the link
    assert (await app.exchange(without, code_verifier=VERIFIER)).json["error"] == "invalid_request"
    for method in ("plain", "s256", None):
        page = await visitor.get(app.authorize_path(code_challenge=VERIFIER, code_challenge_method=method))
        assert page.status == 400, method


async def test_csrf_no_other_site_and_no_other_session_presses_the_button(
    register: Register, signed_in: SignedIn, anybody: Visitor, alice: Account, mallory: Account
) -> None:
    app, visitor, attacker = await register(), await signed_in(alice), await signed_in(mallory)
    page = await visitor.get(app.authorize_path())
    fields = {one.attributes["name"]: one.attributes["value"] for one in page.all("input", type="hidden")}
    theirs = (await attacker.get(app.authorize_path())).csrf
    for csrf in ("", "0" * 80, theirs):
        reply = await decide(visitor, csrf=csrf)
        assert (reply.status, reply.headers.get("location")) == (403, None)
    cross = await visitor._call(
        "POST",
        "/oauth/authorize",
        form={**fields, "decision": "allow"},
        headers={"sec-fetch-site": "cross-site"},
    )
    assert (cross.status, cross.headers.get("location")) == (403, None)
    for method in ("GET", "HEAD"):
        path = app.authorize_path() + "&decision=allow"
        assert "location" not in (await visitor._call(method, path)).headers
    assert b"expired" in (await anybody._call("POST", "/oauth/authorize", form=fields)).body


async def test_scope_lifting_an_app_gets_no_more_than_it_registered_asked_for_and_showed(
    register: Register, signed_in: SignedIn, alice: Account
) -> None:
    app, visitor = await register(scopes="read:statuses write:media"), await signed_in(alice)
    page = await visitor.get(app.authorize_path(scope="read write follow admin:write push"))
    assert "See your posts and those you can see" in page.main_text
    assert "Upload photos as you" in page.main_text
    assert "Follow" not in page.main_text
    reply = await decide(visitor, scope="read write follow admin:write push")
    given = await app.exchange(
        told(reply.headers["location"])["code"], scope="read write follow push admin:read admin:write"
    )
    assert given.json["scope"] == "read:statuses write:media"
    mine = app.with_token(given.json["access_token"])
    assert (await mine.get("/api/v1/bookmarks")).status == 403
    assert (await mine.post("/api/v1/statuses", form={"status": "x"})).status == 403

    # Registering once more does not widen what was given before, nor does asking for less keep more.
    narrow = await token_of(visitor, await register(scopes="read"), scope="read:search")
    assert (await mine.get("/api/v1/timelines/home")).status == 200
    assert (await app.with_token(narrow).get("/api/v1/timelines/home")).status == 403


@pytest.mark.parametrize(
    "changes",
    [
        {"scope": "everything"},
        {"response_type": "token"},
        {"code_challenge_method": "plain"},
        {"redirect_uri": "https://evil.example/"},
        {"client_id": "unknown"},
    ],
)
async def test_open_redirect_nobody_is_led_away_without_pressing_something(
    register: Register, signed_in: SignedIn, anybody: Visitor, alice: Account, changes: dict[str, str]
) -> None:
    app, visitor = (
        await register(redirect_uris="https://evil-but-registered.example/"),
        await signed_in(alice),
    )
    for browser in (visitor, anybody):
        for path in (app.authorize_path(**changes), app.authorize_path(prompt="none", **changes)):
            reply = await browser._call("GET", path)
            assert reply.status == 400
            assert "location" not in reply.headers


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example/oauth/authorize?x",
        "//evil.example/oauth/authorize?x",
        "/\\evil.example/oauth/authorize?x",
        "/%2fevil.example/oauth/authorize?x",
        "/oauth/authorize?\r\nLocation: https://evil.example",
    ],
)
async def test_open_redirect_the_way_after_signing_in_stays_here(
    signed_in: SignedIn, alice: Account, path: str
) -> None:
    visitor = await signed_in(alice)
    for target in ("/sign-in", "/sign-up"):
        reply = await visitor.client.get(
            target,
            {"next": path},
            headers={"cookie": f"tintype_session={visitor.cookies['tintype_session']}"},
        )
        assert (reply.status, reply.headers["location"]) == (303, "/")
        assert reply.headers["cross-origin-opener-policy"] == "same-origin"
    await visitor.get("/")
    assert (await visitor.post("/sign-out", {"next": path})).path == "/"


async def test_clickjacking_no_page_of_the_way_can_be_framed(
    register: Register, signed_in: SignedIn, anybody: Visitor, alice: Account
) -> None:
    app, visitor = await register(), await signed_in(alice)
    pages = [
        await visitor.get(app.authorize_path()),
        await visitor.get(app.authorize_path(scope="none")),
        await anybody.get(app.authorize_path()),
    ]
    for page in pages:
        assert page.headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
