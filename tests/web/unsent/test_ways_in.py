"""A form that could not be sent comes through every way of signing in: a second step, a passkey, and what goes wrong there."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from node.auth import signing_in
from node.auth.second_step import authenticator_apps
from node.models.account import Account
from node.node import Node
from node.publishing import saved_drafts
from tests.support.authenticator import with_passkey
from tests.support.second_step import code_of, set_up
from tests.support.visitors import Seen, Visitor
from tests.web.pages.conftest import PASSWORD, Publish, SignedIn
from tests.web.unsent.conftest import SignInAs, give_password, hidden
from tests.web.unsent.test_held_files import Picture, share
from tests.web.unsent.test_pages import OWN, WORDS, captions, end_session, send_now
from web.app import App
from web.request.session import SESSION_COOKIE

JSON = {"accept": "application/json"}
SAME = {"sec-fetch-site": "same-origin"}


@pytest.fixture
async def visitor(node: Node, alice: Account, bob: Account, signed_in: SignedIn, publish: Publish) -> Visitor:
    """Bob's browser with a comment that was sent after his session had ended; he has a password."""
    post = await publish(alice)
    visitor = await signed_in(bob)
    await give_password(node, bob)
    await end_session(node, visitor, "no cookie")
    await visitor.post(f"/posts/{post.id}/comment", {"caption": WORDS}, headers=OWN)
    return visitor


async def type_code(visitor: Visitor, code: str) -> Seen:
    assert visitor.page is not None
    form = [*hidden(visitor.page), ("code", code)]
    return await visitor.post("/sign-in/code", form, files=[], headers=SAME)


async def use_passkey(visitor: Visitor, path: str, answer: Callable[[str], str]) -> Seen:
    """What the script of a page does: asks for options, sends the answer, then submits the form that waits there."""
    page = visitor.page
    assert page is not None

    async def ask(path: str, **form: str) -> Seen:
        return await visitor.post(path, form, csrf=page.csrf, headers=JSON)

    options = (await ask(f"{path}/options")).text
    answered = await ask(path, credential=answer(options))
    assert answered.status == 200, answered.text
    waits = path.removesuffix("/passkey")
    return await visitor.post(waits, hidden(page), files=[], csrf=page.csrf, headers=SAME)


async def test_a_second_step_keeps_what_was_written(
    node: Node, bob: Account, visitor: Visitor, sign_in_as: SignInAs
) -> None:
    seed, _ = await set_up(node, bob)

    asked = await sign_in_as(visitor, bob)
    assert asked.one("h1").text == "Two-step sign-in"
    assert SESSION_COOKIE not in visitor.cookies
    assert asked.headers["cache-control"] == "no-store"
    assert asked.one("a", href="/somewhere?a=1").text.strip() == "Back without sending"
    assert "Sign in as somebody else" not in asked.main_text

    wrong = await type_code(visitor, "000000")
    assert (wrong.status, "not right" in wrong.main_text) == (422, True)
    seen = await type_code(visitor, code_of(seed))
    assert seen.one("h1").text == "Not sent yet"
    assert "@bob" in seen.main_text
    assert await captions(node, bob) == []

    await send_now(visitor)
    assert await captions(node, bob) == [WORDS]


async def test_a_second_step_that_took_too_long_begins_again_with_what_was_written(
    node: Node, bob: Account, visitor: Visitor, sign_in_as: SignInAs, clock: Callable[[int], None]
) -> None:
    seed, _ = await set_up(node, bob)
    await sign_in_as(visitor, bob)
    clock(signing_in.PENDING_LIFETIME_MS + 1000)

    again = await type_code(visitor, code_of(seed))

    assert again.one("h1").text == "Sign in to go on"
    assert "That took too long" in again.main_text
    await sign_in_as(visitor, bob)
    await type_code(visitor, code_of(seed))
    await send_now(visitor)
    assert await captions(node, bob) == [WORDS]


async def test_who_signs_in_in_another_tab_before_the_code_sees_it_too(
    node: Node, bob: Account, visitor: Visitor, sign_in_as: SignInAs, signed_in: SignedIn
) -> None:
    await set_up(node, bob)
    await sign_in_as(visitor, bob)
    visitor.cookies = dict((await signed_in(bob)).cookies)

    seen = await type_code(visitor, "000000")

    assert seen.one("h1").text == "Not sent yet"
    await send_now(visitor)
    assert await captions(node, bob) == [WORDS]


async def test_a_passkey_keeps_what_was_written(node: Node, bob: Account, visitor: Visitor) -> None:
    device = await with_passkey(node, bob)

    seen = await use_passkey(visitor, "/sign-in/passkey", lambda asked: json.dumps(device.use(asked).raw))

    assert seen.one("h1").text == "Not sent yet"
    assert "@bob" in seen.main_text
    assert await captions(node, bob) == []
    await send_now(visitor)
    assert await captions(node, bob) == [WORDS]


async def test_a_passkey_as_the_second_step_keeps_what_was_written(
    node: Node, bob: Account, visitor: Visitor, sign_in_as: SignInAs
) -> None:
    device = await with_passkey(node, bob)
    await set_up(node, bob)
    await sign_in_as(visitor, bob)

    seen = await use_passkey(
        visitor, "/sign-in/code/passkey", lambda asked: json.dumps(device.use(asked).raw)
    )

    assert seen.one("h1").text == "Not sent yet"
    await send_now(visitor)
    assert await captions(node, bob) == [WORDS]


async def test_shared_photos_come_through_a_second_step(
    node: Node, bob: Account, app: App, photo: Picture, sign_in_as: SignInAs
) -> None:
    seed, _ = await set_up(node, bob)
    visitor = Visitor(app)
    await share(visitor, photo(90, 60))
    await sign_in_as(visitor, bob)

    asked = await type_code(visitor, code_of(seed))
    assert "0.jpg" in asked.main_text
    await send_now(visitor)

    [draft] = await node.db.read(saved_drafts.by_author, bob)
    assert [one.width for one in draft.photos] == [90]


async def test_no_code_is_carried_and_no_answer_to_an_app(
    node: Node, bob: Account, signed_in: SignedIn
) -> None:
    visitor = await signed_in(bob)
    offered = authenticator_apps.offer(node.site, bob)
    code = code_of(authenticator_apps.offered_seed(node.site, bob, offered))
    await end_session(node, visitor, "a session that was ended")
    seen = await visitor.post("/settings/two-step", {"offered": offered, "code": code}, headers=OWN)
    assert code not in seen.text
    assert seen.path.startswith("/sign-in?")

    for path, form in (
        ("/oauth/authorize", {"client_id": "an app", "decision": "allow"}),
        ("/confirm", {"code": "123456 7", "password": PASSWORD, "next": "/bookmarks"}),
        ("/forgot-password", {"login": "bob"}),
    ):
        seen = await visitor.post(path, form, csrf="0" * 80, headers=OWN)
        assert "Sign in to go on" not in seen.text, path
        assert PASSWORD not in seen.text, path
