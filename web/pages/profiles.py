"""Profiles, lists of followers and follows, follow requests, and the actions on an account."""

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
from web.html.helpers import profile_path
from web.html.lists import ViewerRelationship, requested_page, viewer_relationships
from web.html.post_cards import CardPage, CardRenderer
from web.html.templates import card_renderer, render_page
from web.i18n.translations import _
from web.request import context
from web.request.redirects import referring_path, safe_path, see_other, wants_json

blueprint = Blueprint("profiles", __name__)

CELLS_PER_PAGE = 40
POSTS_PER_PAGE = 20
ACCOUNTS_PER_PAGE = 40


@dataclass(frozen=True, slots=True)
class ProfilePage:
    account: Account
    relationship: ViewerRelationship | None
    posts: CardPage
    pinned: CardPage
    moved_to: Account | None


def _account_by_handle(tx: Reader, handle: str) -> Account:
    account = accounts.by_handle(tx, handle)
    if account is None or account.is_inactive or (account.is_local and account.kind == "Application"):
        raise NotFound(_("There is no account by that name here."))
    return account


def _hidden_account_id(tx: Reader, viewer: Account | None, handle: str) -> int | None:
    """Returns the id of a suspended account, whose page for staff says how that ends."""
    account = accounts.by_handle(tx, handle)
    is_hidden = account is not None and account.suspended_at is not None and account.deleted_at is None
    return account.id if account is not None and is_hidden else None


def _is_first_page(page: Page) -> bool:
    return not (page.max_id or page.min_id or page.since_id)


def _load_profile(
    tx: Reader, viewer: Account | None, cards: CardRenderer, handle: str, page: Page, everything: bool
) -> ProfilePage:
    account = _account_by_handle(tx, handle)
    relationship = viewer_relationships(tx, viewer, [account]).get(account.id)
    entries = timelines.profile(
        tx,
        viewer,
        account,
        page,
        only_photos=not everything,
        include_comments=everything,
        include_boosts=everything,
    )
    kind = "card" if everything else "cell"
    pinned_ids = (
        pins.post_ids(tx, viewer, account, only_photos=not everything) if _is_first_page(page) else []
    )
    pinned = post_summaries.by_entries(tx, viewer, [timelines.TimelineEntry(id_, id_) for id_ in pinned_ids])
    rest = [entry for entry in entries if entry.id not in pinned_ids]
    return ProfilePage(
        account,
        relationship,
        cards.prepare(tx, viewer, post_summaries.by_entries(tx, viewer, rest), kind, entries.older),
        cards.prepare(tx, viewer, pinned, kind),
        migration.destination(tx, account),
    )


async def _render_profile(handle: str, tab: str, page: Page) -> Response:
    try:
        loaded = await context.read(_load_profile, card_renderer(), handle, page, tab == "all")
    except NotFound:
        user = context.signed_in_user()
        hidden_id = await context.read(_hidden_account_id, handle) if user and user.is_staff else None
        if hidden_id is None:
            raise
        return see_other(f"/admin/people/{hidden_id}")
    account = loaded.account
    if handle != account.handle:
        return redirect(profile_path(account) + ("/all" if tab == "all" else ""), 302)  # type: ignore[return-value]
    if (
        not account.is_local
        and context.signed_in_user() is not None
        and await profile_preview.wait_for_first(context.current_node(), account)
    ):
        loaded = await context.read(_load_profile, card_renderer(), handle, page, tab == "all")
        account = loaded.account
    response = await render_page(
        "people/profile.html",
        account=account,
        relationship=loaded.relationship,
        card_page=loaded.posts,
        pinned=loaded.pinned,
        moved=loaded.moved_to,
        tab=tab,
        is_loading=not account.is_local
        and account.looked_at is None
        and context.signed_in_user() is not None,
    )
    if account.is_local:
        response.headers["Link"] = f'<{account.uri}>; rel="alternate"; type="application/activity+json"'
    return response


@blueprint.get("/@<handle>")
async def show_photos(handle: str) -> Response:
    return await _render_profile(handle, "photos", requested_page(CELLS_PER_PAGE))


@blueprint.get("/@<handle>/all")
async def show_all_posts(handle: str) -> Response:
    return await _render_profile(handle, "all", requested_page(POSTS_PER_PAGE))


@blueprint.get("/users/<name>")
async def redirect_actor(name: str) -> Response:
    return redirect(f"/@{name}", 302)  # type: ignore[return-value]


def _load_follows(
    tx: Reader, viewer: Account | None, handle: str, page: Page, kind: str
) -> tuple[Account, list[Account], int | None, dict[int, ViewerRelationship], bool]:
    account = _account_by_handle(tx, handle)
    listed = (follows.followers if kind == "followers" else follows.following)(tx, account, viewer, page)
    people = [one.account for one in listed]
    return (
        account,
        people,
        listed.older,
        viewer_relationships(tx, viewer, people),
        follows.hides_follows_from(account, viewer),
    )


@blueprint.get("/@<handle>/<any(followers, following):kind>")
async def show_follows(handle: str, kind: str) -> Response:
    account, people, older, relationship_by_id, is_hidden = await context.read(
        _load_follows, handle, requested_page(ACCOUNTS_PER_PAGE), kind
    )
    name = account.label
    return await render_page(
        "people/list.html",
        title=_("Followers of %(name)s", name=name)
        if kind == "followers"
        else _("Followed by %(name)s", name=name),
        people=people,
        older=older,
        relationships=relationship_by_id,
        back=profile_path(account),
        empty_text=_("%(name)s hides their followers and follows.", name=name)
        if is_hidden
        else ""
        if account.is_local
        else _(
            "Some may be missing here. See the full list on %(server)s.",
            server=account.domain,
        ),
    )


def _load_requests(tx: Reader, account: Account, page: Page) -> tuple[list[Account], int | None]:
    listed = follows.requests(tx, account, page)
    return [one.account for one in listed], listed.older


@blueprint.get("/follow-requests")
async def show_follow_requests() -> Response:
    people, older = await context.read_signed_in(_load_requests, requested_page(ACCOUNTS_PER_PAGE))
    return await render_page("people/follow_requests.html", people=people, older=older)


def _accept(tx: Writer, account: Account, other: Account) -> None:
    follow = relationships.follow_between(tx, other, account)
    if follow is None:
        raise NotFound(_("The follow request was withdrawn."))
    follows.accept(tx, follow)


def _reject(tx: Writer, account: Account, other: Account) -> None:
    follow = relationships.follow_between(tx, other, account)
    if follow is not None:
        follows.reject(tx, follow)


def _set_shows_boosts(shows: bool) -> Callable[[Writer, Account, Account], None]:
    def unit(tx: Writer, account: Account, other: Account) -> None:
        if relationships.follow_between(tx, account, other) is not None:
            follows.follow(tx, account, other, shows_boosts=shows)

    return unit


ACTIONS: dict[str, Callable[[Writer, Account, Account], Any]] = {
    "follow": follows.follow,
    "unfollow": follows.unfollow,
    "block": blocks.block,
    "unblock": blocks.unblock,
    "unmute": blocks.unmute,
    "accept": _accept,
    "reject": _reject,
    "remove": follows.remove_follower,
    "hide-boosts": _set_shows_boosts(False),
    "show-boosts": _set_shows_boosts(True),
}


_Done = tuple[Account, relationships.Relationship]
MUTE_SECONDS = {"hour": 3600, "day": 24 * 3600, "week": 7 * 24 * 3600, "month": 30 * 24 * 3600}
"""What a form may choose; without any of them, a mute has no end."""


def _run_action(tx: Writer, account: Account, account_id: int, action: str) -> _Done:
    other = accounts.get(tx, account_id)
    ACTIONS[action](tx, account, other)
    return other, relationships.with_account(tx, account, other)


@blueprint.get("/people/<int:account_id>/mute")
async def confirm_mute(account_id: int) -> Response:
    """Asks for how long an account is muted."""
    other = await context.read_signed_in(_load_other, account_id)
    return await render_page(
        "people/mute.html",
        account=other,
        back=safe_path(request.args.get("back", ""), profile_path(other)),
    )


def _load_other(tx: Reader, account: Account, account_id: int) -> Account:
    other = accounts.get(tx, account_id)
    if other.is_inactive or other.id == account.id:
        raise NotFound
    return other


def _mute(tx: Writer, account: Account, account_id: int, seconds: int, hides: bool) -> _Done:
    other = accounts.get(tx, account_id)
    blocks.mute(tx, account, other, seconds=seconds, hides_notifications=hides)
    return other, relationships.with_account(tx, account, other)


@blueprint.post("/people/<int:account_id>/<action>")
async def run_action(account_id: int, action: str) -> Response:
    form = await request.form
    if action == "mute":
        other, relationship = await context.write(
            _mute, account_id, MUTE_SECONDS.get(form.get("time", ""), 0), "shows_notifications" not in form
        )
    elif action in ACTIONS:
        other, relationship = await context.write(_run_action, account_id, action)
    else:
        raise NotFound
    if not wants_json():
        return see_other((await request.form).get("back", "") or referring_path(profile_path(other)))
    return _relationship_json(other, relationship)


def _load_relationship(
    tx: Reader, viewer: Account | None, account_id: int
) -> tuple[Account, relationships.Relationship]:
    other = accounts.get(tx, account_id)
    if viewer is None or other.is_inactive:
        raise NotFound
    return other, relationships.with_account(tx, viewer, other)


@blueprint.get("/people/<int:account_id>/standing")
async def show_relationship(account_id: int) -> Response:
    """Returns the relationship with an account,
    for scripts that wait until another server has accepted a follow."""
    return _relationship_json(*await context.read(_load_relationship, account_id))


def _relationship_json(other: Account, relationship: relationships.Relationship) -> Response:
    if relationship.following:
        label, message = _("Following"), _("You are following %(name)s", name=other.label)
    elif relationship.requested:
        label, message = _("Requested"), _("Request sent to %(name)s", name=other.label)
    else:
        label = _("Follow back") if relationship.followed_by else _("Follow")
        message = _("You are not following %(name)s", name=other.label)
    follows_now = relationship.following or relationship.requested
    verb = "unfollow" if follows_now else "follow"
    return jsonify(
        ok=True,
        label=label,
        message=message,
        follows=follows_now,
        waits=relationship.requested and not relationship.following,
        next=f"/people/{other.id}/{verb}",
    )
