"""Post views: loads what a page shows of posts, with a fixed number of queries for any length. Owns no table.

Pages, the client API and the other modules of `timelines` call `by_entries`. It checks visibility itself, so that no
caller can show what its viewer may not see, whatever ids it passes. What depends on the viewer (`viewer_marks`) is in
the `PostView`, apart from the `Post`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from node.accounts import accounts
from node.attachments import photo_rows
from node.attachments.photo_rows import Photo
from node.database import Reader, build_all, columns
from node.interactions import boosts
from node.models import post_extras
from node.models.account import Account
from node.models.post import Post
from node.models.post_extras import EMPTY, PostExtras
from node.models.visibility import viewer_value, visible_to
from node.posts import hashtags, mentions, permissions
from node.timelines import viewer_marks
from node.timelines.timelines import TimelineEntry
from node.timelines.viewer_marks import ViewerMarks


class _MarkedEntry(NamedTuple):
    """An entry with its post, the viewer's marks on it, and the author of the post it comments on."""

    entry: TimelineEntry
    post: Post
    marks: ViewerMarks
    parent_account_id: int | None
    quote: tuple[str, int | None] | None


@dataclass(frozen=True, slots=True)
class PostView:
    """A post as one viewer sees it. `entry_id` is the id that its page is ordered by.

    `mentions` are the accounts it names; `parent_account` is the author of the post it comments on, if that is known.
    `hashtags` are (name, display) pairs. `boost_uri` and `boost_visibility` are of the boost, for an entry that is one. `quote_uri` names
    the post it quotes, `quote_id` too once the quoted author has approved; `quoted` is that post, if the viewer may see it.
    """

    post: Post
    author: Account
    photos: list[Photo]
    boosted_by: Account | None
    entry_id: int
    marks: ViewerMarks
    mentions: list[Account]
    hashtags: list[tuple[str, str]]
    parent_account: Account | None
    can_boost: bool
    can_comment: bool
    boost_uri: str = ""
    boost_visibility: str = ""
    extras: PostExtras = EMPTY
    quote_uri: str = ""
    quote_id: int | None = None
    quoted: PostView | None = None

    @property
    def parent_id(self) -> int | None:
        return self.post.parent_id


@dataclass(frozen=True, slots=True)
class CommentNode:
    """A comment and the comments on it. `view` is None if it is deleted, or not visible to this viewer."""

    view: PostView | None
    children: list[CommentNode]


def by_entries(tx: Reader, viewer: Account | None, entries: Iterable[TimelineEntry | int]) -> list[PostView]:
    """Returns the views of entries or post ids, in their order, without posts that the viewer may not see.

    A quoted post comes with the view, but not what that one quotes in turn.
    """
    views = _by_entries(tx, viewer, entries)
    quoted_ids = {view.quote_id for view in views if view.quote_id is not None}
    if not quoted_ids:
        return views
    quoted = {view.post.id: view for view in _by_entries(tx, viewer, quoted_ids)}
    return [
        view if view.quote_id not in quoted else replace(view, quoted=quoted[view.quote_id]) for view in views
    ]


def _by_entries(tx: Reader, viewer: Account | None, entries: Iterable[TimelineEntry | int]) -> list[PostView]:
    found = _load_marked(tx, viewer, entries)
    if not found:
        return []
    ids = list({one.post.id for one in found})
    photos = photo_rows.by_posts(tx, [one.post.id for one in found if one.post.photos_count])
    mentioned = mentions.account_ids_by_posts(tx, ids)
    tags = hashtags.by_posts(tx, ids)
    people = accounts.by_ids(tx, _account_ids(found, mentioned))
    boosted = [one.entry.id for one in found if one.entry.boost_by is not None]
    boost_labels = boosts.labels(tx, boosted) if boosted else {}
    no_label = boosts.BoostLabel("", "")
    return [
        PostView(
            post=post,
            author=people[post.account_id],
            photos=_without_rejected_media(people[post.account_id], photos.get(post.id, [])),
            boosted_by=None if entry.boost_by is None else people[entry.boost_by],
            entry_id=entry.id,
            marks=marks,
            mentions=[people[id_] for id_ in mentioned.get(post.id, ())],
            hashtags=tags.get(post.id, []),
            parent_account=people.get(parent_account_id or 0),
            can_boost=viewer is not None and boosts.can_boost(viewer, post),
            can_comment=_can_comment(tx, viewer, post),
            boost_uri=boost_labels.get(entry.id, no_label).uri,
            boost_visibility=boost_labels.get(entry.id, no_label).visibility,
            extras=_extras(people[post.account_id], post),
            quote_uri=quote[0] if quote else "",
            quote_id=quote[1] if quote else None,
        )
        for entry, post, marks, parent_account_id, quote in found
    ]


def _can_comment(tx: Reader, viewer: Account | None, post: Post) -> bool:
    """Returns whether the viewer may comment. Without a viewer: whether comments are enabled at all."""
    if not post.policy or viewer is None:
        return post.comments_enabled
    return permissions.decide(tx, viewer, post, "comment", visibility_checked=True) == "yes"


def _without_rejected_media(author: Account, photos: list[Photo]) -> list[Photo]:
    """Returns the photos as they may be shown: without files and URL, only the alt text,
    if media of the server are rejected."""
    if not author.is_without_media:
        return photos
    return [replace(photo, remote_url="", files={}) for photo in photos]


def _extras(author: Account, post: Post) -> PostExtras:
    extras = post_extras.load(post.extras)
    return extras.without_urls() if author.is_without_media else extras


def _load_marked(
    tx: Reader, viewer: Account | None, wanted: Iterable[TimelineEntry | int]
) -> list[_MarkedEntry]:
    entries = [entry if isinstance(entry, TimelineEntry) else TimelineEntry(entry, entry) for entry in wanted]
    rows = tx.all(
        f"""SELECT {columns(Post, "p")},
                   (SELECT parent.account_id FROM posts parent WHERE parent.id = p.parent_id)
                       AS parent_account_id,
                   q.target_uri AS quote_uri, q.target_id AS quote_id,
                   {viewer_marks.marks_on("p")} AS marks
            FROM posts p LEFT JOIN quotes q ON q.post_id = p.id
            WHERE p.id IN (:ids) AND {visible_to("p")}""",  # noqa: S608
        ids=[entry.post_id for entry in entries],
        viewer=viewer_value(viewer),
    )
    visible = {
        post.id: (
            post,
            viewer_marks.ALL[row["marks"]],
            row["parent_account_id"],
            (row["quote_uri"], row["quote_id"]) if row["quote_uri"] else None,
        )
        for post, row in zip(build_all(Post, rows), rows, strict=True)
    }
    return [_MarkedEntry(entry, *visible[entry.post_id]) for entry in entries if entry.post_id in visible]


def _account_ids(found: Iterable[_MarkedEntry], mentioned: dict[int, list[int]]) -> set[int]:
    account_ids = {id_ for ids in mentioned.values() for id_ in ids}
    for one in found:
        account_ids.update((one.post.account_id, one.entry.boost_by or 0, one.parent_account_id or 0))
    return account_ids
