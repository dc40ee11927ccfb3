"""Rules of every page: the CSRF token, the headers, no inline code, nothing unescaped, no page that fails."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from node.accounts import accounts
from node.database import Writer
from node.interactions import follows, likes
from node.models.account import Account
from node.node import Node
from node.posts import posts
from node.posts.drafts import Draft
from node.publishing import publishing
from tests.support import people
from tests.support.visitors import Seen, Visitor
from tests.web.pages.conftest import Publish, SignedIn
from web.app import UPLOAD_ENDPOINTS, App, create_pages_app

HOSTILE = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>"
PAGES = [
    "/",
    "/explore",
    "/explore/network",
    "/explore/tags",
    "/tags/lake",
    "/@alice",
    "/@alice/all",
    "/@alice/followers",
    "/@alice/following",
    "/p/alice/{post}",
    "/posts/{post}/likes",
    "/posts/{post}/boosts",
    "/posts/{post}/history",
    "/search",
    "/search?q=lake",
    "/search?q=%3Cscript%3E",
    "/about",
    "/interact?uri={uri}",
    "/manifest.webmanifest",
    "/nothing-here",
]
SIGNED_IN = [
    "/compose",
    "/compose?caption=%23lake",
    "/posts/{post}/edit",
    "/posts/{post}/delete",
    "/notifications",
    "/notifications/comments",
    "/notifications/likes",
    "/notifications/follows",
    "/follow-requests",
    "/bookmarks",
    "/drafts",
    "/settings",
    "/settings/profile",
    "/settings/preferences",
    "/settings/password",
    "/settings/passkeys",
    "/settings/passkeys/offer",
    "/settings/two-step",
    "/settings/sessions",
    "/confirm",
    "/settings/people",
    "/settings/invites",
    "/settings/deletion",
    "/authorize_interaction?uri=bob",
    "/admin/people",
    "/admin/sign-ups",
    "/admin/jobs",
    "/admin/deliveries",
    "/admin/servers",
    "/admin/servers/far.example",
    "/admin/lists",
    "/admin/log",
]


async def _world(node: Node, publish: Publish, alice: Account, bob: Account) -> dict[str, Any]:
    def unit(tx: Writer) -> None:
        for who in (alice, bob):
            people.profile(
                tx,
                who,
                display_name=HOSTILE[:60],
                bio=HOSTILE,
                fields=[(HOSTILE, HOSTILE)],
                is_locked=who.id == alice.id,
                is_indexable=True,
            )
        follows.follow(tx, bob, accounts.get(tx, alice.id))

    await node.db.write(unit)
    post = await publish(alice, f"{HOSTILE} #lake", shots=2, alt=HOSTILE, warning=HOSTILE)

    def react(tx: Writer) -> None:
        likes.like(tx, bob, post)
        made = publishing.publish(tx, bob, Draft(caption=f"{HOSTILE} @alice", parent_id=post.id))
        publishing.publish(tx, alice, Draft(caption="A & B < C", parent_id=made.id))
        publishing.edit(
            tx,
            alice,
            posts.visible_by_id(tx, alice, post.id),
            Draft(caption="calm #lake", photo_ids=[], alts={}),
        )

    await node.db.write(react)
    await publish(alice, HOSTILE, shots=1, alt=HOSTILE)
    return {"post": post.id, "uri": alice.uri}


def _check(seen: Seen, path: str) -> None:
    assert seen.status in (200, 404), f"{path}: {seen.status} {seen.text[-600:]}"
    policy = seen.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    for name in (
        "x-content-type-options",
        "referrer-policy",
        "x-frame-options",
        "cross-origin-opener-policy",
    ):
        assert name in seen.headers, f"{path} lacks {name}"
    if "html" not in seen.headers["content-type"]:
        return
    for element in seen.elements:
        assert "style" not in element.attributes, f"{path}: inline style on <{element.tag}>"
        handlers = [name for name in element.attributes if name.startswith("on")]
        assert not handlers, f"{path}: {handlers} on <{element.tag}>"
        if element.tag == "script":
            assert element.attributes.get("type") == "application/json" or element.attributes[
                "src"
            ].startswith("/static/")
        for name in ("src", "href", "action", "formaction", "srcset"):
            value = element.attributes.get(name, "")
            assert not value.lower().startswith(("javascript:", "data:")), f"{path}: {value}"
            if element.tag in ("img", "script", "source", "use") or (
                element.tag == "link"
                and name == "href"
                and element.attributes.get("rel") in ("stylesheet", "icon", "manifest")
            ):
                assert not value.startswith(("http:", "https:", "//")), f"{path}: third party {value}"
        if element.tag == "img":
            assert "alt" in element.attributes, f"{path}: an image without alt"
            assert element.attributes.get("width"), f"{path}: no box reserved"
            assert element.attributes.get("height"), f"{path}: no box reserved"
    assert "<script>alert" not in seen.text
    assert "onerror=alert(1)>" not in seen.text.replace("&gt;", "")
    assert len(seen.all("h1")) == 1 or seen.status == 404, f"{path}: {len(seen.all('h1'))} h1"
    assert len(seen.all("main")) == 1
    ids = [element.attributes["id"] for element in seen.elements if "id" in element.attributes]
    assert len(ids) == len(set(ids)), f"{path}: {sorted(id_ for id_ in ids if ids.count(id_) > 1)} twice"


async def test_every_page_is_complete_and_escaped(
    node: Node, publish: Publish, alice: Account, bob: Account, anybody: Visitor, signed_in: SignedIn
) -> None:
    world = await _world(node, publish, alice, bob)
    visitor = await signed_in(alice, role="admin")
    for path in PAGES:
        for who in (anybody, visitor):
            _check(await who.get(path.format(**world)), path)
    for path in SIGNED_IN:
        _check(await visitor.get(path.format(**world)), path)


async def test_every_form_is_refused_without_its_token(
    app: App, alice: Account, signed_in: SignedIn, publish: Publish
) -> None:
    post = await publish(alice)
    visitor = await signed_in(alice, role="admin")
    tried = 0
    values = {"post_id": post.id, "account_id": alice.id, "list_id": 1}
    for rule in app.quart.url_map.iter_rules():
        if "POST" not in (rule.methods or set()):
            continue
        action = re.search(r"any\(([a-z]+)", rule.rule)
        path = re.sub(r"<any\([^)]*\):\w+>", action[1] if action else "", rule.rule)
        path = re.sub(r"<(?:int:)?(\w+)>", lambda found: str(values.get(found[1], "follow")), path)
        for token in ("", "0" * 40):
            seen = await visitor.post(path, {"caption": "stolen"}, csrf=token)
            assert seen.status == 403, f"{path} took a form with the token {token!r}: {seen.status}"
        stolen = await visitor.post(path, headers={"sec-fetch-site": "cross-site"})
        assert stolen.status == 403, path
        tried += 1
    assert tried > 20


async def test_a_form_token_is_of_one_session_only(alice: Account, bob: Account, signed_in: SignedIn) -> None:
    hers, his = await signed_in(alice), await signed_in(bob)
    assert hers.page is not None
    assert his.page is not None
    assert hers.page.csrf != his.page.csrf
    assert (await his.post("/theme", {"theme": "dark"}, csrf=hers.page.csrf)).status == 403


async def test_visitors_cannot_send_large_bodies(anybody: Visitor, app: App) -> None:
    await anybody.get("/sign-in")
    seen = await anybody.post("/sign-in", {"login": "x" * 600_000, "password": "y"})
    assert seen.status == 413
    seen = await anybody.post("/compose", {}, files=[("photos", "a.jpg", b"x" * 100)])
    assert seen.path.startswith("/sign-in")


async def test_upload_endpoints_are_registered_under_these_names(node: Node) -> None:
    """A name that no endpoint has would let visitors send files before their session is checked."""
    assert create_pages_app(node).view_functions.keys() >= UPLOAD_ENDPOINTS


async def test_an_unexpected_error_shows_a_reference_that_is_in_the_log(
    app: App, anybody: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken() -> str:
        raise RuntimeError("the shutter is stuck")

    app.quart.add_url_rule("/broken", view_func=broken)
    seen = await anybody.get("/broken")
    assert seen.status == 500
    reference = re.search(r"Reference ([0-9A-F]{4})\.", seen.main_text)
    assert reference
    assert f"reference {reference[1]}" in caplog.text
    assert "the shutter is stuck" in caplog.text
    assert "shutter" not in seen.text
    answer = await anybody.get("/broken", accept="application/json")
    assert "Something went wrong here" in answer.text


async def test_only_staff_find_the_admin_pages(alice: Account, signed_in: SignedIn, bob: Account) -> None:
    visitor = await signed_in(bob)
    for tab in ("people", "sign-ups", "jobs", "deliveries"):
        assert (await visitor.get(f"/admin/{tab}")).status == 404
    assert (await visitor.post(f"/admin/people/{alice.id}/suspend")).status in (403, 404)


async def test_pages_over_https_send_strict_transport_security(
    node: Node, anybody: Visitor, photo: Callable[..., bytes]
) -> None:
    seen = await anybody.get("/sign-in")
    assert seen.headers["strict-transport-security"]


UNHOLDABLE = (2**63, 10**19 - 1, 10**30)


@pytest.mark.parametrize("number", UNHOLDABLE)
async def test_an_id_out_of_range_is_404(alice: Account, signed_in: SignedIn, number: int) -> None:
    visitor = await signed_in(alice, "admin")
    for path in (f"/p/alice/{number}", f"/posts/{number}/history", f"/admin/lists/{number}"):
        assert (await visitor.get(path)).status == 404, path
    assert (await visitor.get(f"/notifications?max_id={number}")).status == 200
    await visitor.get("/")
    for path in (f"/posts/{number}/like", f"/people/{number}/follow", f"/admin/people/{number}/suspend"):
        assert (await visitor.post(path, {})).status == 404, path
    assert (await visitor.post("/admin/jobs/again", {"job": str(number)})).status == 404
    seen = await visitor.post("/compose", {"caption": "Words", "visibility": "public", "photo": str(number)})
    assert seen.status in (200, 422)
