"""The actions on a post, such as like and bookmark: what each does, and its button in the row under a post.

`POST_ACTIONS` is the only list of them: the pages run what it names at `/posts/ID/NAME` and `/posts/ID/unNAME`, and
`ActionRow` makes the buttons from it. Each function here gets a post that its caller has found the account to see.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import quote

from jinja2 import Environment
from markupsafe import escape

from node.database import Writer
from node.interactions import bookmarks, boosts, likes, pins
from node.models.account import Account
from node.models.post import Post
from node.timelines.viewer_marks import ViewerMarks
from web.html import helpers
from web.i18n.translations import N_


@dataclass(frozen=True, slots=True)
class CardData:
    """What the row of actions needs to know of a post."""

    post_id: int
    author_id: int
    path: str
    url: str
    uri: str
    published_at: int
    is_open: bool
    is_followers_only: bool
    allows_boosts: bool

    def can_boost(self, viewer_id: int) -> bool:
        return (self.is_open and self.allows_boosts) or (
            self.author_id == viewer_id and (self.is_open or self.is_followers_only)
        )


class PostCounts(NamedTuple):
    """The numbers beside the buttons."""

    likes: int
    comments: int
    boosts: int


@dataclass(frozen=True, slots=True)
class Button:
    """A button in the row under a post.

    `mark` is the field of `ViewerMarks` that shows it pressed, `count` the field of `PostCounts` beside it. A button
    without a count stands at the end of the row, and only signed-in viewers get it. `is_filled`: pressed, its icon is
    filled. `is_offered` decides for those who have not pressed it yet, by the id of the viewer's account.
    """

    icon: str
    label: str
    mark: str
    count: str = ""
    is_filled: bool = False
    is_offered: Callable[[CardData, int], bool] | None = None


@dataclass(frozen=True, slots=True)
class PostAction:
    """Something that an account does to a post by pressing a button, and takes back by pressing it again."""

    name: str
    do: Callable[[Writer, Account, Post], Any]
    undo: Callable[[Writer, Account, Post], Any]
    button: Button | None = None


POST_ACTIONS = (
    PostAction(
        "like",
        partial(likes.like, visibility_checked=True),
        likes.unlike,
        Button("heart", N_("Like"), "liked", "likes", is_filled=True),
    ),
    PostAction(
        "boost",
        partial(boosts.boost, visibility_checked=True),
        boosts.unboost,
        Button("boost", N_("Boost"), "boosted", "boosts", is_offered=CardData.can_boost),
    ),
    PostAction(
        "bookmark",
        partial(bookmarks.add, visibility_checked=True),
        bookmarks.remove,
        Button("bookmark", N_("Bookmark"), "bookmarked", is_filled=True),
    ),
    PostAction("pin", partial(pins.pin, visibility_checked=True), pins.unpin),
)


class _ButtonHtml:
    """A button as pieces of HTML, made once; the id of the post and the count are put between them."""

    def __init__(self, env: Environment, action: str, button: Button) -> None:
        icon, label = env.globals["icon"], env.globals["_"](button.label)  # type: ignore[operator]
        self._mark = ViewerMarks._fields.index(button.mark)
        self.count = PostCounts._fields.index(button.count) if button.count else None
        self._is_offered = button.is_offered
        image = icon(button.icon, "fills" if button.is_filled else "")  # type: ignore[operator]
        # The script counts in the element `.n`, so a button without a count has none.
        start, self._end = ("", "") if self.count is None else (' <span class="n">', "</span>")
        inside = f'title="{label}">{image}<span class="sr">{label}</span>{start}'
        self._opening = (
            f'/{action}" data-action="{action}" aria-pressed="false" {inside}',
            f'/un{action}" data-action="{action}" aria-pressed="true" {inside}',
        )
        # A visitor presses nothing, so that the icon of the link is never filled.
        self.link = f' title="{label}">{icon(button.icon)}<span class="sr">{label}</span> '  # type: ignore[operator]

    def render(
        self, start: str, card: CardData, viewer_id: int, counts: PostCounts, marks: ViewerMarks
    ) -> str:
        is_pressed = marks[self._mark]
        if not is_pressed and self._is_offered is not None and not self._is_offered(card, viewer_id):
            return ""
        count = "" if self.count is None else _short_count(counts[self.count])
        return f"{start}{self._opening[is_pressed]}{count}{self._end}</button>"


class ActionRow:
    """The row under a post: its buttons, the link to the comments and sharing. A visitor gets links instead."""

    def __init__(self, env: Environment) -> None:
        _: Any = env.globals["_"]
        icon: Any = env.globals["icon"]
        buttons = [
            _ButtonHtml(env, action.name, action.button)
            for action in POST_ACTIONS
            if action.button is not None
        ]
        # The comments come after the first button.
        self._first, *self._counted = [button for button in buttons if button.count is not None]
        self._uncounted = [button for button in buttons if button.count is None]
        self._comment = f' title="{_("Comment")}">{icon("comment")}<span class="sr">{_("Comment")}</span> '
        self._share = f'title="{_("Share")}">{icon("share")}<span class="sr">{_("Share")}</span></a>'
        self._links = [
            (self._first.link, self._first.count or 0),
            (self._comment, PostCounts._fields.index("comments")),
            *((button.link, button.count or 0) for button in self._counted),
        ]

    def __call__(self, card: CardData, viewer: Account | None, counts: PostCounts, marks: ViewerMarks) -> str:
        # Without scripts it leads to the address of the post, ready to be copied.
        share = f'<a class="action" href="{escape(card.path)}#share" data-share="{escape(card.url)}" {self._share}'
        if viewer is None:
            address = f"/interact?uri={quote(card.uri, safe='')}"
            links = [
                f'<a class="action" href="{address}"{inside}<span class="n">{_short_count(counts[count])}</span></a>'
                for inside, count in self._links
            ]
            return f'<div class="actions">{"".join(links)}{share}</div>'
        start = f'<button class="action" form="actions" formaction="/posts/{card.post_id}'
        comment = (
            f'<a class="action" href="{escape(card.path)}#answer"{self._comment}'
            f'<span class="n">{_short_count(counts.comments)}</span></a>'
        )
        first = self._first.render(start, card, viewer.id, counts, marks)
        counted = [button.render(start, card, viewer.id, counts, marks) for button in self._counted]
        uncounted = [button.render(start, card, viewer.id, counts, marks) for button in self._uncounted]
        return (
            f'<div class="actions">{first}{comment}{"".join(counted)}{share}'
            f'<span class="end">{"".join(uncounted)}</span></div>'
        )


def _short_count(n: int) -> str:
    return helpers.short_number(n) if n else ""
