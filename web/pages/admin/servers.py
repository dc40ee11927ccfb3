"""Other servers, for those who run the node: how they do, who is there, and how they are treated.

Moderators look; what is exchanged with a server, an admin decides.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from quart import Blueprint, Response, request

from node.admin import server_directory
from node.database import Reader, Writer
from node.models.account import Account
from node.moderation import audit_log, domain_policy
from node.moderation.audit_log import Line
from node.paging import Page
from node.text import hostnames
from web.html.lists import paging
from web.html.templates import page
from web.i18n.translations import _
from web.request import context
from web.request import context as current
from web.request.redirects import go

blueprint = Blueprint("servers", __name__, url_prefix="/admin")

ROWS = 50
LINES = 60


def strengths() -> list[tuple[str, str, str]]:
    """How strongly a rule acts: value, name, what it means."""
    return [
        ("none", _("No restrictions"), _("Only what is selected below.")),
        (
            "limit",
            _("Limited"),
            _("Posts are hidden from people who do not follow the author, and follows need approval."),
        ),
        (
            "suspend",
            _("Suspended"),
            _(
                "No content is exchanged or shown, and follows are removed. Removing the rule undoes all of that."
            ),
        ),
    ]


def _saved() -> str:
    return {
        "rule": _("Saved. Existing content is updated within moments."),
        "lift": _("Rule removed. Hidden content is visible again, and the removed follows are restored."),
        "allow": _("Added to the allow list."),
        "disallow": _("Removed from the allow list."),
    }.get(request.args.get("done", ""), "")


def _by_allow_list() -> bool:
    return context.node().site.by_allow_list


def _listed(tx: Reader, who: Account, show: str, q: str, after: str) -> dict[str, Any]:
    if show == "rules":
        rules = domain_policy.some(tx, query=q, after=after, limit=ROWS)
        return {"rules": rules, "after": rules[-1].domain if len(rules) >= ROWS else ""}
    if show == "allowed":
        return {"allows": domain_policy.allows(tx), "after": ""}
    if show == "failing":
        return {"found": server_directory.failing(tx), "after": ""}
    found = server_directory.page(tx, query=q, after=after, limit=ROWS)
    return {"found": found, "after": found[-1].domain if len(found) >= ROWS else ""}


@blueprint.get("/servers")
async def listed() -> Response:
    show = request.args.get("show", "all")
    show = show if show in ("all", "failing", "rules", "allowed") else "all"
    q, after = request.args.get("q", "")[:200], request.args.get("after", "")[:300]
    parts: dict[str, Any] = await current.look_as_staff(_listed, show, q, after)
    context = {"found": [], "rules": [], "allows": []} | parts
    return await page(
        "admin/servers.html",
        tab="/admin/servers",
        saved=_saved(),
        show=show,
        q=q,
        strengths={value: name for value, name, _words in strengths()},
        by_allow_list=_by_allow_list(),
        in_words=hostnames.in_words,
        **context,
    )


def _checked(tx: Reader, who: Account, domain: str) -> str:
    return domain_policy.checked(tx, domain)


def _path(domain: str) -> str:
    return f"/admin/servers/{quote(domain, safe='[]:.')}"


@blueprint.post("/servers")
async def find() -> Response:
    """The page of a server by its name, known here or not."""
    return go(_path(await context.look_as_staff(_checked, (await request.form).get("domain", "")[:300])))


def _one(tx: Reader, who: Account, domain: str) -> server_directory.Whole:
    return server_directory.of(tx, domain)


@blueprint.get("/servers/<domain>")
async def one(domain: str) -> Response:
    found = await context.look_as_staff(_one, domain[:300])
    return await page(
        "admin/server.html",
        tab="/admin/servers",
        saved=_saved(),
        server=found,
        name=hostnames.in_words(found.domain),
        strengths=strengths(),
        by_allow_list=_by_allow_list(),
    )


def _decide(tx: Writer, who: Account, domain: str, form: dict[str, str]) -> None:
    domain_policy.block(
        tx,
        domain,
        form.get("public_comment", ""),
        strength=form.get("strength", ""),
        rejects_media="rejects_media" in form,
        rejects_reports="rejects_reports" in form,
        is_obfuscated="is_obfuscated" in form,
        private_comment=form.get("private_comment", ""),
        by=who,
    )


@blueprint.post("/servers/<domain>/rule")
async def rule(domain: str) -> Response:
    form = (await request.form).to_dict()
    await context.act_as_admin(_decide, domain[:300], form)
    return go(f"{_path(domain[:300])}?done=rule")


_DEEDS: dict[str, Any] = {
    "lift": domain_policy.unblock,
    "allow": domain_policy.allow,
    "disallow": domain_policy.disallow,
}


def _do(tx: Writer, who: Account, deed: str, domain: str) -> None:
    _DEEDS[deed](tx, domain, by=who)


@blueprint.post("/servers/<domain>/<any(lift, allow, disallow):deed>")
async def do(domain: str, deed: str) -> Response:
    await context.act_as_admin(_do, deed, domain[:300])
    return go(f"{_path(domain[:300])}?done={deed}")


def _lines(tx: Reader, who: Account, part: Page) -> list[Line]:
    return audit_log.page(tx, part)


@blueprint.get("/log")
async def log() -> Response:
    lines = await context.look_as_staff(_lines, paging(LINES))
    deeds = {
        "deliveries.wake": _("retried a server"),
        "deliveries.again": _("retried failed deliveries"),
        "deliveries.forget": _("stopped deliveries"),
        "rule": _("changed a server rule"),
        "lift": _("removed a server rule"),
        "allow": _("allowed a server"),
        "disallow": _("removed a server from the allow list"),
        "exclude": _("excluded a server from block lists"),
        "include": _("included a server in block lists again"),
        "subscribe": _("subscribed to a block list"),
        "unsubscribe": _("unsubscribed from a block list"),
        "import": _("imported a block list"),
        "accept": _("accepted block list changes"),
        "decline": _("declined block list changes"),
        "mode": _("was started with a different federation mode"),
        "suspend": _("suspended an account"),
        "unsuspend": _("unsuspended an account"),
        "close-report": _("resolved a report about"),
        "delete-post": _("deleted a post of"),
        "approve": _("approved a sign-up"),
        "reject": _("rejected a sign-up"),
        "role": _("changed a role"),
    }
    older = lines[-1].id if len(lines) >= LINES else None
    return await page("admin/log.html", tab="/admin/log", saved="", lines=lines, deeds=deeds, older=older)
