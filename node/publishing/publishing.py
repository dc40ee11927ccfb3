"""Publishes and edits posts: rows, photos, hashtags, home feeds, notifications, counts and the outgoing activity.

Each action is one unit of work. Remote posts come in through `receiving`, which ends in the same functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from node.accounts import accounts, mention_links
from node.attachments import photos
from node.database import Reader, Writer
from node.errors import NotAllowed
from node.federation import outbox
from node.ids import new_id, now_ms
from node.interactions import quotes
from node.models import interaction_policy
from node.models.account import Account
from node.models.audience import narrower
from node.models.post import Post
from node.notifications import notifications
from node.posts import hashtags, home_feed, mentions, permissions, posts, revisions
from node.posts.drafts import Draft, validate

NOTIFY_MAX_AGE_MS = 7 * 24 * 3_600_000


def publish(tx: Writer, who: Account, draft: Draft) -> Post:
    """Publish a post or, with a parent, a comment. Raises Invalid, NotAllowed or NotFound (the parent)."""
    if who.is_inactive or not who.is_local:
        raise NotAllowed("This account cannot post.")
    if who.moved_to:
        raise NotAllowed("This account has moved. You can undo that in settings.")
    draft = validate(draft)
    parent = None if draft.parent_id is None else _commentable_parent(tx, who, draft.parent_id)
    caption = mention_links.render_html(tx, draft.caption, author=who)
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
        policy=interaction_policy.dump(draft.policy),
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
    posts.insert(tx, post)
    photos.attach(tx, who, id_, draft.photo_ids, draft.alts, draft.shared_metadata)
    distribute_locally(tx, who, post, parent, caption.mentions, caption.hashtags)
    if draft.quote_id is not None:
        quotes.quote(tx, who, post, posts.visible_by_id(tx, who, draft.quote_id))
    outbox.record(tx, who, "Create", post.uri, post=post)
    return post


def _commentable_parent(tx: Reader, who: Account, parent_id: int) -> Post:
    parent = posts.visible_by_id(tx, who, parent_id)
    permissions.check(tx, who, parent, "comment")
    return parent


def distribute_locally(
    tx: Writer,
    author: Account,
    post: Post,
    parent: Post | None,
    mentioned: Sequence[Account],
    hashtag_names: Sequence[str],
    addressed: Sequence[Account] = (),
) -> None:
    """All that follows from a new post, whoever wrote it and wherever."""
    parent_author = None if parent is None else accounts.by_id(tx, parent.account_id)
    silent = [*addressed, *([parent_author] if parent_author is not None else [])]
    mentions.replace(tx, post, mentioned, silent)
    if post.is_counted:
        accounts.adjust_counts(tx, author.id, posts=1, posted_at=post.published_at)
    if parent is not None and post.is_open:
        posts.adjust_counts(tx, parent.id, comments=1)
    hashtags.tag_post(tx, post, author, hashtag_names)
    home_feed.add_post(tx, post)
    if post.published_at < now_ms() - NOTIFY_MAX_AGE_MS:
        # It was found while looking around, or arrived very late: nobody is called for that.
        return
    if parent is not None:
        notifications.notify(tx, parent.account_id, "comment", author, post)
    told = {parent.account_id} if parent is not None else set()
    for person in {person.id: person for person in [*mentioned, *addressed]}.values():
        if person.is_local and person.id not in told:
            notifications.notify(tx, person.id, "mention", author, post)


def edit(tx: Writer, who: Account, post: Post, draft: Draft) -> Post:
    """Let a post say what the draft says; what it said before stays in its history.

    Its audience and its place in the conversation stay as they are. Photos it no longer holds are deleted.
    """
    current = posts.own_post(tx, who, post)
    draft = validate(replace(draft, visibility=current.visibility))
    caption = mention_links.render_html(tx, draft.caption, author=who)
    had = revisions.current_photos(tx, post)
    tells_else = photos.attach(tx, who, post.id, draft.photo_ids, draft.alts, draft.shared_metadata)
    has = revisions.current_photos(tx, post)
    changed = replace(
        current,
        caption=caption.html,
        source=draft.caption,
        warning=draft.warning,
        is_sensitive=draft.is_sensitive,
        language=draft.language,
        policy=interaction_policy.dump(draft.policy),
        photos_count=len(has),
    )
    if changed == current and has == had and not tells_else:
        return current
    changed = replace(changed, edited_at=now_ms())
    replace_content(tx, who, current, changed, had, caption.mentions, caption.hashtags)
    outbox.record(tx, who, "Update", post.uri, post=changed)
    return changed


def replace_content(
    tx: Writer,
    author: Account,
    previous: Post,
    current: Post,
    previous_photos: Sequence[tuple[int, str]],
    mentioned: Sequence[Account],
    hashtag_names: Sequence[str],
) -> None:
    """Replace what a post says, keeping the old version. Those named for the first time are told."""
    before = {mention.account.id: mention.account for mention in mentions.by_post(tx, previous)}
    revisions.record(tx, previous, previous_photos)
    posts.update(tx, current)
    # Whoever could see it can still: somebody no longer named stays addressed.
    mentions.replace(tx, current, mentioned, before.values())
    hashtags.retag_post(tx, current, author, hashtag_names)
    for person in mentioned:
        if person.id not in before:
            notifications.notify(tx, person.id, "mention", author, current)
