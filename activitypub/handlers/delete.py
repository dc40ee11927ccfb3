"""Delete: a remote account, one of its posts, or an authorization it gave for a quote."""

from __future__ import annotations

from activitypub.handlers import quote
from activitypub.handlers.received_activity import Ignored, ReceivedActivity, has_local_origin
from activitypub.uris import same_origin
from node.database import Writer
from node.interactions import boosts
from node.lifecycle import account_deletion
from node.models.post import Post
from node.paging import Page
from node.posts import posts
from node.publishing import remote_posts

MAX_BOOSTERS = 80


def handle_delete(tx: Writer, received: ReceivedActivity) -> None:
    """Deletes what the actor owns; a post that is not stored yet is remembered as deleted.

    Raises Ignored for objects of other servers or other accounts.
    """
    actor, uri = received.actor, received.activity.object.uri
    if uri is None or has_local_origin(tx, uri):
        raise Ignored("a deletion without an object, or of a local object")
    if uri == actor.uri:
        account_deletion.delete_account(tx, actor)
    elif same_origin(uri, actor.uri):
        if quote.handle_authorization_deletion(tx, actor, uri):
            return
        post = posts.by_uri(tx, uri)
        if post is not None:
            if post.account_id != actor.id:
                raise Ignored("the object belongs to another account")
            _undo_local_boosts(tx, post)
        remote_posts.receive_delete(tx, actor, uri)
    else:
        raise Ignored("the object belongs to another server")


def _undo_local_boosts(tx: Writer, post: Post) -> None:
    """Sends Undo for boosts by local accounts:
    servers that got the post that way are unknown to its author."""
    if post.boosts_count == 0:
        return
    for listed in boosts.boosters(tx, post, None, Page(limit=MAX_BOOSTERS)):
        if listed.account.is_local:
            boosts.unboost(tx, listed.account, post)
