"""Posts as HTML, with what is the same for everyone made once and kept.

Of a page of posts the database is asked only for a `Glance` of each: whether what was kept is still true,
its counts, and the viewer's own marks. Cards that are missing are read and made, once for everyone. What
changes by viewer or by minute (the time, the row of deeds) is put between the kept parts, by plain
functions because a page holds a hundred of them.

Only posts that `glances` or `views` let this viewer see are shown, so keeping the card of a private post
shows it to nobody else.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from jinja2 import Environment
from markupsafe import Markup, escape

from node.accounts import accounts
from node.attachments.photo_rows import Photo
from node.attachments.photos import LATER
from node.cache import Cache
from node.database import Reader
from node.models.account import Account
from node.models.post import Post
from node.timelines import post_summaries, post_views
from node.timelines.post_summaries import Glance
from node.timelines.post_views import PostView
from node.timelines.timelines import Entry
from node.timelines.viewer_marks import ViewerMarks
from web.html import helpers
from web.i18n.translations import N_

MOST_KEPT = 3_000
KEPT_SECONDS = 600.0
UNFINISHED_SECONDS = 20.0
EAGER = 2


@dataclass(frozen=True, slots=True)
class Facts:
    """What the row of deeds needs to know of a post."""

    post_id: int
    author_id: int
    path: str
    url: str
    uri: str
    published_at: int
    is_open: bool
    for_followers: bool
    boosts: bool

    def can_boost(self, viewer_id: int) -> bool:
        return (self.is_open and self.boosts) or (
            self.author_id == viewer_id and (self.is_open or self.for_followers)
        )


@dataclass(frozen=True, slots=True)
class Kept:
    """The parts of a card, or the one part of a cell."""

    version: tuple[str, ...]
    facts: Facts
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A page of posts as one viewer may see them: what was kept of each, or what to make it from."""

    lines: list[tuple[Glance, str, Kept | None]]
    fresh: dict[int, PostView]
    boosters: dict[int, Account]
    older: int | None = None

    def __bool__(self) -> bool:
        return bool(self.lines)


class Cards:
    """The kept cards and cells of one language."""

    def __init__(self, env: Environment) -> None:
        self._env = env
        self._kept: Cache[tuple[str, int], Kept] = Cache(MOST_KEPT)
        self._break = Markup(f"<!--{secrets.token_hex(8)}-->")  # noqa: S704
        self._macros: Any = None
        self._deeds = Deeds(env)

    @property
    def macros(self) -> Any:
        if self._macros is None:
            self._macros = self._env.get_template("parts/posts.html").module
        return self._macros

    def sheet(
        self, tx: Reader, viewer: Account | None, seen: Sequence[Glance], kind: str, older: int | None = None
    ) -> Sheet:
        """What a page needs, in the unit of work that read the glances. `kind` is "card" or "cell"."""
        lines = []
        for n, glance in enumerate(seen):
            form = "eager" if kind == "card" and n < EAGER else kind
            kept = self._kept.get((form, glance.post_id))
            if kept is not None and kept.version != _version(form, glance):
                kept = None
            lines.append((glance, form, kept))
        lacking = [Entry(glance.post_id, glance.post_id) for glance, _form, kept in lines if kept is None]
        by = {glance.boost_by for glance, _form, _kept in lines if glance.boost_by is not None}
        return Sheet(
            lines,
            {view.post.id: view for view in post_views.of(tx, viewer, lacking)} if lacking else {},
            accounts.by_ids(tx, by) if by else {},
            older,
        )

    def entries(
        self, tx: Reader, viewer: Account | None, found: Sequence[Entry], limit: int, kind: str = "cell"
    ) -> Sheet:
        """As `sheet`, for a page of a timeline that asked for `limit` entries."""
        older = found[-1].id if len(found) >= limit else None
        return self.sheet(tx, viewer, post_summaries.of(tx, viewer, found), kind, older)

    def stream(self, sheet: Sheet, viewer: Account | None) -> Markup:
        """Posts one below the other, as in Home."""
        parts: list[str] = []
        for glance, kind, kept in sheet.lines:
            card = kept or self._make(glance, kind, sheet.fresh.get(glance.post_id))
            if card is None:
                continue
            head, middle, tail = card.parts
            booster = sheet.boosters.get(glance.boost_by or 0)
            parts += (
                f'<div class="item" data-entry="{glance.id}">',
                self.macros.boosted(booster) if booster is not None else "",
                head,
                helpers.ago(card.facts.published_at),
                middle,
                self._deeds(
                    card.facts,
                    viewer,
                    (glance.likes, glance.comments, glance.boosts),
                    glance.marks,
                ),
                tail,
                "</div>",
            )
        return Markup("".join(parts))  # noqa: S704

    def grid(self, sheet: Sheet) -> Markup:
        """Posts as squares, as on a profile."""
        cells = [
            kept or self._make(glance, kind, sheet.fresh.get(glance.post_id))
            for glance, kind, kept in sheet.lines
        ]
        return Markup("".join([cell.parts[0] for cell in cells if cell is not None]))  # noqa: S704

    def alone(self, view: PostView, viewer: Account | None) -> Markup:
        """One post on its own page."""
        head, middle, tail = str(self.macros.card(view, self._break, "alone")).split(self._break)
        post = view.post
        counts = (post.likes_count, post.comments_count, post.boosts_count)
        deeds = self._deeds(_facts(view), viewer, counts, view.marks)
        return Markup("".join((head, helpers.ago(post.published_at), middle, deeds, tail)))  # noqa: S704

    def _make(self, glance: Glance, kind: str, view: PostView | None) -> Kept | None:
        """Make a card and keep it. Without a view the post is gone since it was glanced at."""
        if view is None:
            return None
        made = str(self.macros.cell(view) if kind == "cell" else self.macros.card(view, self._break, kind))
        lasts = KEPT_SECONDS if all(_is_finished(photo) for photo in view.photos) else UNFINISHED_SECONDS
        kept = Kept(_version(kind, glance), _facts(view), tuple(made.split(self._break)))
        self._kept.put((kind, glance.post_id), kept, lasts)
        return kept


def _version(kind: str, glance: Glance) -> tuple[str, ...]:
    if kind == "cell":
        return (glance.version, glance.author_version, f"{glance.likes} {glance.comments}")
    return (glance.version, glance.author_version)


def _is_finished(photo: Photo) -> bool:
    """Whether no more sizes are to come: until then its card is soon made anew."""
    if photo.remote_url:
        return bool(photo.files)
    return all((variant.name, variant.format) in photo.files for variant in LATER)


def _facts(view: PostView) -> Facts:
    post: Post = view.post
    return Facts(
        post.id,
        post.account_id,
        helpers.post_path(post, view.author),
        post.url,
        post.uri,
        post.published_at,
        post.is_open,
        post.visibility == "followers",
        bool(post.allows.boost.allowed),
    )


class Deeds:
    """The row under a post: like, comment, boost, share, bookmark, each a form's button or a link."""

    def __init__(self, env: Environment) -> None:
        _: Any = env.globals["_"]
        icon: Any = env.globals["icon"]
        self._like = self._button("like", icon("heart", "fills"), _("Like"))
        self._boost = self._button("boost", icon("boost"), _("Boost"))
        self._bookmark = self._button("bookmark", icon("bookmark", "fills"), _("Bookmark"))
        self._comment = f' title="{_("Comment")}">{icon("comment")}<span class="sr">{_("Comment")}</span> '
        self._share = f'title="{_("Share")}">{icon("share")}<span class="sr">{_("Share")}</span></button>'
        self._links = [
            f' title="{_(label)}">{icon(name)}<span class="sr">{_(label)}</span> '
            for name, label in (("heart", N_("Like")), ("comment", N_("Comment")), ("boost", N_("Boost")))
        ]

    @staticmethod
    def _button(deed: str, icon: str, label: str) -> tuple[tuple[str, str], tuple[str, str]]:
        """The pieces round the post's id and the count, unpressed and pressed."""
        inside = f'title="{label}">{icon}<span class="sr">{label}</span> <span class="n">'
        return (
            (f'/{deed}" data-action="{deed}" aria-pressed="false" {inside}', "</span></button>"),
            (f'/un{deed}" data-action="{deed}" aria-pressed="true" {inside}', "</span></button>"),
        )

    def __call__(
        self, facts: Facts, viewer: Account | None, counts: tuple[int, int, int], marks: ViewerMarks
    ) -> str:
        likes, comments, boosts = counts
        share = f'<button class="action js-only" type="button" data-share="{escape(facts.url)}" {self._share}'
        if viewer is None:
            where = f"/interact?uri={quote(facts.uri, safe='')}"
            links = [
                f'<a class="action" href="{where}"{inside}<span class="n">{_count(n)}</span></a>'
                for inside, n in zip(self._links, counts, strict=True)
            ]
            return f'<div class="actions">{"".join(links)}{share}</div>'
        start = f'<button class="action" form="actions" formaction="/posts/{facts.post_id}'
        like = self._like[marks.liked]
        bookmark = self._bookmark[marks.bookmarked]
        boost = ""
        if marks.boosted or facts.can_boost(viewer.id):
            inside, end = self._boost[marks.boosted]
            boost = f"{start}{inside}{_count(boosts)}{end}"
        return (
            f'<div class="actions">{start}{like[0]}{_count(likes)}{like[1]}'
            f'<a class="action" href="{escape(facts.path)}#answer"{self._comment}<span class="n">{_count(comments)}'
            f"</span></a>{boost}{share}"
            f'<span class="end">{start}{bookmark[0]}{bookmark[1]}</span></div>'
        )


def _count(n: int) -> str:
    return helpers.short(n) if n else ""
