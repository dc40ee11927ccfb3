"""Records, updates and deletes posts of other servers. Owns no table: `posts` writes the rows.

The caller (`activitypub`) has verified that the author sent this, and decided that it is relevant to this server. The
rules guarded here: a post is recorded once, and not after its deletion; its author and its audience never change;
a comment on a local post comes only from an account that may see and comment on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from node.attachments import custom_emoji, photo_rows, photos
from node.attachments.photo_metadata import MAX_ALT_LENGTH
from node.database import Reader, Writer, build
from node.federation import early_updates, recipients, tombstones
from node.ids import id_at, now_ms
from node.models import post_extras
from node.models.account import Account
from node.models.audience import VISIBILITIES
from node.models.post import Post
from node.models.post_extras import PostExtras
from node.models.remote_post import RemotePhoto, RemotePost
from node.posts import home_feed, permissions, posts, revisions, tagged_people
from node.posts.drafts import MAX_PHOTOS, MAX_WARNING_LENGTH
from node.posts.tagged_people import TaggedPerson
from node.publishing import post_deletion, publishing
from node.text import formatting, hostnames, plain_or_html

MAX_MENTIONS = 100
MAX_HASHTAGS = 100
MAX_CONTEXT_LENGTH = 2048
_MAX_ID_ATTEMPTS = 50


@dataclass(frozen=True, slots=True)
class ImportStatus:
    """What is known of a remote post before it is recorded. `is_followed`: a local account follows its author.

    `has_early_update`: an edit of it was received already.
    """

    is_known: bool
    is_tombstoned: bool
    is_followed: bool
    has_early_update: bool


def import_status(tx: Reader, author: Account, uri: str) -> ImportStatus:
    """Reads the `ImportStatus` of a post, in one statement."""
    row = tx.one(
        f"""SELECT EXISTS (SELECT 1 FROM posts WHERE uri = :uri) AS is_known,
                   EXISTS (SELECT 1 FROM tombstones WHERE uri = :tombstone) AS is_tombstoned,
                   EXISTS ({recipients.FOLLOWED_LOCALLY_SQL}) AS is_followed,
                   EXISTS (SELECT 1 FROM early_updates WHERE uri = :early) AS has_early_update""",  # noqa: S608
        uri=uri,
        tombstone=tombstones.tombstone_key(author, uri),
        early=early_updates.row_key(author, uri),
        who=author.id,
    )
    assert row is not None
    return build(ImportStatus, row)


def receive_create(tx: Writer, remote: RemotePost, *, is_new: bool = False) -> Post | None:
    """Records a remote post. Returns it, or the row it already has; None if it may not be recorded.

    That is: a deleted one, one by an inactive account, a comment that its parent does not allow. `is_new`: the caller
    has just read with `import_status` that it is neither known nor tombstoned.
    """
    existing = None if is_new else posts.by_uri(tx, remote.uri)
    if existing is not None:
        return existing if existing.deleted_at is None else None
    author = remote.author
    if author.is_local or author.is_inactive or remote.visibility not in VISIBILITIES:
        return None
    if not is_new and tombstones.is_tombstoned(tx, author, remote.uri):
        return None
    parent = _parent(tx, remote.parent_uri)
    if parent is not None and not _may_comment(tx, author, parent):
        return None
    post = _insert(tx, remote, parent)
    if post is None:
        return posts.by_uri(tx, remote.uri)
    if post.photos_count:
        photos.attach_remote(tx, author.id, post.id, _clean_photos(remote.photos), is_new=True)
        if any(photo.people for photo in remote.photos):
            _tag_people(tx, remote, post)
    publishing.distribute_locally(
        tx,
        author,
        post,
        parent,
        remote.mentions[:MAX_MENTIONS],
        remote.hashtags[:MAX_HASHTAGS],
        remote.addressed[:MAX_MENTIONS],
    )
    orphans = posts.attach_orphaned_comments(tx, post)
    for orphan in orphans:
        home_feed.add_post(tx, orphan, parent=post)
    return posts.by_id(tx, post.id) if orphans else post


def _parent(tx: Reader, uri: str) -> Post | None:
    if not uri:
        return None
    return posts.by_uri(tx, uri) or posts.by_url(tx, uri)


def _may_comment(tx: Reader, author: Account, parent: Post) -> bool:
    """Returns whether a remote author may comment: never on a deleted post,
    on a local one if its policy says yes."""
    if parent.deleted_at is not None:
        return False
    if not parent.is_local or parent.account_id == author.id:
        return True
    return permissions.decide(tx, author, parent, "comment") == "yes"


def _insert(tx: Writer, remote: RemotePost, parent: Post | None) -> Post | None:
    now = now_ms()
    published_at = max(1, min(remote.published_at, now))
    # Many posts can have the same second: try other ids of that moment until one is free.
    for n in range(_MAX_ID_ATTEMPTS):
        id_ = id_at(published_at)
        if parent is not None and id_ <= parent.id:
            # Documents have whole seconds: a comment must not sort before its parent.
            id_ = parent.id + 1 + n
        post = Post(
            id=id_,
            uri=remote.uri,
            url=remote.url or remote.uri,
            account_id=remote.author.id,
            is_local=False,
            visibility=remote.visibility,
            caption=formatting.sanitize_html(remote.html),
            source="",
            warning=_one_line(remote.warning),
            is_sensitive=remote.is_sensitive or bool(remote.warning),
            language=formatting.clean_text(remote.language, 35),
            parent_id=None if parent is None else parent.id,
            parent_uri="" if not remote.parent_uri else parent.uri if parent else remote.parent_uri,
            root_id=id_ if parent is None else parent.root_id,
            policy=remote.policy,
            photos_count=len(_clean_photos(remote.photos)),
            likes_count=0,
            boosts_count=0,
            comments_count=0,
            published_at=published_at,
            edited_at=_edited_at(remote, published_at, now),
            created_at=now,
            deleted_at=None,
            emoji=_emoji(tx, remote),
            context=remote.context[:MAX_CONTEXT_LENGTH],
            extras=_extras(remote),
            extras_at=0,
        )
        if posts.insert(tx, post):
            return post
        if posts.by_uri(tx, remote.uri) is not None:
            return None
    raise RuntimeError(f"no id is free at {published_at}")


def _edited_at(remote: RemotePost, published_at: int, now: int) -> int | None:
    """Returns when a new post was edited; never in the future, or no later edit would count."""
    if remote.edited_at is None or remote.edited_at <= published_at:
        return None
    return min(remote.edited_at, now)


def _emoji(tx: Writer, remote: RemotePost) -> str:
    return custom_emoji.record_used(
        tx, hostnames.from_uri(remote.author.uri), remote.emoji, remote.html, remote.warning
    )


def _one_line(text: str) -> str:
    return " ".join(formatting.clean_text(plain_or_html.read(text), MAX_WARNING_LENGTH).split())


def _clean_photos(remote: Sequence[RemotePhoto]) -> list[RemotePhoto]:
    return [
        replace(photo, alt=formatting.clean_text(photo.alt, MAX_ALT_LENGTH)) for photo in remote[:MAX_PHOTOS]
    ]


def _tag_people(tx: Writer, remote: RemotePost, post: Post) -> None:
    """Tags people in the photos of a remote post: those whom it mentions, which is how they are told of it."""
    known = {account.uri: account for account in remote.mentions[:MAX_MENTIONS]}
    rows = photo_rows.by_posts(tx, [post.id]).get(post.id, [])
    wanted = [
        (row, [TaggedPerson(known[uri], x, y) for uri, x, y in photo.people if uri in known])
        for row, photo in zip(rows, remote.photos, strict=False)
    ]
    tagged_people.replace_remote(tx, remote.author, wanted)


def _extras(remote: RemotePost) -> str:
    """Returns the extras as they are stored: with clean texts, and no more than a post has."""
    files = [
        replace(file, alt=formatting.clean_text(file.alt, MAX_ALT_LENGTH), mime=file.mime[:100])
        for file in remote.extras.files
        if file.kind in post_extras.FILE_KINDS and len(file.url) <= post_extras.MAX_URL_LENGTH
    ]
    poll = remote.extras.poll
    if poll is not None:
        options = [
            replace(one, title=title)
            for one in poll.options[: post_extras.MAX_OPTIONS]
            if (title := _one_line(one.title)[: post_extras.MAX_OPTION_LENGTH])
        ]
        poll = replace(poll, options=tuple(options)) if options else None
    return post_extras.dump(PostExtras(files=tuple(files[: post_extras.MAX_FILES]), poll=poll))


def receive_update(tx: Writer, remote: RemotePost) -> Post | None:
    """Replaces the content of a known remote post. None when it is not known, not the author's or not newer.

    Its author, its audience and its place in the conversation stay.
    """
    current = posts.by_uri(tx, remote.uri)
    if current is None or current.deleted_at is not None or current.is_local:
        return None
    if current.account_id != remote.author.id or remote.author.is_inactive:
        return None
    edited_at = min(remote.edited_at or now_ms(), now_ms())
    # Documents have whole seconds, so a second edit may have the time of the first.
    if edited_at < (current.edited_at or current.published_at):
        return None
    previous_photos = revisions.current_photos(tx, current)
    cleaned_photos = _clean_photos(remote.photos)
    changed = replace(
        current,
        url=remote.url or current.url,
        caption=formatting.sanitize_html(remote.html),
        warning=_one_line(remote.warning),
        is_sensitive=remote.is_sensitive or bool(remote.warning),
        language=formatting.clean_text(remote.language, 35),
        policy=remote.policy,
        photos_count=len(cleaned_photos),
        edited_at=edited_at,
        emoji=_emoji(tx, remote),
        extras=_extras(remote),
    )
    photos.attach_remote(tx, current.account_id, current.id, cleaned_photos)
    _tag_people(tx, remote, current)
    is_same = (
        replace(changed, edited_at=current.edited_at, extras=current.extras, policy=current.policy) == current
        and revisions.current_photos(tx, current) == previous_photos
        and post_extras.is_recount(post_extras.load(current.extras), post_extras.load(changed.extras))
    )
    if is_same:
        # Votes that were counted and another policy are no edit: nobody changed what the post says.
        return _update_silently(tx, current, policy=changed.policy, extras=changed.extras)
    publishing.replace_content(
        tx,
        remote.author,
        current,
        changed,
        previous_photos,
        remote.mentions[:MAX_MENTIONS],
        remote.hashtags[:MAX_HASHTAGS],
    )
    return changed


def _update_silently(tx: Writer, current: Post, *, policy: str, extras: str) -> Post:
    """Writes a policy and extras that changed without an edit of the post."""
    if policy != current.policy:
        current = replace(current, policy=policy)
        posts.update(tx, current)
    if extras != current.extras:
        current = replace(current, extras=extras, extras_at=now_ms())
        posts.update_extras(tx, current)
    return current


def receive_delete(tx: Writer, actor: Account, uri: str) -> bool:
    """Deletes a remote post because its author's server sent Delete. Returns whether there was one of the actor's.

    A post not received yet is tombstoned for this actor, so that a late Create is refused; a Delete of an object of
    another host, or by another account than the author, changes nothing.
    """
    post = posts.by_uri(tx, uri)
    if post is not None:
        if post.account_id != actor.id or post.is_local:
            return False
        post_deletion.remove_locally(tx, post)
        return True
    if urlsplit(uri).netloc.lower() == urlsplit(actor.uri).netloc.lower():
        tombstones.record(tx, actor, uri)
    return False
