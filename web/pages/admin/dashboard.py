"""Admin pages: accounts, sign-ups, and failed deliveries."""

from __future__ import annotations

from typing import Any

from quart import Blueprint, Response, request

from node.accounts import accounts
from node.admin import account_actions
from node.auth import users
from node.database import Reader, Writer
from node.errors import NotFound
from node.federation import deliveries, delivery_reports, server_availability
from node.federation.server_availability import ServerAvailability
from node.ids import now_ms
from node.jobs import job_statistics
from node.models.account import Account
from node.moderation import audit_log
from node.paging import Page
from web.html.lists import requested_page
from web.html.templates import render_page
from web.i18n.translations import _
from web.request import context
from web.request.redirects import see_other

blueprint = Blueprint("admin", __name__, url_prefix="/admin")

ROWS_PER_PAGE = 40
MONTH_MS = 30 * 24 * 3600 * 1000


def _saved_message() -> str:
    return {
        "role": _("Role changed."),
        "suspend": _("Account suspended. Their profile and posts are hidden."),
        "unsuspend": _("Account unsuspended."),
        "approve": _("Sign-up approved."),
        "reject": _("Sign-up rejected."),
        "again": _("It will be tried again."),
        "wake": _("Trying now."),
        "forget": _("Pending deliveries to that server were stopped."),
    }.get(request.args.get("done", ""), "")


async def _render_tab(tab: str, **context: Any) -> Response:
    return await render_page(
        f"admin/{tab.replace('-', '_')}.html", tab=f"/admin/{tab}", saved=_saved_message(), **context
    )


def _load_people(tx: Reader, account: Account, page: Page, q: str) -> dict[str, Any]:
    found = users.list_users(tx, page, query=q)
    return {
        "people": found,
        "older": found[-1].account.id if len(found) >= page.limit else None,
        "counts": users.counts_by_state(tx),
        "active": users.count_active_since(tx, now_ms() - MONTH_MS),
    }


@blueprint.get("/people")
async def show_people() -> Response:
    q = request.args.get("q", "")[:100]
    found = await context.read_as_staff(_load_people, requested_page(ROWS_PER_PAGE), q)
    roles = [("user", _("Member")), ("moderator", _("Moderator")), ("admin", _("Admin"))]
    return await _render_tab("people", q=q, roles=roles, **found)


def _set_role(tx: Writer, account: Account, account_id: int, role: str) -> None:
    users.set_role(tx, account, accounts.get(tx, account_id), role)


@blueprint.post("/people/<int:account_id>/role")
async def set_role(account_id: int) -> Response:
    await context.write_as_staff(_set_role, account_id, (await request.form).get("role", ""))
    return see_other("/admin/people?done=role")


def _moderate(tx: Writer, account: Account, account_id: int, action: str) -> None:
    actions = {
        "suspend": account_actions.suspend,
        "unsuspend": account_actions.unsuspend,
        "approve": users.approve,
        "reject": users.reject,
    }
    actions[action](tx, account, accounts.get(tx, account_id))


@blueprint.post("/people/<int:account_id>/<any(suspend, unsuspend):action>")
async def moderate_account(account_id: int, action: str) -> Response:
    await context.write_as_staff(_moderate, account_id, action)
    return see_other(f"/admin/people?done={action}")


def _pending_users(tx: Reader, account: Account) -> list[users.UserWithAccount]:
    return users.list_users(tx, Page(limit=80), state="pending")


@blueprint.get("/sign-ups")
async def show_sign_ups() -> Response:
    return await _render_tab("sign-ups", people=await context.read_as_staff(_pending_users))


@blueprint.post("/sign-ups/<int:account_id>/<any(approve, reject):action>")
async def decide_sign_up(account_id: int, action: str) -> Response:
    await context.write_as_staff(_moderate, account_id, action)
    return see_other(f"/admin/sign-ups?done={action}")


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
    return await _render_tab("deliveries", states=states, **await context.read_as_staff(_load_deliveries))


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
