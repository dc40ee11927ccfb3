"""Someone of another server, as that server describes them. Owns no table: `accounts.receive` takes it in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RemoteEmoji:
    """A custom emoji of theirs, its name without colons; `updated_at` is 0 when their server does not say."""

    shortcode: str
    url: str
    updated_at: int = 0


@dataclass(frozen=True, slots=True)
class RemoteActor:
    """Someone as their own server describes them: not cleaned, not trusted."""

    uri: str
    name: str
    domain: str
    inbox: str
    url: str = ""
    kind: str = "Person"
    display_name: str = ""
    bio: str = ""
    fields: Sequence[tuple[str, str]] = ()
    avatar_url: str = ""
    avatar_alt: str = ""
    header_url: str = ""
    header_alt: str = ""
    is_locked: bool = False
    is_discoverable: bool = True
    is_indexable: bool = False
    shared_inbox: str = ""
    outbox: str = ""
    followers_uri: str = ""
    following_uri: str = ""
    featured_uri: str = ""
    also_known_as: Sequence[str] = ()
    moved_to: str = ""
    is_suspended: bool = False
    hides_from_web: bool = False
    created_at: int | None = None
    keys: Sequence[PublicKey] = ()
    emoji: Sequence[RemoteEmoji] = ()


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key as an actor document lists it."""

    id: str
    algorithm: str
    public: str
