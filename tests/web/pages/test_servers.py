"""The admin pages of other servers: details, rules, imports, block lists, and the audit log."""

from __future__ import annotations

import pytest

from node.database import Database
from node.federation import server_availability
from node.models.account import Account
from node.moderation import block_lists, domain_exclusions, domain_rules
from node.node import Node
from tests.support.people import remote
from tests.support.posting import follow, picture, receive_post
from tests.support.visitors import Visitor
from tests.web.pages.conftest import SignedIn


@pytest.fixture
async def admin(alice: Account, signed_in: SignedIn) -> Visitor:
    return await signed_in(alice, role="admin")


async def rules(db: Database) -> dict[str, str]:
    return {rule.domain: rule.strength for rule in await db.read(domain_rules.all_rules)}


async def test_an_admin_reads_about_a_server_and_sets_a_rule(
    node: Node, alice: Account, admin: Visitor, anybody: Visitor
) -> None:
    rita = await node.db.write(remote, "rita", "far.example", display_name="Rita <b>")
    await node.db.write(remote, "kim", "xn--lud-sna.example")
    await node.db.write(follow, alice, rita)
    await node.db.write(receive_post, rita)
    await node.db.write(server_availability.record_failure, "far.example", "answered 500")

    seen = await admin.get("/admin/servers")
    assert "far.example" in seen.main_text
    assert "löud.example" in seen.main_text
    assert "answered 500" in (await admin.get("/admin/servers?show=failing")).main_text
    assert "far.example" not in (await admin.get("/admin/servers?q=Löud.example")).main_text

    seen = await admin.post("/admin/servers", {"domain": " FAR.example. "})
    assert seen.path == "/admin/servers/far.example"
    assert "Rita <b>" in seen.main_text
    assert "removes 1 follow between" in seen.main_text
    form = {
        "strength": "suspend",
        "rejects_reports": "1",
        "is_obfuscated": "1",
        "public_comment": "Too <loud>",
        "private_comment": "Ask kim",
    }
    seen = await admin.post("/admin/servers/far.example/rule", form)
    assert "Saved." in seen.main_text
    rule = await node.db.read(domain_rules.by_domain, "far.example")
    assert rule is not None
    assert (rule.strength, rule.rejects_media, rule.rejects_reports) == ("suspend", False, True)
    assert seen.one("input", name="strength", value="suspend").attributes.get("checked") == ""
    assert "Ask kim" in (await admin.get("/admin/servers?show=rules")).main_text
    assert "from the rule for far.example" in (await admin.get("/admin/servers/a.far.example")).main_text

    about = await anybody.get("/about")
    assert "Too <loud>" in about.main_text
    assert "fa*.*****le" in about.main_text
    assert "Ask kim" not in about.text
    assert "far.example" not in about.text

    seen = await admin.post("/admin/servers/far.example/lift")
    assert "Rule removed." in seen.main_text
    assert await rules(node.db) == {}
    log = await admin.get("/admin/log")
    assert "aliceremoved a server rulefar.example" in log.main_text
    assert "alicechanged a server rulefar.examplesuspend reports" in log.main_text


@pytest.mark.parametrize("path", ["/admin/servers", "/admin/lists", "/admin/log"])
async def test_every_server_page_is_for_staff_only(path: str, bob: Account, signed_in: SignedIn) -> None:
    assert (await (await signed_in(bob)).get(path)).status == 404


async def test_a_moderator_reads_and_an_admin_changes_rules(
    node: Node, bob: Account, mallory: Account, signed_in: SignedIn
) -> None:
    await node.db.write(domain_rules.block, "far.example", "Loud")
    of = await node.db.write(block_lists.subscribe, "https://lists.example/x.csv")
    moderator = await signed_in(bob, role="moderator")
    for path in ("/admin/servers", "/admin/servers/far.example", "/admin/lists", f"/admin/lists/{of.id}"):
        seen = await moderator.get(path)
        assert seen.status == 200
        assert not [
            one
            for one in seen.all("form")
            if one.attributes.get("method") == "post" and "/rule" in one.attributes["action"]
        ]
    for path, form in (
        ("/admin/servers/far.example/lift", {}),
        ("/admin/servers/far.example/rule", {"strength": "none"}),
        ("/admin/lists/follow", {"url": "https://a.example/x"}),
        (f"/admin/lists/{of.id}/leave", {}),
        ("/admin/lists/exclude", {"domain": "a.example"}),
    ):
        for visitor in (moderator, await signed_in(mallory)):
            assert (await visitor.post(path, form)).status == 403
    assert await rules(node.db) == {"far.example": "suspend"}


@pytest.mark.parametrize("name", ["", "tintype.test", "a b", "x@y.example", "../../etc"])
async def test_an_invalid_domain_is_refused_with_a_message(admin: Visitor, name: str) -> None:
    seen = await admin.post("/admin/servers", {"domain": name})
    assert seen.status == 422
    assert "." in seen.main_text


async def test_an_imported_file_is_shown_before_it_is_applied(
    node: Node, alice: Account, admin: Visitor
) -> None:
    rita = await node.db.write(remote, "rita", "far.example")
    await node.db.write(follow, alice, rita)
    data = b"\xef\xbb\xbf#domain,#severity,#public_comment\r\nfar.example,suspend,\r\nloud.example,silence,<b>Loud\r\ncom,suspend,\r\n"
    seen = await admin.post("/admin/lists/import", files=[("file", "../blocks.csv", data)])
    assert seen.status == 200
    assert "top-level domain" in seen.main_text
    assert "<b>Loud" in seen.main_text
    boxes = {
        one.attributes["value"]: "checked" in one.attributes
        for one in seen.all("input", type="checkbox", name="domain")
    }
    assert boxes == {"far.example": False, "loud.example": True}
    assert await rules(node.db) == {}

    path = seen.path.partition("?")[0]
    seen = await admin.post(f"{path}/accept", {"domain": "loud.example"})
    assert await rules(node.db) == {"loud.example": "limit"}
    seen = await admin.post(f"{path}/decline", {"domain": "far.example"})
    assert seen.path.startswith("/admin/lists?")
    assert await node.db.read(block_lists.all_lists) == []

    export = await admin.get("/admin/lists/blocks.csv")
    assert export.headers["content-type"].startswith("text/csv")
    assert "attachment" in export.headers["content-disposition"]
    assert export.text.splitlines() == [
        "#domain,#severity,#reject_media,#reject_reports,#public_comment,#obfuscate",
        "loud.example,silence,false,false,<b>Loud,false",
    ]


@pytest.mark.parametrize("data", [b"", b"<html>", b"\xff" * 100, b"a" * 2_200_000])
async def test_a_file_that_is_no_list_is_refused(admin: Visitor, data: bytes) -> None:
    await admin.get("/admin/lists")
    assert (await admin.post("/admin/lists/import", files=[("file", "x.csv", data)])).status == 422


async def test_lists_are_subscribed_changed_and_unsubscribed(node: Node, admin: Visitor) -> None:
    await admin.get("/admin/lists")
    seen = await admin.post("/admin/lists/follow", {"url": "http://lists.example/x.csv"})
    assert seen.status == 422
    await admin.get("/admin/lists")
    seen = await admin.post(
        "/admin/lists/follow",
        {"url": "https://lists.example/x.csv", "title": "Worst <1>", "strength": "limit"},
    )
    assert "Worst <1>" in seen.main_text
    (of,) = await node.db.read(block_lists.all_lists)
    assert (of.is_automatic, of.strength) == (False, "limit")
    await admin.get(f"/admin/lists/{of.id}")
    await admin.post(
        f"/admin/lists/{of.id}/change", {"title": "Best", "is_automatic": "1", "strength": "suspend"}
    )
    (of,) = await node.db.read(block_lists.all_lists)
    assert (of.title, of.is_automatic, of.strength) == ("Best", True, "suspend")
    assert (await admin.post(f"/admin/lists/{of.id}/fetch")).status == 200
    await admin.post(f"/admin/lists/{of.id}/leave")
    assert await node.db.read(block_lists.all_lists) == []


async def test_exclusions_are_added_and_removed(node: Node, admin: Visitor) -> None:
    await admin.get("/admin/lists")
    seen = await admin.post("/admin/lists/exclude", {"domain": "Good.example", "comment": "friends"})
    assert "friends" in seen.main_text
    assert [one.domain for one in await node.db.read(domain_exclusions.all_exclusions)] == ["good.example"]
    await admin.post("/admin/lists/include", {"domain": "good.example"})
    assert await node.db.read(domain_exclusions.all_exclusions) == []


async def test_the_allow_list_is_managed_on_the_pages_of_servers(node: Node, admin: Visitor) -> None:
    await admin.get("/admin/servers/far.example")
    await admin.post("/admin/servers/far.example/allow")
    assert "far.example" in (await admin.get("/admin/servers?show=allowed")).main_text
    assert (await admin.get("/admin/lists/allowed.csv")).text == "#domain\nfar.example\n"
    await admin.get("/admin/servers/far.example")
    await admin.post("/admin/servers/far.example/disallow")
    assert await node.db.read(domain_rules.allow_list) == []


async def test_a_server_that_was_never_contacted_is_not_called_reachable(node: Node, admin: Visitor) -> None:
    assert "not contacted yet" in (await admin.get("/admin/servers/far.example")).main_text
    await node.db.write(remote, "rita", "far.example")
    assert "not contacted yet" not in (await admin.get("/admin/servers/far.example")).main_text


async def test_posts_of_a_server_with_rejected_media_keep_their_text(
    node: Node, alice: Account, signed_in: SignedIn
) -> None:
    rita = await node.db.write(remote, "rita", "far.example", avatar_url="https://far.example/a.png")
    post = await node.db.write(receive_post, rita, photos=[picture("lake")], html="<p>At the lake</p>")
    await node.db.write(domain_rules.block, "far.example", strength="none", rejects_media=True)
    visitor = await signed_in(alice)

    for path in (f"/posts/{post.id}", "/@rita@far.example"):
        seen = await visitor.get(path)
        assert "photo lake" in seen.main_text
        assert "/media/remote/" not in seen.text
        assert f"/media/avatar/{rita.id}" not in seen.text


@pytest.mark.parametrize("role", ["user", "moderator"])
async def test_a_file_is_imported_for_admins_only_before_it_is_parsed(
    node: Node, bob: Account, signed_in: SignedIn, role: str
) -> None:
    visitor = await signed_in(bob, role)
    # An admin would be told what is wrong with it.
    seen = await visitor.post("/admin/lists/import", files=[("file", "x.csv", b"\xff\xfe nonsense")])
    assert seen.status == 403
    assert await node.db.read(block_lists.all_lists) == []
