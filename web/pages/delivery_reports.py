"""The delivery reports of a post for its author, server by server, with a button to retry. Deleted posts too."""

from __future__ import annotations

from dataclasses import dataclass

from quart import Blueprint, Response, request

from node.database import Reader, Writer
from node.errors import NotFound
from node.federation import delivery_reports
from node.federation.delivery_reports import DeliveryReport, ServerDelivery
from node.ids import parse_id
from node.models.account import Account
from node.paging import Page
from node.posts import posts
from web.html.lists import requested_page
from web.html.templates import render_page
from web.i18n.translations import _
from web.pages.settings import render_tab
from web.request import context
from web.request.redirects import see_other

blueprint = Blueprint("delivery_reports", __name__)

ROWS_PER_PAGE = 40
MAX_OFFSET = 1_000_000
SERVERS_PER_PAGE = 200
"""Servers of one activity on one page: pending and failed deliveries come first."""


@dataclass(frozen=True, slots=True)
class DeliveryReportPage:
    """The activities about one post, newest first, and the delivery of each to every server.

    With a single activity, `offset` is the position of the first server that is listed.
    """

    activities: list[tuple[DeliveryReport, list[ServerDelivery]]]
    is_deleted: bool
    offset: int = 0


def _load_report(
    tx: Reader, account: Account, post_id: int, activity_id: int | None, offset: int
) -> DeliveryReportPage:
    reports = delivery_reports.by_post(tx, account, post_id)
    if activity_id is not None:
        reports = [one for one in reports if one.id == activity_id]
        if not reports:
            raise NotFound
    servers = delivery_reports.server_deliveries(tx, [one.id for one in reports])
    post = posts.by_id(tx, post_id)
    return DeliveryReportPage(
        [(one, servers.get(one.id, [])[offset : offset + SERVERS_PER_PAGE]) for one in reports],
        post is None or post.deleted_at is not None,
        offset,
    )


def failure_reason(server: ServerDelivery) -> str:
    """Returns why a delivery failed, in words for users;
    the log and the admin pages have the server's own message."""
    match server.status:
        case None:
            return _("The server does not respond.")
        case 401 | 403:
            return _("The server refused it.")
        case 404 | 410:
            return _("The recipient no longer exists.")
        case 429:
            return _("The server asks us to slow down.")
        case status if status >= 500:
            return _("The server has an error.")
        case _:
            return _("The server rejected it.")


@blueprint.get("/posts/<int:post_id>/ledger")
async def show_report(post_id: int) -> Response:
    activity_id = parse_id(request.args.get("of", ""))
    offset = min(parse_id(request.args.get("from", "")) or 0, MAX_OFFSET) if activity_id is not None else 0
    loaded = await context.read_signed_in(_load_report, post_id, activity_id, offset)
    verbs = {"Create": _("Post published"), "Update": _("Post edited"), "Delete": _("Post deleted")}
    states = {
        "waiting": _("Pending"),
        "delivered": _("Delivered"),
        "failed": _("Failed"),
        "gone": _("Recipient gone"),
    }
    is_retried = request.args.get("done") == "again"
    return await render_page(
        "posts/delivery_report.html",
        post_id=post_id,
        report_page=loaded,
        servers_per_page=SERVERS_PER_PAGE,
        verbs=verbs,
        states=states,
        reason=failure_reason,
        saved=_("Trying again.") if is_retried else "",
    )


def _retry_delivery(tx: Writer, account: Account, post_id: int, host: str) -> int:
    return delivery_reports.retry_undelivered(tx, account, post_id, host or None)


@blueprint.post("/posts/<int:post_id>/ledger/again")
async def retry_delivery(post_id: int) -> Response:
    account = await context.require_account()
    await context.limit_rate(f"ledger {account.id}", max_attempts=30, seconds=600)
    await context.write(_retry_delivery, post_id, (await request.form).get("host", "")[:300])
    return see_other(f"/posts/{post_id}/ledger?done=again")


def _load_deleted(tx: Reader, account: Account, page: Page) -> list[DeliveryReport]:
    return delivery_reports.deletions(tx, account, page)


@blueprint.get("/settings/deleted")
async def show_deleted() -> Response:
    page = requested_page(ROWS_PER_PAGE)
    loaded = await context.read_signed_in(_load_deleted, page)
    older = loaded[-1].id if len(loaded) >= page.limit else None
    return await render_tab("settings/deleted_posts.html", "deleted", reports=loaded, older=older)
