"""Forms of the admin pages: what is refused comes back in its form, with what was typed."""

from __future__ import annotations

import pytest

from node.database import Database
from node.models.account import Account
from node.moderation import domain_rules
from node.node import Node
from tests.support.visitors import Visitor
from tests.web.pages.conftest import SignedIn


@pytest.fixture
async def admin(alice: Account, signed_in: SignedIn) -> Visitor:
    return await signed_in(alice, role="admin")


async def rules(db: Database) -> list[str]:
    return [rule.domain for rule in await db.read(domain_rules.all_rules)]


@pytest.mark.parametrize(
    "typed", ["https://Bad.example/", "bad.example/about", " http://bad.example:8443/@x?y=1#z "]
)
async def test_a_pasted_url_opens_the_page_of_its_server(admin: Visitor, typed: str) -> None:
    await admin.get("/admin/servers")

    assert (await admin.post("/admin/servers", {"domain": typed})).path == "/admin/servers/bad.example"


async def test_a_server_that_cannot_be_opened_is_said_at_its_field(admin: Visitor) -> None:
    await admin.get("/admin/servers")

    seen = await admin.post("/admin/servers", {"domain": "bad example"})

    assert seen.status == 422
    field = seen.one("input", name="domain")
    assert field.attributes["value"] == "bad example"
    assert field.attributes["aria-invalid"] == "true"
    assert "domain of another server" in seen.one("p", id=field.attributes["aria-describedby"]).text
    assert "Something went wrong" not in seen.main_text


async def test_a_rule_that_is_refused_keeps_what_was_typed(node: Node, admin: Visitor) -> None:
    await admin.get("/admin/servers/bad.example")
    form = {"strength": "worst", "public_comment": "Too loud", "rejects_media": "1"}

    seen = await admin.post("/admin/servers/bad.example/rule", form)

    assert seen.status == 422
    assert "Please select a severity." in seen.one("p", role="alert").text
    assert seen.one("textarea", name="public_comment").text == "Too loud"
    assert "checked" in seen.one("input", name="rejects_media").attributes
    assert await rules(node.db) == []


async def test_a_list_that_is_refused_keeps_what_was_typed(admin: Visitor) -> None:
    await admin.get("/admin/lists")
    form = {"url": "http://lists.example/x", "title": "Worst", "strength": "limit", "is_automatic": "1"}

    seen = await admin.post("/admin/lists/follow", form)

    assert seen.status == 422
    field = seen.one("input", name="url")
    assert field.attributes["value"] == "http://lists.example/x"
    assert "https URL" in seen.one("p", id=field.attributes["aria-describedby"]).text
    assert seen.one("input", name="title").attributes["value"] == "Worst"
    assert "selected" in seen.one("option", value="limit").attributes
    assert "checked" in seen.one("input", name="is_automatic").attributes


async def test_a_file_that_is_refused_is_said_at_its_field(admin: Visitor) -> None:
    for data in (b"<html>", b"\xff" * 100):
        await admin.get("/admin/lists")
        seen = await admin.post("/admin/lists/import", files=[("file", "x.csv", data)])
        assert seen.status == 422
        assert seen.one("input", name="file").attributes["aria-invalid"] == "true"


async def test_an_exclusion_that_is_refused_keeps_what_was_typed(admin: Visitor) -> None:
    await admin.get("/admin/lists")

    seen = await admin.post("/admin/lists/exclude", {"domain": "good example", "comment": "Friends"})

    assert seen.status == 422
    assert seen.one("input", name="domain").attributes["value"] == "good example"
    assert seen.one("input", name="comment").attributes["value"] == "Friends"
    await admin.post("/admin/lists/exclude", {"domain": "https://good.example/"})
    assert admin.page is not None
    assert "good.example" in admin.page.main_text


async def test_what_a_moderator_may_not_do_to_an_admin_is_said_on_the_page_of_the_account(
    alice: Account, bob: Account, admin: Visitor, signed_in: SignedIn
) -> None:
    moderator = await signed_in(bob, role="moderator")
    path = f"/admin/people/{alice.id}"
    await moderator.get(path)

    seen = await moderator.post(f"{path}/suspend")

    assert seen.status == 403
    assert "Only an admin" in seen.one("p", role="alert").text
    assert alice.name in seen.main_text


async def test_a_sign_up_that_a_colleague_has_decided_is_said_on_the_page(
    admin: Visitor, bob: Account, signed_in: SignedIn
) -> None:
    await signed_in(bob)
    await admin.get("/admin/sign-ups")

    seen = await admin.post(f"/admin/sign-ups/{bob.id}/reject")

    assert "No pending sign-up" in seen.one("p", role="alert").text
    assert "No pending requests" in seen.main_text
