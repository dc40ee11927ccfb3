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

from jinja2 import Environment
from markupsafe import Markup

from node.accounts import accounts
from node.attachments.photo_rows import Photo
from node.attachments.photos import DEFERRED_VARIANTS
from node.cache import Cache
from node.database import Reader
from node.models.account import Account
from node.models.post import Post
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
    """The parts of a card, or the one part of a cell."""

    version: tuple[str, ...]
    data: CardData
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CardPage:
    """A page of posts as one viewer may see them: what was kept of each, or what to make it from."""

    entries: list[tuple[PostSummary, str, CachedCard | None]]
    views: dict[int, PostView]
    boosters: dict[int, Account]
    next_max_id: int | None = None

    def __bool__(self) -> bool:
        return bool(self.entries)


class CardRenderer:
    """The kept cards and cells of one language."""

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
        """What a page needs, in the unit of work that read the glances. `kind` is "card" or "cell"."""
        lines = []
        for n, glance in enumerate(summaries):
            form = "eager" if kind == "card" and n < EAGER_CARDS else kind
            kept = self._cache.get((form, glance.post_id))
            if kept is not None and kept.version != _cache_version(form, glance):
                kept = None
            lines.append((glance, form, kept))
        lacking = [
            TimelineEntry(glance.post_id, glance.post_id) for glance, _form, kept in lines if kept is None
        ]
        by = {glance.boost_by for glance, _form, _kept in lines if glance.boost_by is not None}
        return CardPage(
            lines,
            {view.post.id: view for view in post_views.by_entries(tx, viewer, lacking)} if lacking else {},
            accounts.by_ids(tx, by) if by else {},
            next_max_id,
        )

    def prepare_entries(
        self,
        tx: Reader,
        viewer: Account | None,
        found: Sequence[TimelineEntry],
        limit: int,
        kind: str = "cell",
    ) -> CardPage:
        """As `sheet`, for a page of a timeline that asked for `limit` entries."""
        older = found[-1].id if len(found) >= limit else None
        return self.prepare(tx, viewer, post_summaries.by_entries(tx, viewer, found), kind, older)

    def render_feed(self, card_page: CardPage, viewer: Account | None) -> Markup:
        """Posts one below the other, as in Home."""
        parts: list[str] = []
        for glance, kind, kept in card_page.entries:
            card = kept or self._render_and_cache(glance, kind, card_page.views.get(glance.post_id))
            if card is None:
                continue
            head, middle, tail = card.parts
            booster = card_page.boosters.get(glance.boost_by or 0)
            parts += (
                f'<div class="item" data-entry="{glance.id}">',
                self.macros.boosted(booster) if booster is not None else "",
                head,
                helpers.relative_time(card.data.published_at),
                middle,
                self._action_row(
                    card.data,
                    viewer,
                    PostCounts(glance.likes, glance.comments, glance.boosts),
                    glance.viewer_marks,
                ),
                tail,
                "</div>",
            )
        return Markup("".join(parts))  # noqa: S704

    def render_grid(self, card_page: CardPage) -> Markup:
        """Posts as squares, as on a profile."""
        cells = [
            kept or self._render_and_cache(glance, kind, card_page.views.get(glance.post_id))
            for glance, kind, kept in card_page.entries
        ]
        return Markup("".join([cell.parts[0] for cell in cells if cell is not None]))  # noqa: S704

    def render_single(self, view: PostView, viewer: Account | None) -> Markup:
        """One post on its own page."""
        head, middle, tail = str(self.macros.card(view, self._separator, "alone")).split(self._separator)
        post = view.post
        counts = PostCounts(post.likes_count, post.comments_count, post.boosts_count)
        deeds = self._action_row(_card_data(view), viewer, counts, view.marks)
        return Markup("".join((head, helpers.relative_time(post.published_at), middle, deeds, tail)))  # noqa: S704

    def _render_and_cache(self, glance: PostSummary, kind: str, view: PostView | None) -> CachedCard | None:
        """Make a card and keep it. Without a view the post is gone since it was glanced at."""
        if view is None:
            return None
        made = str(
            self.macros.cell(view) if kind == "cell" else self.macros.card(view, self._separator, kind)
        )
        lasts = (
            CACHE_TTL_SECONDS
            if all(_is_complete(photo) for photo in view.photos)
            else INCOMPLETE_CACHE_TTL_SECONDS
        )
        kept = CachedCard(_cache_version(kind, glance), _card_data(view), tuple(made.split(self._separator)))
        self._cache.put((kind, glance.post_id), kept, lasts)
        return kept


def _cache_version(kind: str, glance: PostSummary) -> tuple[str, ...]:
    if kind == "cell":
        return (glance.version, glance.author_version, f"{glance.likes} {glance.comments}")
    return (glance.version, glance.author_version)


def _is_complete(photo: Photo) -> bool:
    """Whether no more sizes are to come: until then its card is soon made anew."""
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
