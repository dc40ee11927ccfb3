"""Telling those who run the node that somebody does wrong, and what they do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from quart import Blueprint, Response, request

from node.accounts import accounts
from node.admin import account_actions, reports
from node.admin.reports import Case
from node.database import Reader, Writer
from node.errors import Invalid, NotFound
from node.ids import read_id
from node.models.account import Account
from node.paging import Page
from node.posts import posts
from node.timelines import post_views, timelines
from node.timelines.post_views import PostView
from web.html.helpers import path_of
from web.html.lists import paging
from web.html.templates import page
from web.i18n.translations import _, gettext
from web.request import context
from web.request.redirects import go

blueprint = Blueprint("reports", __name__)

ROWS = 40
OFFERED = 11
IN_AN_HOUR = 30


def categories() -> list[tuple[str, str]]:
    return [
        ("violation", _("It violates server rules")),
        ("spam", _("It is spam")),
        ("legal", _("It is illegal")),
        ("other", _("Something else")),
    ]


@dataclass(frozen=True, slots=True)
class Form:
    """Whom a report would be about, which posts are offered, and which are chosen."""

    target: Account
    offered: list[PostView]
    chosen: set[int]


def _form(tx: Reader, who: Account, person_id: int | None, chosen: list[int]) -> Form:
    if person_id is None and chosen:
        person_id = posts.seen_by(tx, who, chosen[0]).account_id
    target = accounts.get(tx, person_id or 0)
    if target.id == who.id or target.deleted_at is not None or (target.is_local and target.is_gone):
        raise NotFound(_("There is no account by that name here."))
    latest = timelines.profile(tx, who, target, Page(limit=OFFERED), include_comments=True)
    ids = dict.fromkeys([*chosen, *(entry.post_id for entry in latest)])
    offered = [view for view in post_views.of(tx, who, list(ids)[:OFFERED]) if view.author.id == target.id]
    return Form(target, offered, set(chosen))


async def _ask(form: Form, status: int = 200, **context: Any) -> Response:
    known = {"problem": "", "typed": "", "category": "violation", "forward": False}
    response = await page(
        "people/report.html",
        target=form.target,
        offered=form.offered,
        chosen=form.chosen,
        categories=categories(),
        longest=reports.LONGEST,
        **{**known, **context},
    )
    response.status_code = status
    return response


@blueprint.get("/report")
async def ask() -> Response:
    post_id, person_id = (read_id(request.args.get(name, "")) for name in ("post", "person"))
    chosen = [] if post_id is None else [post_id]
    return await _ask(await context.look_signed_in(_form, person_id, chosen))


def _report(tx: Writer, who: Account, target_id: int, how: dict[str, Any]) -> Account:
    target = accounts.get(tx, target_id)
    reports.report(tx, who, target, **how)
    return target


@blueprint.post("/report")
async def report() -> Response:
    form = await request.form
    who = await context.asking()
    target_id = read_id(form.get("person", "")) or 0
    chosen = [id_ for one in form.getlist("posts") if (id_ := read_id(one)) is not None][: reports.MOST_POSTS]
    how = {
        "words": form.get("words", ""),
        "post_ids": chosen,
        "category": form.get("category", ""),
        "is_forwarded": "forward" in form,
    }
    await context.limit(f"report {who.id}", most=IN_AN_HOUR, seconds=3600)
    try:
        target = await context.act(_report, target_id, how)
    except Invalid as refused:
        return await _ask(
            await context.look_signed_in(_form, target_id, chosen[:OFFERED]),
            422,
            problem=gettext(refused.message),
            typed=how["words"],
            category=how["category"],
            forward=how["is_forwarded"],
        )
    return await page("people/report_sent.html", target=target, back=path_of(target))


def _saved() -> str:
    return {
        "close": _("Report resolved."),
        "suspend": _("Account suspended. All reports about it are resolved."),
        "delete": _("Post deleted."),
    }.get(request.args.get("done", ""), "")


def _listed(tx: Reader, who: Account, part: Page, is_open: bool) -> list[Case]:
    return reports.page(tx, part, is_open=is_open)


@blueprint.get("/admin/reports")
async def listed() -> Response:
    show = "closed" if request.args.get("show") == "closed" else "open"
    found = await context.look_as_staff(_listed, paging(ROWS), show == "open")
    older = found[-1].report.id if len(found) >= ROWS else None
    return await page(
        "admin/reports.html",
        tab="/admin/reports",
        saved=_saved(),
        show=show,
        cases=found,
        older=older,
        categories=dict(categories()),
    )


def _one(tx: Reader, who: Account, report_id: int) -> tuple[Case, dict[int, PostView]]:
    """With the posts as the moderator may see them anyway; of others the words alone are shown."""
    found = reports.case(tx, report_id)
    seen = post_views.of(tx, who, [post.id for post in found.posts])
    return found, {view.post.id: view for view in seen}


@blueprint.get("/admin/reports/<int:report_id>")
async def one(report_id: int) -> Response:
    found, seen = await context.look_as_staff(_one, report_id)
    return await page(
        "admin/report.html",
        tab="/admin/reports",
        saved=_saved(),
        case=found,
        seen=seen,
        categories=dict(categories()),
    )


def _close(tx: Writer, who: Account, report_id: int) -> None:
    reports.close(tx, who, report_id)


def _suspend(tx: Writer, who: Account, report_id: int) -> None:
    account_actions.suspend(tx, who, reports.case(tx, report_id).target)


@blueprint.post("/admin/reports/<int:report_id>/<any(close, suspend):deed>")
async def decide(report_id: int, deed: str) -> Response:
    await context.act_as_staff(_close if deed == "close" else _suspend, report_id)
    return go(f"/admin/reports?done={deed}")


def _delete(tx: Writer, who: Account, report_id: int, post_id: int) -> None:
    account_actions.delete_reported(tx, who, report_id, post_id)


@blueprint.post("/admin/reports/<int:report_id>/delete")
async def delete(report_id: int) -> Response:
    post_id = read_id((await request.form).get("post", "")) or 0
    await context.act_as_staff(_delete, report_id, post_id)
    return go(f"/admin/reports/{report_id}?done=delete")
