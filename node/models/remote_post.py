"""A post as a remote server describes it: bounded values, not yet cleaned. Owns no table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from node.models.account import Account
from node.models.post_extras import EMPTY, PostExtras
from node.models.remote_actor import RemoteEmoji


@dataclass(frozen=True, slots=True, kw_only=True)
class RemotePhoto:
    """A photo as a remote server describes it: numbers within bounds, an https url.

    `people` are (uri of an account, x, y): who is tagged in it, at which share of its width and height.
    """

    url: str
    mime: str = ""
    alt: str = ""
    width: int = 0
    height: int = 0
    blurhash: str = ""
    focus_x: float = 0.0
    focus_y: float = 0.0
    extra: Mapping[str, object] = field(default_factory=dict)
    people: Sequence[tuple[str, float, float]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RemotePost:
    """A post as a remote server describes it; `html` is not yet safe. Times are milliseconds.

    `mentions` are named by the post, `addressed` only recipients of it. `hashtags` are as written.
    """

    uri: str
    author: Account
    visibility: str
    published_at: int
    url: str = ""
    html: str = ""
    warning: str = ""
    is_sensitive: bool = False
    language: str = ""
    parent_uri: str = ""
    edited_at: int | None = None
    photos: Sequence[RemotePhoto] = ()
    hashtags: Sequence[str] = ()
    mentions: Sequence[Account] = ()
    addressed: Sequence[Account] = ()
    emoji: Sequence[RemoteEmoji] = ()
    policy: str = ""
    context: str = ""
    extras: PostExtras = EMPTY
