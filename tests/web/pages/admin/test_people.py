"""The page of an account for staff: how a suspension ends, for people of this node and of others."""

from __future__ import annotations

import pytest

from node.accounts import accounts
from node.admin import account_actions, reports
from node.database import Writer
from node.models.account import Account
from node.moderation import domain_rules
from node.node import Node
from tests.support.people import remote
from tests.support.visitors import Visitor
from tests.web.pages.conftest import SignedIn


@pytest.fixture
async def admin(alice: Account, signed_in: SignedIn) -> Visitor:
    return await signed_in(alice, role="admin")


@pytest.fixture
async def rita(node: Node, alice: Account, bob: Account, admin: Visitor) -> Account:
    """Of another server, reported by bob and suspended by alice."""

    def unit(tx: Writer) -> Account:
        rita = remote(tx, "rita", "far.example")
        reports.report(tx, bob, rita, comment="Loud")
        account_actions.suspend(tx, alice, rita)
        return rita

    return await node.db.write(unit)


async def is_suspended(node: Node, account: Account) -> bool:
    return (await node.db.read(accounts.get, account.id)).suspended_at is not None


@pytest.mark.parametrize(
    "start", ["/admin/people?q=rita", "/admin/people?q=@Rita@far.example", "/admin/servers/far.example"]
)
async def test_a_suspended_remote_account_is_found_and_unsuspended(
    node: Node, admin: Visitor, rita: Account, start: str
) -> None:
    assert "Suspended" in (await admin.get(start)).main_text
    assert admin.page is not None
    path = admin.page.one("a", href=f"/admin/people/{rita.id}").attributes["href"]
    seen = await admin.get(path)
    assert "@rita@far.example" in seen.main_text
    assert seen.all("button", formaction=f"{path}/unsuspend")
    assert not seen.all("a", href="/@rita@far.example")

    seen = await admin.post(f"{path}/unsuspend")

    assert "Account unsuspended." in seen.main_text
    assert seen.all("a", href="/@rita@far.example")
    assert not await is_suspended(node, rita)


async def test_a_report_leads_back_from_a_suspension(node: Node, admin: Visitor, rita: Account) -> None:
    seen = await admin.get("/admin/reports?show=closed")
    [path] = [
        one.attributes["href"]
        for one in seen.all("a")
        if one.attributes["href"].startswith("/admin/reports/")
    ]
    seen = await admin.get(path)
    assert seen.all("button", formaction=f"{path}/unsuspend")
    assert not seen.all("button", formaction=f"{path}/suspend")

    seen = await admin.post(f"{path}/unsuspend")

    assert "Account unsuspended." in seen.main_text
    assert seen.all("button", formaction=f"{path}/suspend")
    assert not await is_suspended(node, rita)


async def test_staff_who_open_a_suspended_profile_get_its_page_for_staff(
    admin: Visitor, rita: Account, bob: Account, signed_in: SignedIn, anybody: Visitor
) -> None:
    assert (await admin.get("/@rita@far.example")).path == f"/admin/people/{rita.id}"
    for visitor in (anybody, await signed_in(bob)):
        assert (await visitor.get("/@rita@far.example")).status == 404
        assert (await visitor.get(f"/admin/people/{rita.id}")).path != f"/admin/people/{rita.id}" or (
            visitor.page is not None and visitor.page.status == 404
        )
    assert (await admin.get("/@nobody@far.example")).status == 404


async def test_an_account_that_is_suspended_with_its_server_is_not_unsuspended_by_itself(
    node: Node, admin: Visitor
) -> None:
    kim = await node.db.write(remote, "kim", "loud.example")
    await node.db.write(domain_rules.block, "loud.example")

    seen = await admin.get(f"/admin/people/{kim.id}")

    assert "suspended with its server" in seen.main_text
    assert not seen.all("button", formaction=f"/admin/people/{kim.id}/unsuspend")
    assert seen.all("a", href="/admin/servers/loud.example")


async def test_a_search_that_finds_nobody_says_so(admin: Visitor) -> None:
    assert "Nobody found." in (await admin.get("/admin/people?q=xyzzy")).main_text


async def test_a_profile_leads_staff_to_its_page_for_them(
    bob: Account, admin: Visitor, signed_in: SignedIn
) -> None:
    path = f"/admin/people/{bob.id}"
    await signed_in(bob)

    assert (await admin.get("/@bob")).all("a", href=path)
    assert (await admin.get(path)).all("button", formaction=f"{path}/suspend")
    assert not (await (await signed_in(bob)).get("/@alice")).all("a", href=path)
