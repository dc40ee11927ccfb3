"""The requests behind the passkey buttons: what is answered to whom, and what asks who is there."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from node.auth import passwords, sessions, users
from node.auth.passkeys import passkeys
from node.models.account import Account
from node.node import Node
from tests.support.authenticator import Device, with_passkey
from tests.support.visitors import Seen, Visitor
from tests.web.pages.conftest import PASSWORD, SignedIn
from web.app import App
from web.request.session import SESSION_COOKIE

JSON = {"accept": "application/json"}


async def _ask(visitor: Visitor, path: str, **form: str) -> Seen:
    return await visitor.post(path, form, csrf=visitor.page.csrf if visitor.page else None, headers=JSON)


async def test_a_passkey_is_added_and_used_by_another_browser(
    node: Node, alice: Account, signed_in: SignedIn, app: App
) -> None:
    hers, device = await signed_in(alice), Device(node.site.base_url)
    await hers.get("/settings/passkeys")
    options = (await _ask(hers, "/settings/passkeys/options")).text
    answer = json.dumps(device.make(options).raw)
    done = await _ask(hers, "/settings/passkeys", credential=answer, next="/settings/passkeys?done=passkey")
    assert json.loads(done.text) == {"path": "/settings/passkeys?done=passkey"}
    again = await _ask(hers, "/settings/passkeys", credential=answer)
    assert again.status == 422  # its challenge was used
    page = await hers.get("/settings/passkeys")
    told = json.loads(page.one("ul", class_="passkeys").attributes["data-accepted"])
    assert told["rpId"] == "tintype.test"
    assert len(told["allAcceptedCredentialIds"]) == 1

    other = Visitor(app)
    await other.get("/sign-in")
    options = (await _ask(other, "/sign-in/passkey/options")).text
    assert json.loads(options)["allowCredentials"] == []
    answer = json.dumps(device.use(options).raw)
    seen = await _ask(other, "/sign-in/passkey", credential=answer, next="//evil.example/")
    assert json.loads(seen.text) == {"path": "/"}
    assert SESSION_COOKIE in other.cookies


async def test_a_browser_adds_one_without_asking_only_where_it_may(
    node: Node, alice: Account, signed_in: SignedIn, app: App
) -> None:
    hers, silent = await signed_in(alice), Device(node.site.base_url, verifies=False, asks=False)
    offer = await hers.get("/settings/passkeys/offer")
    assert "data-conditional" in offer.one("button", type="button").attributes
    path = "/settings/passkeys"
    usual = (await _ask(hers, f"{path}/options")).text
    conditional = (await _ask(hers, f"{path}/options", conditional="1")).text

    for options, marked in ((usual, {}), (usual, {"conditional": "1"}), (conditional, {})):
        answer = json.dumps(silent.make(options).raw)
        assert (await _ask(hers, path, credential=answer, **marked)).status == 422
    answer = json.dumps(silent.make(conditional).raw)
    assert (await _ask(hers, path, credential=answer, conditional="1", next="/bookmarks")).status == 200
    assert await node.db.read(passkeys.count, alice.id) == 1

    # To sign in with it, its owner is asked.
    other = Visitor(app)
    await other.get("/sign-in")
    options = (await _ask(other, "/sign-in/passkey/options")).text
    assert (
        await _ask(other, "/sign-in/passkey", credential=json.dumps(silent.use(options).raw))
    ).status == 422
    silent.verifies = silent.asks = True
    assert (
        await _ask(other, "/sign-in/passkey", credential=json.dumps(silent.use(options).raw))
    ).status == 200


async def test_what_is_unknown_or_unreadable_signs_nobody_in(
    node: Node, alice: Account, signed_in: SignedIn, app: App
) -> None:
    await signed_in(alice)
    device = await with_passkey(node, alice)
    await node.db.write(passkeys.delete_by_account, alice)
    other = Visitor(app)
    await other.get("/sign-in")
    options = (await _ask(other, "/sign-in/passkey/options")).text

    unknown = await _ask(other, "/sign-in/passkey", credential=json.dumps(device.use(options).raw))
    unreadable = await _ask(other, "/sign-in/passkey", credential="[]")

    assert (unknown.status, unreadable.status) == (404, 422)
    assert "not known here" in json.loads(unknown.text)["error"]
    assert SESSION_COOKIE not in other.cookies


async def test_changes_ask_who_is_there_and_visitors_are_refused(
    node: Node, alice: Account, signed_in: SignedIn, anybody: Visitor, clock: Callable[[int], None]
) -> None:
    hers = await signed_in(alice)
    await with_passkey(node, alice)
    [kept] = await node.db.read(passkeys.by_account, alice.id)
    await hers.get("/settings/passkeys")
    await anybody.get("/sign-in")
    clock(sessions.PROOF_LIFETIME_MS + 1000)
    for path in (
        "/settings/passkeys/options",
        "/settings/passkeys",
        f"/settings/passkeys/{kept.id}/name",
        "/settings/passkeys/remove",
        "/settings/passkeys/no-password",
        "/settings/two-step/passkeys",
    ):
        form = {"passkey": str(kept.id), "name": "Theirs"}
        assert (await _ask(hers, path, **form)).status == 403, path
        assert (await _ask(anybody, path, **form)).status == 401, path
    assert await node.db.read(passkeys.by_account, alice.id) == [kept]


async def test_a_password_is_removed_once_there_are_two_passkeys(
    node: Node, alice: Account, signed_in: SignedIn, app: App
) -> None:
    hers = await signed_in(alice)
    await node.db.write(users.set_password, alice.id, await passwords.hash(PASSWORD))
    await with_passkey(node, alice)
    await hers.get("/settings/passkeys")
    refused = await hers.post("/settings/passkeys/no-password")
    assert (refused.status, "second passkey" in refused.main_text) == (409, True)
    await with_passkey(node, alice)

    seen = await hers.post("/settings/passkeys/no-password")

    assert "Password removed" in seen.main_text
    await node.db.write(lambda tx: tx.run("UPDATE sessions SET proved_at = 1"))
    confirm = await hers.get("/settings/passkeys")
    assert confirm.path == "/confirm?next=/settings/passkeys"
    assert not confirm.all("input", name="password")
    other = Visitor(app)
    await other.get("/sign-in")
    seen = await other.post("/sign-in", {"login": "alice", "password": PASSWORD})
    assert "Wrong username" in seen.main_text


@pytest.mark.parametrize("can", ["1", ""])
async def test_a_passkey_is_offered_once_where_the_browser_can_keep_one(
    node: Node, alice: Account, signed_in: SignedIn, app: App, can: str
) -> None:
    await signed_in(alice)
    await node.db.write(users.set_password, alice.id, await passwords.hash(PASSWORD))
    other = Visitor(app)
    for time in (1, 2):
        await other.get("/sign-in")
        form = {"login": "alice", "password": PASSWORD, "next": "/bookmarks", "can_have_passkey": can}
        seen = await other.post("/sign-in", form)
        is_offered = bool(can) and time == 1
        assert seen.path == ("/settings/passkeys/offer?next=/bookmarks" if is_offered else "/bookmarks")
        other.cookies.pop(SESSION_COOKIE)


async def test_the_second_step_takes_the_passkey_of_that_account(
    node: Node, alice: Account, bob: Account, signed_in: SignedIn, app: App
) -> None:
    hers = await signed_in(alice)
    await node.db.write(users.set_password, alice.id, await passwords.hash(PASSWORD))
    device, his = await with_passkey(node, alice), await with_passkey(node, bob)
    await hers.get("/settings/two-step")
    assert len((await hers.post("/settings/two-step/passkeys")).all("code")) == 10

    other = Visitor(app)
    await other.get("/sign-in")
    page = await other.post("/sign-in", {"login": "alice", "password": PASSWORD, "next": "/bookmarks"})
    assert page.path.startswith("/sign-in/code")
    options = (await _ask(other, "/sign-in/code/passkey/options")).text
    refused = await _ask(other, "/sign-in/code/passkey", credential=json.dumps(his.use(options).raw))
    assert refused.status == 404
    seen = await _ask(other, "/sign-in/code/passkey", credential=json.dumps(device.use(options).raw))
    assert seen.status == 200
    assert (await other.get("/bookmarks")).path == "/bookmarks"
