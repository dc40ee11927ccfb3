"""Block lists: those the node follows, files that were imported, and what they ask for.

An import is not done but shown first, in the same way as what a followed list has new: as drafts to accept or
decline, with the follows each would end.
"""

from __future__ import annotations

import asyncio
from typing import Any

from quart import Blueprint, Response, request

from node.database import Reader, Writer
from node.errors import Invalid
from node.models.account import Account
from node.moderation import block_list_csv, block_list_entries, block_lists, domain_exclusions, domain_policy
from node.moderation.block_list_csv import Parsed
from node.text import hostnames
from web.html.templates import page
from web.i18n.translations import _
from web.pages.admin.servers import strengths
from web.request import context
from web.request.redirects import go

blueprint = Blueprint("block_lists", __name__, url_prefix="/admin/lists")

ROWS = 100
MOST_CHOSEN = 1000
CSV = "text/csv; charset=utf-8"


def _saved() -> str:
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


def _all(tx: Reader, who: Account) -> dict[str, Any]:
    counts = block_list_entries.counts(tx)
    lists = [
        (
            one,
            sum(counts.get(one.id, {}).get(state, 0) for state in block_list_entries.WAITING),
            counts.get(one.id, {}).get("applied", 0),
        )
        for one in block_lists.all_of(tx)
    ]
    return {"lists": lists, "exclusions": domain_exclusions.all_of(tx)}


@blueprint.get("")
async def listed() -> Response:
    return await page(
        "admin/block_lists.html",
        tab="/admin/lists",
        saved=_saved(),
        strengths=strengths(),
        by_allow_list=context.node().site.by_allow_list,
        in_words=hostnames.in_words,
        **await context.look_as_staff(_all),
    )


def _follow(tx: Writer, who: Account, form: dict[str, str]) -> None:
    block_lists.subscribe(
        tx,
        form.get("url", ""),
        form.get("title", ""),
        is_automatic="is_automatic" in form,
        strength=form.get("strength", "suspend"),
        by=who,
    )


@blueprint.post("/follow")
async def follow() -> Response:
    await context.act_as_admin(_follow, (await request.form).to_dict())
    return go("/admin/lists?done=follow")


def _take_file(tx: Writer, who: Account, name: str, parsed: Parsed) -> int:
    return block_lists.take_file(tx, name, parsed, by=who).id


@blueprint.post("/import")
async def take_file() -> Response:
    file = (await request.files).get("file")
    if file is None:
        raise Invalid(_("Please select a file."), field="file")
    data = file.stream.read(block_list_csv.MOST_BYTES + 1)
    parsed = await asyncio.to_thread(block_list_csv.parse, data, context.node().site.own_domains)
    name = (file.filename or "").replace("\\", "/").rpartition("/")[2]
    return go(f"/admin/lists/{await context.act_as_admin(_take_file, name, parsed)}")


def _exclude(tx: Writer, who: Account, domain: str, comment: str) -> None:
    domain_exclusions.add(tx, domain, comment, by=who)


@blueprint.post("/exclude")
async def exclude() -> Response:
    form = await request.form
    await context.act_as_admin(_exclude, form.get("domain", ""), form.get("comment", ""))
    return go("/admin/lists?done=exclude#exclusions")


def _include(tx: Writer, who: Account, domain: str) -> None:
    block_lists.include(tx, domain, by=who)


@blueprint.post("/include")
async def include() -> Response:
    await context.act_as_admin(_include, (await request.form).get("domain", ""))
    return go("/admin/lists?done=include#exclusions")


def _one(tx: Reader, who: Account, list_id: int, after: str) -> dict[str, Any]:
    drafts = block_list_entries.drafts(tx, list_id, after=after, limit=ROWS)
    return {
        "of": block_lists.get(tx, list_id),
        "drafts": drafts,
        "counts": block_list_entries.counts(tx).get(list_id, {}),
        "after": drafts[-1].entry.domain if len(drafts) >= ROWS else "",
    }


@blueprint.get("/<int:list_id>")
async def one(list_id: int) -> Response:
    found: dict[str, Any] = await context.look_as_staff(_one, list_id, request.args.get("after", "")[:300])
    return await page(
        "admin/block_list.html",
        tab="/admin/lists",
        saved=_saved(),
        strengths=strengths(),
        names={value: name for value, name, _words in strengths()},
        waiting=sum(found["counts"].get(state, 0) for state in block_list_entries.WAITING),
        in_words=hostnames.in_words,
        **found,
    )


def _answer(tx: Writer, who: Account, list_id: int, deed: str, chosen: list[str]) -> bool:
    """Accept or decline drafts; whether the list is still there."""
    if deed == "decline":
        block_lists.decline(tx, list_id, chosen, by=who)
    else:
        block_lists.accept(tx, list_id, None if deed == "accept-safe" else chosen, by=who)
    return any(one.id == list_id for one in block_lists.all_of(tx))


@blueprint.post("/<int:list_id>/<any(accept, decline):deed>")
async def answer(list_id: int, deed: str) -> Response:
    form = await request.form
    wanted = "accept-safe" if deed == "accept" and "safe" in form else deed
    chosen = form.getlist("domain")[:MOST_CHOSEN]
    is_there = await context.act_as_admin(_answer, list_id, wanted, chosen)
    return go(f"/admin/lists/{list_id}?done={deed}" if is_there else f"/admin/lists?done={deed}")


def _change(tx: Writer, who: Account, list_id: int, form: dict[str, str]) -> None:
    block_lists.change(
        tx,
        list_id,
        title=form.get("title", ""),
        is_automatic="is_automatic" in form,
        strength=form.get("strength", "suspend"),
        by=who,
    )


@blueprint.post("/<int:list_id>/change")
async def change(list_id: int) -> Response:
    await context.act_as_admin(_change, list_id, (await request.form).to_dict())
    return go(f"/admin/lists/{list_id}?done=change")


def _fetch(tx: Writer, who: Account, list_id: int) -> None:
    block_lists.ask_now(tx, list_id)


@blueprint.post("/<int:list_id>/fetch")
async def fetch(list_id: int) -> Response:
    await context.act_as_admin(_fetch, list_id)
    return go(f"/admin/lists/{list_id}?done=fetch")


def _leave(tx: Writer, who: Account, list_id: int, keeps_rules: bool) -> None:
    block_lists.leave(tx, list_id, keeps_rules=keeps_rules, by=who)


@blueprint.post("/<int:list_id>/leave")
async def leave(list_id: int) -> Response:
    keeps = "keeps_rules" in await request.form
    await context.act_as_admin(_leave, list_id, keeps)
    return go("/admin/lists?done=leave")


def _blocks(tx: Reader, who: Account) -> str:
    return block_list_csv.written(domain_policy.all_blocked(tx))


def _allows(tx: Reader, who: Account) -> str:
    return block_list_csv.written_allows(domain_policy.allows(tx))


@blueprint.get("/<any(blocks, allowed):what>.csv")
async def export(what: str) -> Response:
    text = await context.look_as_staff(_blocks if what == "blocks" else _allows)
    name = f"{what}-{context.node().site.domain.replace(':', '-')}.csv"
    return Response(text, content_type=CSV, headers={"Content-Disposition": f'attachment; filename="{name}"'})
