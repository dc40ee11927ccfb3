"""The admin page of deliveries: which servers fail, and what is done about them."""

from __future__ import annotations

from typing import Any

from quart import Blueprint, Response, request

from node.database import Reader, Writer
from node.errors import NotFound
from node.federation import deliveries, delivery_reports, server_availability
from node.federation.server_availability import ServerAvailability
from node.jobs import job_statistics
from node.models.account import Account
from node.moderation import audit_log
from web.html.templates import render_page
from web.i18n.translations import _
from web.request import context
from web.request.redirects import see_other

blueprint = Blueprint("deliveries", __name__, url_prefix="/admin")

ROWS_PER_PAGE = 40


def _saved_message() -> str:
    return {
        "again": _("It will be tried again."),
        "wake": _("Trying now."),
        "forget": _("Pending deliveries to that server were stopped."),
    }.get(request.args.get("done", ""), "")


def _failing_servers(tx: Reader) -> list[tuple[ServerAvailability, dict[str, int]]]:
    found = server_availability.failing(tx, limit=ROWS_PER_PAGE)
    states = delivery_reports.counts_by_host(tx, [one.host for one in found])
    return [(one, states.get(one.host, {})) for one in found]


def _load_deliveries(tx: Reader, account: Account) -> dict[str, Any]:
    return {
        "totals": delivery_reports.counts_by_state(tx),
        "lanes": job_statistics.longest_lanes(tx, 20),
        "failing": _failing_servers(tx),
        "unfinished": delivery_reports.undelivered(tx),
    }


@blueprint.get("/deliveries")
async def show_deliveries() -> Response:
    states = {"waiting": _("Trying again"), "failed": _("Failed"), "gone": _("Recipient gone")}
    return await render_page(
        "admin/deliveries.html",
        tab="/admin/deliveries",
        saved=_saved_message(),
        states=states,
        **await context.read_as_staff(_load_deliveries),
    )


def _manage_server(tx: Writer, account: Account, host: str, action: str) -> None:
    if action == "wake":
        server_availability.retry_now(tx, host)
    elif action == "again":
        deliveries.retry_host(tx, host)
        server_availability.retry_now(tx, host)
    else:
        deliveries.give_up_host(tx, host, "given up by an admin")
        server_availability.reset(tx, host)
    audit_log.record(tx, account, f"deliveries.{action}", host)


@blueprint.post("/deliveries/<any(wake, again, forget):action>")
async def manage_server(action: str) -> Response:
    host = (await request.form).get("host", "")[:300]
    if not host:
        raise NotFound
    await context.write_as_staff(_manage_server, host, action)
    return see_other(f"/admin/deliveries?done={action}")
