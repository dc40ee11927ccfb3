"""Admin pages of people: those of this node, the sign-ups that wait, and the page of one account of any server."""

from __future__ import annotations

from typing import Any

from quart import Blueprint, Response, request

from node.accounts import accounts
from node.admin import account_actions, server_directory
from node.admin.server_directory import AccountDetails
from node.auth import users
from node.database import Reader, Writer
from node.errors import Invalid, NotAllowed, NotFound, Refused
from node.ids import now_ms
from node.models.account import Account
from node.paging import Page
from web.html.lists import requested_page
from web.html.templates import render_page
from web.i18n.translations import _, gettext
from web.request import context
from web.request.redirects import see_other

blueprint = Blueprint("people", __name__, url_prefix="/admin")

ROWS_PER_PAGE = 40
MONTH_MS = 30 * 24 * 3600 * 1000


def _saved_message() -> str:
    return {
        "role": _("Role changed."),
        "suspend": _("Account suspended. Their profile and posts are hidden."),
        "unsuspend": _("Account unsuspended."),
        "approve": _("Sign-up approved."),
        "reject": _("Sign-up rejected."),
    }.get(request.args.get("done", ""), "")


async def _render_tab(tab: str, **shown: Any) -> Response:
    name = tab.replace("-", "_")
    return await render_page(f"admin/{name}.html", tab=f"/admin/{tab}", saved=_saved_message(), **shown)


def _load_people(tx: Reader, account: Account, page: Page, q: str) -> dict[str, Any]:
    found = users.list_users(tx, page, query=q)
    return {
        "people": found,
        "remote": server_directory.accounts_by_name(tx, q) if not page.max_id else [],
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


def _load_account(tx: Reader, moderator: Account, account_id: int) -> AccountDetails:
    return server_directory.account_details(tx, account_id)


@blueprint.get("/people/<int:account_id>")
async def show_account(account_id: int) -> Response:
    return await _render_account(account_id)


async def _render_account(account_id: int, refused: Refused | None = None) -> Response:
    """Renders the page of an account, with why an action on it was refused, if one was."""
    found = await context.read_as_staff(_load_account, account_id)
    response = await render_page(
        "admin/account.html",
        tab="/admin/people",
        saved=_saved_message(),
        problem=gettext(refused.message) if refused is not None else "",
        details=found,
        account=found.account,
    )
    response.status_code = refused.status if refused is not None else 200
    return response


def _set_role(tx: Writer, account: Account, account_id: int, role: str) -> None:
    users.set_role(tx, account, accounts.get(tx, account_id), role)


@blueprint.post("/people/<int:account_id>/role")
async def set_role(account_id: int) -> Response:
    try:
        await context.write_as_staff(_set_role, account_id, (await request.form).get("role", ""))
    except (Invalid, NotAllowed) as refused:
        return await _render_account(account_id, refused)
    return see_other("/admin/people?done=role")


def _moderate(tx: Writer, account: Account, account_id: int, action: str) -> None:
    change = account_actions.suspend if action == "suspend" else account_actions.unsuspend
    change(tx, account, accounts.get(tx, account_id))


@blueprint.post("/people/<int:account_id>/<any(suspend, unsuspend):action>")
async def moderate_account(account_id: int, action: str) -> Response:
    try:
        await context.write_as_staff(_moderate, account_id, action)
    except NotAllowed as refused:
        return await _render_account(account_id, refused)
    return see_other(f"/admin/people/{account_id}?done={action}")


def _decide(tx: Writer, account: Account, account_id: int, action: str, reason: str) -> None:
    target = accounts.get(tx, account_id)
    if action == "approve":
        users.approve(tx, account, target)
    else:
        users.reject(tx, account, target, reason)


def _pending_users(tx: Reader, account: Account) -> list[users.UserWithAccount]:
    return users.list_users(tx, Page(limit=80), state="pending")


@blueprint.get("/sign-ups")
async def show_sign_ups() -> Response:
    return await _render_sign_ups()


async def _render_sign_ups(refused: Refused | None = None) -> Response:
    """Renders the sign-ups that wait, with why one could not be decided, such as that a colleague has done it."""
    pending = await context.read_as_staff(_pending_users)
    problem = gettext(refused.message) if refused is not None else ""
    response = await _render_tab("sign-ups", people=pending, problem=problem)
    response.status_code = refused.status if refused is not None else 200
    return response


@blueprint.post("/sign-ups/<int:account_id>/<any(approve, reject):action>")
async def decide_sign_up(account_id: int, action: str) -> Response:
    try:
        reason = (await request.form).get("reason", "")
        await context.write_as_staff(_decide, account_id, action, reason)
    except (NotAllowed, NotFound) as refused:
        return await _render_sign_ups(refused)
    return see_other(f"/admin/sign-ups?done={action}")
