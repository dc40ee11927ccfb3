"""The page of notifications: one line for each post and kind, however many people did the same."""

from __future__ import annotations

from dataclasses import dataclass, field

from markupsafe import Markup, escape
from quart import Blueprint, Response, request

from node.auth import users
from node.database import Reader, Writer
from node.errors import NotFound
from node.interactions import emoji_reactions
from node.interactions.emoji_reactions import ReactionCount
from node.models.account import Account
from node.notifications import notifications
from node.notifications.notifications import KINDS
from node.paging import Page
from node.timelines import notification_list
from node.timelines.notification_list import NotificationView
from node.timelines.post_views import PostView
from web.html.custom_emoji import render_display_name as name_of
from web.html.helpers import profile_path
from web.html.lists import requested_page
from web.html.templates import render_page
from web.i18n.translations import _, ngettext
from web.request import context
from web.request.redirects import see_other

blueprint = Blueprint("notifications", __name__)

ROWS_PER_PAGE = 60
MAX_NAMED = 8
TAB_KINDS = {
    "": KINDS,
    "comments": ("comment", "mention"),
    "likes": ("like", "boost", "quote"),
    "follows": ("follow", "follow_request", "move"),
}
ICONS = {
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
GROUPED_KINDS = ("like", "boost", "follow")


@dataclass(slots=True)
class NotificationGroup:
    """One line of the page: `people` did the same thing to the same post, the latest first."""

    id: int
    kind: str
    people: list[Account]
    post: PostView | None
    created_at: int
    is_new: bool
    emoji_reactions: list[ReactionCount] = field(default_factory=list)

    @property
    def icon(self) -> str:
        return ICONS.get(self.kind, "bell")

    @property
    def text(self) -> Markup:
        return Markup(_text_pattern(self.kind)) % {"who": _linked_names(self.people)}  # noqa: S704


def _text_pattern(kind: str) -> str:
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


def _linked_names(people: list[Account]) -> Markup:
    first = Markup('<a class="name" href="{}"><bdi>{}</bdi></a>').format(
        profile_path(people[0]), name_of(people[0])
    )
    others = len(people) - 1
    if not others:
        return first
    rest = ngettext("%(first)s and 1 other", "%(first)s and %(num)s others", others, first="%(first)s")
    return Markup(escape(rest)) % {"first": first}  # noqa: S704


def group_notifications(found: list[NotificationView], read_id: int) -> list[NotificationGroup]:
    """Groups notifications of one kind about one post into one line, at the position of the latest."""
    groups: dict[tuple[str, int], NotificationGroup] = {}
    for one in found:
        post_id = one.post.post.id if one.post else 0
        key = (one.kind, post_id) if one.kind in GROUPED_KINDS else (one.kind, -one.id)
        group = groups.get(key)
        if group is None:
            groups[key] = NotificationGroup(
                one.id, one.kind, [one.by], one.post, one.created_at, one.id > read_id
            )
        elif one.by not in group.people:
            group.people.append(one.by)
    return list(groups.values())


def _with_reactions(tx: Reader, groups: list[NotificationGroup]) -> list[NotificationGroup]:
    """Adds the emoji reactions of those who liked with an emoji."""
    liked = [group for group in groups if group.kind == "like" and group.post is not None]
    if liked:
        people = {one.id for group in liked for one in group.people}
        found = emoji_reactions.by_posts_and_accounts(
            tx, [group.post.post.id for group in liked if group.post], list(people)
        )
        for group in liked:
            assert group.post is not None
            for one in group.people[:MAX_NAMED]:
                group.emoji_reactions += found.get((group.post.post.id, one.id), [])
    return groups


def _load_groups(
    tx: Reader, account: Account, page: Page, tab: str
) -> tuple[list[NotificationGroup], int | None]:
    found = notification_list.page(tx, account, page, TAB_KINDS[tab])
    user = users.by_account(tx, account)
    groups = group_notifications(found, user.notifications_read_id if user else 0)
    return _with_reactions(tx, groups), found[-1].id if len(found) >= page.limit else None


def _mark_read(tx: Writer, account: Account) -> None:
    notification_list.mark_read(tx, account)


@blueprint.get("/notifications", defaults={"tab": ""})
@blueprint.get("/notifications/<tab>")
async def show_notifications(tab: str) -> Response:
    if tab not in TAB_KINDS:
        raise NotFound
    groups, older = await context.read_signed_in(_load_groups, requested_page(ROWS_PER_PAGE), tab)
    response = await render_page(
        "notifications.html", groups=groups, older=older, tab="/notifications" + (f"/{tab}" if tab else "")
    )
    signed_in = context.signed_in_user()
    if signed_in and signed_in.unread_count and not tab and "max_id" not in request.args:
        await context.write(_mark_read)
    return response


@blueprint.post("/notifications/clear")
async def clear_notifications() -> Response:
    await context.write(notifications.clear)
    return see_other("/notifications")
