"""What the node knows → the client API's entities: `PostView` → Status, `Account` → Account, and the rest.

Every documented field is there, empty where this node has nothing to say. Statuses and accounts are built
once and kept as JSON in two bounded tables: a status' words, photos and people do not change between edits,
so that a timeline only adds the counts and the viewer's own marks. What is kept depends on no viewer;
whether a viewer may see it was settled before, in `node.timelines.post_views`.
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
from node.timelines.post_summaries import Glance
from node.timelines.post_views import PostView
from node.timelines.viewer_marks import ViewerMarks
from web.api.entity_fields import attachment, date, moment
from web.files import media_urls
from web.html import custom_emoji

MOST_KEPT = 4096
# A remote edit within the same second changes no version, so nothing is believed for long.
KEPT_FOR = 300.0
# Until a remote photo has been looked at, its size may be unknown.
UNSURE_FOR = 60.0

VISIBILITIES = {"public": "public", "unlisted": "unlisted", "followers": "private", "direct": "direct"}
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
    """The entities of one node. Safe to use from several threads: an entry is written whole, or again."""

    def __init__(self, node: Node) -> None:
        self._site = node.site
        self._accounts: Cache[int, tuple[str, bytes]] = Cache(MOST_KEPT)
        self._heads: Cache[int, tuple[str, bytes]] = Cache(MOST_KEPT)

    def account(self, account: Account) -> bytes:
        if account.is_gone:
            return _encode(self.account_fields(account))
        version = post_summaries.version_of_account(account)
        kept = self._accounts.get(account.id)
        if kept is not None and kept[0] == version:
            return kept[1]
        body = _encode(self.account_fields(account))
        self._accounts.put(account.id, (version, body))
        return body

    def account_fields(self, account: Account) -> dict[str, Any]:
        """An Account, before it is written. Of somebody suspended there is little more than the name."""
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
        avatar = media_urls.of_avatar(self._site, account, missing="/static/avatar.png")
        header = media_urls.of_header(self._site, account) or self._site.uri("/static/header.png")
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
            "emojis": custom_emoji.entities(self._site, custom_emoji.of_account(account)),
            "bot": account.kind in ("Service", "Application"),
            "group": account.kind == "Group",
            "discoverable": account.is_discoverable,
            "indexable": account.is_indexable,
            "created_at": date(account.created_at) + "T00:00:00.000Z",
            "last_status_at": date(account.last_posted_at) if account.last_posted_at else None,
            "statuses_count": account.totals[0],
            "followers_count": account.totals[1],
            "following_count": account.totals[2],
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

    def page(self, tx: Reader, viewer: Account | None, glanced: Sequence[Glance]) -> list[bytes]:
        """The Statuses of a timeline's page.

        What is kept of each post is taken if it is still true; only the rest is read whole.
        """
        boosters = {one.boost_by for one in glanced if one.boost_by is not None}
        versions = post_summaries.of_accounts(tx, boosters) if boosters else {}
        is_mine = viewer is not None
        bodies = {one.id: self._kept(one, versions, is_mine) for one in glanced}
        unknown = [one.entry for one in glanced if bodies[one.id] is None]
        for view in post_views.of(tx, viewer, unknown) if unknown else ():
            bodies[view.entry_id] = self.status(view, viewer)
        return [body for body in bodies.values() if body is not None]

    def _kept(self, glance: Glance, versions: dict[int, str], is_mine: bool) -> bytes | None:
        """A Status made of what is kept, or None if a piece is missing or no longer true."""
        head = self._heads.get(glance.post_id)
        author = self._accounts.get(glance.author_id)
        if head is None or author is None:
            return None
        if head[0] != glance.version or author[0] != glance.author_version:
            return None
        marks = _MARKS[glance.marks] if is_mine else b""
        tail = _COUNTS % (glance.boosts, glance.likes, glance.comments, marks)
        if glance.boost_by is None:
            return b"".join((head[1], _ACCOUNT, author[1], tail, _NO_REBLOG))
        outer, booster = self._heads.get(glance.id), self._accounts.get(glance.boost_by)
        if outer is None or booster is None:
            return None
        if outer[0] != glance.version or booster[0] != versions.get(glance.boost_by):
            return None
        inner = (head[1], _ACCOUNT, author[1], tail, _NO_REBLOG)
        return b"".join((outer[1], _ACCOUNT, booster[1], tail, _REBLOG, *inner, b"}"))

    def statuses(self, views: Sequence[PostView], viewer: Account | None) -> list[bytes]:
        return [self.status(view, viewer) for view in views]

    def status(self, view: PostView, viewer: Account | None) -> bytes:
        """A Status; a boost is one round another. Marks are those in the view, shown to a signed-in viewer."""
        post = view.post
        marks = b"" if viewer is None else _MARKS[view.marks]
        tail = _COUNTS % (post.boosts_count, post.likes_count, post.comments_count, marks)
        inner = (self._head(view), _ACCOUNT, self.account(view.author), tail, _NO_REBLOG)
        if view.boosted_by is None:
            return b"".join(inner)
        outer = (self._boost_head(view), _ACCOUNT, self.account(view.boosted_by), tail)
        return b"".join((*outer, _REBLOG, *inner, b"}"))

    def _head(self, view: PostView) -> bytes:
        """The status without counts, marks, account and closing brace."""
        post = view.post
        version = post_summaries.version_of_post(post)
        kept = self._heads.get(post.id)
        if kept is not None and kept[0] == version:
            return kept[1]
        head = self._common(view, str(post.id), post.uri, post.url or post.uri, moment(post.published_at))
        head["media_attachments"] = self.attachments(view)
        head["mentions"] = [
            {"id": str(who.id), "username": who.name, "url": who.url or who.uri, "acct": who.handle}
            for who in view.mentions
        ]
        head["tags"] = [{"name": name, "url": self.tag_url(name)} for name, _ in view.hashtags]
        body = _encode(head)[:-1]
        is_sure = all(photo.width for photo in view.photos)
        self._heads.put(post.id, (version, body), KEPT_FOR if is_sure else UNSURE_FOR)
        return body

    def _boost_head(self, view: PostView) -> bytes:
        version = post_summaries.version_of_post(view.post)
        kept = self._heads.get(view.entry_id)
        if kept is not None and kept[0] == version:
            return kept[1]
        created = moment(ids.ms_of(view.entry_id))
        head = self._common(view, str(view.entry_id), view.boost_uri, view.boost_uri, created)
        body = _encode(head | {"media_attachments": [], "mentions": [], "tags": []})[:-1]
        self._heads.put(view.entry_id, (version, body))
        return body

    def _common(self, view: PostView, id_: str, uri: str, url: str, created_at: str) -> dict[str, Any]:
        post = view.post
        return {
            "id": id_,
            "uri": uri,
            "url": url,
            "created_at": created_at,
            "edited_at": moment(post.edited_at) if post.edited_at else None,
            "content": post.caption,
            "visibility": VISIBILITIES[post.visibility],
            "sensitive": post.is_sensitive,
            "spoiler_text": post.warning,
            "language": post.language or None,
            "in_reply_to_id": str(post.parent_id) if post.parent_id else None,
            "in_reply_to_account_id": str(view.parent_account.id) if view.parent_account else None,
            "application": None,
            "emojis": custom_emoji.entities(self._site, custom_emoji.of_post(post, view.author)),
            "poll": None,
            "card": None,
            "quote": None,
            "quotes_count": 0,
            "quote_approval": {"automatic": [], "manual": [], "current_user": "denied"},
            "tagged_collections": [],
        }

    def notification(self, seen: NotificationView, viewer: Account) -> bytes:
        head = _encode(
            {
                "id": str(seen.id),
                "type": NOTIFICATION_TYPES[seen.kind],
                "group_key": f"ungrouped-{seen.id}",
                "created_at": moment(seen.created_at),
            }
        )[:-1]
        status = b"null" if seen.post is None else self.status(seen.post, viewer)
        return b"".join((head, _ACCOUNT, self.account(seen.by), b',"status":', status, b"}"))

    def tag(self, tx: Reader, tag: Hashtag) -> dict[str, Any]:
        """A Tag with its use in the last seven days, today first."""
        return {
            "id": str(tag.id),
            "name": tag.name,
            "url": self.tag_url(tag.name),
            "history": [
                {"day": str(day.start // 1000), "uses": str(day.posts), "accounts": str(day.authors)}
                for day in hashtags.history(tx, tag.name, 7)
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
        """The MediaAttachments of a post."""
        is_open = view.post.visibility in audience.OPEN
        return [attachment(self._site, photo, is_open=is_open) for photo in view.photos]

    def attachment(self, photo: Photo) -> dict[str, Any]:
        """A MediaAttachment that is in no post yet, as its owner sees it."""
        return attachment(self._site, photo, is_open=False)


_MARK_NAMES = {"liked": "favourited", "boosted": "reblogged"}
"""What the client API calls a viewer mark, where it does not use our word."""


def _written(marks: ViewerMarks) -> bytes:
    fields = {_MARK_NAMES.get(name, name): is_set for name, is_set in marks._asdict().items()}
    return b"," + _encode(fields | {"filtered": []})[1:-1]


_MARKS = {marks: _written(marks) for marks in viewer_marks.ALL}
_COUNTS = b',"reblogs_count":%d,"favourites_count":%d,"replies_count":%d%b'
_ACCOUNT = b',"account":'
_REBLOG = b',"reblog":'
_NO_REBLOG = b',"reblog":null}'
