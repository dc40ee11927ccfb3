"""Posts: publish, edit, delete, and the rows behind them. Owns the table `posts`.

A deed here changes everything that belongs to it in one unit of work: rows, photos, hashtags, home feeds,
notifications, counts, and the sentence for other servers. Posts published elsewhere come in through
`receiving`, which ends in the same functions.

Who may see a post is decided by `visibility`. Its audience never widens after it was published. A comment
reaches no further than what it comments on, and only public and unlisted ones are counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from node import (
    accounts,
    bookmarks,
    boosts,
    captions,
    edits,
    feeds,
    hashtags,
    likes,
    mentions,
    notifications,
    outbox,
    permissions,
    photos,
    pins,
    policies,
    quotes,
    reactions,
)
from node.database import Reader, Writer, build, build_all, columns
from node.drafts import Draft, checked
from node.errors import NotAllowed, NotFound
from node.ids import new_id, now_ms
from node.post_rows import Post
from node.visibility import OPEN, eyes, narrower, visible_to

if TYPE_CHECKING:
    from node.accounts import Account

__all__ = ["Draft", "Post"]

NEWS_MS = 7 * 24 * 3_600_000


def by_id(tx: Reader, post_id: int) -> Post | None:
    """The post as it stands, deleted or not, whoever may see it: doors use `seen_by`."""
    row = tx.one(f"SELECT {columns(Post)} FROM posts WHERE id = :id", id=post_id)  # noqa: S608
    return build(Post, row) if row else None


def by_uri(tx: Reader, uri: str) -> Post | None:
    """As `by_id`, by the post's identity."""
    row = tx.one(f"SELECT {columns(Post)} FROM posts WHERE uri = :uri", uri=uri)  # noqa: S608
    return build(Post, row) if row else None


def by_url(tx: Reader, url: str) -> Post | None:
    """A post by the page its server shows it at, which some servers use in place of its identity."""
    row = tx.one(f"SELECT {columns(Post)} FROM posts WHERE url = :url AND url <> uri", url=url)  # noqa: S608
    return build(Post, row) if row else None


def by_ids(tx: Reader, ids: Iterable[int]) -> dict[int, Post]:
    rows = tx.all(f"SELECT {columns(Post)} FROM posts WHERE id IN (:ids)", ids=list(ids))  # noqa: S608
    return {post.id: post for post in build_all(Post, rows)}


def seen_by(tx: Reader, viewer: Account | None, post_id: int) -> Post:
    """The post, if this person (None: anybody) may see it; otherwise NotFound, as if there were none."""
    post = _seen(tx, viewer, "p.id = :key", post_id)
    if post is None:
        raise NotFound("There is no such post.")
    return post


def seen_by_uri(tx: Reader, viewer: Account | None, uri: str) -> Post | None:
    """As `seen_by`, by the id that other servers know; None for none."""
    return _seen(tx, viewer, "p.uri = :key", uri)


def _seen(tx: Reader, viewer: Account | None, where: str, key: int | str) -> Post | None:
    row = tx.one(
        f"SELECT {columns(Post, 'p')} FROM posts p WHERE {where} AND {visible_to('p')}",  # noqa: S608
        key=key,
        viewer=eyes(viewer),
    )
    return build(Post, row) if row else None


def publish(tx: Writer, who: Account, draft: Draft) -> Post:
    """Publish a post or, with a parent, a comment. Raises Invalid, NotAllowed or NotFound (the parent)."""
    if who.is_gone or not who.is_local:
        raise NotAllowed("This account cannot post.")
    if who.moved_to:
        raise NotAllowed("This account has moved. You can undo that in settings.")
    draft = checked(draft)
    parent = None if draft.parent_id is None else _open_parent(tx, who, draft.parent_id)
    caption = captions.render(tx, draft.caption, author=who)
    id_, now = new_id(), now_ms()
    uri = tx.site.uri(f"/p/{who.name}/{id_}")
    post = Post(
        id=id_,
        uri=uri,
        url=uri,
        account_id=who.id,
        is_local=True,
        visibility=draft.visibility if parent is None else narrower(draft.visibility, parent.visibility),
        caption=caption.html,
        source=draft.caption,
        warning=draft.warning,
        is_sensitive=draft.is_sensitive,
        language=draft.language,
        parent_id=None if parent is None else parent.id,
        parent_uri="" if parent is None else parent.uri,
        root_id=id_ if parent is None else parent.root_id,
        policy=policies.dump(draft.policy),
        photos_count=len(draft.photo_ids),
        likes_count=0,
        boosts_count=0,
        comments_count=0,
        published_at=now,
        edited_at=None,
        created_at=now,
        deleted_at=None,
        emoji="",
        context="",
    )
    insert(tx, post)
    photos.attach(tx, who, id_, draft.photo_ids, draft.alts, draft.shared)
    settle_in(tx, who, post, parent, caption.mentions, caption.hashtags)
    if draft.quote_id is not None:
        quotes.quote(tx, who, post, seen_by(tx, who, draft.quote_id))
    outbox.record(tx, who, "Create", post.uri, post=post)
    return post


def _open_parent(tx: Reader, who: Account, parent_id: int) -> Post:
    parent = seen_by(tx, who, parent_id)
    permissions.check(tx, who, parent, "comment")
    return parent


def insert(tx: Writer, post: Post) -> bool:
    """Write a new row; False when its id or uri is taken."""
    names = columns(Post).split(", ")
    return (
        tx.run(
            f"""INSERT INTO posts ({columns(Post)}) VALUES ({", ".join(":" + name for name in names)})
            ON CONFLICT DO NOTHING""",  # noqa: S608
            **{name: getattr(post, name) for name in names},
        )
        > 0
    )


def settle_in(
    tx: Writer,
    author: Account,
    post: Post,
    parent: Post | None,
    named: Sequence[Account],
    hashtag_names: Sequence[str],
    addressed: Sequence[Account] = (),
) -> None:
    """All that follows from a new post, whoever wrote it and wherever."""
    parent_author = None if parent is None else accounts.by_id(tx, parent.account_id)
    silent = [*addressed, *([parent_author] if parent_author is not None else [])]
    mentions.write(tx, post, named, silent)
    if post.counts:
        accounts.count(tx, author.id, posts=1, posted_at=post.published_at)
    if parent is not None and post.is_open:
        count(tx, parent.id, comments=1)
    hashtags.count(tx, post, author, hashtag_names)
    feeds.add_post(tx, post)
    if post.published_at < now_ms() - NEWS_MS:
        # It was found while looking around, or arrived very late: nobody is called for that.
        return
    if parent is not None:
        notifications.notify(tx, parent.account_id, "comment", author, post)
    told = {parent.account_id} if parent is not None else set()
    for person in {person.id: person for person in [*named, *addressed]}.values():
        if person.is_local and person.id not in told:
            notifications.notify(tx, person.id, "mention", author, post)


def count(tx: Writer, post_id: int, *, likes: int = 0, boosts: int = 0, comments: int = 0) -> None:
    """Add to a post's counts, in the unit of work that made the difference."""
    tx.run(
        """UPDATE posts SET likes_count = likes_count + :likes, boosts_count = boosts_count + :boosts,
                  comments_count = comments_count + :comments
           WHERE id = :id AND deleted_at IS NULL""",
        id=post_id,
        likes=likes,
        boosts=boosts,
        comments=comments,
    )


def edit(tx: Writer, who: Account, post: Post, draft: Draft) -> Post:
    """Let a post say what the draft says; what it said before stays in its history.

    Its audience and its place in the conversation stay as they are. Photos it no longer holds are deleted.
    """
    current = _mine(tx, who, post)
    draft = checked(replace(draft, visibility=current.visibility))
    caption = captions.render(tx, draft.caption, author=who)
    had = edits.photos_now(tx, post)
    tells_else = photos.attach(tx, who, post.id, draft.photo_ids, draft.alts, draft.shared)
    has = edits.photos_now(tx, post)
    changed = replace(
        current,
        caption=caption.html,
        source=draft.caption,
        warning=draft.warning,
        is_sensitive=draft.is_sensitive,
        language=draft.language,
        policy=policies.dump(draft.policy),
        photos_count=len(has),
    )
    if changed == current and has == had and not tells_else:
        return current
    changed = replace(changed, edited_at=now_ms())
    rewrite(tx, who, current, changed, had, caption.mentions, caption.hashtags)
    outbox.record(tx, who, "Update", post.uri, post=changed)
    return changed


def _mine(tx: Reader, who: Account, post: Post) -> Post:
    current = by_id(tx, post.id)
    if current is None or current.deleted_at is not None:
        raise NotFound("There is no such post.")
    if current.account_id != who.id:
        raise NotAllowed("Only its author can change a post.")
    return current


def rewrite(
    tx: Writer,
    author: Account,
    was: Post,
    now: Post,
    had: Sequence[tuple[int, str]],
    named: Sequence[Account],
    hashtag_names: Sequence[str],
) -> None:
    """Replace what a post says, keeping the old version. Those named for the first time are told."""
    before = {mention.account.id: mention.account for mention in mentions.of(tx, was)}
    edits.keep(tx, was, had)
    tx.run(
        """UPDATE posts SET caption = :caption, source = :source, warning = :warning,
                  is_sensitive = :is_sensitive, language = :language, url = :url, emoji = :emoji,
                  policy = :policy, photos_count = :photos_count, edited_at = :edited_at
           WHERE id = :id""",
        id=now.id,
        caption=now.caption,
        source=now.source,
        warning=now.warning,
        is_sensitive=now.is_sensitive,
        language=now.language,
        url=now.url,
        emoji=now.emoji,
        policy=now.policy,
        photos_count=now.photos_count,
        edited_at=now.edited_at,
    )
    # Whoever could see it can still: somebody no longer named stays addressed.
    mentions.write(tx, now, named, before.values())
    hashtags.recount(tx, now, author, hashtag_names)
    for person in named:
        if person.id not in before:
            notifications.notify(tx, person.id, "mention", author, now)


def delete(tx: Writer, who: Account, post: Post) -> None:
    """Delete one's own post everywhere. A tombstone stays; comments by others stay under it."""
    current = _mine(tx, who, post)
    facts = _last_words(tx, current)
    remove(tx, current)
    outbox.record(tx, who, "Delete", post.uri, post=current, extra=facts)


def _last_words(tx: Reader, post: Post) -> dict[str, Any]:
    """What is needed to tell of a deletion once the rows are gone: above all, who has heard of the post."""
    interested = tx.all(
        """SELECT a.id FROM accounts a WHERE NOT a.is_local AND a.id IN (
               SELECT account_id FROM likes WHERE post_id = :post
               UNION SELECT account_id FROM boosts WHERE post_id = :post
               UNION SELECT account_id FROM posts WHERE parent_id = :post)""",
        post=post.id,
    )
    return {
        "former": "Note",
        "visibility": post.visibility,
        "mentions": [mention.account.id for mention in mentions.of(tx, post)],
        "interested": [row["id"] for row in interested],
        "deleted_at": now_ms(),
    }


def remove(tx: Writer, post: Post) -> None:
    """Empty a post's row and delete all that hung on it. Whoever asks has checked that they may."""
    if post.deleted_at is not None:
        return
    tx.run(
        """UPDATE posts SET deleted_at = :now, caption = '', source = '', warning = '', language = '',
                  is_sensitive = FALSE, photos_count = 0, likes_count = 0, boosts_count = 0
           WHERE id = :id""",
        id=post.id,
        now=now_ms(),
    )
    edits.remove_of_post(tx, post.id)
    quotes.remove_of_post(tx, post.id)
    reactions.remove_of_post(tx, post.id)
    mentions.remove_of_post(tx, post.id)
    if post.parent_id is not None and post.is_open:
        count(tx, post.parent_id, comments=-1)
    if post.counts:
        accounts.count(tx, post.account_id, posts=-1)
    hashtags.uncount(tx, post)
    photos.remove_of_post(tx, post.id)
    feeds.remove_post(tx, post.id)
    likes.forget(tx, post.id)
    boosts.forget(tx, post.id)
    bookmarks.forget(tx, post.id)
    pins.forget(tx, post.id)
    notifications.remove_of_post(tx, post.id)


def remove_all(tx: Writer, account: Account) -> None:
    """Someone is gone, and all they posted with them. Other servers hear of the person, not of each post."""
    rows = tx.all(
        f"SELECT {columns(Post)} FROM posts WHERE account_id = :id AND deleted_at IS NULL",  # noqa: S608
        id=account.id,
    )
    for post in build_all(Post, rows):
        remove(tx, post)
    photos.remove_loose_of(tx, account)


def adopt_orphans(tx: Writer, post: Post) -> list[Post]:
    """Join the comments that came before the post they are about, and all below them, to its conversation.

    Those that were deleted meanwhile are joined too, for what is below them, but neither counted nor returned.
    """
    rows = tx.all(
        """UPDATE posts SET parent_id = :post
           WHERE parent_id IS NULL AND parent_uri <> '' AND parent_uri IN (:names)
             AND id <> :post AND id <> :root
           RETURNING id, visibility, deleted_at""",
        post=post.id,
        root=post.root_id,
        names=[post.uri, post.url],
    )
    if not rows:
        return []
    tx.run(
        """WITH RECURSIVE below (id) AS (
               SELECT id FROM posts WHERE id IN (:orphans)
               UNION SELECT p.id FROM posts p JOIN below ON p.parent_id = below.id)
           UPDATE posts SET root_id = :root WHERE id IN (SELECT id FROM below)""",
        orphans=[row["id"] for row in rows],
        root=post.root_id,
    )
    alive = [row for row in rows if row["deleted_at"] is None]
    count(tx, post.id, comments=sum(row["visibility"] in OPEN for row in alive))
    return list(by_ids(tx, [row["id"] for row in alive]).values())
