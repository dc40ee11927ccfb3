"""Announce: a remote account boosts a local post, or a remote one that a local follower will see.

A boosted remote post is never taken from the booster: it is fetched from its own server.
"""

from __future__ import annotations

from activitypub.handlers.received_activity import (
    Ignored,
    NeedsFetch,
    ReceivedActivity,
    has_local_origin,
    visible_local_post,
)
from activitypub.remote import notes as remote_notes
from node.accounts import accounts
from node.database import Writer
from node.federation import recipients
from node.ids import now_ms
from node.interactions import boosts
from node.models.audience import OPEN_VISIBILITIES
from node.models.post import Post
from node.posts import posts


def handle_announce(tx: Writer, received: ReceivedActivity) -> None:
    """Boosts a post with the visibility that the activity is addressed with; `direct` becomes `followers`.

    A boost that is dated in the future counts as made now.
    """
    activity, actor = received.activity, received.actor
    uri = activity.object.uri
    if uri is None:
        raise Ignored("a boost without an object")
    is_local = has_local_origin(tx, uri)
    if is_local:
        post = visible_local_post(tx, activity.object, actor)
    else:
        if not recipients.is_followed_locally(tx, actor.id):
            raise Ignored("no local account would see it")
        post = _boosted_post(tx, received, uri)
    if post.visibility not in OPEN_VISIBILITIES and post.account_id != actor.id:
        raise Ignored("the post is not public")
    visibility = remote_notes.derive_visibility(activity.to, activity.cc, actor)
    boosts.boost(
        tx,
        actor,
        post,
        received.uri,
        visibility=visibility if visibility != "direct" else "followers",
        created_at=min(activity.published_ms or now_ms(), now_ms()),
        visibility_checked=is_local,
    )


def _boosted_post(tx: Writer, received: ReceivedActivity, uri: str) -> Post:
    """Returns the remote post, stored already or fetched for this activity. Raises NeedsFetch if neither."""
    post = posts.by_uri(tx, uri) or posts.by_url(tx, uri)
    if post is None and uri in received.fetched:
        fetched = received.fetched[uri]
        if fetched is None:
            raise Ignored("the boosted post cannot be fetched")
        post = posts.by_uri(tx, fetched[0].id) or remote_notes.import_note(tx, *fetched)
        if post is None:
            raise Ignored("the boosted post may not be imported")
    if post is None:
        raise NeedsFetch(uri)
    author = accounts.get(tx, post.account_id)
    if post.deleted_at is not None or author.is_inactive:
        raise Ignored("the boosted post is gone")
    return post
