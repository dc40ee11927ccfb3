"""Add and Remove: a remote account pins posts to its profile.

They count only for the actor's own `featured` collection and the actor's own posts.
"""

from __future__ import annotations

from activitypub.handlers.received_activity import Ignored, ReceivedActivity, fetch_or_ignore, parse_own_note
from activitypub.remote import notes as remote_notes
from activitypub.uris import same_origin
from node.database import Writer
from node.federation import recipients
from node.interactions import pins
from node.posts import posts


def handle_add(tx: Writer, received: ReceivedActivity) -> None:
    """Pins a post, importing it first if the actor has local followers."""
    _check_target(received)
    ref, actor = received.activity.object, received.actor
    post = posts.by_uri(tx, ref.uri) if ref.uri is not None else None
    if post is None:
        if not recipients.is_followed_locally(tx, actor.id):
            raise Ignored("no local account would see it")
        note = parse_own_note(tx, received)
        if note is None:
            if not same_origin(ref.uri, actor.uri):
                raise Ignored("a post of another server")
            raise fetch_or_ignore(received, ref)
        post = remote_notes.import_note(tx, note, actor)
    if post is None or not pins.receive_pin(tx, actor, post):
        raise Ignored("not a public post of this actor, or one too many")


def handle_remove(tx: Writer, received: ReceivedActivity) -> None:
    """Unpins a post."""
    _check_target(received)
    ref = received.activity.object
    post = posts.by_uri(tx, ref.uri) if ref.uri is not None else None
    if post is None or not pins.receive_unpin(tx, received.actor, post):
        if ref.uri is not None:
            # The Add may have been overtaken.
            received.supersede("Add", ref.uri, includes_same_second=True)
        raise Ignored("not a pinned post of this actor")


def _check_target(received: ReceivedActivity) -> None:
    """Raises Ignored unless the target is the actor's own featured collection."""
    target = received.activity.target.uri
    if not received.actor.featured_uri or target != received.actor.featured_uri:
        raise Ignored("the target is not the actor's own featured collection")
