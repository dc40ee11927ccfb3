"""The way to the consent page asks for a second step as every other way does, and keeps what the app asked for."""

from __future__ import annotations

import json

import pytest

from node.models.account import Account
from node.node import Node
from tests.support.authenticator import with_passkey
from tests.support.second_step import code_of, set_up
from tests.support.visitors import Seen, Visitor
from tests.web.oauth.conftest import PASSWORD, PKCE, VERIFIER, Register, SignedIn, decide, told
from web.request.session import SESSION_COOKIE


def _next(page: Seen) -> str:
    return page.one("input", name="next").attributes["value"]


async def _types_password(visitor: Visitor, path: str) -> Seen:
    page = await visitor.get(path)
    form = {"login": "alice", "password": PASSWORD, "next": _next(page), "can_have_passkey": "1"}
    return await visitor.post("/sign-in", form)


async def test_a_password_alone_lets_no_app_in_and_a_code_leads_on(
    node: Node, register: Register, signed_in: SignedIn, anybody: Visitor, alice: Account
) -> None:
    app = await register()
    await signed_in(alice)
    seed, _ = await set_up(node, alice)
    asked = await _types_password(anybody, app.authorize_path(**PKCE))
    assert asked.path.startswith("/sign-in/code?")
    assert "cross-origin-opener-policy" not in asked.headers  # some apps talk to the window that they opened
    assert SESSION_COOKIE not in anybody.cookies
    assert (await anybody.get(app.authorize_path(**PKCE))).path.startswith("/sign-in?")

    await anybody.get(asked.path)
    wrong = await anybody.post("/sign-in/code", {"code": "000000", "next": _next(asked)})
    assert _next(wrong) == _next(asked)
    right = await anybody.post("/sign-in/code", {"code": code_of(seed), "next": _next(asked)})

    assert "Let Fernlight use your account?" in right.main_text
    location = (await decide(anybody)).headers["location"]
    assert (await app.exchange(told(location)["code"], code_verifier=VERIFIER)).status == 200


@pytest.mark.parametrize("is_second", [False, True])
async def test_a_passkey_leads_on_to_the_app_as_the_only_step_or_the_second(
    node: Node, register: Register, signed_in: SignedIn, anybody: Visitor, alice: Account, is_second: bool
) -> None:
    app = await register()
    await signed_in(alice)
    device = await with_passkey(node, alice)
    await set_up(node, alice)
    path = "/sign-in/code/passkey" if is_second else "/sign-in/passkey"
    page = await anybody.get(app.authorize_path(**PKCE))
    if is_second:
        page = await _types_password(anybody, app.authorize_path(**PKCE))
    headers = {"accept": "application/json"}
    options = (await anybody.post(f"{path}/options", headers=headers)).text
    form = {"credential": json.dumps(device.use(options).raw), "next": _next(page)}

    answer = await anybody.post(path, form, headers=headers)

    seen = await anybody.get(json.loads(answer.text)["path"])
    assert "Let Fernlight use your account?" in seen.main_text


async def test_who_signs_in_for_an_app_is_not_held_up_by_an_offer(
    register: Register, signed_in: SignedIn, anybody: Visitor, alice: Account
) -> None:
    app = await register()
    await signed_in(alice)

    seen = await _types_password(anybody, app.authorize_path(**PKCE))

    assert "Let Fernlight use your account?" in seen.main_text
