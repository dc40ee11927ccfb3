"""Renders the client API's entities: `PostView` → Status, `Account` → Account, and the rest.

Every documented field is present, empty where this node has no value for it. Statuses and accounts are rendered
once and cached as JSON in two bounded tables: the text, photos and mentions of a status do not change between edits,
so that a timeline only adds the counts and the viewer's marks, and to the photos of a post that is not public the
capability that is for this viewer alone. What is cached depends on no viewer;
whether a viewer may see it was decided before, in `node.timelines.post_views`.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import msgspec

from node import ids
from node.attachments.photo_rows import Photo
from node.cache import Cache
from node.database import Reader
from node.lifecycle import migration
from node.models import audience
from node.models.account import Account
from node.node import Node
from node.posts import hashtag_days
from node.posts.hashtags import Hashtag
from node.timelines import post_summaries, post_views, viewer_marks
from node.timelines.notification_list import NotificationSummary, NotificationView
from node.timelines.post_summaries import PostSummary
from node.timelines.post_views import PostView
from node.timelines.viewer_marks import ViewerMarks
from web.api.entity_fields import (
    file_attachment,
    format_date,
    format_datetime,
    media_attachment,
    poll,
    quote_link,
)
from web.files import media_urls
from web.html import custom_emoji

MAX_CACHED_ENTITIES = 4096
# A remote edit within the same second changes no version, so that no entry is valid for long.
CACHE_TTL_SECONDS = 300.0
# Until a remote photo has been fetched, its size may be unknown, or another than its server declares.
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
        # What stands for the capability in a cached status. No author can write it into a caption.
        self._placeholder = f"@{secrets.token_hex(8)}"
        self._private_url = re.compile(f'/media/p/{self._placeholder}/([^"]+)'.encode())

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

    def account_with_move(self, tx: Reader, account: Account) -> bytes:
        """Renders an Account with the one that it has moved to, if that is known and agrees."""
        moved = None if account.is_inactive else migration.destination(tx, account)
        if moved is None:
            return self.account(account)
        return _encode(self.account_fields(account) | {"moved": msgspec.Raw(self.account(moved))})

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
        """Renders the Statuses of a page. Those whose version is current are taken from the cache."""
        return list(self._bodies(tx, viewer, summaries).values())

    def _bodies(self, tx: Reader, viewer: Account | None, found: Sequence[PostSummary]) -> dict[int, bytes]:
        boosters = {one.boost_by for one in found if one.boost_by is not None}
        versions = post_summaries.account_versions(tx, boosters) if boosters else {}
        bodies = {one.id: self._from_cache(one, versions, viewer) for one in found}
        unknown = [one.entry for one in found if bodies[one.id] is None]
        for view in post_views.by_entries(tx, viewer, unknown) if unknown else ():
            bodies[view.entry_id] = self.status(view, viewer)
        return {id_: body for id_, body in bodies.items() if body is not None}

    def _from_cache(
        self, summary: PostSummary, versions: dict[int, str], viewer: Account | None
    ) -> bytes | None:
        """Returns a Status made of cached pieces, or None if one is missing or outdated."""
        head = self._status_heads.get(summary.post_id)
        author = self._accounts.get(summary.author_id)
        if head is None or author is None:
            return None
        if head[0] != summary.version or author[0] != summary.author_version:
            return None
        marks = b"" if viewer is None else _VIEWER_MARKS[summary.viewer_marks]
        tail = _COUNTS % (summary.boosts, summary.likes, summary.comments, marks)
        if summary.boost_by is None:
            return b"".join((self._for_viewer(head[1], viewer), _ACCOUNT, author[1], tail, _NO_REBLOG))
        outer, booster = self._status_heads.get(summary.id), self._accounts.get(summary.boost_by)
        if outer is None or booster is None:
            return None
        if outer[0] != summary.version or booster[0] != versions.get(summary.boost_by):
            return None
        inner = (self._for_viewer(head[1], viewer), _ACCOUNT, author[1], tail, _NO_REBLOG)
        return b"".join((outer[1], _ACCOUNT, booster[1], tail, _REBLOG, *inner, b"}"))

    def statuses(self, views: Sequence[PostView], viewer: Account | None) -> list[bytes]:
        return [self.status(view, viewer) for view in views]

    def status(self, view: PostView, viewer: Account | None, *, is_quoted: bool = False) -> bytes:
        """Renders a Status; a boost is one around another.

        The marks of the view are shown to a signed-in viewer. `is_quoted`: it stands in a Quote, and what it quotes
        itself is only named.
        """
        post = view.post
        marks = b"" if viewer is None else _VIEWER_MARKS[view.marks]
        tail = _COUNTS % (post.boosts_count, post.likes_count, post.comments_count, marks)
        head = self._for_viewer(self._status_head(view, viewer, is_quoted), viewer)
        inner = (head, _ACCOUNT, self.account(view.author), tail, _NO_REBLOG)
        if view.boosted_by is None:
            return b"".join(inner)
        outer = (self._boost_head(view), _ACCOUNT, self.account(view.boosted_by), tail)
        return b"".join((*outer, _REBLOG, *inner, b"}"))

    def _status_head(self, view: PostView, viewer: Account | None, is_quoted: bool) -> bytes:
        """Renders the status without counts, marks, account and closing brace.

        One that quotes another is never cached: what it shows depends on the viewer.
        """
        post = view.post
        version = post_summaries.post_version(post)
        cached = None if view.quote_uri else self._status_heads.get(post.id)
        if cached is not None and cached[0] == version:
            return cached[1]
        head = self._common(
            view, str(post.id), post.uri, post.url or post.uri, format_datetime(post.published_at)
        )
        head["media_attachments"] = self._attachments(view, lambda rest: self._placeholder)
        head["mentions"] = [
            {
                "id": str(account.id),
                "username": account.name,
                "url": account.url or account.uri,
                "acct": account.handle,
            }
            for account in view.mentions
        ]
        head["tags"] = [{"name": display, "url": self.tag_url(name)} for name, display in view.hashtags]
        if view.extras.poll is not None:
            head["poll"] = self.poll(view)
        if view.quote_uri:
            head["quote"] = self._quote(view, viewer, is_quoted)
            if view.quoted is None:
                head["content"] += quote_link(view.quote_uri)
            return _encode(head)[:-1]
        body = _encode(head)[:-1]
        is_complete = all(photo.width and (photo.files or not photo.remote_url) for photo in view.photos)
        self._status_heads.put(
            post.id, (version, body), CACHE_TTL_SECONDS if is_complete else INCOMPLETE_CACHE_TTL_SECONDS
        )
        return body

    def _quote(self, view: PostView, viewer: Account | None, is_quoted: bool) -> dict[str, Any]:
        """Renders the Quote of a status, or the ShallowQuote of one that is quoted itself."""
        if is_quoted:
            id_ = None if view.quote_id is None else str(view.quote_id)
            return {"state": "accepted" if id_ else "pending", "quoted_status_id": id_}
        if view.quoted is None:
            return {"state": "pending" if view.quote_id is None else "unauthorized", "quoted_status": None}
        quoted = self.status(view.quoted, viewer, is_quoted=True)
        return {"state": "accepted", "quoted_status": msgspec.Raw(quoted)}

    def _boost_head(self, view: PostView) -> bytes:
        version = post_summaries.post_version(view.post)
        cached = self._status_heads.get(view.entry_id)
        if cached is not None and cached[0] == version:
            return cached[1]
        created = format_datetime(ids.timestamp_ms(view.entry_id))
        head = self._common(view, str(view.entry_id), view.boost_uri, view.boost_uri, created)
        if view.boost_visibility:
            head["visibility"] = API_VISIBILITIES[view.boost_visibility]
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

    def notifications(
        self, tx: Reader, viewer: Account, summaries: Sequence[NotificationSummary]
    ) -> list[bytes]:
        """Renders a page of Notifications, with statuses from the cache as `page` takes them."""
        posts = {one.post.id: one.post for one in summaries if one.post is not None}
        bodies = self._bodies(tx, viewer, list(posts.values()))
        return [
            self._notification(one, b"null" if one.post is None else bodies[one.post.id])
            for one in summaries
            if one.post is None or one.post.id in bodies
        ]

    def notification(self, notification: NotificationView, viewer: Account) -> bytes:
        status = b"null" if notification.post is None else self.status(notification.post, viewer)
        return self._notification(notification, status)

    def _notification(self, notification: NotificationView | NotificationSummary, status: bytes) -> bytes:
        head = _encode(
            {
                "id": str(notification.id),
                "type": NOTIFICATION_TYPES[notification.kind],
                "group_key": f"ungrouped-{notification.id}",
                "created_at": format_datetime(notification.created_at),
            }
        )[:-1]
        return b"".join((head, _ACCOUNT, self.account(notification.by), b',"status":', status, b"}"))

    def tag(self, tx: Reader, tag: Hashtag, *, is_followed: bool = False) -> dict[str, Any]:
        """Renders a Tag with its use in the last seven days, today first."""
        return {
            "id": str(tag.id),
            "name": tag.display,
            "url": self.tag_url(tag.name),
            "history": [
                {"day": str(day.start // 1000), "uses": str(day.posts), "accounts": str(day.authors)}
                for day in hashtag_days.usage(tx, tag.name, 7)
            ],
            "following": is_followed,
            "featuring": False,
            "trendable": True,
            "usable": True,
            "requires_review": False,
        }

    def tag_url(self, name: str) -> str:
        return self._site.uri(f"/tags/{quote(name)}")

    def attachments(self, view: PostView, viewer: Account | None) -> list[dict[str, Any]]:
        """Renders the MediaAttachments of a post, for a viewer who may see it."""
        capability = (
            media_urls.viewer_capability(self._site, viewer) if viewer else lambda rest: self._placeholder
        )
        return self._attachments(view, capability)

    def poll(self, view: PostView) -> dict[str, Any] | None:
        """Renders the Poll of a post; None without one."""
        if view.extras.poll is None:
            return None
        emojis = custom_emoji.to_entities(self._site, custom_emoji.post_emoji(view.post, view.author))
        return poll(view.post.id, view.extras.poll, emojis)

    def _attachments(self, view: PostView, capability: media_urls.Capability) -> list[dict[str, Any]]:
        is_open = view.post.visibility in audience.OPEN_VISIBILITIES
        photos = [
            media_attachment(self._site, photo, None if is_open else capability) for photo in view.photos
        ]
        return photos + [
            file_attachment(view.post.id, n, file) for n, file in enumerate(view.extras.files, 1)
        ]

    def attachment(self, photo: Photo, owner: Account) -> dict[str, Any]:
        """Renders a MediaAttachment that is in no post yet, as its owner sees it."""
        return media_attachment(self._site, photo, media_urls.viewer_capability(self._site, owner))

    def _for_viewer(self, head: bytes, viewer: Account | None) -> bytes:
        """Puts the viewer's capabilities into a rendered status. Without a viewer its private photos have none."""
        if viewer is None or b"/media/p/@" not in head:
            return head
        return self._private_url.sub(
            lambda match: (
                b"/media/p/%b/%b"
                % (
                    self._site.media_capability(match[1].decode(), viewer.id).encode(),
                    match[1],
                )
            ),
            head,
        )


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
