"""Admin pages of other servers: their availability, their accounts, and the rules about them; the audit log.

Moderators may read these pages; only admins change rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from quart import Blueprint, Response, request

from node.admin import server_directory
from node.database import Reader, Writer
from node.errors import Invalid
from node.models.account import Account
from node.moderation import audit_log, domain_rules
from node.moderation.audit_log import AuditEntry
from node.paging import Page
from node.text import hostnames
from web.html.lists import requested_page
from web.html.templates import render_page
from web.i18n.translations import _, gettext
from web.request import context
from web.request.redirects import see_other

blueprint = Blueprint("servers", __name__, url_prefix="/admin")

ROWS_PER_PAGE = 50
LOG_ENTRIES_PER_PAGE = 60
RULE_FIELDS = (
    "strength",
    "rejects_media",
    "rejects_reports",
    "is_obfuscated",
    "public_comment",
    "private_comment",
)


def strength_choices() -> list[tuple[str, str, str]]:
    """Returns the strengths of a rule: value, name, description."""
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


def _saved_message() -> str:
    return {
        "rule": _("Saved. Existing content is updated within moments."),
        "lift": _("Rule removed. Hidden content is visible again, and the removed follows are restored."),
        "allow": _("Added to the allow list."),
        "disallow": _("Removed from the allow list."),
    }.get(request.args.get("done", ""), "")


def _is_allowlist_mode() -> bool:
    return context.current_node().site.is_allowlist_mode


def _load_servers(tx: Reader, account: Account, show: str, q: str, after: str) -> dict[str, Any]:
    if show == "rules":
        rules = domain_rules.search_rules(tx, query=q, after=after, limit=ROWS_PER_PAGE)
        return {"rules": rules, "after": rules[-1].domain if len(rules) >= ROWS_PER_PAGE else ""}
    if show == "allowed":
        return {"allows": domain_rules.allow_list(tx), "after": ""}
    if show == "failing":
        return {"found": server_directory.failing(tx), "after": ""}
    found = server_directory.page(tx, query=q, after=after, limit=ROWS_PER_PAGE)
    return {"found": found, "after": found[-1].domain if len(found) >= ROWS_PER_PAGE else ""}


@blueprint.get("/servers")
async def show_servers() -> Response:
    return await _render_servers()


async def _render_servers(status: int = 200, **shown: Any) -> Response:
    show = request.args.get("show", "all")
    show = show if show in ("all", "failing", "rules", "allowed") else "all"
    q, after = request.args.get("q", "")[:200], request.args.get("after", "")[:300]
    parts: dict[str, Any] = await context.read_as_staff(_load_servers, show, q, after)
    response = await render_page(
        "admin/servers.html",
        tab="/admin/servers",
        saved=_saved_message(),
        show=show,
        q=q,
        strengths={value: name for value, name, _description in strength_choices()},
        is_allowlist_mode=_is_allowlist_mode(),
        to_unicode=hostnames.to_unicode,
        **{"found": [], "rules": [], "allows": [], "typed": "", "domain_error": ""} | parts | shown,
    )
    response.status_code = status
    return response


def _validate_domain(tx: Reader, account: Account, domain: str) -> str:
    return domain_rules.validate_domain(tx, domain)


def _server_path(domain: str) -> str:
    return f"/admin/servers/{quote(domain, safe='[]:.')}"


@blueprint.post("/servers")
async def find_server() -> Response:
    """Redirects to the page of a server by its domain or a URL, whether it is in the database or not."""
    typed = (await request.form).get("domain", "")[:300]
    try:
        return see_other(_server_path(await context.read_as_staff(_validate_domain, typed)))
    except Invalid as refused:
        return await _render_servers(422, typed=typed, domain_error=gettext(refused.message))


def _load_server(tx: Reader, account: Account, domain: str) -> server_directory.ServerDetails:
    return server_directory.details(tx, domain)


@blueprint.get("/servers/<domain>")
async def show_server(domain: str) -> Response:
    return await _render_server(domain[:300])


async def _render_server(
    domain: str, status: int = 200, *, problem: str = "", typed: Mapping[str, str] | None = None
) -> Response:
    """Renders the page of a server; its form has what was typed, or else the present rule."""
    found = await context.read_as_staff(_load_server, domain)
    rule = found.rule
    present = {name: getattr(rule, name) for name in RULE_FIELDS} if rule else {"strength": "none"}
    response = await render_page(
        "admin/server.html",
        tab="/admin/servers",
        saved=_saved_message(),
        server=found,
        form=present if typed is None else typed,
        problem=problem,
        name=hostnames.to_unicode(found.domain),
        strengths=strength_choices(),
        is_allowlist_mode=_is_allowlist_mode(),
    )
    response.status_code = status
    return response


def _set_rule(tx: Writer, account: Account, domain: str, form: dict[str, str]) -> None:
    domain_rules.block(
        tx,
        domain,
        form.get("public_comment", ""),
        strength=form.get("strength", ""),
        rejects_media="rejects_media" in form,
        rejects_reports="rejects_reports" in form,
        is_obfuscated="is_obfuscated" in form,
        private_comment=form.get("private_comment", ""),
        moderator=account,
    )


@blueprint.post("/servers/<domain>/rule")
async def set_rule(domain: str) -> Response:
    form = (await request.form).to_dict()
    try:
        await context.write_as_admin(_set_rule, domain[:300], form)
    except Invalid as refused:
        return await _render_server(domain[:300], 422, problem=gettext(refused.message), typed=form)
    return see_other(f"{_server_path(domain[:300])}?done=rule")


_ACTIONS: dict[str, Any] = {
    "lift": domain_rules.unblock,
    "allow": domain_rules.allow,
    "disallow": domain_rules.disallow,
}


def _run_action(tx: Writer, account: Account, action: str, domain: str) -> None:
    _ACTIONS[action](tx, domain, moderator=account)


@blueprint.post("/servers/<domain>/<any(lift, allow, disallow):action>")
async def run_action(domain: str, action: str) -> Response:
    await context.write_as_admin(_run_action, action, domain[:300])
    return see_other(f"{_server_path(domain[:300])}?done={action}")


def _load_log(tx: Reader, account: Account, page: Page) -> list[AuditEntry]:
    return audit_log.entries(tx, page)


@blueprint.get("/log")
async def show_log() -> Response:
    entries = await context.read_as_staff(_load_log, requested_page(LOG_ENTRIES_PER_PAGE))
    actions = {
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
        "delete-account": _("deleted an account"),
        "unsuspend": _("unsuspended an account"),
        "close-report": _("resolved a report about"),
        "delete-post": _("deleted a post of"),
        "approve": _("approved a sign-up"),
        "reject": _("rejected a sign-up"),
        "role": _("changed a role"),
    }
    older = entries[-1].id if len(entries) >= LOG_ENTRIES_PER_PAGE else None
    return await render_page(
        "admin/log.html", tab="/admin/log", saved="", entries=entries, actions=actions, older=older
    )
