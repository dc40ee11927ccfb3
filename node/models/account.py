"""A row of `accounts` as all other modules read it. Only `node.accounts.accounts` writes the table."""

from __future__ import annotations

import json
from dataclasses import dataclass

MAX_LABEL_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Account:
    """An account, local or remote; each field is a column, times are milliseconds.

    `looked_at` is when `claimed_*` were fetched from the account's own server, `suspended_there` its own suspension.
    """

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
    def displayed_counts(self) -> tuple[int, int, int]:
        """Posts, followers and followed as profiles show them: the account's own server knows more than this one."""
        return (
            max(self.posts_count, self.claimed_posts or 0),
            max(self.followers_count, self.claimed_followers or 0),
            max(self.following_count, self.claimed_following or 0),
        )

    @property
    def handle(self) -> str:
        """The handle on this node: `alice` for a local account, `bob@b.example` for a remote one."""
        return self.name if self.is_local else f"{self.name}@{self.domain}"

    @property
    def full_handle(self) -> str:
        """The handle with its domain, also for a local account."""
        return f"{self.name}@{self.domain}"

    @property
    def label(self) -> str:
        """The display name, or the name; cut because other servers allow two thousand characters."""
        name = self.display_name or self.name
        return name if len(name) <= MAX_LABEL_LENGTH else name[:MAX_LABEL_LENGTH].rstrip() + "…"

    @property
    def attribution_domain_list(self) -> list[str]:
        """The websites that may name this account as an author (`fediverse:creator`)."""
        domains: list[str] = json.loads(self.attribution_domains)
        return domains

    @property
    def profile_fields(self) -> list[tuple[str, str]]:
        """Name and safe HTML value of each profile field."""
        return [(line[0], line[1]) for line in json.loads(self.fields)]

    @property
    def source_fields(self) -> list[tuple[str, str]]:
        """Name and value of each profile field as a local person typed them."""
        return [(line[0], line[2]) for line in json.loads(self.fields)]

    @property
    def aliases(self) -> list[str]:
        """The uris of `alsoKnownAs`."""
        return list(json.loads(self.also_known_as))

    @property
    def is_inactive(self) -> bool:
        """Whether the account is suspended or deleted."""
        return self.deleted_at is not None or self.suspended_at is not None


@dataclass(frozen=True, slots=True)
class ListedAccount:
    """An account in a list; `id` is what the list is paged by."""

    id: int
    account: Account
