"""Update: an edited remote post, or a changed profile."""

from __future__ import annotations

from dataclasses import replace

from activitypub.handlers.received_activity import Ignored, ReceivedActivity, fetch_or_ignore, parse_own_note
from activitypub.remote import notes as remote_notes
from node.database import Writer
from node.jobs import queue
from node.posts import posts
from node.publishing import remote_posts


def handle_update(tx: Writer, received: ReceivedActivity) -> None:
    """Applies an edit of a stored post, or fetches the actor again.

    A profile is never taken from the activity: keys and inboxes come from the actor's own address only.
    """
    activity, actor = received.activity, received.actor
    ref = activity.object
    if ref.uri == actor.uri:
        queue.add(tx, "refresh_actor", {"id": actor.id})
        return
    known = posts.by_uri(tx, ref.uri) if ref.uri is not None else None
    if known is None or known.account_id != actor.id:
        raise Ignored("not a stored post of this actor")
    note = parse_own_note(tx, received)
    if note is None:
        raise fetch_or_ignore(received, ref)
    edited = remote_notes.to_remote_post(tx, note, actor)
    if edited.edited_at is None and activity.published_ms is not None:
        # Some servers date only the Update and not the edit: an older edit must not win over a newer one either.
        edited = replace(edited, edited_at=activity.published_ms)
    changed = remote_posts.receive_update(tx, edited)
    if changed is not None:
        remote_notes.record_quote(tx, note, changed)
