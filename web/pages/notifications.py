"""The page of notifications: one line for each post and kind, however many people did the same."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from markupsafe import Markup, escape
from quart import Blueprint, Response, g, jsonify, request

from node.attachments.photo_rows import Photo
from node.auth import sign_ups, users
from node.database import Reader, Writer
from node.errors import NotFound
from node.interactions import emoji_reactions, severed_follows
from node.interactions.emoji_reactions import ReactionCount
from node.interactions.severed_follows import LostFollows
from node.models.account import Account
from node.notifications import notifications
from node.notifications.notifications import KINDS
from node.paging import Page
from node.text import hostnames
from node.timelines import notification_list, post_views
from node.timelines.notification_list import NotificationView
from node.timelines.post_views import PostView
from web.html.custom_emoji import render_display_name as name_of
from web.html.helpers import post_path, profile_path
from web.html.lists import requested_page
from web.html.navigation import COUNTS
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
    "follows": ("follow", "follow_request", "move", "severed"),
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
    "severed": "shield",
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
    root: PostView | None = None  # of a comment: the post under which it stands
    lost: list[LostFollows] = field(default_factory=list)
    is_pending: bool = False  # of a sign-up: whether it still waits for approval
    emoji_reactions: list[ReactionCount] = field(default_factory=list)

    @property
    def icon(self) -> str:
        return ICONS.get(self.kind, "bell")

    @property
    def text(self) -> Markup:
        is_comment = self.post is not None and self.post.post.is_comment
        pattern, who = _text_pattern(self.kind, is_about_comment=is_comment), _linked_names(self.people)
        if self.is_pending:  # there is no profile yet
            pattern, who = _("%(who)s asked to join"), escape(self.people[0].name)
        return Markup(pattern) % {"who": who}  # noqa: S704

    @property
    def losses(self) -> list[tuple[str, str]]:
        """The suspended servers, the latest first, and what the reader has lost on each."""
        return [(hostnames.to_unicode(one.domain), _loss(one)) for one in self.lost[:MAX_NAMED]]

    @property
    def path(self) -> str:
        """Where it leads: to the post, and on its page to the very comment."""
        if self.post is None:
            return ""
        path = post_path(self.post.post, self.post.author)
        return f"{path}#post-{self.post.post.id}" if self.post.post.is_comment else path

    @property
    def photo(self) -> Photo | None:
        """The photo it is about: of the post, or of the one under which the comment stands."""
        for view in (self.post, self.root):
            if view is not None and view.photos and not (view.post.is_sensitive or view.post.warning):
                return view.photos[0]
        return None


def _text_pattern(kind: str, *, is_about_comment: bool) -> str:
    if is_about_comment and kind in ("like", "boost"):
        return _("%(who)s liked your comment") if kind == "like" else _("%(who)s boosted your comment")
    return {
        "like": _("%(who)s liked your photo"),
        "comment": _("%(who)s commented"),
        "mention": _("%(who)s mentioned you"),
        "boost": _("%(who)s boosted your photo"),
        "follow": _("%(who)s followed you"),
        "follow_request": _("%(who)s requested to follow you"),
        "sign_up": _("%(who)s signed up"),
        "quote": _("%(who)s quoted your photo"),
        "severed": _(
            "This server has suspended other servers. Their posts are hidden, and follows are removed."
        ),
        "move": _("Someone you follow has moved to %(who)s, whom you now follow"),
    }.get(kind, "%(who)s")


def _loss(one: LostFollows) -> str:
    followers = ngettext("%(num)s follower", "%(num)s followers", one.followers_count)
    following = ngettext("%(num)s followed account", "%(num)s followed accounts", one.following_count)
    if one.followers_count and one.following_count:
        return _("%(first)s and %(second)s", first=followers, second=following)
    return followers if one.followers_count else following


def _linked_names(people: list[Account]) -> Markup:
    """Names one or two people, and how many more there are."""
    names = [
        Markup('<a class="name" href="{}"><bdi>{}</bdi></a>').format(profile_path(one), name_of(one))
        for one in people[:2]
    ]
    if len(people) == 1:
        return names[0]
    if len(people) == 2:
        pattern = _("%(first)s and %(second)s")
    else:
        pattern = ngettext(
            "%(first)s, %(second)s and %(num)s other",
            "%(first)s, %(second)s and %(num)s others",
            len(people) - 2,
            first="%(first)s",
            second="%(second)s",
        )
    return Markup(escape(pattern)) % {"first": names[0], "second": names[1]}  # noqa: S704


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
    for group in groups:
        if group.kind == "severed":
            group.lost = severed_follows.lost_by_account(tx, account.id, MAX_NAMED + 1)
    joining = {group.people[0].id: group for group in groups if group.kind == "sign_up"}
    for account_id in sign_ups.pending_among(tx, joining) if joining else ():
        joining[account_id].is_pending = True
    return _with_reactions(tx, _with_roots(tx, account, groups)), found.older


def _with_roots(tx: Reader, account: Account, groups: list[NotificationGroup]) -> list[NotificationGroup]:
    """Adds the posts under which comments without a photo of their own stand."""
    comments = [group for group in groups if group.post is not None and not group.post.photos]
    root_ids = {group.post.post.root_id for group in comments if group.post is not None}
    roots = {view.post.id: view for view in post_views.by_entries(tx, account, sorted(root_ids))}
    for group in comments:
        if group.post is not None:
            group.root = roots.get(group.post.post.root_id)
    return groups


def _mark_read(tx: Writer, account: Account) -> None:
    notification_list.mark_read(tx, account)


@blueprint.get("/notifications", defaults={"tab": ""})
@blueprint.get("/notifications/<tab>")
async def show_notifications(tab: str) -> Response:
    if tab not in TAB_KINDS:
        raise NotFound
    groups, older = await context.read_signed_in(_load_groups, requested_page(ROWS_PER_PAGE), tab)
    signed_in = context.signed_in_user()
    if signed_in and signed_in.unread_count and not tab and "max_id" not in request.args:
        await context.write(_mark_read)
        g.signed_in_user = replace(signed_in, unread_count=0)  # the page that shows them counts none
    return await render_page(
        "notifications.html", groups=groups, older=older, tab="/notifications" + (f"/{tab}" if tab else "")
    )


@blueprint.get("/notifications/counts")
async def show_counts() -> Response:
    """Sends the numbers of the navigation, for a page that stays open."""
    await context.read(context.read_nothing)
    user = context.signed_in_user()
    if user is None:
        return jsonify({})
    return jsonify({name: getattr(user, name) for name in COUNTS})


@blueprint.post("/notifications/clear")
async def clear_notifications() -> Response:
    await context.write(notifications.clear)
    return see_other("/notifications")
