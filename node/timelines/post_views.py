"""Views: ids become what a page shows. A fixed number of queries, however long the page.

`of` asks `visibility` once more, so that no door can show what its viewer may not see, whatever ids it
brings. What depends on the viewer (`viewer_marks`) is in the `PostView`, apart from the `Post`.
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
from node.models.account import Account
from node.models.post import Post
from node.models.visibility import eyes, visible_to
from node.posts import hashtags, mentions, permissions
from node.timelines import viewer_marks
from node.timelines.timelines import Entry
from node.timelines.viewer_marks import ViewerMarks


class _Marked(NamedTuple):
    """An entry with its post, the viewer's marks on it, and whom it comments on."""

    entry: Entry
    post: Post
    marks: ViewerMarks
    parent_account_id: int | None


@dataclass(frozen=True, slots=True)
class PostView:
    """A post as one viewer sees it. `entry_id` is what its page is paged by.

    `mentions` are the people it names; `parent_account` is whom it comments on, if they are known here.
    `boost_uri` is the identity of the boost the entry stands for.
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

    @property
    def parent_id(self) -> int | None:
        return self.post.parent_id


@dataclass(frozen=True, slots=True)
class Branch:
    """A comment and the comments on it. Without a view: it is deleted, or not for this viewer."""

    view: PostView | None
    children: list[Branch]


def of(tx: Reader, viewer: Account | None, wanted: Iterable[Entry | int]) -> list[PostView]:
    """The views of entries or post ids, in their order, without what the viewer may not see."""
    found = _marked(tx, viewer, wanted)
    if not found:
        return []
    ids = list({one.post.id for one in found})
    pictures = photo_rows.of_posts(tx, [one.post.id for one in found if one.post.photos_count])
    named = mentions.ids_of_posts(tx, ids)
    tags = hashtags.of_posts(tx, ids)
    people = accounts.by_ids(tx, _people(found, named))
    boosted = [one.entry.id for one in found if one.entry.boost_by is not None]
    boost_uris = boosts.uris(tx, boosted) if boosted else {}
    return [
        PostView(
            post=post,
            author=people[post.account_id],
            photos=_shown(people[post.account_id], pictures.get(post.id, [])),
            boosted_by=None if entry.boost_by is None else people[entry.boost_by],
            entry_id=entry.id,
            marks=marks,
            mentions=[people[id_] for id_ in named.get(post.id, ())],
            hashtags=tags.get(post.id, []),
            parent_account=people.get(parent_account_id or 0),
            can_boost=viewer is not None and boosts.can_boost(viewer, post),
            can_comment=_can_comment(tx, viewer, post),
            boost_uri=boost_uris.get(entry.id, ""),
        )
        for entry, post, marks, parent_account_id in found
    ]


def _can_comment(tx: Reader, viewer: Account | None, post: Post) -> bool:
    """To somebody who is not signed in it is offered, unless there are no comments at all."""
    if not post.policy or viewer is None:
        return post.comments_enabled
    return permissions.answer(tx, viewer, post, "comment", is_seen=True) == "yes"


def _shown(author: Account, pictures: list[Photo]) -> list[Photo]:
    """The photos as they may be shown: of a server whose media are refused, only what they are said to be."""
    if not author.is_without_media:
        return pictures
    return [replace(photo, remote_url="", files={}) for photo in pictures]


def _marked(tx: Reader, viewer: Account | None, wanted: Iterable[Entry | int]) -> list[_Marked]:
    entries = [entry if isinstance(entry, Entry) else Entry(entry, entry) for entry in wanted]
    rows = tx.all(
        f"""SELECT {columns(Post, "p")},
                   (SELECT parent.account_id FROM posts parent WHERE parent.id = p.parent_id)
                       AS parent_account_id,
                   {viewer_marks.marks_on("p")} AS marks
            FROM posts p WHERE p.id IN (:ids) AND {visible_to("p")}""",  # noqa: S608
        ids=[entry.post_id for entry in entries],
        viewer=eyes(viewer),
    )
    seen = {
        post.id: (post, viewer_marks.ALL[row["marks"]], row["parent_account_id"])
        for post, row in zip(build_all(Post, rows), rows, strict=True)
    }
    return [_Marked(entry, *seen[entry.post_id]) for entry in entries if entry.post_id in seen]


def _people(found: Iterable[_Marked], named: dict[int, list[int]]) -> set[int]:
    wanted = {id_ for ids in named.values() for id_ in ids}
    for one in found:
        wanted.update((one.post.account_id, one.entry.boost_by or 0, one.parent_account_id or 0))
    return wanted
