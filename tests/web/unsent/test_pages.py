"""A form that is sent after its session has ended is kept while its author signs in, and sent when they say so."""

from __future__ import annotations

from typing import Any

import pytest

from node.attachments import photo_rows, photos
from node.auth import sessions
from node.database import Writer
from node.models import places
from node.models.account import Account
from node.node import Node
from node.paging import Page
from node.posts import posts
from node.timelines import timelines
from tests.support.visitors import Seen, Visitor
from tests.web.pages.conftest import Publish, SignedIn
from tests.web.unsent.conftest import OWN, PASSWORD, SignInAs, hidden
from web.request.session import SESSION_COOKIE
from web.unsent import forms

HOW = pytest.mark.parametrize("how", ["no cookie", "a session that was ended"])
WORDS = "What a <morning>\nat the lake"


async def end_session(node: Node, visitor: Visitor, how: str) -> None:
    if how == "no cookie":
        del visitor.cookies[SESSION_COOKIE]
    else:
        await node.db.write(sessions.end, visitor.cookies[SESSION_COOKIE])


async def captions(node: Node, who: Account) -> list[str]:
    def unit(tx: Writer) -> list[str]:
        return [
            posts.by_id(tx, entry.post_id).source
            for entry in timelines.profile(tx, who, who, Page(), include_comments=True)
        ]

    return await node.db.write(unit)


async def send_now(visitor: Visitor, **more: str) -> Seen:
    """Presses the button of the open page, with a value of its own or that of the button."""
    assert visitor.page is not None
    main = visitor.page.elements.index(visitor.page.one("main"))
    form = next(one for one in visitor.page.elements[main:] if one.tag == "form")
    button = visitor.page.one("button", class_="button main")
    fields = {button.attributes.get("name", "do"): button.attributes.get("value", ""), **more}
    return await visitor.post(
        form.attributes["action"],
        [*hidden(visitor.page), *fields.items()],
        files=[],
        headers={"sec-fetch-site": "same-origin"},
    )


@HOW
async def test_a_comment_is_sent_after_signing_in(
    node: Node,
    alice: Account,
    bob: Account,
    signed_in: SignedIn,
    publish: Publish,
    sign_in_as: SignInAs,
    how: str,
) -> None:
    post = await publish(alice)
    visitor = await signed_in(bob)
    await visitor.get(f"/p/alice/{post.id}")
    await end_session(node, visitor, how)

    page = await visitor.post(f"/posts/{post.id}/comment", {"caption": WORDS, "once": "a"}, headers=OWN)

    assert page.status == 401
    assert page.one("h1").text == "Sign in to go on"
    assert page.one("a", href="/somewhere?a=1").text.strip() == "Back without sending"
    assert page.headers["cache-control"] == "no-store"
    asked = await sign_in_as(visitor, bob)
    assert asked.one("h1").text == "Not sent yet"
    assert "@bob" in asked.main_text
    assert asked.one("dd").text == WORDS
    assert asked.headers["cache-control"] == "no-store"
    assert await captions(node, bob) == []

    sent = await send_now(visitor)

    assert sent.status == 200
    assert await captions(node, bob) == [WORDS]


async def test_a_comment_of_digits_is_one_too(
    node: Node, alice: Account, bob: Account, signed_in: SignedIn, publish: Publish, sign_in_as: SignInAs
) -> None:
    post = await publish(alice)
    visitor = await signed_in(bob)
    await visitor.get(f"/p/alice/{post.id}")
    await end_session(node, visitor, "no cookie")
    await visitor.post(f"/posts/{post.id}/comment", {"caption": "2026", "once": "a"}, headers=OWN)
    await sign_in_as(visitor, bob)
    await send_now(visitor)

    assert await captions(node, bob) == ["2026"]


@HOW
async def test_the_location_of_a_photo_is_saved_after_signing_in(
    node: Node, bob: Account, signed_in: SignedIn, photo: Any, sign_in_as: SignInAs, how: str
) -> None:
    shown = await photos.upload(node, bob, photo(90, 60))
    visitor = await signed_in(bob)
    path = f"/photos/{shown.id}/details"
    await visitor.get(f"{path}?part=place&back=/drafts")
    await end_session(node, visitor, how)

    typed = {"part": "place", "back": "/drafts", "name": "Beijing", "precision": "town", "do": "done"}
    await visitor.post(path, typed, headers=OWN)
    asked = await sign_in_as(visitor, bob)
    assert "Beijing" in asked.main_text
    sent = await send_now(visitor)

    assert sent.path == "/drafts"
    kept = (await node.db.read(photo_rows.by_ids, [shown.id]))[shown.id]
    assert places.load(kept.place).name == "Beijing"


async def test_a_wrong_password_keeps_what_was_written(
    node: Node, alice: Account, bob: Account, signed_in: SignedIn, publish: Publish, sign_in_as: SignInAs
) -> None:
    post = await publish(alice)
    visitor = await signed_in(bob)
    await end_session(node, visitor, "no cookie")
    page = await visitor.post(f"/posts/{post.id}/comment", {"caption": WORDS}, headers=OWN)

    wrong = [*hidden(page), ("login", "bob"), ("password", "a guess")]
    page = await visitor.post("/sign-in", wrong, files=[])

    assert page.status == 422
    assert page.one("h1").text == "Sign in to go on"
    assert "a guess" not in page.text
    await sign_in_as(visitor, bob)
    await send_now(visitor)
    assert await captions(node, bob) == [WORDS]


async def test_another_person_sees_from_whom_it_would_be_sent(
    node: Node, alice: Account, bob: Account, signed_in: SignedIn, publish: Publish, sign_in_as: SignInAs
) -> None:
    post = await publish(alice)
    visitor = await signed_in(bob)
    await end_session(node, visitor, "a session that was ended")
    await visitor.post(f"/posts/{post.id}/comment", {"caption": WORDS}, headers=OWN)

    asked = await sign_in_as(visitor, alice)

    assert "@alice" in asked.main_text
    assert "What a <morning>" in asked.main_text
    assert await captions(node, bob) == []
    assert WORDS not in await captions(node, alice)


async def test_who_signed_in_again_in_another_tab_sends_it_by_a_click(
    node: Node, alice: Account, bob: Account, signed_in: SignedIn, publish: Publish
) -> None:
    post = await publish(alice)
    visitor, again = await signed_in(bob), await signed_in(bob)
    visitor.cookies[SESSION_COOKIE] = again.cookies[SESSION_COOKIE]

    page = await visitor.post(f"/posts/{post.id}/comment", {"caption": WORDS}, headers=OWN)

    assert page.status == 403
    assert page.one("h1").text == "Not sent yet"
    assert await captions(node, bob) == []
    await send_now(visitor)
    assert await captions(node, bob) == [WORDS]


async def test_who_signed_in_in_another_tab_meanwhile_keeps_it_too(
    node: Node, alice: Account, bob: Account, signed_in: SignedIn, publish: Publish, sign_in_as: SignInAs
) -> None:
    post = await publish(alice)
    visitor, again = await signed_in(bob), await signed_in(bob)
    await end_session(node, visitor, "no cookie")
    await visitor.post(f"/posts/{post.id}/comment", {"caption": WORDS}, headers=OWN)
    visitor.cookies = dict(again.cookies)

    page = await sign_in_as(visitor, bob)

    assert page.one("h1").text == "Not sent yet"
    await send_now(visitor)
    assert await captions(node, bob) == [WORDS]


async def test_a_new_post_can_be_edited_on_after_signing_in(
    node: Node, bob: Account, signed_in: SignedIn, photo: Any, sign_in_as: SignInAs
) -> None:
    there = await photos.upload(node, bob, photo(90, 60))
    visitor = await signed_in(bob)
    await visitor.get("/compose")
    await end_session(node, visitor, "a session that was ended")

    form = {"caption": WORDS, "photo": str(there.id), f"alt-{there.id}": "A lake", "visibility": "followers"}
    await visitor.post("/compose", {**form, "do": "post"}, headers=OWN)
    asked = await sign_in_as(visitor, bob)
    assert "A lake" in asked.main_text
    page = await send_now(visitor, do="add")

    assert page.one("textarea", name="caption").text == WORDS
    assert page.one("textarea", name=f"alt-{there.id}").text == "A lake"
    assert await captions(node, bob) == []


@pytest.mark.parametrize(
    "headers",
    [{}, {"origin": "https://evil.test"}, {"origin": "null"}, {"sec-fetch-site": "same-site"}],
    ids=["nothing said", "another site", "a sandboxed page", "a sibling"],
)
async def test_a_form_of_another_site_is_not_carried_through_signing_in(
    node: Node,
    alice: Account,
    bob: Account,
    signed_in: SignedIn,
    publish: Publish,
    headers: dict[str, str],
) -> None:
    post = await publish(alice)
    for how in ("no cookie", "signed in"):
        visitor = await signed_in(bob)
        if how == "no cookie":
            await end_session(node, visitor, how)
        page = await visitor.post(
            f"/posts/{post.id}/comment", {"caption": WORDS}, csrf="0" * 80, headers=headers
        )
        assert page.status == 403
        assert "What a" not in page.text


async def test_no_password_and_no_form_token_is_carried(
    node: Node, bob: Account, signed_in: SignedIn
) -> None:
    visitor = await signed_in(bob)
    await visitor.get("/settings/moving")
    assert visitor.page is not None
    token = visitor.page.csrf
    await end_session(node, visitor, "no cookie")

    page = await visitor.post(
        "/settings/moving", {"target": "bob@far.example", "password": PASSWORD}, headers=OWN
    )

    assert page.status == 401
    assert PASSWORD not in page.text
    assert token not in page.text
    unsent = forms.FIELD
    carried = next(value for name, value in hidden(page) if name == unsent)
    assert '"passwords":["password"]' in carried


async def test_a_password_that_belongs_to_the_form_is_asked_for_again(
    node: Node, bob: Account, signed_in: SignedIn, sign_in_as: SignInAs
) -> None:
    visitor = await signed_in(bob)
    await end_session(node, visitor, "no cookie")
    form = {"target": "bob@far.example", "password": PASSWORD}
    await visitor.post("/settings/moving", form, headers=OWN)

    asked = await sign_in_as(visitor, bob)

    assert asked.one("input", type="password", name="password").attributes["value"] == ""


async def test_a_button_without_words_only_asks_to_sign_in(
    node: Node, alice: Account, bob: Account, signed_in: SignedIn, publish: Publish
) -> None:
    post = await publish(alice)
    visitor = await signed_in(bob)
    await end_session(node, visitor, "a session that was ended")

    page = await visitor.post(f"/posts/{post.id}/like", {"back": "/"}, headers=OWN)

    assert page.path == "/sign-in?next=/somewhere%3Fa%3D1"


async def test_what_is_too_long_to_be_carried_is_refused_in_words(
    node: Node, alice: Account, bob: Account, signed_in: SignedIn, publish: Publish
) -> None:
    post = await publish(alice)
    visitor = await signed_in(bob)
    await end_session(node, visitor, "no cookie")

    page = await visitor.post(
        f"/posts/{post.id}/comment", {"caption": "\n" * 130_000 + "x"}, files=[], headers=OWN
    )

    assert page.status == 413
    assert "too long to be kept here" in page.main_text


GOOD = '{"path":"/compose","back":"/","fields":[["caption","Hello"]],"files":[],"passwords":[]}'


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("/compose", "https://evil.test/compose"),
        ("/compose", "//evil.test/compose"),
        ("/compose", "/nowhere"),
        ("/compose", "/sign-out"),
        ("/compose", "/sign-in"),
        ("/compose", "/media/x"),
        ('"back":"/"', '"back":"//evil.test"'),
        ('"back":"/"', '"back":"javascript:alert(1)"'),
        ('["caption","Hello"]', '["csrf","0"]'),
        ('["caption","Hello"]', '["caption","\\u0000"]'),
        ('["caption","Hello"]', '["caption","\\ud800"]'),
        ('["caption","Hello"]', '["caption",7]'),
        ('["caption","Hello"]', ",".join(['["a","b"]'] * (forms.MAX_FIELDS + 1))),
        ('"Hello"', f'"{"x" * forms.MAX_BYTES}"'),
        ('"passwords":[]', '"passwords":["evil"]'),
        ("{", "["),
    ],
)
async def test_a_carried_form_that_no_page_made_is_left_out(
    node: Node, bob: Account, app: Any, sign_in_as: SignInAs, was: str, now: str
) -> None:
    async with app.quart.app_context():
        assert forms.decode(GOOD) is not None
    text = GOOD.replace(was, now, 1)
    assert text != GOOD
    visitor = Visitor(app)
    page = await visitor.get("/sign-in?next=/drafts")

    async def attempt(password: str) -> Seen:
        form = [*hidden(page), ("unsent", text), ("login", "bob"), ("password", password)]
        return await visitor.post("/sign-in", form, files=[])

    wrong = await attempt("a guess")
    assert wrong.status == 422
    assert "evil" not in wrong.text
    assert wrong.one("h1").text == "Sign in"
    await sign_in_as(visitor, bob)
    await visitor.post("/sign-out")
    await visitor.get("/sign-in?next=/drafts")
    assert (await attempt(PASSWORD)).path == "/drafts"


@HOW
async def test_a_button_alone_leads_to_signing_in_and_back_to_its_page(
    node: Node, alice: Account, bob: Account, signed_in: SignedIn, how: str
) -> None:
    visitor = await signed_in(alice)
    await visitor.get("/")
    await end_session(node, visitor, how)

    answer = await visitor.post(f"/people/{bob.id}/block", {}, headers=OWN)

    assert answer.path == "/sign-in?next=/somewhere%3Fa%3D1"
