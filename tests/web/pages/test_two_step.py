"""Two-step sign-in as somebody meets it: set up in the settings, asked for after the password, and a lost phone."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from node.auth import passwords, sessions, users
from node.auth.second_step import authenticator_apps
from node.config import Config, SecurityOptions
from node.models.account import Account
from node.node import Node
from tests.support.second_step import code_of
from tests.support.visitors import Seen, Visitor
from tests.web.pages.conftest import PASSWORD, SignedIn
from web.app import App
from web.request.session import SECOND_STEP_COOKIE, SESSION_COOKIE


async def _has_password(node: Node, account: Account, signed_in: SignedIn, role: str = "user") -> Visitor:
    visitor = await signed_in(account, role)
    await node.db.write(users.set_password, account.id, await passwords.hash(PASSWORD))
    return visitor


def _seed(node: Node, page: Seen, account: Account) -> str:
    offered = page.one("input", name="offered").attributes["value"]
    seed = authenticator_apps.offered_seed(node.site, account, offered)
    assert seed in page.main_text.replace(" ", "")
    return seed


async def _sets_up(node: Node, visitor: Visitor, account: Account) -> tuple[str, list[str]]:
    page = await visitor.get("/settings/two-step")
    seed = _seed(node, page, account)
    form = {"offered": page.one("input", name="offered").attributes["value"], "code": code_of(seed, -1)}
    done = await visitor.post("/settings/two-step", form)
    assert done.headers["cache-control"] == "no-store"
    return seed, [one.text for one in done.all("code")]


async def _types_password(visitor: Visitor, next_: str = "/bookmarks") -> Seen:
    await visitor.get(f"/sign-in?next={next_}")
    return await visitor.post("/sign-in", {"login": "alice", "password": PASSWORD, "next": next_})


async def test_a_phone_is_set_up_and_asked_for_from_then_on(
    node: Node, alice: Account, signed_in: SignedIn, app: App
) -> None:
    hers = await _has_password(node, alice, signed_in)
    page = await hers.get("/settings/two-step")
    assert page.all("svg", class_="segno")
    offered = page.one("input", name="offered").attributes["value"]
    wrong = await hers.post("/settings/two-step", {"offered": offered, "code": "000000"})
    assert (wrong.status, wrong.one("input", name="offered").attributes["value"]) == (422, offered)
    seed, codes = await _sets_up(node, hers, alice)
    assert len(codes) == 10
    again = await hers.get("/settings/two-step")
    assert "10 left" in again.main_text
    assert not any(code in again.text for code in codes)

    other = Visitor(app)
    asked = await _types_password(other)
    assert asked.path == "/sign-in/code?next=/bookmarks"
    assert SESSION_COOKIE not in other.cookies
    assert (await other.get("/bookmarks")).path.startswith("/sign-in?")
    await other.get("/sign-in/code?next=/bookmarks")
    seen = await other.post("/sign-in/code", {"code": "000000", "next": "/bookmarks"})
    assert (seen.status, "not right" in seen.main_text) == (422, True)
    seen = await other.post("/sign-in/code", {"code": code_of(seed), "next": "/bookmarks"})
    assert seen.path == "/bookmarks"
    assert SECOND_STEP_COOKIE not in other.cookies


async def test_a_lost_phone_is_replaced_with_a_recovery_code(
    node: Node, alice: Account, signed_in: SignedIn, app: App
) -> None:
    _, codes = await _sets_up(node, await _has_password(node, alice, signed_in), alice)
    hers = Visitor(app)
    await _types_password(hers)
    assert (await hers.post("/sign-in/code", {"code": codes[3], "next": "/"})).path == "/"

    page = await hers.get("/settings/two-step?new")
    seed = _seed(node, page, alice)
    offered = page.one("input", name="offered").attributes["value"]
    done = await hers.post("/settings/two-step", {"offered": offered, "code": code_of(seed)})

    new = [one.text for one in done.all("code")]
    assert len(new) == 10
    assert not set(new) & set(codes)


async def test_new_recovery_codes_and_turning_it_off(
    node: Node, alice: Account, signed_in: SignedIn, app: App
) -> None:
    hers = await _has_password(node, alice, signed_in)
    _, codes = await _sets_up(node, hers, alice)
    new = await hers.post("/settings/two-step/codes")
    assert not {one.text for one in new.all("code")} & set(codes)

    seen = await hers.post("/settings/two-step/off")
    assert "Two-step sign-in is off" in seen.main_text
    assert (await _types_password(Visitor(app))).path == "/bookmarks"


async def test_an_old_session_confirms_before_something_important(
    node: Node, alice: Account, signed_in: SignedIn, clock: Callable[[int], None]
) -> None:
    hers = await _has_password(node, alice, signed_in)
    seed, _ = await _sets_up(node, hers, alice)
    await hers.get("/settings/password")
    clock(sessions.PROOF_LIFETIME_MS + 1000)
    for path, form in (
        ("/settings/password", {"password": "another picture a day"}),
        ("/settings/address", {"email": "mallory@b.test"}),
        ("/settings/moving", {"target": "bob"}),
        ("/settings/two-step", {"offered": "", "code": "1"}),
        ("/settings/two-step/codes", {}),
        ("/settings/two-step/off", {}),
    ):
        assert (await hers.post(path, form)).path.startswith("/confirm?next="), path
        await hers.get("/bookmarks")

    for path in ("/settings/password", "/settings/moving", "/settings/two-step"):
        asked = await hers.get(path)
        assert asked.path == f"/confirm?next={path}"
    wrong = await hers.post("/confirm", {"password": "wrong", "code": code_of(seed), "next": path})
    assert wrong.one("input", name="password").attributes["aria-invalid"] == "true"
    wrong = await hers.post("/confirm", {"password": PASSWORD, "code": "000000", "next": path})
    assert wrong.one("input", name="code").attributes["aria-invalid"] == "true"
    seen = await hers.post("/confirm", {"password": PASSWORD, "code": code_of(seed), "next": path})
    assert seen.path == "/settings/two-step"


async def test_a_sign_in_that_took_too_long_begins_again(
    node: Node, alice: Account, signed_in: SignedIn, app: App, clock: Callable[[int], None]
) -> None:
    await _sets_up(node, await _has_password(node, alice, signed_in), alice)
    other = Visitor(app)
    await _types_password(other)
    clock(11 * 60_000)

    seen = await other.post("/sign-in/code", {"code": "123456", "next": "/bookmarks"})

    assert seen.path == "/sign-in?done=expired&next=/bookmarks"
    assert "took too long" in seen.main_text
    assert (await Visitor(app).get("/sign-in/code")).path.startswith("/sign-in?")


class TestWhereStaffMust:
    @pytest.fixture
    def options(self, options: Config) -> Config:
        return dataclasses.replace(options, security=SecurityOptions(staff_two_step=True))

    async def test_staff_set_it_up_before_they_act_and_cannot_turn_it_off(
        self, node: Node, alice: Account, bob: Account, signed_in: SignedIn
    ) -> None:
        hers, his = await _has_password(node, alice, signed_in, "admin"), await signed_in(bob)
        for path in ("/admin/people", "/admin/reports"):
            assert (await hers.get(path)).path.startswith("/settings/two-step?next=")
            assert (await his.get(path)).status == 404
        await hers.get("/bookmarks")
        seen = await hers.post(f"/admin/people/{bob.id}/suspend")
        assert "have to set up two-step" in seen.main_text or seen.status in (403, 404, 405)

        await _sets_up(node, hers, alice)
        assert (await hers.get("/admin/people")).status == 200
        refused = await hers.post("/settings/two-step/off")
        assert (refused.status, "need two-step" in refused.main_text) == (409, True)
