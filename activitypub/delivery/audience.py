"""The recipient inboxes of an outgoing activity, at its fan-out and again before a late attempt.

One request per distinct inbox: the shared inbox of a server where the activity is for several of its
accounts, the personal one where it is for one. Never to this node, never to a server that is blocked. Whoever
may no longer see a post does not get its new text; every inbox that was ever sent the post gets its deletion.
"""

from __future__ import annotations

from collections.abc import Iterable

from activitypub.uris import Malformed, host_of, same_origin
from node.accounts import accounts
from node.database import Reader
from node.federation import outbox, recipients
from node.federation.outbox import OutgoingActivity
from node.federation.recipients import RecipientInbox
from node.models.account import Account
from node.models.audience import OPEN_VISIBILITIES
from node.models.post import Post
from node.moderation import domain_rules
from node.posts import posts


def inboxes(tx: Reader, activity: OutgoingActivity, actor: Account) -> list[tuple[str, str]]:
    """Returns (inbox, host) for each request to make."""
    post = None if activity.post_id is None else posts.by_id(tx, activity.post_id)
    return _without_local_and_blocked(tx, _select_inboxes(tx, activity, actor, post))


def current_inboxes(tx: Reader, activity_id: int, *, includes_open: bool) -> set[str] | None:
    """Returns the inboxes that would get a post or its edit now; None where that need not be checked.

    Only a Create or Update of a post is checked; of an open post only with `includes_open`.
    """
    activity = outbox.by_id(tx, activity_id)
    if activity is None or activity.verb not in ("Create", "Update") or activity.post_id is None:
        return None
    post, author = posts.by_id(tx, activity.post_id), accounts.by_id(tx, activity.account_id)
    if post is None or author is None or (post.is_open and not includes_open):
        return None
    return {inbox for inbox, _ in inboxes(tx, activity, author)}


def is_followers_only(tx: Reader, activity: OutgoingActivity) -> bool:
    """Returns whether this is a post for followers only: then both servers must agree on who follows."""
    if activity.verb not in ("Create", "Update") or activity.post_id is None:
        return False
    post = posts.by_id(tx, activity.post_id)
    return post is not None and post.visibility == "followers"


def _select_inboxes(tx: Reader, activity: OutgoingActivity, actor: Account, post: Post | None) -> list[str]:
    match activity.verb:
        case "Create" | "Update" if activity.object_uri != actor.uri:
            return _post_inboxes(tx, post, is_edit=activity.verb == "Update") if post is not None else []
        case "Update" | "Add" | "Remove" | "Move":
            return _shared_uris(recipients.followers(tx, actor.id))
        case "Delete" if activity.object_uri == actor.uri:
            followers = _shared_uris(recipients.followers(tx, actor.id))
            return [*activity.details.get("inboxes", []), *followers]
        case "Delete":
            return _deletion_inboxes(tx, activity, actor)
        case "Forward":
            # The author has sent it to their own server.
            return [
                inbox
                for inbox in _shared_uris(recipients.followers(tx, actor.id))
                if not same_origin(inbox, activity.object_uri)
            ]
        case "Revoke":
            # Whoever has the quoted post may show the quote too, and its author may have sent it to anybody.
            previous = recipients.previous_recipients(tx, activity.details.get("quoted", 0))
            return _shared_uris([*_target_inboxes(tx, activity, post), *previous])
        case "Announce":
            return _boost_inboxes(tx, activity, actor, post)
        case "Undo" if activity.details.get("verb") == "Announce":
            return _boost_inboxes(tx, activity, actor, post)
        case _:
            return _personal_uris(_target_inboxes(tx, activity, post))


def _post_inboxes(tx: Reader, post: Post, *, is_edit: bool) -> list[str]:
    mentioned = recipients.mentioned(tx, post.id, post.account_id)
    if post.visibility == "direct":
        return _personal_uris(mentioned)
    found = _shared_uris([*recipients.followers(tx, post.account_id), *mentioned])
    if post.visibility in OPEN_VISIBILITIES and post.parent_id is not None:
        found += _shared_uris(recipients.thread_authors(tx, post))
    if is_edit and post.visibility in OPEN_VISIBILITIES:
        found += _shared_uris(recipients.interested(tx, post.id, post.account_id))
    return found


def _deletion_inboxes(tx: Reader, activity: OutgoingActivity, actor: Account) -> list[str]:
    details = activity.details
    known = [*details.get("mentions", []), *details.get("interested", [])]
    found = _shared_uris(recipients.previous_recipients(tx, activity.post_id or 0))
    if details.get("visibility") == "direct":
        return [*found, *_personal_uris(recipients.accounts(tx, details.get("mentions", [])))]
    return [
        *found,
        *_shared_uris(recipients.followers(tx, actor.id)),
        *_shared_uris(recipients.accounts(tx, known)),
    ]


def _boost_inboxes(tx: Reader, activity: OutgoingActivity, actor: Account, post: Post | None) -> list[str]:
    return [
        *_shared_uris(recipients.followers(tx, actor.id)),
        *_personal_uris(_target_inboxes(tx, activity, post)),
    ]


def _target_inboxes(tx: Reader, activity: OutgoingActivity, post: Post | None) -> list[RecipientInbox]:
    """Returns the inbox of the one account it is about: its target, or the author of the post."""
    if activity.target_id is not None:
        return recipients.accounts(tx, [activity.target_id])
    return recipients.accounts(tx, [post.account_id]) if post is not None else []


def _shared_uris(found: Iterable[RecipientInbox]) -> list[str]:
    return [recipient.preferred for recipient in found]


def _personal_uris(found: Iterable[RecipientInbox]) -> list[str]:
    return [recipient.inbox for recipient in found]


def _without_local_and_blocked(tx: Reader, uris: Iterable[str]) -> list[tuple[str, str]]:
    hosts: dict[str, str] = {}
    for inbox in dict.fromkeys(uris):
        try:
            host = host_of(inbox)
        except Malformed:
            continue
        if host != tx.site.domain:
            hosts[inbox] = host
    blocked = domain_rules.blocked_among(tx, set(hosts.values())) if hosts else set()
    return [(inbox, host) for inbox, host in hosts.items() if host not in blocked]
