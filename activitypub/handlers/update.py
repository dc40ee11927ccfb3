"""Update: an edited remote post, or a changed profile."""

from __future__ import annotations

from activitypub.handlers import create
from activitypub.handlers.received_activity import Ignored, ReceivedActivity, fetch_or_ignore, parse_own_note
from activitypub.remote import notes as remote_notes
from activitypub.uris import same_origin
from activitypub.vocab import Activity, Note
from node.database import Reader, Writer
from node.jobs import queue
from node.posts import posts
from node.publishing import remote_posts


def handle_update(tx: Writer, received: ReceivedActivity) -> None:
    """Applies an edit of a stored post, or fetches the actor again. An edit that overtook its post is kept for it.

    A profile is never taken from the activity: keys and inboxes come from the actor's own address only.
    """
    activity, actor = received.activity, received.actor
    ref = activity.object
    if ref.uri == actor.uri:
        queue.add(tx, "refresh_actor", {"id": actor.id})
        return
    known = posts.by_uri(tx, ref.uri) if ref.uri is not None else None
    if known is None:
        _keep_early_edit(tx, received)
        return
    if known.account_id != actor.id:
        raise Ignored("not a stored post of this actor")
    note = parse_own_note(tx, received)
    if note is None:
        raise fetch_or_ignore(received, ref)
    remote_notes.apply_edit(tx, activity, note, actor)


def _keep_early_edit(tx: Writer, received: ReceivedActivity) -> None:
    """Keeps the edit of a post whose Create may still be on its way, or remembers the id of the post if that is all it
    says. Raises Ignored for one that nobody would see."""
    activity, actor = received.activity, received.actor
    note = parse_own_note(tx, received)
    uri = note.id if note is not None else activity.object.uri
    is_own = note is not None or (activity.object.doc or {}).get("attributedTo") is None
    if uri is None or not is_own or not same_origin(uri, actor.uri) or (note is not None and note.is_vote):
        raise Ignored("not a stored post of this actor")
    status = remote_posts.import_status(tx, actor, uri)
    if status.is_tombstoned or not _is_relevant(tx, activity, note, is_followed=status.is_followed):
        raise Ignored("not a stored post of this actor")
    if note is not None:
        remote_notes.keep_early_edit(tx, activity, note, actor)
    else:
        remote_notes.remember_early_edit(tx, activity, uri, actor)


def _is_relevant(tx: Reader, activity: Activity, note: Note | None, *, is_followed: bool) -> bool:
    if note is not None:
        return create.is_relevant_note(tx, note, is_followed=is_followed)
    # Some servers do not say to whom an Update is addressed.
    addressed = [*activity.to, *activity.cc]
    return not addressed or create.is_relevant(tx, addressed, None, is_followed=is_followed)
