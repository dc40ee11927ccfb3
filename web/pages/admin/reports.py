"""Reporting an account to the moderators, and the pages where they resolve reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from quart import Blueprint, Response, request

from node.accounts import accounts
from node.admin import account_actions, reports
from node.admin.reports import ReportDetails
from node.database import Reader, Writer
from node.errors import Invalid, NotFound
from node.ids import parse_id
from node.models.account import Account
from node.paging import Page
from node.posts import posts
from node.timelines import post_views, timelines
from node.timelines.post_views import PostView
from web.html.helpers import profile_path
from web.html.lists import requested_page
from web.html.templates import render_page
from web.i18n.translations import _, gettext
from web.request import context
from web.request.redirects import see_other

blueprint = Blueprint("reports", __name__)

ROWS_PER_PAGE = 40
MAX_OFFERED_POSTS = 11
MAX_REPORTS_PER_HOUR = 30


def category_choices() -> list[tuple[str, str]]:
    return [
        ("violation", _("It violates server rules")),
        ("spam", _("It is spam")),
        ("legal", _("It is illegal")),
        ("other", _("Something else")),
    ]


@dataclass(frozen=True, slots=True)
class ReportForm:
    """The account to report, the posts that are offered, and the chosen ones."""

    target: Account
    offered: list[PostView]
    chosen: set[int]


def _load_form(tx: Reader, account: Account, account_id: int | None, chosen: list[int]) -> ReportForm:
    if account_id is None and chosen:
        account_id = posts.visible_by_id(tx, account, chosen[0]).account_id
    target = accounts.get(tx, account_id or 0)
    if target.id == account.id or target.deleted_at is not None or (target.is_local and target.is_inactive):
        raise NotFound(_("There is no account by that name here."))
    latest = timelines.profile(tx, account, target, Page(limit=MAX_OFFERED_POSTS), include_comments=True)
    ids = dict.fromkeys([*chosen, *(entry.post_id for entry in latest)])
    offered = [
        view
        for view in post_views.by_entries(tx, account, list(ids)[:MAX_OFFERED_POSTS])
        if view.author.id == target.id
    ]
    return ReportForm(target, offered, set(chosen))


async def _render_form(form: ReportForm, status: int = 200, **shown: Any) -> Response:
    has_rules = bool(context.current_node().config.node.rules)
    defaults = {"problem": "", "typed": "", "category": "", "forward": False}
    response = await render_page(
        "people/report.html",
        target=form.target,
        offered=form.offered,
        chosen=form.chosen,
        categories=[one for one in category_choices() if one[0] != "violation" or has_rules],
        longest=reports.MAX_COMMENT_LENGTH,
        **{**defaults, **shown},
    )
    response.status_code = status
    return response


@blueprint.get("/report")
async def show_form() -> Response:
    post_id, account_id = (parse_id(request.args.get(name, "")) for name in ("post", "person"))
    chosen = [] if post_id is None else [post_id]
    return await _render_form(await context.read_signed_in(_load_form, account_id, chosen))


def _submit_report(tx: Writer, account: Account, target_id: int, fields: dict[str, Any]) -> Account:
    target = accounts.get(tx, target_id)
    reports.report(tx, account, target, **fields)
    return target


@blueprint.post("/report")
async def submit_report() -> Response:
    form = await request.form
    account = await context.require_account()
    target_id = parse_id(form.get("person", "")) or 0
    chosen = [id_ for one in form.getlist("posts") if (id_ := parse_id(one)) is not None][: reports.MAX_POSTS]
    fields = {
        "comment": form.get("words", ""),
        "post_ids": chosen,
        "category": form.get("category", ""),
        "is_forwarded": "forward" in form,
    }
    await context.limit_rate(f"report {account.id}", max_attempts=MAX_REPORTS_PER_HOUR, seconds=3600)
    try:
        target = await context.write(_submit_report, target_id, fields)
    except Invalid as refused:
        return await _render_form(
            await context.read_signed_in(_load_form, target_id, chosen[:MAX_OFFERED_POSTS]),
            422,
            problem=gettext(refused.message),
            typed=fields["comment"],
            category=fields["category"],
            forward=fields["is_forwarded"],
        )
    return await render_page("people/report_sent.html", target=target, back=profile_path(target))


def _saved_message() -> str:
    return {
        "close": _("Report resolved."),
        "suspend": _("Account suspended. All reports about it are resolved."),
        "delete": _("Post deleted."),
        "unsuspend": _("Account unsuspended."),
    }.get(request.args.get("done", ""), "")


def _load_reports(tx: Reader, account: Account, page: Page, is_open: bool) -> list[ReportDetails]:
    return reports.page(tx, page, is_open=is_open)


@blueprint.get("/admin/reports")
async def show_reports() -> Response:
    show = "closed" if request.args.get("show") == "closed" else "open"
    found = await context.read_as_staff(_load_reports, requested_page(ROWS_PER_PAGE), show == "open")
    older = found[-1].report.id if len(found) >= ROWS_PER_PAGE else None
    return await render_page(
        "admin/reports.html",
        tab="/admin/reports",
        saved=_saved_message(),
        show=show,
        cases=found,
        older=older,
        categories=dict(category_choices()),
    )


def _load_report(tx: Reader, account: Account, report_id: int) -> tuple[ReportDetails, dict[int, PostView]]:
    """Returns a report, and views of its posts that the moderator may see;
    of the others only the text is shown."""
    found = reports.details(tx, report_id)
    views = post_views.by_entries(tx, account, [post.id for post in found.posts])
    return found, {view.post.id: view for view in views}


@blueprint.get("/admin/reports/<int:report_id>")
async def show_report(report_id: int) -> Response:
    found, views = await context.read_as_staff(_load_report, report_id)
    return await render_page(
        "admin/report.html",
        tab="/admin/reports",
        saved=_saved_message(),
        case=found,
        views=views,
        categories=dict(category_choices()),
    )


def _close(tx: Writer, account: Account, report_id: int) -> None:
    reports.close(tx, account, report_id)


def _suspend(tx: Writer, account: Account, report_id: int) -> None:
    account_actions.suspend(tx, account, reports.details(tx, report_id).target)


def _unsuspend(tx: Writer, account: Account, report_id: int) -> None:
    account_actions.unsuspend(tx, account, reports.details(tx, report_id).target)


@blueprint.post("/admin/reports/<int:report_id>/<any(close, suspend):action>")
async def resolve_report(report_id: int, action: str) -> Response:
    await context.write_as_staff(_close if action == "close" else _suspend, report_id)
    return see_other(f"/admin/reports?done={action}")


@blueprint.post("/admin/reports/<int:report_id>/unsuspend")
async def unsuspend_reported(report_id: int) -> Response:
    await context.write_as_staff(_unsuspend, report_id)
    return see_other(f"/admin/reports/{report_id}?done=unsuspend")


def _delete_reported_post(tx: Writer, account: Account, report_id: int, post_id: int) -> None:
    account_actions.delete_reported_post(tx, account, report_id, post_id)


@blueprint.post("/admin/reports/<int:report_id>/delete")
async def delete_reported_post(report_id: int) -> Response:
    post_id = parse_id((await request.form).get("post", "")) or 0
    await context.write_as_staff(_delete_reported_post, report_id, post_id)
    return see_other(f"/admin/reports/{report_id}?done=delete")
