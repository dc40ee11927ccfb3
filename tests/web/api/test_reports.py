"""Reports from an app."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from node.admin import reports
from node.models.account import Account
from node.node import Node
from node.paging import Page
from tests.web.api.conftest import App

Post = Callable[..., Awaitable[Any]]


async def test_a_report_reaches_the_moderators(
    node: Node, app: App, post: Post, alice: Account, mallory: Account
) -> None:
    bad = await post(mallory, "Bad")
    hers = await app(alice)
    reply = await hers.post(
        "/api/v1/reports",
        sent={
            "account_id": str(mallory.id),
            "status_ids": [bad["id"]],
            "comment": "Look",
            "category": "spam",
            "forward": True,
        },
    )
    assert reply.status == 200
    made = reply.json
    assert made["status_ids"] == [bad["id"]]
    assert (made["category"], made["comment"], made["forwarded"]) == ("spam", "Look", False)
    assert made["target_account"]["acct"] == "mallory"
    assert [one.report.words for one in await node.db.read(reports.page, Page())] == ["Look"]
    assert (await hers.post("/api/v1/reports", sent={"account_id": "1"})).status == 404
    assert (await hers.post("/api/v1/reports", sent={"account_id": str(alice.id)})).status == 422
    reader = await app(alice, "read")
    assert (await reader.post("/api/v1/reports", sent={"account_id": str(mallory.id)})).status == 403
