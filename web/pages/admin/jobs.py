"""The admin page of background jobs, where those that failed are tried again."""

from __future__ import annotations

from typing import Any

from quart import Blueprint, Response, request

from node.attachments import media_cache
from node.attachments.media_cache import CacheCapacity
from node.database import Reader, Writer
from node.errors import NotFound
from node.ids import parse_id
from node.jobs import job_statistics, queue
from node.models.account import Account
from web.html.templates import render_page
from web.i18n import formats
from web.i18n.translations import _
from web.request import context
from web.request.redirects import see_other

blueprint = Blueprint("jobs", __name__, url_prefix="/admin/jobs")


def kind_names() -> dict[str, str]:
    """Returns what each kind of job in `web.wiring` is called on the page."""
    return {
        "fan_out": _("Preparing deliveries"),
        "deliver": _("Delivering to other servers"),
        "redeliver": _("Delivering again after a failure"),
        "receive": _("Processing incoming activities"),
        "fetch": _("Fetching mentioned posts and accounts"),
        "look_up": _("Fetching forwarded posts"),
        "synchronize": _("Synchronizing followers"),
        "check_post": _("Checking for deleted remote posts"),
        "check_quote": _("Verifying quotes"),
        "climb": _("Fetching the posts that replies are to"),
        "crawl": _("Fetching replies of remote posts"),
        "look_at_person": _("Fetching posts of remote profiles"),
        "refresh_actor": _("Refreshing remote profiles"),
        "read_featured": _("Fetching pinned posts of remote accounts"),
        "check_move": _("Verifying account migrations"),
        "fetch_move_target": _("Fetching new accounts of people who moved"),
        "carry_over": _("Moving followers to new accounts"),
        "render_photo": _("Processing photos"),
        "measure_photos": _("Measuring remote photos"),
        "fetch_avatar": _("Fetching remote avatars"),
        "trim_cache": _("Cleaning up cached remote media"),
        "publish_scheduled": _("Publishing scheduled posts"),
        "end_mutes": _("Ending mutes whose time is over"),
        "forget_person": _("Deleting posts of deleted accounts"),
        "send_mail": _("Sending mail"),
        "withdraw_access": _("Withdrawing access to files"),
        "delete_files": _("Deleting unused files"),
        "sweep_files": _("Searching for unused files"),
        "apply_policy": _("Applying server rules"),
        "fetch_list": _("Fetching block lists"),
        "clean_up": _("Daily clean-up"),
    }


def _load_jobs(tx: Reader, account: Account) -> dict[str, Any]:
    return {
        "stats": job_statistics.stats_by_kind(tx),
        "failures": job_statistics.failures(tx),
        "cache": media_cache.usage(tx),
    }


@blueprint.get("")
async def show_jobs() -> Response:
    return await render_page(
        "admin/jobs.html",
        tab="/admin/jobs",
        saved=_("It will be tried again.") if request.args.get("done") == "again" else "",
        names=kind_names(),
        capacity=context.current_node().component(CacheCapacity).bytes,
        size=formats.format_bytes,
        **await context.read_as_staff(_load_jobs),
    )


def _retry_job(tx: Writer, account: Account, job_id: int) -> None:
    if not queue.retry_failed(tx, job_id):
        raise NotFound(_("That job no longer exists."))


@blueprint.post("/again")
async def retry_job() -> Response:
    job_id = parse_id((await request.form).get("job", ""))
    if job_id is None:
        raise NotFound
    await context.write_as_staff(_retry_job, job_id)
    return see_other("/admin/jobs?done=again")
