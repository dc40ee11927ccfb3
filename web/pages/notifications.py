"""What happened: one line for each post and kind, however many people did it."""

from __future__ import annotations

from dataclasses import dataclass, field

from markupsafe import Markup, escape
from quart import Blueprint, Response, request

from node.auth import users
from node.database import Reader, Writer
from node.errors import NotFound
from node.interactions import emoji_reactions
from node.interactions.emoji_reactions import Tally
from node.models.account import Account
from node.notifications import notifications
from node.notifications.notifications import KINDS
from node.paging import Page
from node.timelines import notification_list
from node.timelines.notification_list import NotificationView
from node.timelines.post_views import PostView
from web.html.custom_emoji import name as name_of
from web.html.helpers import path_of
from web.html.lists import paging
from web.html.templates import page
from web.i18n.translations import _, ngettext
from web.request import context
from web.request.redirects import go

blueprint = Blueprint("notifications", __name__)

ROWS = 60
NAMED = 8
TABS = {
    "": KINDS,
    "comments": ("comment", "mention"),
    "likes": ("like", "boost", "quote"),
    "follows": ("follow", "follow_request", "move"),
}
MARKS = {
    "like": "heart",
    "comment": "comment",
    "mention": "comment",
    "boost": "boost",
    "follow": "person",
    "follow_request": "lock",
    "sign_up": "people",
    "move": "right",
    "quote": "comment",
}
GROUPED = ("like", "boost", "follow")


@dataclass(slots=True)
class Group:
    """One line of the page: `people` did the same thing to the same post, the latest first."""

    id: int
    kind: str
    people: list[Account]
    post: PostView | None
    at: int
    is_new: bool
    given: list[Tally] = field(default_factory=list)

    @property
    def mark(self) -> str:
        return MARKS.get(self.kind, "bell")

    @property
    def sentence(self) -> Markup:
        return Markup(_sentence(self.kind)) % {"who": _names(self.people)}  # noqa: S704


def _sentence(kind: str) -> str:
    return {
        "like": _("%(who)s liked your photo"),
        "comment": _("%(who)s commented"),
        "mention": _("%(who)s mentioned you"),
        "boost": _("%(who)s boosted your photo"),
        "follow": _("%(who)s followed you"),
        "follow_request": _("%(who)s requested to follow you"),
        "sign_up": _("%(who)s signed up"),
        "quote": _("%(who)s quoted your photo"),
        "move": _("Someone you follow has moved to %(who)s, whom you now follow"),
    }.get(kind, "%(who)s")


def _names(people: list[Account]) -> Markup:
    first = Markup('<a class="name" href="{}"><bdi>{}</bdi></a>').format(
        path_of(people[0]), name_of(people[0])
    )
    more = len(people) - 1
    if not more:
        return first
    rest = ngettext("%(first)s and 1 other", "%(first)s and %(num)s others", more, first="%(first)s")
    return Markup(escape(rest)) % {"first": first}  # noqa: S704


def grouped(found: list[NotificationView], read_id: int) -> list[Group]:
    """Notifications of one kind about one post become one line, where the latest of them stands."""
    groups: dict[tuple[str, int], Group] = {}
    for one in found:
        post_id = one.post.post.id if one.post else 0
        key = (one.kind, post_id) if one.kind in GROUPED else (one.kind, -one.id)
        group = groups.get(key)
        if group is None:
            groups[key] = Group(one.id, one.kind, [one.by], one.post, one.created_at, one.id > read_id)
        elif one.by not in group.people:
            group.people.append(one.by)
    return list(groups.values())


def _with_reactions(tx: Reader, groups: list[Group]) -> list[Group]:
    """What those gave who liked with an emoji of their own choice."""
    liked = [group for group in groups if group.kind == "like" and group.post is not None]
    if liked:
        people = {one.id for group in liked for one in group.people}
        found = emoji_reactions.by_people(
            tx, [group.post.post.id for group in liked if group.post], list(people)
        )
        for group in liked:
            assert group.post is not None
            for one in group.people[:NAMED]:
                group.given += found.get((group.post.post.id, one.id), [])
    return groups


def _page(tx: Reader, who: Account, part: Page, tab: str) -> tuple[list[Group], int | None]:
    found = notification_list.page(tx, who, part, TABS[tab])
    user = users.by_account(tx, who)
    groups = grouped(found, user.notifications_read_id if user else 0)
    return _with_reactions(tx, groups), found[-1].id if len(found) >= part.limit else None


def _read(tx: Writer, who: Account) -> None:
    notification_list.mark_read(tx, who)


@blueprint.get("/notifications", defaults={"tab": ""})
@blueprint.get("/notifications/<tab>")
async def notified(tab: str) -> Response:
    if tab not in TABS:
        raise NotFound
    groups, older = await context.look_signed_in(_page, paging(ROWS), tab)
    response = await page(
        "notifications.html", groups=groups, older=older, tab="/notifications" + (f"/{tab}" if tab else "")
    )
    person = context.person()
    if person and person.unread and not tab and "max_id" not in request.args:
        await context.act(_read)
    return response


@blueprint.post("/notifications/clear")
async def clear() -> Response:
    await context.act(notifications.clear)
    return go("/notifications")
