"""Renders posts as HTML, and caches the parts that are the same for everyone.

A page of posts reads only a `PostSummary` of each from the database: the version that tells whether the cached card
is current, the counts, and the viewer's marks. Missing cards are read and rendered, once for everyone. What
changes by viewer or by minute (the time, the row of actions) is put between the cached parts, by plain
functions because a page holds a hundred of them.

Only posts that `post_summaries` or `post_views` return for this viewer are shown, so that caching the card of a
private post shows it to nobody else.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from node.accounts import accounts
from node.attachments.photo_rows import Photo
from node.attachments.photos import DEFERRED_VARIANTS
from node.cache import Cache
from node.database import Reader
from node.models.account import Account
from node.models.post import Post
from node.paging import Found
from node.timelines import post_summaries, post_views
from node.timelines.post_summaries import PostSummary
from node.timelines.post_views import PostView
from node.timelines.timelines import TimelineEntry
from web.html import helpers
from web.html.post_actions import ActionRow, CardData, PostCounts

MAX_CACHED_CARDS = 3_000
CACHE_TTL_SECONDS = 600.0
INCOMPLETE_CACHE_TTL_SECONDS = 20.0
EAGER_CARDS = 2


@dataclass(frozen=True, slots=True)
class CachedCard:
    """The HTML of a card in three parts, or of a cell in one."""

    version: tuple[str, ...]
    data: CardData
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CardPage:
    """A page of posts as one viewer may see them: of each the cached card, or the view to render it from."""

    entries: list[tuple[PostSummary, str, CachedCard | None]]
    views: dict[int, PostView]
    boosters: dict[int, Account]
    next_max_id: int | None = None

    def __bool__(self) -> bool:
        return bool(self.entries)


class CardRenderer:
    """Renders and caches the cards and cells of one language."""

    def __init__(self, env: Environment) -> None:
        self._env = env
        self._cache: Cache[tuple[str, int], CachedCard] = Cache(MAX_CACHED_CARDS)
        self._separator = Markup(f"<!--{secrets.token_hex(8)}-->")  # noqa: S704
        self._macros: Any = None
        self._action_row = ActionRow(env)

    @property
    def macros(self) -> Any:
        if self._macros is None:
            self._macros = self._env.get_template("parts/posts.html").module
        return self._macros

    def prepare(
        self,
        tx: Reader,
        viewer: Account | None,
        summaries: Sequence[PostSummary],
        kind: str,
        next_max_id: int | None = None,
    ) -> CardPage:
        """Reads what the page needs, in the transaction that read the summaries. `kind` is "card" or "cell"."""
        lines = []
        for n, summary in enumerate(summaries):
            form = "eager" if kind == "card" and n < EAGER_CARDS else kind
            cached = self._cache.get((form, summary.post_id))
            if cached is not None and cached.version != _cache_version(form, summary):
                cached = None
            lines.append((summary, form, cached))
        missing = [
            TimelineEntry(summary.post_id, summary.post_id)
            for summary, _form, cached in lines
            if cached is None
        ]
        booster_ids = {summary.boost_by for summary, _form, _cached in lines if summary.boost_by is not None}
        return CardPage(
            lines,
            {view.post.id: view for view in post_views.by_entries(tx, viewer, missing)} if missing else {},
            accounts.by_ids(tx, booster_ids) if booster_ids else {},
            next_max_id,
        )

    def prepare_entries(
        self,
        tx: Reader,
        viewer: Account | None,
        entries: Found[TimelineEntry],
    ) -> CardPage:
        """Reads the cells that a page of a timeline needs, as `prepare` does."""
        summaries = post_summaries.by_entries(tx, viewer, entries)
        return self.prepare(tx, viewer, summaries, "cell", entries.older)

    def render_feed(self, card_page: CardPage, viewer: Account | None) -> Markup:
        """Renders posts one below the other, as in Home."""
        parts: list[str] = []
        for summary, kind, cached in card_page.entries:
            card = cached or self._render_and_cache(summary, kind, card_page.views.get(summary.post_id))
            if card is None:
                continue
            head, middle, tail = card.parts
            booster = card_page.boosters.get(summary.boost_by or 0)
            parts += (
                f'<div class="item" data-entry="{summary.id}">',
                self.macros.boosted(booster) if booster is not None else "",
                head,
                helpers.relative_time(card.data.published_at),
                middle,
                self._action_row(
                    card.data,
                    viewer,
                    PostCounts(summary.likes, summary.comments, summary.boosts),
                    summary.viewer_marks,
                ),
                tail,
                "</div>",
            )
        return Markup("".join(parts))  # noqa: S704

    def render_grid(self, card_page: CardPage) -> Markup:
        """Renders posts as squares, as on a profile."""
        cells = [
            cached or self._render_and_cache(summary, kind, card_page.views.get(summary.post_id))
            for summary, kind, cached in card_page.entries
        ]
        return Markup("".join([cell.parts[0] for cell in cells if cell is not None]))  # noqa: S704

    def render_action_row(self, view: PostView, viewer: Account | None) -> Markup:
        """Renders the row of actions of a post for its own page."""
        post = view.post
        counts = PostCounts(post.likes_count, post.comments_count, post.boosts_count)
        return Markup(self._action_row(_card_data(view), viewer, counts, view.marks))  # noqa: S704

    def _render_and_cache(self, summary: PostSummary, kind: str, view: PostView | None) -> CachedCard | None:
        """Renders a card and caches it. Returns None without a view: the post was deleted since its summary was read."""
        if view is None:
            return None
        html = str(
            self.macros.cell(view) if kind == "cell" else self.macros.card(view, self._separator, kind)
        )
        ttl = (
            CACHE_TTL_SECONDS
            if all(_is_complete(photo) for photo in view.photos)
            else INCOMPLETE_CACHE_TTL_SECONDS
        )
        cached = CachedCard(
            _cache_version(kind, summary), _card_data(view), tuple(html.split(self._separator))
        )
        self._cache.put((kind, summary.post_id), cached, ttl)
        return cached


def _cache_version(kind: str, summary: PostSummary) -> tuple[str, ...]:
    if kind == "cell":
        return (summary.version, summary.author_version, f"{summary.likes} {summary.comments}")
    return (summary.version, summary.author_version)


def _is_complete(photo: Photo) -> bool:
    """Returns whether all sizes of the photo exist. Until then its card is cached only for a short time."""
    if photo.remote_url:
        return bool(photo.files)
    return all((variant.name, variant.format) in photo.files for variant in DEFERRED_VARIANTS)


def _card_data(view: PostView) -> CardData:
    post: Post = view.post
    return CardData(
        post.id,
        post.account_id,
        helpers.post_path(post, view.author),
        post.url,
        post.uri,
        post.published_at,
        post.is_open,
        post.visibility == "followers",
        bool(post.interaction_policy.boost.automatic_approval),
    )
