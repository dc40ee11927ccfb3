"""Create: a new remote post, stored if a local account would see it."""

from __future__ import annotations

from activitypub.handlers.received_activity import Ignored, ReceivedActivity, fetch_or_ignore, parse_own_note
from activitypub.remote import conversations
from activitypub.remote import notes as remote_notes
from activitypub.vocab import Note
from node.database import Reader, Writer
from node.federation import recipients
from node.posts import posts
from node.publishing import remote_posts


def handle_create(tx: Writer, received: ReceivedActivity) -> None:
    """Stores a post that is relevant here; the missing ancestors of a comment are fetched afterwards.

    Poll votes are ignored, and so is a post that its author has deleted before its Create arrived.
    """
    activity = received.activity
    note = parse_own_note(tx, received)
    if note is None:
        is_followed = recipients.is_followed_locally(tx, received.actor.id)
        if not is_relevant(tx, [*activity.to, *activity.cc], None, is_followed=is_followed):
            raise Ignored("no local account would see it")
        raise fetch_or_ignore(received, activity.object)
    if note.is_vote:
        raise Ignored("poll votes are not supported")
    status = remote_posts.import_status(tx, received.actor, note.id)
    if status.is_known:
        raise Ignored("the post is stored already")
    if not is_relevant_note(tx, note, is_followed=status.is_followed):
        raise Ignored("no local account would see it")
    if status.is_tombstoned:
        return
    post = remote_notes.import_note(tx, note, received.actor, status)
    if post is not None and post.is_comment and post.parent_id is None:
        conversations.queue_ancestors(tx, post)


def is_relevant_note(tx: Reader, note: Note, *, is_followed: bool) -> bool:
    """Returns whether a local account would see a post."""
    addressed = [*note.to, *note.cc, *(uri for uri, _ in note.mentions)]
    return is_relevant(tx, addressed, note.in_reply_to, is_followed=is_followed)


def is_relevant(tx: Reader, addressed: list[str], parent_uri: str | None, *, is_followed: bool) -> bool:
    """Returns whether the author has a local follower, a local account is addressed, or the parent is stored here."""
    local_users = tx.site.uri("/users/")
    if is_followed or any(uri.startswith(local_users) for uri in addressed):
        return True
    return parent_uri is not None and (
        posts.by_uri(tx, parent_uri) is not None or posts.by_url(tx, parent_uri) is not None
    )
