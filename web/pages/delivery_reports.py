"""Where a post has got to: for its author, server by server, with the button to try again. Deleted posts too."""

from __future__ import annotations

from dataclasses import dataclass

from quart import Blueprint, Response, request

from node.database import Reader, Writer
from node.errors import NotFound
from node.federation import delivery_reports
from node.federation.delivery_reports import Server, Telling
from node.ids import read_id
from node.models.account import Account
from node.paging import Page
from node.posts import posts
from web.html.lists import paging
from web.html.templates import page
from web.i18n.translations import _
from web.request import context
from web.request.redirects import go

blueprint = Blueprint("ledgers", __name__)

ROWS = 40
MOST_PLACES = 1_000_000
AT_ONCE = 200
"""Servers shown of one telling on one page: what is open and what failed comes first."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """Everything one post was told with, newest first, and what became of each at every server.

    Of one telling alone, `first` is the place of the first server that is listed.
    """

    tellings: list[tuple[Telling, list[Server]]]
    is_deleted: bool
    first: int = 0


def _ledger(tx: Reader, who: Account, post_id: int, telling_id: int | None, first: int) -> Ledger:
    told = delivery_reports.of_post(tx, who, post_id)
    if telling_id is not None:
        told = [one for one in told if one.id == telling_id]
        if not told:
            raise NotFound
    servers = delivery_reports.servers(tx, [one.id for one in told])
    post = posts.by_id(tx, post_id)
    return Ledger(
        [(one, servers.get(one.id, [])[first : first + AT_ONCE]) for one in told],
        post is None or post.deleted_at is not None,
        first,
    )


def reason(server: Server) -> str:
    """Why something has not arrived, in words for people; the log and the admin have the others'."""
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
async def ledger(post_id: int) -> Response:
    telling_id = read_id(request.args.get("of", ""))
    first = min(read_id(request.args.get("from", "")) or 0, MOST_PLACES) if telling_id is not None else 0
    found = await context.look_signed_in(_ledger, post_id, telling_id, first)
    verbs = {"Create": _("Post published"), "Update": _("Post edited"), "Delete": _("Post deleted")}
    states = {
        "waiting": _("Pending"),
        "delivered": _("Delivered"),
        "failed": _("Failed"),
        "gone": _("Recipient gone"),
    }
    done = request.args.get("done") == "again"
    return await page(
        "posts/delivery_report.html",
        post_id=post_id,
        ledger=found,
        at_once=AT_ONCE,
        verbs=verbs,
        states=states,
        reason=reason,
        saved=_("Trying again.") if done else "",
    )


def _again(tx: Writer, who: Account, post_id: int, host: str) -> int:
    return delivery_reports.retry(tx, who, post_id, host or None)


@blueprint.post("/posts/<int:post_id>/ledger/again")
async def again(post_id: int) -> Response:
    who = await context.asking()
    await context.limit(f"ledger {who.id}", most=30, seconds=600)
    await context.act(_again, post_id, (await request.form).get("host", "")[:300])
    return go(f"/posts/{post_id}/ledger?done=again")


def _deleted(tx: Reader, who: Account, part: Page) -> list[Telling]:
    return delivery_reports.deleted(tx, who, part)


@blueprint.get("/settings/deleted")
async def deleted() -> Response:
    part = paging(ROWS)
    found = await context.look_signed_in(_deleted, part)
    older = found[-1].id if len(found) >= part.limit else None
    return await page(
        "settings/deleted_posts.html",
        tab="/settings/deleted",
        tellings=found,
        older=older,
        saved="",
        problem="",
        wrong={},
    )
