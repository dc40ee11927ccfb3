"""The page on which a person lets an app in: what it says, and the ways to it and back, without JavaScript."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from node.auth import users
from node.auth.oauth import scopes
from node.models.account import Account
from node.node import Node
from tests.support.visitors import Visitor
from tests.web.oauth.conftest import (
    CALLBACK,
    PASSWORD,
    PKCE,
    VERIFIER,
    Register,
    SignedIn,
    TestApp,
    decide,
    let_in,
    token_of,
    told,
)
from web.oauth import scope_texts


async def test_the_page_names_the_app_the_person_and_each_scope_in_words(
    register: Register, signed_in: SignedIn, alice: Account
) -> None:
    app, visitor = await register(client_name="Fern <b>light</b>"), await signed_in(alice)
    page = await visitor.get(app.authorize_path())
    text = page.main_text
    assert "Let Fern <b>light</b> use your account?" in text
    assert "It is not part" not in text
    assert "is not part of Test." in text
    assert "@alice@tintype.test" in text
    assert "You go back to fernlight.example." in text
    for line in (
        "See what you see",
        "Post, comment, like and boost as you",
        "Follow, mute and block for you",
        "Send you notifications",
    ):
        assert line in text
    assert "See your bookmarks" not in text, "`read` says it already"
    narrow = await visitor.get(app.authorize_path(scope="read:bookmarks write:media"))
    assert "See your bookmarks" in narrow.main_text
    assert "Upload photos as you" in narrow.main_text
    assert "See what you see" not in narrow.main_text


def test_every_scope_has_its_words_and_no_two_have_the_same() -> None:
    titles = [scope_texts.describe([scope]) for scope in sorted(scopes.SCOPES)]
    assert [len(found) for found in titles] == [1] * len(scopes.SCOPES)
    assert len({found[0].title for found in titles}) == len(scopes.SCOPES)
    everything = [one.title for one in scope_texts.describe(scopes.SCOPES)]
    assert len(everything) == 7, "what is part of another is not said twice"


async def test_the_page_lets_the_app_take_its_window_back(
    register: Register, signed_in: SignedIn, anybody: Visitor, alice: Account
) -> None:
    app, visitor = await register(), await signed_in(alice)
    page = await visitor.get(app.authorize_path())
    assert "form-action" not in page.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert page.headers["x-frame-options"] == "DENY"
    assert "cross-origin-opener-policy" not in page.headers
    assert "no-store" in page.headers["cache-control"]
    answer = await decide(visitor)
    assert answer.status == 303
    assert "cross-origin-opener-policy" not in answer.headers
    assert "form-action" not in answer.headers["content-security-policy"]

    sign_in = await anybody.get(app.authorize_path())
    assert sign_in.path.startswith("/sign-in?")
    assert "cross-origin-opener-policy" not in sign_in.headers
    assert "form-action 'self'" in sign_in.headers["content-security-policy"]
    wrong = await anybody.post("/sign-in", {"login": "x", "password": "y", "next": _next(sign_in)})
    assert "cross-origin-opener-policy" not in wrong.headers
    for other in ("/sign-in", "/sign-in?next=/bookmarks", "/"):
        assert (await anybody.get(other)).headers["cross-origin-opener-policy"] == "same-origin"


def _next(page: object) -> str:
    value: str = page.one("input", name="next").attributes["value"]  # type: ignore[attr-defined]
    return value


async def test_the_way_goes_through_signing_in_and_survives_a_wrong_password(
    register: Register, signed_in: SignedIn, anybody: Visitor, alice: Account
) -> None:
    app = await register()
    await signed_in(alice)
    page = await anybody.get(app.authorize_path(**PKCE))
    assert "Sign in to let the app use your account." in page.main_text

    form = {"login": "alice", "next": _next(page)}
    wrong = await anybody.post("/sign-in", {**form, "password": "a guess"})
    assert wrong.status == 422
    assert _next(wrong) == form["next"]
    right = await anybody.post("/sign-in", {**form, "password": PASSWORD})

    assert "Let Fernlight use your account?" in right.main_text
    location = (await decide(anybody)).headers["location"]
    assert told(location)["state"] == "a state & more"
    assert (await app.exchange(told(location)["code"], code_verifier=VERIFIER)).status == 200


async def test_the_way_goes_through_signing_up_too(
    register: Register, signed_in: SignedIn, anybody: Visitor, bob: Account
) -> None:
    app = await register()
    await signed_in(bob, "admin")
    page = await anybody.get(app.authorize_path())
    link = next(one for one in page.all("a") if one.attributes["href"].startswith("/sign-up?"))
    page = await anybody.get(link.attributes["href"])
    assert "cross-origin-opener-policy" not in page.headers
    form = {"name": "new_person", "email": "new@person.example", "next": _next(page)}
    wrong = await anybody.post("/sign-up", {**form, "password": "short"})
    assert (wrong.status, _next(wrong)) == (422, form["next"])
    back = [one for one in wrong.all("a") if one.attributes["href"].startswith("/sign-in?")]
    assert parse_qs(urlsplit(back[0].attributes["href"]).query)["next"] == [form["next"]]

    right = await anybody.post("/sign-up", {**form, "password": PASSWORD})

    assert "@new_person@tintype.test" in right.main_text
    assert "code" in told((await decide(anybody)).headers["location"])


async def test_whoever_is_somebody_else_signs_in_as_themselves(
    register: Register, signed_in: SignedIn, alice: Account, bob: Account
) -> None:
    app, visitor = await register(), await signed_in(alice)
    await signed_in(bob)
    page = await visitor.get(app.authorize_path())
    assert "Not you?" in page.main_text
    page = await visitor.post("/sign-out", {"next": _next(page)})
    page = await visitor.post("/sign-in", {"login": "bob", "password": PASSWORD, "next": _next(page)})
    assert "@bob@tintype.test" in page.main_text
    token = await token_of(visitor, app)
    me = await app.with_token(token).get("/api/v1/accounts/verify_credentials")
    assert me.json["username"] == "bob"


async def test_a_session_that_ends_while_the_page_is_open_asks_to_sign_in_and_comes_back(
    register: Register, signed_in: SignedIn, alice: Account, node: Node
) -> None:
    app, visitor, other = await register(), await signed_in(alice), await signed_in(alice)
    path = app.authorize_path()
    await visitor.get(path)
    await other.get("/settings/password")
    await other.post("/settings/password", {"current": PASSWORD, "password": "another picture a day"})
    reply = await visitor._call(
        "POST",
        "/oauth/authorize",
        form={**app.id_and_secret, "decision": "allow", "csrf": visitor.page.csrf},  # type: ignore[union-attr]
        headers={"referer": f"https://tintype.test{path}", "host": "tintype.test"},
    )
    assert reply.status == 303
    target = parse_qs(urlsplit(reply.headers["location"]).query)["next"][0]
    assert target == path


async def test_who_cancels_sends_the_app_an_error(
    register: Register, signed_in: SignedIn, alice: Account
) -> None:
    app, visitor = await register(), await signed_in(alice)
    await visitor.get(app.authorize_path())
    location = (await decide(visitor, "deny")).headers["location"]
    assert location.startswith(CALLBACK)
    assert {name: told(location)[name] for name in ("error", "state", "iss")} == {
        "error": "access_denied",
        "state": "a state & more",
        "iss": "https://tintype.test/",
    }


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": 'co"de\\'}, "unsupported_response_type"),
        ({"response_type": None}, "unsupported_response_type"),
        ({"scope": "everything"}, "invalid_scope"),
        ({"scope": "admin:read"}, "invalid_scope"),
        ({"code_challenge": "short", "code_challenge_method": "S256"}, "invalid_request"),
        ({"code_challenge_method": "S256"}, "invalid_request"),
        ({"code_challenge": PKCE["code_challenge"], "code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": PKCE["code_challenge"]}, "invalid_request"),
    ],
)
async def test_a_wrong_request_is_told_to_the_person_and_by_a_link_to_the_app(
    register: Register, signed_in: SignedIn, alice: Account, changes: dict[str, str | None], error: str
) -> None:
    app, visitor = await register(), await signed_in(alice)
    page = await visitor.get(app.authorize_path(**changes))
    assert page.status == 400
    assert "The app cannot come in" in page.main_text
    link = next(one for one in page.all("a") if "Back to Fernlight" in one.text)
    address = link.attributes["href"]
    assert address.startswith(CALLBACK)
    assert told(address)["error"] == error
    assert told(address)["state"] == "a state & more"
    # Pressing the button with the same request comes to the same.
    reply = await _send(visitor, app, **changes)
    assert reply.status == 400
    assert "location" not in reply.headers


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"client_id": "unknown"}, "This server does not know the app"),
        ({"client_id": None}, "This server does not know the app"),
        ({"redirect_uri": "https://evil.example/"}, "has not registered"),
        ({"redirect_uri": "https://fernlight.example/callback"}, "has not registered"),
        ({"redirect_uri": "https://evil.example/", "response_type": "token"}, "has not registered"),
        ({"redirect_uri": "https://evil.example/\u00e9\"'", "scope": "everything"}, "has not registered"),
        ({"state": "x" * 5000}, "does not understand"),
    ],
)
async def test_nobody_is_sent_to_an_address_that_was_not_registered(
    register: Register, signed_in: SignedIn, alice: Account, changes: dict[str, str | None], reason: str
) -> None:
    app, visitor = await register(), await signed_in(alice)
    page = await visitor.get(app.authorize_path(**changes))
    assert page.status == 400
    assert reason in page.main_text
    assert not [one for one in page.all("a") if "evil" in one.attributes["href"]]
    for decision in ("allow", "deny"):
        reply = await _send(visitor, app, decision, **changes)
        assert reply.status == 400
        assert "location" not in reply.headers


async def _send(visitor: Visitor, app: TestApp, decision: str = "allow", **changes: str | None):  # type: ignore[no-untyped-def]
    await visitor.get(app.authorize_path())
    csrf = visitor.page.csrf  # type: ignore[union-attr]
    form = dict(parse_qs(urlsplit(app.authorize_path(**changes)).query))
    fields = {name: values[0] for name, values in form.items()}
    return await visitor._call(
        "POST", "/oauth/authorize", form={**fields, "csrf": csrf, "decision": decision}
    )


async def test_each_parameter_comes_once(register: Register, signed_in: SignedIn, alice: Account) -> None:
    app, visitor = await register(), await signed_in(alice)
    for twice in ("client_id=x", "scope=read", "redirect_uri=https://evil.example/", "state=y"):
        page = await visitor.get(f"{app.authorize_path()}&{twice}")
        assert page.status == 400, twice
        assert not [one for one in page.all("a") if "evil" in one.attributes["href"]]


async def test_the_scopes_of_moderators_are_for_moderators_and_only_while_they_are(
    register: Register, signed_in: SignedIn, alice: Account, bob: Account, mallory: Account, node: Node
) -> None:
    app = await register(scopes="read admin:read")
    visitor, moderator = await signed_in(alice), await signed_in(bob, "moderator")
    await signed_in(mallory, "admin")
    page = await visitor.get(app.authorize_path(scope="read admin:read"))
    assert "moderators see" not in page.main_text
    token = await token_of(visitor, app, scope="read admin:read")
    shown = await app.with_token(token).get("/api/v1/apps/verify_credentials")
    assert shown.json["scopes"] == ["read"]

    page = await moderator.get(app.authorize_path(scope="read admin:read"))
    assert "See all that moderators see" in page.main_text
    token = await token_of(moderator, app, scope="read admin:read")
    mine = app.with_token(token)
    assert (await mine.get("/api/v1/apps/verify_credentials")).json["scopes"] == ["admin:read", "read"]
    await node.db.write(users.set_role, None, bob, "user")
    assert (await mine.get("/api/v1/apps/verify_credentials")).json["scopes"] == ["read"]
    await node.db.write(users.set_role, None, bob, "moderator")
    assert (await mine.get("/api/v1/apps/verify_credentials")).json["scopes"] == ["admin:read", "read"]


async def test_what_the_person_saw_is_what_the_app_gets(
    register: Register, signed_in: SignedIn, alice: Account, node: Node
) -> None:
    app, visitor = await register(scopes="read admin:read"), await signed_in(alice)
    await visitor.get(app.authorize_path(scope="read admin:read"))
    await node.db.write(users.set_role, None, alice, "admin")
    reply = await decide(visitor)
    given = await app.exchange(told(reply.headers["location"])["code"])
    assert given.json["scope"] == "read"


async def test_a_person_lets_so_many_apps_in_an_hour(
    register: Register, signed_in: SignedIn, alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.pages.oauth.consent.MAX_CONSENTS_PER_HOUR", 1)
    app, visitor = await register(), await signed_in(alice)
    await let_in(visitor, app)
    await visitor.get(app.authorize_path())
    assert (await decide(visitor)).status == 429
