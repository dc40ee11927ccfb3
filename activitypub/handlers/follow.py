"""Follow, and the answers to follows by local accounts: Accept and Reject.

An Accept or a Reject may also answer a quote request (FEP-044f); `quote` is tried first.
"""

from __future__ import annotations

from activitypub.handlers import quote
from activitypub.handlers.received_activity import Ignored, ReceivedActivity, has_local_origin, local_account
from activitypub.remote import actors
from activitypub.vocab import values
from node.accounts import accounts, relationships
from node.accounts.relationships import Follow
from node.database import Reader, Writer
from node.errors import NotAllowed, NotFound
from node.interactions import follows
from node.posts import posts

_NO_FOLLOW = "an answer to something else than a follow, which this node does not wait for"


def handle_follow(tx: Writer, received: ReceivedActivity) -> None:
    """Follows a local account, or sends a Reject if it may not be followed.

    A suspended account sends nothing, not even a Reject.
    """
    target = local_account(tx, received.activity.object.uri)
    try:
        follows.follow(tx, received.actor, target, uri=received.uri)
    except (NotFound, NotAllowed):
        if not target.is_inactive:
            follows.send_reject(tx, received.actor, target, received.uri)


def handle_accept(tx: Writer, received: ReceivedActivity) -> None:
    """Accepts a follow; the pinned posts of a newly followed account are fetched."""
    if quote.handle_quote_response(tx, received, is_allowed=True):
        return
    follow = _answered_follow(tx, received)
    follows.accept(tx, follow)
    _mark_answered(tx, received, follow)
    if not follow.is_accepted:
        actors.queue_featured(tx, received.actor)


def handle_reject(tx: Writer, received: ReceivedActivity) -> None:
    """Rejects a follow, or ends one that was accepted before."""
    if quote.handle_quote_response(tx, received, is_allowed=False):
        return
    follow = _answered_follow(tx, received)
    answered = received.activity.object.uri
    if answered != follow.uri and follows.is_own_id(tx, answered):
        raise Ignored("it rejects an earlier follow, and the one that stands has an answer of its own")
    follows.reject(tx, follow)
    _mark_answered(tx, received, follow)


def _mark_answered(tx: Reader, received: ReceivedActivity, follow: Follow) -> None:
    """Makes older answers to this follow outdated, and those that name no follow but only its follower."""
    for answered in (follow.uri, accounts.get(tx, follow.follower_id).uri):
        received.supersede("Accept", answered)


def _answered_follow(tx: Reader, received: ReceivedActivity) -> Follow:
    """Returns the follow by a local account that an Accept or a Reject of the followed actor answers.

    Each follow has an id of its own, so the answers that name it are put in order by themselves: the clock that dated
    an answer to an earlier follow may have been fast.
    """
    ref = received.activity.object
    kind = values.type_name(ref.doc or {})
    if kind not in (None, "Follow") or (ref.uri is not None and posts.by_uri(tx, ref.uri) is not None):
        # GoToSocial approves replies, likes and boosts so.
        raise Ignored(_NO_FOLLOW)
    found = relationships.follow_by_uri(tx, ref.uri) if ref.uri is not None else None
    if found is None:
        # Some servers change the id of the Follow, or name only the follower: the pair of accounts is enough.
        uri = ref.uri if ref.doc is None else values.uri(ref.doc.get("actor"))
        follower = accounts.by_uri(tx, uri) if has_local_origin(tx, uri) and uri is not None else None
        found = relationships.follow_between(tx, follower, received.actor) if follower is not None else None
        if found is None and ref.doc is None and follower is None and not follows.is_own_id(tx, ref.uri):
            raise Ignored(_NO_FOLLOW)
    if found is None or found.followed_id != received.actor.id:
        raise Ignored("an answer to a follow that was never sent to this actor")
    answered = found.uri if ref.uri == found.uri else accounts.get(tx, found.follower_id).uri
    if received.is_outdated("Accept", answered):
        raise Ignored("older than the last answer")
    return found
