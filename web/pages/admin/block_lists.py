"""Block lists: subscribed lists, imported files, and the rules they propose.

An import is not applied at once but shown first, in the same way as the changes of a subscribed list: as drafts to
accept or decline, with the follows each would end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from quart import Blueprint, Response, request

from node.database import Reader, Writer
from node.errors import Invalid, Refused
from node.models.account import Account
from node.moderation import block_list_csv, block_list_entries, block_lists, domain_exclusions, domain_rules
from node.moderation.block_list_csv import ParsedList
from node.text import hostnames
from web.html.templates import render_page
from web.i18n.translations import _, gettext
from web.pages.admin.servers import strength_choices
from web.request import context
from web.request.redirects import see_other

blueprint = Blueprint("block_lists", __name__, url_prefix="/admin/lists")

ROWS_PER_PAGE = 100
MAX_SELECTED = 1000
CSV_CONTENT_TYPE = "text/csv; charset=utf-8"


def _saved_message() -> str:
    return {
        "follow": _("Subscribed. The list is being fetched."),
        "change": _("Saved. The list is being fetched again."),
        "fetch": _("Updating the list."),
        "leave": _("List removed."),
        "accept": _("Done."),
        "decline": _("Kept unchanged."),
        "exclude": _("Lists no longer apply to that server."),
        "include": _("Lists apply to that server again."),
    }.get(request.args.get("done", ""), "")


def _load_lists(tx: Reader, account: Account) -> dict[str, Any]:
    counts = block_list_entries.counts_by_list(tx)
    lists = [
        (
            one,
            sum(counts.get(one.id, {}).get(state, 0) for state in block_list_entries.PENDING_STATES),
            counts.get(one.id, {}).get("applied", 0),
        )
        for one in block_lists.all_lists(tx)
    ]
    return {"lists": lists, "exclusions": domain_exclusions.all_exclusions(tx)}


@blueprint.get("")
async def show_lists() -> Response:
    return await _render_lists()


async def _render_lists(
    name: str = "", refused: Refused | None = None, typed: Mapping[str, str] | None = None
) -> Response:
    """Renders the page of lists; a refused form, of this name, comes back with what was typed."""
    message = gettext(refused.message) if refused is not None else ""
    field = getattr(refused, "field", "")
    response = await render_page(
        "admin/block_lists.html",
        tab="/admin/lists",
        saved=_saved_message(),
        problem="" if field else message,
        form={"follow": {}, "exclude": {}} | {name: typed or {}},
        field_errors={(name, field): message},
        strengths=strength_choices(),
        is_allowlist_mode=context.current_node().site.is_allowlist_mode,
        to_unicode=hostnames.to_unicode,
        **await context.read_as_staff(_load_lists),
    )
    response.status_code = refused.status if refused is not None else 200
    return response


def _subscribe(tx: Writer, account: Account, form: dict[str, str]) -> None:
    block_lists.subscribe(
        tx,
        form.get("url", ""),
        form.get("title", ""),
        is_automatic="is_automatic" in form,
        strength=form.get("strength", "suspend"),
        moderator=account,
    )


@blueprint.post("/follow")
async def subscribe() -> Response:
    form = (await request.form).to_dict()
    try:
        await context.write_as_admin(_subscribe, form)
    except Invalid as refused:
        return await _render_lists("follow", refused, form)
    return see_other("/admin/lists?done=follow")


def _import_file(tx: Writer, account: Account, name: str, parsed: ParsedList) -> int:
    return block_lists.import_file(tx, name, parsed, moderator=account).id


@blueprint.post("/import")
async def import_file() -> Response:
    file = (await request.files).get("file")
    try:
        if file is None:
            raise Invalid(_("Please select a file."), field="file")
        data = file.stream.read(block_list_csv.MAX_BYTES + 1)
        parsed = await asyncio.to_thread(block_list_csv.parse, data, context.current_node().site.own_domains)
        name = (file.filename or "").replace("\\", "/").rpartition("/")[2]
        return see_other(f"/admin/lists/{await context.write_as_admin(_import_file, name, parsed)}")
    except Invalid as refused:
        return await _render_lists("import", refused)


def _exclude(tx: Writer, account: Account, domain: str, comment: str) -> None:
    domain_exclusions.add(tx, domain, comment, moderator=account)


@blueprint.post("/exclude")
async def exclude() -> Response:
    form = await request.form
    try:
        await context.write_as_admin(_exclude, form.get("domain", ""), form.get("comment", ""))
    except Invalid as refused:
        return await _render_lists("exclude", refused, form)
    return see_other("/admin/lists?done=exclude#exclusions")


def _include(tx: Writer, account: Account, domain: str) -> None:
    block_lists.remove_exclusion(tx, domain, moderator=account)


@blueprint.post("/include")
async def include() -> Response:
    await context.write_as_admin(_include, (await request.form).get("domain", ""))
    return see_other("/admin/lists?done=include#exclusions")


def _load_list(tx: Reader, account: Account, list_id: int, after: str) -> dict[str, Any]:
    drafts = block_list_entries.pending(tx, list_id, after=after, limit=ROWS_PER_PAGE)
    return {
        "block_list": block_lists.get(tx, list_id),
        "drafts": drafts,
        "counts": block_list_entries.counts_by_list(tx).get(list_id, {}),
        "after": drafts[-1].entry.domain if len(drafts) >= ROWS_PER_PAGE else "",
    }


@blueprint.get("/<int:list_id>")
async def show_list(list_id: int) -> Response:
    found: dict[str, Any] = await context.read_as_staff(
        _load_list, list_id, request.args.get("after", "")[:300]
    )
    return await render_page(
        "admin/block_list.html",
        tab="/admin/lists",
        saved=_saved_message(),
        strengths=strength_choices(),
        names={value: name for value, name, _description in strength_choices()},
        waiting=sum(found["counts"].get(state, 0) for state in block_list_entries.PENDING_STATES),
        to_unicode=hostnames.to_unicode,
        **found,
    )


def _decide_entries(tx: Writer, account: Account, list_id: int, action: str, chosen: list[str]) -> bool:
    """Accepts or declines drafts; returns whether the list still exists."""
    if action == "decline":
        block_lists.decline_entries(tx, list_id, chosen, moderator=account)
    else:
        block_lists.accept_entries(
            tx, list_id, None if action == "accept-safe" else chosen, moderator=account
        )
    return any(one.id == list_id for one in block_lists.all_lists(tx))


@blueprint.post("/<int:list_id>/<any(accept, decline):action>")
async def decide_entries(list_id: int, action: str) -> Response:
    form = await request.form
    wanted = "accept-safe" if action == "accept" and "safe" in form else action
    chosen = form.getlist("domain")[:MAX_SELECTED]
    is_listed = await context.write_as_admin(_decide_entries, list_id, wanted, chosen)
    return see_other(f"/admin/lists/{list_id}?done={action}" if is_listed else f"/admin/lists?done={action}")


def _update(tx: Writer, account: Account, list_id: int, form: dict[str, str]) -> None:
    block_lists.update(
        tx,
        list_id,
        title=form.get("title", ""),
        is_automatic="is_automatic" in form,
        strength=form.get("strength", "suspend"),
        moderator=account,
    )


@blueprint.post("/<int:list_id>/change")
async def update(list_id: int) -> Response:
    await context.write_as_admin(_update, list_id, (await request.form).to_dict())
    return see_other(f"/admin/lists/{list_id}?done=change")


def _queue_fetch(tx: Writer, account: Account, list_id: int) -> None:
    block_lists.queue_fetch(tx, list_id)


@blueprint.post("/<int:list_id>/fetch")
async def fetch_now(list_id: int) -> Response:
    await context.write_as_admin(_queue_fetch, list_id)
    return see_other(f"/admin/lists/{list_id}?done=fetch")


def _unsubscribe(tx: Writer, account: Account, list_id: int, keeps_rules: bool) -> None:
    block_lists.unsubscribe(tx, list_id, keeps_rules=keeps_rules, moderator=account)


@blueprint.post("/<int:list_id>/leave")
async def unsubscribe(list_id: int) -> Response:
    keeps = "keeps_rules" in await request.form
    await context.write_as_admin(_unsubscribe, list_id, keeps)
    return see_other("/admin/lists?done=leave")


def _blocks_csv(tx: Reader, account: Account) -> str:
    return block_list_csv.format_blocks(domain_rules.all_rules(tx))


def _allow_list_csv(tx: Reader, account: Account) -> str:
    return block_list_csv.format_allows(domain_rules.allow_list(tx))


@blueprint.get("/<any(blocks, allowed):kind>.csv")
async def export_csv(kind: str) -> Response:
    text = await context.read_as_staff(_blocks_csv if kind == "blocks" else _allow_list_csv)
    name = f"{kind}-{context.current_node().site.domain.replace(':', '-')}.csv"
    return Response(
        text, content_type=CSV_CONTENT_TYPE, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )
