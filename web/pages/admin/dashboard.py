"""For those who run the node: its people, who wants to join, what it does, and what has not arrived."""

from __future__ import annotations

from typing import Any

from quart import Blueprint, Response, request

from node.accounts import accounts
from node.admin import account_actions
from node.attachments import media_cache
from node.attachments.media_cache import Room
from node.auth import users
from node.database import Reader, Writer
from node.errors import NotFound
from node.federation import deliveries, server_availability
from node.federation.server_availability import Host
from node.ids import now_ms, read_id
from node.jobs import queue
from node.models.account import Account
from node.moderation import audit_log
from node.paging import Page
from web.html import helpers
from web.html.lists import paging
from web.html.templates import page
from web.i18n.translations import _
from web.request import context
from web.request.redirects import go

blueprint = Blueprint("admin", __name__, url_prefix="/admin")

ROWS = 40
MONTH = 30 * 24 * 3600 * 1000


def _saved() -> str:
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


async def _page(tab: str, **context: Any) -> Response:
    return await page(f"admin/{tab.replace('-', '_')}.html", tab=f"/admin/{tab}", saved=_saved(), **context)


def _people(tx: Reader, who: Account, part: Page, q: str) -> dict[str, Any]:
    found = users.list_people(tx, part, query=q)
    return {
        "people": found,
        "older": found[-1].account.id if len(found) >= part.limit else None,
        "counts": users.counts(tx),
        "active": users.active_since(tx, now_ms() - MONTH),
    }


@blueprint.get("/people")
async def people() -> Response:
    q = request.args.get("q", "")[:100]
    found = await context.look_as_staff(_people, paging(ROWS), q)
    roles = [("user", _("Member")), ("moderator", _("Moderator")), ("admin", _("Admin"))]
    return await _page("people", q=q, roles=roles, **found)


def _role(tx: Writer, who: Account, account_id: int, role: str) -> None:
    users.set_role(tx, who, accounts.get(tx, account_id), role)


@blueprint.post("/people/<int:account_id>/role")
async def role(account_id: int) -> Response:
    await context.act_as_staff(_role, account_id, (await request.form).get("role", ""))
    return go("/admin/people?done=role")


def _judge(tx: Writer, who: Account, account_id: int, deed: str) -> None:
    deeds = {
        "suspend": account_actions.suspend,
        "unsuspend": account_actions.unsuspend,
        "approve": users.approve,
        "reject": users.reject,
    }
    deeds[deed](tx, who, accounts.get(tx, account_id))


@blueprint.post("/people/<int:account_id>/<any(suspend, unsuspend):deed>")
async def judge(account_id: int, deed: str) -> Response:
    await context.act_as_staff(_judge, account_id, deed)
    return go(f"/admin/people?done={deed}")


def _waiting(tx: Reader, who: Account) -> list[users.Person]:
    return users.list_people(tx, Page(limit=80), state="pending")


@blueprint.get("/sign-ups")
async def sign_ups() -> Response:
    return await _page("sign-ups", people=await context.look_as_staff(_waiting))


@blueprint.post("/sign-ups/<int:account_id>/<any(approve, reject):deed>")
async def answer(account_id: int, deed: str) -> Response:
    await context.act_as_staff(_judge, account_id, deed)
    return go(f"/admin/sign-ups?done={deed}")


def _jobs(tx: Reader, who: Account) -> dict[str, Any]:
    return {"stats": queue.stats(tx), "failures": queue.failures(tx), "cache": media_cache.sizes(tx)}


@blueprint.get("/jobs")
async def work() -> Response:
    names = {
        "fan_out": _("Preparing deliveries"),
        "deliver": _("Delivering to other servers"),
        "receive": _("Processing incoming activities"),
        "fetch": _("Fetching mentioned posts and accounts"),
        "refresh_actor": _("Refreshing remote profiles"),
        "read_featured": _("Fetching pinned posts of remote accounts"),
        "check_move": _("Verifying account migrations"),
        "carry_over": _("Moving followers to new accounts"),
        "render_photo": _("Processing photos"),
        "fetch_avatar": _("Fetching remote avatars"),
        "trim_cache": _("Cleaning up cached remote media"),
        "delete_files": _("Deleting unused files"),
        "forget_person": _("Deleting posts of deleted accounts"),
        "clean_up": _("Daily clean-up"),
    }
    room = context.node().part(Room).bytes
    return await _page(
        "jobs", names=names, room=room, size=helpers.size, **await context.look_as_staff(_jobs)
    )


def _again(tx: Writer, who: Account, job_id: int) -> None:
    if not queue.again(tx, job_id):
        raise NotFound(_("That job no longer exists."))


@blueprint.post("/jobs/again")
async def again() -> Response:
    job_id = read_id((await request.form).get("job", ""))
    if job_id is None:
        raise NotFound
    await context.act_as_staff(_again, job_id)
    return go("/admin/jobs?done=again")


def _failing(tx: Reader) -> list[tuple[Host, dict[str, int]]]:
    found = server_availability.failing(tx, limit=ROWS)
    states = deliveries.by_hosts(tx, [one.host for one in found])
    return [(one, states.get(one.host, {})) for one in found]


def _deliveries(tx: Reader, who: Account) -> dict[str, Any]:
    return {
        "totals": deliveries.totals(tx),
        "lanes": queue.lanes(tx, 20),
        "failing": _failing(tx),
        "unfinished": deliveries.unfinished(tx),
    }


@blueprint.get("/deliveries")
async def letters() -> Response:
    states = {"waiting": _("Trying again"), "failed": _("Failed"), "gone": _("Recipient gone")}
    return await _page("deliveries", states=states, **await context.look_as_staff(_deliveries))


def _treat(tx: Writer, who: Account, host: str, deed: str) -> None:
    if deed == "wake":
        server_availability.wake(tx, host)
    elif deed == "again":
        deliveries.again_at(tx, host)
        server_availability.wake(tx, host)
    else:
        deliveries.drop(tx, host, "given up by an admin")
        server_availability.forget(tx, host)
    audit_log.record(tx, who, f"deliveries.{deed}", host)


@blueprint.post("/deliveries/<any(wake, again, forget):deed>")
async def treat(deed: str) -> Response:
    host = (await request.form).get("host", "")[:300]
    if not host:
        raise NotFound
    await context.act_as_staff(_treat, host, deed)
    return go(f"/admin/deliveries?done={deed}")
