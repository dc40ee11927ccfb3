"""The page of jobs: every kind has a name, and what is planned for later does not wait."""

from __future__ import annotations

from node.database import Writer
from node.ids import now_ms
from node.jobs import queue
from node.models.account import Account
from node.node import Node
from tests.web.pages.conftest import SignedIn
from web import wiring
from web.pages.admin import jobs


async def test_every_kind_of_job_has_a_name(node: Node) -> None:
    assert set(jobs.kind_names()) == set(wiring.JOB_HANDLERS)


async def test_a_job_of_next_month_is_scheduled_and_not_waiting(
    node: Node, alice: Account, signed_in: SignedIn
) -> None:
    def plan(tx: Writer) -> None:
        queue.add(tx, "publish_scheduled", {}, run_at=now_ms() + 24 * 24 * 3_600_000)

    await node.db.write(plan)
    admin = await signed_in(alice, role="admin")

    seen = await admin.get("/admin/jobs")

    [row] = [one.text for one in seen.all("tr") if "Publishing scheduled posts" in one.text]
    # One is scheduled; none is pending, running or failed, and none is old.
    assert row.split("Publishing scheduled posts")[1] == "0100"
    assert "publish_scheduled" not in seen.text
