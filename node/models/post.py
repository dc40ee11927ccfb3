"""Rows of `posts` and `boosts` as all other modules read them. Nothing here writes."""

from __future__ import annotations

from dataclasses import dataclass

from node.models import interaction_policy
from node.models.audience import OPEN_VISIBILITIES
from node.models.interaction_policy import InteractionPolicy


@dataclass(frozen=True, slots=True)
class Post:
    """A post, local or remote. `caption` is safe HTML, `source` the text a local person typed.

    `extras` is JSON (`post_extras`); `extras_at` when it changed without an edit, as the votes of a poll do.
    """

    id: int
    uri: str
    url: str
    account_id: int
    is_local: bool
    visibility: str
    caption: str
    source: str
    warning: str
    is_sensitive: bool
    language: str
    parent_id: int | None
    parent_uri: str
    root_id: int
    policy: str
    photos_count: int
    likes_count: int
    boosts_count: int
    comments_count: int
    published_at: int
    edited_at: int | None
    created_at: int
    deleted_at: int | None
    emoji: str
    context: str
    extras: str
    extras_at: int

    @property
    def is_comment(self) -> bool:
        """Whether it replies to a post, which this node need not have."""
        return self.parent_uri != ""

    @property
    def interaction_policy(self) -> InteractionPolicy:
        """Who may like, comment on, boost and quote it, as its author decided."""
        return interaction_policy.load(self.policy)

    @property
    def comments_enabled(self) -> bool:
        """Whether anybody but the author may comment, at once or after approval."""
        return not self.policy or bool(self.interaction_policy.comment)

    @property
    def is_open(self) -> bool:
        """Whether everybody may see it: public or unlisted."""
        return self.visibility in OPEN_VISIBILITIES

    @property
    def is_counted(self) -> bool:
        """Whether profiles count it among its author's posts: open, and not a comment."""
        return self.is_open and not self.is_comment


@dataclass(frozen=True, slots=True)
class Boost:
    """A boost of a post; `visibility` is that of the boost, not of the post."""

    id: int
    uri: str
    account_id: int
    post_id: int
    visibility: str
    created_at: int
