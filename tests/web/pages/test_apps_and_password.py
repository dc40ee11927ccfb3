"""The page of password, sessions and apps: what a new password ends, and how an app is signed out."""

from __future__ import annotations

import pytest

from node.auth import access_tokens, passwords, sessions, users
from node.database import Reader, Writer
from node.models.account import Account
from node.node import Node
from tests.support.asgi import Client
from tests.support.visitors import Visitor
from tests.web.pages.conftest import PASSWORD, SignedIn
from web.api import Api

NEW = "another picture a day"


async def _with_password(node: Node, account: Account, signed_in: SignedIn) -> Visitor:
    visitor = await signed_in(account)
    hashed = await passwords.hash(PASSWORD)
    await node.db.write(users.set_password, account.id, hashed)
    return visitor


async def _app(node: Node, account: Account, name: str = "Camera") -> Client:
    def unit(tx: Writer) -> str:
        return access_tokens.create(tx, account, {"read", "write"}, name, "https://camera.example")

    return Client(Api(node), {"authorization": f"Bearer {await node.db.write(unit)}"})


async def _works(app: Client) -> bool:
    return (await app.get("/api/v1/accounts/verify_credentials")).status == 200


@pytest.mark.parametrize("keeps", [False, True])
async def test_a_new_password_ends_apps_unless_they_are_kept(
    node: Node, alice: Account, bob: Account, signed_in: SignedIn, keeps: bool
) -> None:
    visitor = await _with_password(node, alice, signed_in)
    await signed_in(bob)
    app, other = await _app(node, alice), await _app(node, bob)
    another = await node.db.write(sessions.start, alice, "A library")
    assert await _works(app)
    page = await visitor.get("/settings/password")
    assert "checked" not in page.one("input", name="keeps_apps").attributes
    form = {"password": NEW} | ({"keeps_apps": "1"} if keeps else {})

    seen = await visitor.post("/settings/password", form)

    assert seen.status == 200
    assert await _works(app) is keeps
    assert await _works(other)
    assert await node.db.read(sessions.by_token, another) is None
    assert (await visitor.get("/settings/password")).status == 200
    apps = "; apps stay signed in." if keeps else " and in all apps."
    assert f"Password changed. You are signed out in other browsers{apps}" in seen.main_text


async def test_a_password_that_is_refused_ends_nothing(
    node: Node, alice: Account, signed_in: SignedIn
) -> None:
    visitor = await _with_password(node, alice, signed_in)
    app = await _app(node, alice)
    await visitor.get("/settings/password")
    seen = await visitor.post("/settings/password", {"password": "short"})
    assert seen.status == 422
    assert await _works(app)


async def test_apps_are_listed_and_signed_out_by_their_owner_only(
    node: Node, alice: Account, mallory: Account, signed_in: SignedIn
) -> None:
    hers, theirs = await signed_in(alice), await signed_in(mallory)
    camera, tablet = await _app(node, alice), await _app(node, alice, "Tablet <b>")
    assert await _works(camera)
    page = await hers.get("/settings/sessions")
    assert "Camera" in page.main_text
    assert "Tablet <b>" in page.main_text
    assert "never used" in page.main_text
    assert "See what you see" in page.main_text
    ids = [one.attributes["value"] for one in page.all("button", name="token")]
    assert len(ids) == 3
    assert ids[2] == "all"

    await theirs.get("/settings/sessions")
    await theirs.post("/settings/apps/end", {"token": ids[0]})
    await theirs.post("/settings/apps/end", {"token": "all"})
    assert await _works(camera)
    assert await _works(tablet)

    await hers.get("/settings/sessions")
    seen = await hers.post("/settings/apps/end", {"token": ids[0]})
    assert "App signed out" in seen.main_text
    assert (await _works(camera), await _works(tablet)) == (True, False)
    await hers.post("/settings/apps/end", {"token": "all"})
    assert not await _works(camera)
    await hers.post("/settings/apps/end", {"token": "not an id"})


async def test_the_last_use_of_an_app_is_shown(node: Node, alice: Account, signed_in: SignedIn) -> None:
    visitor = await signed_in(alice)
    assert await _works(await _app(node, alice))

    def used(tx: Reader) -> int | None:
        return access_tokens.by_account(tx, alice)[0].used_at

    assert await node.db.read(used) is not None
    assert "never used" not in (await visitor.get("/settings/sessions")).main_text
