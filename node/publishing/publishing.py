"""Publishes and edits posts: rows, photos, hashtags, home feeds, notifications, counts and the outgoing activity.

Each action is one unit of work. Called by pages and the client API. Remote posts come in through `remote_posts`,
which ends in the same functions. Owns no table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from node import rate_limits
from node.accounts import accounts, mention_links
from node.attachments import photos
from node.auth import idempotency_keys
from node.database import Reader, Writer
from node.errors import NotAllowed, TooManyRequests
from node.federation import outbox
from node.ids import new_id, now_ms
from node.interactions import quotes
from node.models import interaction_policy
from node.models.account import Account
from node.models.audience import narrower
from node.models.interaction_policy import InteractionRule
from node.models.post import Post
from node.notifications import notifications
from node.posts import hashtags, home_feed, mentions, permissions, posts, revisions, tagged_people
from node.posts.drafts import Draft, validate

NOTIFY_MAX_AGE_MS = 7 * 24 * 3_600_000
MAX_EDITS_PER_HOUR = 300


def publish_once(tx: Writer, author: Account, key: str, draft: Draft) -> Post:
    """Publishes a draft as `publish` does, or returns the post that was published with the same key.

    Without a key, '', it is always published. Raises what `publish` raises, and NotFound where the post was deleted since.
    """
    if key and (known := idempotency_keys.claim(tx, author, key)) is not None:
        return posts.visible_by_id(tx, author, known)
    post = publish(tx, author, draft)
    if key:
        idempotency_keys.record_post(tx, author, key, post.id)
    return post


def publish(tx: Writer, author: Account, draft: Draft) -> Post:
    """Publishes a post or, with a parent, a comment, and sends a Create.

    A comment reaches no further than its parent. Raises Invalid for a draft that cannot be a post, NotAllowed for an
    account that cannot post, a comment or a quote that is not allowed, and NotFound for a parent or a quoted post
    that the author may not see.
    """
    if author.is_inactive or not author.is_local:
        raise NotAllowed("This account cannot post.")
    if author.moved_to:
        raise NotAllowed("This account has moved. You can undo that in settings.")
    draft = validate(draft)
    parent = None if draft.parent_id is None else _commentable_parent(tx, author, draft.parent_id)
    caption = mention_links.render_html(tx, draft.caption, author=author)
    id_, now = new_id(), now_ms()
    uri = tx.site.uri(f"/p/{author.name}/{id_}")
    post = Post(
        id=id_,
        uri=uri,
        url=uri,
        account_id=author.id,
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
        extras="",
        extras_at=0,
    )
    posts.insert(tx, post)
    photos.attach(tx, author, id_, draft.photo_ids, draft.alts, draft.shared_metadata, draft.focuses)
    tagged = tagged_people.accounts_in(tx, author, draft.photo_ids)
    distribute_locally(tx, author, post, parent, caption.mentions, caption.hashtags, tagged)
    if draft.quote_id is not None:
        quotes.quote(tx, author, post, posts.visible_by_id(tx, author, draft.quote_id))
    outbox.record(tx, author, "Create", post.uri, post=post)
    return post


def _commentable_parent(tx: Reader, author: Account, parent_id: int) -> Post:
    parent = posts.visible_by_id(tx, author, parent_id)
    permissions.check(tx, author, parent, "comment", visibility_checked=True)
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
    """Does what follows from a new row of `posts`, local or remote: mentions, counts, hashtags, feeds, notifications.

    `mentioned` are named in the caption, `addressed` only addressed or tagged in a photo. Nobody is notified of a post that is older than
    `NOTIFY_MAX_AGE_MS`.
    """
    parent_author = None if parent is None else accounts.by_id(tx, parent.account_id)
    silent = [*addressed, *([parent_author] if parent_author is not None else [])]
    mentions.replace(tx, post, mentioned, silent)
    if post.is_counted:
        accounts.adjust_counts(tx, author.id, posts=1, posted_at=post.published_at)
    if parent is not None and post.is_open:
        posts.adjust_counts(tx, parent.id, comments=1)
    hashtags.tag_post(tx, post, author, hashtag_names)
    home_feed.add_post(tx, post, parent=parent)
    if hashtag_names:
        home_feed.add_by_hashtags(tx, post)
    if post.published_at < now_ms() - NOTIFY_MAX_AGE_MS:
        # It was fetched with a profile or a conversation, or arrived very late: not worth a notification.
        return
    if parent is not None:
        notifications.notify(tx, parent.account_id, "comment", author, post)
    for account in {account.id: account for account in [*mentioned, *addressed]}.values():
        if account.is_local and (parent is None or account.id != parent.account_id):
            notifications.notify(tx, account.id, "mention", author, post)


def edit(
    tx: Writer,
    author: Account,
    post: Post,
    draft: Draft,
    *,
    photo_edits: Mapping[int, Sequence[str]] | None = None,
) -> Post:
    """Replaces the content of a post by a draft, keeps the earlier version as a revision, and sends an Update.

    Its audience and its place in the conversation stay as they are. Photos it no longer holds can be posted
    again for a day. A draft that changes nothing leaves no revision and sends nothing, unless there are `photo_edits`: names
    of what was changed of a photo itself (its pixels, its place, the people in it), by its id, which the revision keeps.
    Raises NotFound, NotAllowed for another author, Invalid, and TooManyRequests for a post that was edited `revisions.MAX_PER_HOUR` times in the last hour, or an author who has
    edited `MAX_EDITS_PER_HOUR` times.
    """
    current = posts.own_post(tx, author, post)
    draft = validate(replace(draft, visibility=current.visibility))
    caption = mention_links.render_html(tx, draft.caption, author=author)
    previous_photos = revisions.current_photos(tx, post)
    is_metadata_changed = photos.attach(
        tx, author, post.id, draft.photo_ids, draft.alts, draft.shared_metadata, draft.focuses
    )
    current_photos = revisions.current_photos(tx, post)
    changed = replace(
        current,
        caption=caption.html,
        source=draft.caption,
        warning=draft.warning,
        is_sensitive=draft.is_sensitive,
        language=draft.language,
        policy=interaction_policy.dump(draft.policy),
        photos_count=len(current_photos),
    )
    if (
        changed == current
        and current_photos == previous_photos
        and not is_metadata_changed
        and not photo_edits
    ):
        return current
    if revisions.is_past_limit(tx, current):
        raise TooManyRequests(
            "This post was edited too often. Please try again in an hour.", retry_after=3600
        )
    # Of long versions fewer are kept than were made, so that they are counted here as well.
    _count_edit(tx, author, current)
    changed = replace(changed, edited_at=now_ms())
    tagged = tagged_people.accounts_in(tx, author, draft.photo_ids)
    replace_content(
        tx,
        author,
        current,
        changed,
        previous_photos,
        caption.mentions,
        caption.hashtags,
        tagged,
        photo_edits=photo_edits,
    )
    outbox.record(tx, author, "Update", post.uri, post=changed)
    return changed


def change_comment_rule(tx: Writer, author: Account, post: Post, rule: InteractionRule) -> Post:
    """Changes who may comment on a post, and sends an Update. That is no edit: it leaves no revision and no mark.

    Raises NotFound, NotAllowed for another author, and TooManyRequests as `edit` does.
    """
    current = posts.own_post(tx, author, post)
    policy = replace(current.interaction_policy, comment=rule)
    changed = replace(current, policy=interaction_policy.dump(policy))
    if changed == current:
        return current
    _count_edit(tx, author, current)
    posts.update(tx, changed)
    outbox.record(tx, author, "Update", post.uri, post=changed)
    return changed


def _count_edit(tx: Writer, author: Account, post: Post) -> None:
    """Raises TooManyRequests for a post or an author with too many edits within the last hour."""
    rate_limits.count_attempt(tx, f"edits of {post.id}", limit=revisions.MAX_PER_HOUR, seconds=3600)
    rate_limits.count_attempt(tx, f"edits {author.id}", limit=MAX_EDITS_PER_HOUR, seconds=3600)


def replace_content(
    tx: Writer,
    author: Account,
    previous: Post,
    current: Post,
    previous_photos: Sequence[tuple[int, str]],
    mentioned: Sequence[Account],
    hashtag_names: Sequence[str],
    tagged: Sequence[Account] = (),
    *,
    photo_edits: Mapping[int, Sequence[str]] | None = None,
) -> None:
    """Replaces the content of a post and keeps the old version. Accounts named or tagged for the first time are notified."""
    before = {mention.account.id: mention.account for mention in mentions.by_post(tx, previous)}
    revisions.record(tx, previous, previous_photos, photo_edits)
    posts.update(tx, current)
    # Who could see it still can: an account no longer named stays addressed.
    mentions.replace(tx, current, mentioned, [*before.values(), *tagged])
    hashtags.retag_post(tx, current, author, hashtag_names)
    for account in [*mentioned, *tagged]:
        if account.id not in before:
            notifications.notify(tx, account.id, "mention", author, current)
