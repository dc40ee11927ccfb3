"""A sentence → the inboxes that should hear it.

One request per distinct inbox; a server's common inbox where the words are for several of its people, the
personal one where they are for one. Never to ourselves, never to a server that is blocked here. Whoever may
no longer see a post is not told what it says now; everybody who once heard of it is told that it is gone.
"""

from __future__ import annotations

from collections.abc import Iterable

from activitypub.uris import Malformed, host_of, same_origin
from node.database import Reader
from node.federation import recipients
from node.federation.outbox import OutgoingActivity
from node.federation.recipients import RecipientInbox
from node.models.account import Account
from node.models.audience import OPEN_VISIBILITIES
from node.models.post import Post
from node.moderation import domain_rules
from node.posts import posts


def inboxes(tx: Reader, activity: OutgoingActivity, actor: Account) -> list[tuple[str, str]]:
    """(inbox, host) for each request to make."""
    post = None if activity.post_id is None else posts.by_id(tx, activity.post_id)
    return _without_local_and_blocked(tx, _select_inboxes(tx, activity, actor, post))


def is_followers_only(tx: Reader, activity: OutgoingActivity) -> bool:
    """Whether this is a post that only followers get: then it matters that both servers know the same ones."""
    if activity.verb not in ("Create", "Update") or activity.post_id is None:
        return False
    post = posts.by_id(tx, activity.post_id)
    return post is not None and post.visibility == "followers"


def _select_inboxes(tx: Reader, sentence: OutgoingActivity, who: Account, post: Post | None) -> list[str]:
    match sentence.verb:
        case "Create" | "Update" if sentence.object_uri != who.uri:
            return _post_inboxes(tx, post, is_edit=sentence.verb == "Update") if post is not None else []
        case "Update" | "Add" | "Remove" | "Move":
            return _shared_uris(recipients.followers(tx, who.id))
        case "Delete" if sentence.object_uri == who.uri:
            return [*sentence.details.get("inboxes", []), *_shared_uris(recipients.followers(tx, who.id))]
        case "Delete":
            return _deletion_inboxes(tx, sentence, who)
        case "Forward":
            # Whoever wrote it has told their own server.
            return [
                inbox
                for inbox in _shared_uris(recipients.followers(tx, who.id))
                if not same_origin(inbox, sentence.object_uri)
            ]
        case "Revoke":
            # Whoever has the post may show the quote as well, and whoever quoted it may have told anybody.
            heard = recipients.previous_recipients(tx, sentence.details.get("quoted", 0))
            return _shared_uris([*_target_inboxes(tx, sentence, post), *heard])
        case "Announce":
            return [
                *_shared_uris(recipients.followers(tx, who.id)),
                *_personal_uris(_target_inboxes(tx, sentence, post)),
            ]
        case "Undo" if sentence.details.get("verb") == "Announce":
            return [
                *_shared_uris(recipients.followers(tx, who.id)),
                *_personal_uris(_target_inboxes(tx, sentence, post)),
            ]
        case _:
            return _personal_uris(_target_inboxes(tx, sentence, post))


def _post_inboxes(tx: Reader, post: Post, *, is_edit: bool) -> list[str]:
    named = recipients.mentioned(tx, post.id, post.account_id)
    if post.visibility == "direct":
        return _personal_uris(named)
    found = _shared_uris([*recipients.followers(tx, post.account_id), *named])
    if post.visibility in OPEN_VISIBILITIES and post.parent_id is not None:
        found += _shared_uris(recipients.thread_authors(tx, post))
    if is_edit and post.visibility in OPEN_VISIBILITIES:
        found += _shared_uris(recipients.interested(tx, post.id, post.account_id))
    return found


def _deletion_inboxes(tx: Reader, sentence: OutgoingActivity, who: Account) -> list[str]:
    said = sentence.details
    known = [*said.get("mentions", []), *said.get("interested", [])]
    found = _shared_uris(recipients.previous_recipients(tx, sentence.post_id or 0))
    if said.get("visibility") == "direct":
        return [*found, *_personal_uris(recipients.accounts(tx, said.get("mentions", [])))]
    return [
        *found,
        *_shared_uris(recipients.followers(tx, who.id)),
        *_shared_uris(recipients.accounts(tx, known)),
    ]


def _target_inboxes(tx: Reader, sentence: OutgoingActivity, post: Post | None) -> list[RecipientInbox]:
    """The one person it is about."""
    if sentence.target_id is not None:
        return recipients.accounts(tx, [sentence.target_id])
    return recipients.accounts(tx, [post.account_id]) if post is not None else []


def _shared_uris(mailboxes: Iterable[RecipientInbox]) -> list[str]:
    return [mailbox.preferred for mailbox in mailboxes]


def _personal_uris(mailboxes: Iterable[RecipientInbox]) -> list[str]:
    return [mailbox.inbox for mailbox in mailboxes]


def _without_local_and_blocked(tx: Reader, chosen: Iterable[str]) -> list[tuple[str, str]]:
    hosts: dict[str, str] = {}
    for inbox in dict.fromkeys(chosen):
        try:
            host = host_of(inbox)
        except Malformed:
            continue
        if host != tx.site.domain:
            hosts[inbox] = host
    blocked = domain_rules.blocked_among(tx, set(hosts.values())) if hosts else set()
    return [(inbox, host) for inbox, host in hosts.items() if host not in blocked]
