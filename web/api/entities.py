"""Renders the client API's entities: `PostView` → Status, `Account` → Account, and the rest.

Every documented field is present, empty where this node has no value for it. Statuses and accounts are rendered
once and cached as JSON in two bounded tables: the text, photos and mentions of a status do not change between edits,
so that a timeline only adds the counts and the viewer's marks. What is cached depends on no viewer;
whether a viewer may see it was decided before, in `node.timelines.post_views`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import msgspec

from node import ids
from node.attachments.photo_rows import Photo
from node.cache import Cache
from node.database import Reader
from node.models import audience
from node.models.account import Account
from node.node import Node
from node.posts import hashtags
from node.posts.hashtags import Hashtag
from node.timelines import post_summaries, post_views, viewer_marks
from node.timelines.notification_list import NotificationView
from node.timelines.post_summaries import PostSummary
from node.timelines.post_views import PostView
from node.timelines.viewer_marks import ViewerMarks
from web.api.entity_fields import format_date, format_datetime, media_attachment
from web.files import media_urls
from web.html import custom_emoji

MAX_CACHED_ENTITIES = 4096
# A remote edit within the same second changes no version, so that no entry is valid for long.
CACHE_TTL_SECONDS = 300.0
# Until a remote photo has been fetched, its size may be unknown.
INCOMPLETE_CACHE_TTL_SECONDS = 60.0

API_VISIBILITIES = {"public": "public", "unlisted": "unlisted", "followers": "private", "direct": "direct"}
NOTIFICATION_TYPES = {
    "like": "favourite",
    "comment": "mention",
    "mention": "mention",
    "boost": "reblog",
    "follow": "follow",
    "follow_request": "follow_request",
    "sign_up": "admin.sign_up",
}

_encode = msgspec.json.encode


class Entities:
    """Renders the entities of one node. Thread-safe: an entry is written whole, at worst twice."""

    def __init__(self, node: Node) -> None:
        self._site = node.site
        self._accounts: Cache[int, tuple[str, bytes]] = Cache(MAX_CACHED_ENTITIES)
        self._status_heads: Cache[int, tuple[str, bytes]] = Cache(MAX_CACHED_ENTITIES)

    def account(self, account: Account) -> bytes:
        if account.is_inactive:
            return _encode(self.account_fields(account))
        version = post_summaries.account_version(account)
        cached = self._accounts.get(account.id)
        if cached is not None and cached[0] == version:
            return cached[1]
        body = _encode(self.account_fields(account))
        self._accounts.put(account.id, (version, body))
        return body

    def account_fields(self, account: Account) -> dict[str, Any]:
        """Builds an Account, before it is encoded. A suspended one has little more than the name."""
        if account.suspended_at is not None:
            account = replace(
                account,
                display_name="",
                bio="",
                fields="[]",
                emoji="",
                avatar_url="",
                avatar_file="",
                avatar_alt="",
                header_url="",
                header_file="",
                header_alt="",
            )
        avatar = media_urls.avatar_url(self._site, account, default="/static/avatar.png")
        header = media_urls.header_url(self._site, account) or self._site.uri("/static/header.png")
        fields = {
            "id": str(account.id),
            "username": account.name,
            "acct": account.handle,
            "url": account.url or account.uri,
            "uri": account.uri,
            "display_name": account.display_name,
            "note": account.bio,
            "avatar": avatar,
            "avatar_static": avatar,
            "avatar_description": account.avatar_alt,
            "header": header,
            "header_static": header,
            "header_description": account.header_alt,
            "locked": account.is_locked,
            "fields": [
                {"name": name, "value": value, "verified_at": None} for name, value in account.profile_fields
            ],
            "emojis": custom_emoji.to_entities(self._site, custom_emoji.account_emoji(account)),
            "bot": account.kind in ("Service", "Application"),
            "group": account.kind == "Group",
            "discoverable": account.is_discoverable,
            "indexable": account.is_indexable,
            "created_at": format_date(account.created_at) + "T00:00:00.000Z",
            "last_status_at": format_date(account.last_posted_at) if account.last_posted_at else None,
            "statuses_count": account.displayed_counts[0],
            "followers_count": account.displayed_counts[1],
            "following_count": account.displayed_counts[2],
            "hide_collections": account.hides_follows,
            "show_media": True,
            "show_media_replies": True,
            "show_featured": True,
            "moved": None,
            "memorial": False,
            "feature_approval": {"automatic": [], "manual": [], "current_user": "denied"},
        }
        if account.is_local:
            fields["noindex"] = not account.is_indexable
            fields["roles"] = []
        if account.suspended_at is not None:
            fields["suspended"] = True
        return fields

    def page(self, tx: Reader, viewer: Account | None, summaries: Sequence[PostSummary]) -> list[bytes]:
        """Renders the Statuses of a timeline's page.

        Each is taken from the cache if its version is current; only the others are read whole.
        """
        boosters = {one.boost_by for one in summaries if one.boost_by is not None}
        versions = post_summaries.account_versions(tx, boosters) if boosters else {}
        shows_marks = viewer is not None
        bodies = {one.id: self._from_cache(one, versions, shows_marks) for one in summaries}
        unknown = [one.entry for one in summaries if bodies[one.id] is None]
        for view in post_views.by_entries(tx, viewer, unknown) if unknown else ():
            bodies[view.entry_id] = self.status(view, viewer)
        return [body for body in bodies.values() if body is not None]

    def _from_cache(self, summary: PostSummary, versions: dict[int, str], shows_marks: bool) -> bytes | None:
        """Returns a Status made of cached pieces, or None if one is missing or outdated."""
        head = self._status_heads.get(summary.post_id)
        author = self._accounts.get(summary.author_id)
        if head is None or author is None:
            return None
        if head[0] != summary.version or author[0] != summary.author_version:
            return None
        marks = _VIEWER_MARKS[summary.viewer_marks] if shows_marks else b""
        tail = _COUNTS % (summary.boosts, summary.likes, summary.comments, marks)
        if summary.boost_by is None:
            return b"".join((head[1], _ACCOUNT, author[1], tail, _NO_REBLOG))
        outer, booster = self._status_heads.get(summary.id), self._accounts.get(summary.boost_by)
        if outer is None or booster is None:
            return None
        if outer[0] != summary.version or booster[0] != versions.get(summary.boost_by):
            return None
        inner = (head[1], _ACCOUNT, author[1], tail, _NO_REBLOG)
        return b"".join((outer[1], _ACCOUNT, booster[1], tail, _REBLOG, *inner, b"}"))

    def statuses(self, views: Sequence[PostView], viewer: Account | None) -> list[bytes]:
        return [self.status(view, viewer) for view in views]

    def status(self, view: PostView, viewer: Account | None) -> bytes:
        """Renders a Status; a boost is one around another.

        The marks of the view are shown to a signed-in viewer.
        """
        post = view.post
        marks = b"" if viewer is None else _VIEWER_MARKS[view.marks]
        tail = _COUNTS % (post.boosts_count, post.likes_count, post.comments_count, marks)
        inner = (self._status_head(view), _ACCOUNT, self.account(view.author), tail, _NO_REBLOG)
        if view.boosted_by is None:
            return b"".join(inner)
        outer = (self._boost_head(view), _ACCOUNT, self.account(view.boosted_by), tail)
        return b"".join((*outer, _REBLOG, *inner, b"}"))

    def _status_head(self, view: PostView) -> bytes:
        """Renders the status without counts, marks, account and closing brace."""
        post = view.post
        version = post_summaries.post_version(post)
        cached = self._status_heads.get(post.id)
        if cached is not None and cached[0] == version:
            return cached[1]
        head = self._common(
            view, str(post.id), post.uri, post.url or post.uri, format_datetime(post.published_at)
        )
        head["media_attachments"] = self.attachments(view)
        head["mentions"] = [
            {
                "id": str(account.id),
                "username": account.name,
                "url": account.url or account.uri,
                "acct": account.handle,
            }
            for account in view.mentions
        ]
        head["tags"] = [{"name": name, "url": self.tag_url(name)} for name, _ in view.hashtags]
        body = _encode(head)[:-1]
        is_complete = all(photo.width for photo in view.photos)
        self._status_heads.put(
            post.id, (version, body), CACHE_TTL_SECONDS if is_complete else INCOMPLETE_CACHE_TTL_SECONDS
        )
        return body

    def _boost_head(self, view: PostView) -> bytes:
        version = post_summaries.post_version(view.post)
        cached = self._status_heads.get(view.entry_id)
        if cached is not None and cached[0] == version:
            return cached[1]
        created = format_datetime(ids.timestamp_ms(view.entry_id))
        head = self._common(view, str(view.entry_id), view.boost_uri, view.boost_uri, created)
        body = _encode(head | {"media_attachments": [], "mentions": [], "tags": []})[:-1]
        self._status_heads.put(view.entry_id, (version, body))
        return body

    def _common(self, view: PostView, id_: str, uri: str, url: str, created_at: str) -> dict[str, Any]:
        post = view.post
        return {
            "id": id_,
            "uri": uri,
            "url": url,
            "created_at": created_at,
            "edited_at": format_datetime(post.edited_at) if post.edited_at else None,
            "content": post.caption,
            "visibility": API_VISIBILITIES[post.visibility],
            "sensitive": post.is_sensitive,
            "spoiler_text": post.warning,
            "language": post.language or None,
            "in_reply_to_id": str(post.parent_id) if post.parent_id else None,
            "in_reply_to_account_id": str(view.parent_account.id) if view.parent_account else None,
            "application": None,
            "emojis": custom_emoji.to_entities(self._site, custom_emoji.post_emoji(post, view.author)),
            "poll": None,
            "card": None,
            "quote": None,
            "quotes_count": 0,
            "quote_approval": {"automatic": [], "manual": [], "current_user": "denied"},
            "tagged_collections": [],
        }

    def notification(self, notification: NotificationView, viewer: Account) -> bytes:
        head = _encode(
            {
                "id": str(notification.id),
                "type": NOTIFICATION_TYPES[notification.kind],
                "group_key": f"ungrouped-{notification.id}",
                "created_at": format_datetime(notification.created_at),
            }
        )[:-1]
        status = b"null" if notification.post is None else self.status(notification.post, viewer)
        return b"".join((head, _ACCOUNT, self.account(notification.by), b',"status":', status, b"}"))

    def tag(self, tx: Reader, tag: Hashtag) -> dict[str, Any]:
        """Renders a Tag with its use in the last seven days, today first."""
        return {
            "id": str(tag.id),
            "name": tag.name,
            "url": self.tag_url(tag.name),
            "history": [
                {"day": str(day.start // 1000), "uses": str(day.posts), "accounts": str(day.authors)}
                for day in hashtags.daily_usage(tx, tag.name, 7)
            ],
            "following": False,
            "featuring": False,
            "trendable": True,
            "usable": True,
            "requires_review": False,
        }

    def tag_url(self, name: str) -> str:
        return self._site.uri(f"/tags/{quote(name)}")

    def attachments(self, view: PostView) -> list[dict[str, Any]]:
        """Renders the MediaAttachments of a post."""
        is_open = view.post.visibility in audience.OPEN_VISIBILITIES
        return [media_attachment(self._site, photo, is_open=is_open) for photo in view.photos]

    def attachment(self, photo: Photo) -> dict[str, Any]:
        """Renders a MediaAttachment that is in no post yet, as its owner sees it."""
        return media_attachment(self._site, photo, is_open=False)


_MARK_NAMES = {"liked": "favourited", "boosted": "reblogged"}
"""The names of viewer marks in the client API, where they differ."""


def _encode_marks(marks: ViewerMarks) -> bytes:
    fields = {_MARK_NAMES.get(name, name): is_set for name, is_set in marks._asdict().items()}
    return b"," + _encode(fields | {"filtered": []})[1:-1]


_VIEWER_MARKS = {marks: _encode_marks(marks) for marks in viewer_marks.ALL}
_COUNTS = b',"reblogs_count":%d,"favourites_count":%d,"replies_count":%d%b'
_ACCOUNT = b',"account":'
_REBLOG = b',"reblog":'
_NO_REBLOG = b',"reblog":null}'
