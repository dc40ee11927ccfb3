"""What one row of `posts` looks like to everyone else. The rows themselves are the business of `posts`."""

from __future__ import annotations

from dataclasses import dataclass

from node.models import interaction_policy
from node.models.audience import OPEN
from node.models.interaction_policy import InteractionPolicy


@dataclass(frozen=True, slots=True)
class Post:
    """A post, ours or another server's. `caption` is safe HTML, `source` what our own people typed."""

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

    @property
    def is_comment(self) -> bool:
        return self.parent_uri != ""

    @property
    def allows(self) -> InteractionPolicy:
        """Who may do what with it, as its author says."""
        return interaction_policy.load(self.policy)

    @property
    def comments_enabled(self) -> bool:
        return not self.policy or bool(self.allows.comment)

    @property
    def is_open(self) -> bool:
        """Whether anybody at all may see it."""
        return self.visibility in OPEN

    @property
    def counts(self) -> bool:
        """Whether it is one of its author's posts as profiles count them: not a comment, and no secret."""
        return self.is_open and not self.is_comment


@dataclass(frozen=True, slots=True)
class Boost:
    id: int
    uri: str
    account_id: int
    post_id: int
    visibility: str
    created_at: int
