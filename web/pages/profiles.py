"""Profiles, who follows whom, and what one can do about somebody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from quart import Blueprint, Response, jsonify, redirect, request

from activitypub.remote import profile_preview
from node.accounts import accounts, relationships
from node.database import Reader, Writer
from node.errors import NotFound
from node.interactions import blocks, follows, pins
from node.lifecycle import migration
from node.models.account import Account
from node.paging import Page
from node.timelines import post_summaries, timelines
from web.html.helpers import path_of
from web.html.lists import Bond, bonds, paging
from web.html.post_cards import Cards, Sheet
from web.html.templates import cards, page
from web.i18n.translations import _
from web.request import context
from web.request.redirects import came_from, go, wants_json

blueprint = Blueprint("people", __name__)

CELLS = 40
POSTS = 20
PEOPLE = 40


@dataclass(frozen=True, slots=True)
class Profile:
    account: Account
    bond: Bond | None
    sheet: Sheet
    pinned: Sheet
    moved: Account | None


def _found(tx: Reader, handle: str) -> Account:
    account = accounts.by_handle(tx, handle)
    if account is None or account.is_gone or (account.is_local and account.kind == "Application"):
        raise NotFound(_("There is no account by that name here."))
    return account


def _is_first(part: Page) -> bool:
    return not (part.max_id or part.min_id or part.since_id)


def _profile(
    tx: Reader, viewer: Account | None, cards: Cards, handle: str, part: Page, everything: bool
) -> Profile:
    account = _found(tx, handle)
    bond = bonds(tx, viewer, [account]).get(account.id)
    entries = timelines.profile(
        tx,
        viewer,
        account,
        part,
        only_photos=not everything,
        include_comments=everything,
        include_boosts=everything,
    )
    kind = "card" if everything else "cell"
    first = pins.of(tx, viewer, account, only_photos=not everything) if _is_first(part) else []
    pinned = post_summaries.of(tx, viewer, [timelines.Entry(id_, id_) for id_ in first])
    older = entries[-1].id if len(entries) >= part.limit else None
    rest = [entry for entry in entries if entry.id not in first]
    return Profile(
        account,
        bond,
        cards.sheet(tx, viewer, post_summaries.of(tx, viewer, rest), kind, older),
        cards.sheet(tx, viewer, pinned, kind),
        migration.destination(tx, account),
    )


async def _show(handle: str, tab: str, part: Page) -> Response:
    found = await context.look(_profile, cards(), handle, part, tab == "all")
    account = found.account
    if handle != account.handle:
        return redirect(path_of(account) + ("/all" if tab == "all" else ""), 302)  # type: ignore[return-value]
    if (
        not account.is_local
        and context.person() is not None
        and await profile_preview.wait(context.node(), account)
    ):
        found = await context.look(_profile, cards(), handle, part, tab == "all")
        account = found.account
    response = await page(
        "people/profile.html",
        account=account,
        bond=found.bond,
        sheet=found.sheet,
        pinned=found.pinned,
        moved=found.moved,
        tab=tab,
        is_asked=not account.is_local and account.looked_at is None and context.person() is not None,
    )
    if account.is_local:
        response.headers["Link"] = f'<{account.uri}>; rel="alternate"; type="application/activity+json"'
    return response


@blueprint.get("/@<handle>")
async def profile(handle: str) -> Response:
    return await _show(handle, "photos", paging(CELLS))


@blueprint.get("/@<handle>/all")
async def everything(handle: str) -> Response:
    return await _show(handle, "all", paging(POSTS))


@blueprint.get("/users/<name>")
async def actor(name: str) -> Response:
    return redirect(f"/@{name}", 302)  # type: ignore[return-value]


def _circle(
    tx: Reader, viewer: Account | None, handle: str, part: Page, kind: str
) -> tuple[Account, list[Account], int | None, dict[int, Bond], bool]:
    account = _found(tx, handle)
    listed = (follows.followers if kind == "followers" else follows.following)(tx, account, viewer, part)
    people = [one.account for one in listed]
    older = listed[-1].id if len(listed) >= part.limit else None
    return account, people, older, bonds(tx, viewer, people), follows.hidden_from(account, viewer)


@blueprint.get("/@<handle>/<any(followers, following):kind>")
async def circle(handle: str, kind: str) -> Response:
    account, people, older, between, is_hidden = await context.look(_circle, handle, paging(PEOPLE), kind)
    name = account.label
    return await page(
        "people/list.html",
        title=_("Followers of %(name)s", name=name)
        if kind == "followers"
        else _("Followed by %(name)s", name=name),
        people=people,
        older=older,
        bonds=between,
        back=path_of(account),
        nobody=_("%(name)s hides their followers and follows.", name=name)
        if is_hidden
        else ""
        if account.is_local
        else _(
            "Some may be missing here. See the full list on %(server)s.",
            server=account.domain,
        ),
    )


def _requests(tx: Reader, who: Account, part: Page) -> tuple[list[Account], int | None]:
    listed = follows.requests(tx, who, part)
    return [one.account for one in listed], listed[-1].id if len(listed) >= part.limit else None


@blueprint.get("/follow-requests")
async def requests() -> Response:
    people, older = await context.look_signed_in(_requests, paging(PEOPLE))
    return await page("people/follow_requests.html", people=people, older=older)


def _accept(tx: Writer, who: Account, other: Account) -> None:
    follow = relationships.between(tx, other, who)
    if follow is None:
        raise NotFound(_("The follow request was withdrawn."))
    follows.accept(tx, follow)


def _reject(tx: Writer, who: Account, other: Account) -> None:
    follow = relationships.between(tx, other, who)
    if follow is not None:
        follows.reject(tx, follow)


def _boosts(shows: bool) -> Callable[[Writer, Account, Account], None]:
    def unit(tx: Writer, who: Account, other: Account) -> None:
        if relationships.between(tx, who, other) is not None:
            follows.follow(tx, who, other, shows_boosts=shows)

    return unit


DEEDS: dict[str, Callable[[Writer, Account, Account], Any]] = {
    "follow": follows.follow,
    "unfollow": follows.unfollow,
    "block": blocks.block,
    "unblock": blocks.unblock,
    "mute": blocks.mute,
    "unmute": blocks.unmute,
    "accept": _accept,
    "reject": _reject,
    "remove": follows.remove_follower,
    "hide-boosts": _boosts(False),
    "show-boosts": _boosts(True),
}


def _do(tx: Writer, who: Account, account_id: int, deed: str) -> tuple[Account, relationships.Relationship]:
    other = accounts.get(tx, account_id)
    DEEDS[deed](tx, who, other)
    return other, relationships.with_(tx, who, other)


@blueprint.post("/people/<int:account_id>/<deed>")
async def do(account_id: int, deed: str) -> Response:
    if deed not in DEEDS:
        raise NotFound
    other, bond = await context.act(_do, account_id, deed)
    if not wants_json():
        return go((await request.form).get("back", "") or came_from(path_of(other)))
    return _standing(other, bond)


def _stand(tx: Reader, viewer: Account | None, account_id: int) -> tuple[Account, relationships.Relationship]:
    other = accounts.get(tx, account_id)
    if viewer is None or other.is_gone:
        raise NotFound
    return other, relationships.with_(tx, viewer, other)


@blueprint.get("/people/<int:account_id>/standing")
async def standing(account_id: int) -> Response:
    """For scripts: how it stands between two people, since another server may take a moment to answer."""
    return _standing(*await context.look(_stand, account_id))


def _standing(other: Account, bond: relationships.Relationship) -> Response:
    if bond.following:
        label, said = _("Following"), _("You are following %(name)s", name=other.label)
    elif bond.requested:
        label, said = _("Requested"), _("Request sent to %(name)s", name=other.label)
    else:
        label = _("Follow back") if bond.followed_by else _("Follow")
        said = _("You are not following %(name)s", name=other.label)
    follows_now = bond.following or bond.requested
    verb = "unfollow" if follows_now else "follow"
    return jsonify(
        ok=True,
        label=label,
        said=said,
        follows=follows_now,
        waits=bond.requested and not bond.following,
        next=f"/people/{other.id}/{verb}",
    )
