"""A remote actor as its own server describes it. Owns no table: `lifecycle.remote_accounts.upsert` stores it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RemoteEmoji:
    """A custom emoji of a remote server, its name without colons; `updated_at` (ms) is 0 when it is not given."""

    shortcode: str
    url: str
    updated_at: int = 0


@dataclass(frozen=True, slots=True)
class RemoteActor:
    """The fields of an actor document, typed but neither cleaned nor trusted."""

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
    keys: Sequence[ActorKey] = ()
    emoji: Sequence[RemoteEmoji] = ()


@dataclass(frozen=True, slots=True)
class ActorKey:
    """A public key as an actor document lists it: PEM for 'rsa', multibase for 'ed25519'."""

    id: str
    algorithm: str
    public: str
