"""Reporting an account with a plain form, and how moderators resolve the report."""

from __future__ import annotations

import dataclasses

import pytest

from node.admin import reports
from node.models.account import Account
from node.node import Node
from node.paging import Page
from tests.support.people import remote
from tests.support.visitors import Visitor, sign_in
from tests.web.pages.conftest import Publish, SignedIn


async def test_a_post_is_reported_and_the_report_resolved(
    node: Node,
    alice: Account,
    bob: Account,
    mallory: Account,
    publish: Publish,
    signed_in: SignedIn,
    anybody: Visitor,
) -> None:
    bad, other = await publish(mallory, "Bad <b>words</b>"), await publish(mallory, "Other")
    hers = await signed_in(alice)
    seen = await hers.get(f"/p/mallory/{bad.id}")
    seen = await hers.get(seen.one("a", href=f"/report?post={bad.id}").attributes["href"])
    picked = [box for box in seen.all("input", name="posts") if "checked" in box.attributes]
    assert [box.attributes["value"] for box in picked] == [str(bad.id)]
    assert seen.one("input", name="posts", value=str(other.id))
    assert "Forward to" not in seen.main_text
    values = {"person": str(mallory.id), "posts": str(bad.id), "category": "violation"}
    refused = await hers.post("/report", {**values, "words": "x" * 1001})
    assert refused.status == 422
    assert "1000 characters" in refused.main_text
    seen = await hers.post("/report", {**values, "words": "<script>Look</script>\nthere"})
    assert "Thank you" in seen.main_text

    his = await signed_in(bob, "moderator")
    seen = await his.get("/admin/reports")
    assert "Reports (1)" in seen.main_text
    (case,) = await node.db.read(reports.page, Page())
    seen = await his.get(f"/admin/reports/{case.report.id}")
    assert "<script>Look" in seen.main_text
    assert "Bad <b>words</b>" in seen.main_text
    await his.post(f"/admin/reports/{case.report.id}/delete", {"post": str(bad.id)})
    assert (await anybody.get(f"/p/mallory/{bad.id}")).status == 410
    seen = await his.post(f"/admin/reports/{case.report.id}/close")
    assert "Report resolved." in seen.main_text
    assert "resolved by bob" in (await his.get("/admin/reports?show=closed")).main_text
    assert "resolved a report about" in (await his.get("/admin/log")).main_text


async def test_a_report_can_be_forwarded_to_a_remote_server(
    node: Node, alice: Account, signed_in: SignedIn
) -> None:
    rita = await node.db.write(remote)
    hers = await signed_in(alice)
    profile = await hers.get("/@rita@far.example")
    seen = await hers.get(profile.one("a", href=f"/report?person={rita.id}").attributes["href"])
    assert "Forward to far.example" in seen.main_text
    await hers.post("/report", {"person": str(rita.id), "category": "spam", "words": "", "forward": "1"})
    assert await node.db.read(lambda tx: tx.value("SELECT verb FROM outbox")) == "Flag"


@pytest.mark.parametrize("rules", [(), ("No nudity",)])
async def test_a_report_begins_without_a_reason_and_offers_only_rules_that_there_are(
    node: Node, alice: Account, mallory: Account, rules: tuple[str, ...]
) -> None:
    options = dataclasses.replace(node.config, node=dataclasses.replace(node.config.node, rules=rules))
    hers = await sign_in(dataclasses.replace(node, config=options), alice)

    seen = await hers.get(f"/report?person={mallory.id}")
    reasons = seen.all("input", name="category")
    assert all("required" in one.attributes and "checked" not in one.attributes for one in reasons)
    assert ("violation" in [one.attributes["value"] for one in reasons]) == bool(rules)

    seen = await hers.post("/report", {"person": str(mallory.id), "words": "Look"})
    assert (seen.status, "Please select a reason." in seen.main_text) == (422, True)
    assert seen.one("textarea", name="words").text == "Look"
    assert await node.db.read(reports.count_open) == 0


async def test_reports_are_shown_to_staff_only(
    alice: Account, mallory: Account, signed_in: SignedIn, anybody: Visitor
) -> None:
    hers = await signed_in(alice)
    assert (await hers.get("/admin/reports")).status == 404
    assert (await hers.post("/admin/reports/1/suspend")).status in (403, 404)
    assert (await hers.get(f"/report?person={alice.id}")).status == 404
    assert (await hers.get("/report")).status == 404
    assert "Sign in" in (await anybody.get(f"/report?person={mallory.id}")).main_text
