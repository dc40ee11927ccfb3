"""What one row of `accounts` looks like to everyone else. The rows themselves are the business of `accounts`."""

from __future__ import annotations

import json
from dataclasses import dataclass

SHOWN = 200


@dataclass(frozen=True, slots=True)
class Account:
    id: int
    uri: str
    url: str
    name: str
    domain: str
    is_local: bool
    kind: str
    display_name: str
    bio: str
    bio_source: str
    fields: str
    avatar_file: str
    avatar_url: str
    avatar_alt: str
    is_locked: bool
    is_discoverable: bool
    is_indexable: bool
    inbox: str
    shared_inbox: str
    outbox: str
    followers_uri: str
    following_uri: str
    featured_uri: str
    also_known_as: str
    moved_to: str
    posts_count: int
    followers_count: int
    following_count: int
    last_posted_at: int | None
    created_at: int
    updated_at: int
    fetched_at: int | None
    suspended_at: int | None
    deleted_at: int | None
    is_limited: bool
    is_without_media: bool
    suspended_with_server: bool
    emoji: str
    claimed_posts: int | None
    claimed_followers: int | None
    claimed_following: int | None
    looked_at: int | None
    suspended_there: bool
    hides_from_web: bool
    header_file: str
    header_url: str
    header_alt: str
    attribution_domains: str
    hides_follows: bool

    @property
    def totals(self) -> tuple[int, int, int]:
        """Posts, followers and followed as they are shown: their own server knows more of them than we do."""
        return (
            max(self.posts_count, self.claimed_posts or 0),
            max(self.followers_count, self.claimed_followers or 0),
            max(self.following_count, self.claimed_following or 0),
        )

    @property
    def handle(self) -> str:
        """How they are called on this node: `alice`, or `bob@b.example`."""
        return self.name if self.is_local else f"{self.name}@{self.domain}"

    @property
    def full_handle(self) -> str:
        return f"{self.name}@{self.domain}"

    @property
    def label(self) -> str:
        """The name to show, cut where it would fill a page: other servers allow two thousand characters."""
        name = self.display_name or self.name
        return name if len(name) <= SHOWN else name[:SHOWN].rstrip() + "…"

    @property
    def sites(self) -> list[str]:
        """The websites that may name this person as an author."""
        found: list[str] = json.loads(self.attribution_domains)
        return found

    @property
    def profile_fields(self) -> list[tuple[str, str]]:
        """Name and safe HTML value of each line of the profile."""
        return [(line[0], line[1]) for line in json.loads(self.fields)]

    @property
    def typed_fields(self) -> list[tuple[str, str]]:
        """The same lines as one of ours typed them."""
        return [(line[0], line[2]) for line in json.loads(self.fields)]

    @property
    def aliases(self) -> list[str]:
        return list(json.loads(self.also_known_as))

    @property
    def is_gone(self) -> bool:
        return self.deleted_at is not None or self.suspended_at is not None


@dataclass(frozen=True, slots=True)
class Listed:
    """A person in a list; `id` is what the list is paged by."""

    id: int
    account: Account
