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
from node.federation.outbox import Sentence
from node.federation.recipients import Mailbox
from node.models.account import Account
from node.models.audience import OPEN
from node.models.post import Post
from node.moderation import domain_policy
from node.posts import posts


def inboxes(tx: Reader, sentence: Sentence, who: Account) -> list[tuple[str, str]]:
    """(inbox, host) for each request to make."""
    post = None if sentence.post_id is None else posts.by_id(tx, sentence.post_id)
    return _sendable(tx, _chosen(tx, sentence, who, post))


def is_for_followers(tx: Reader, sentence: Sentence) -> bool:
    """Whether this is a post that only followers get: then it matters that both servers know the same ones."""
    if sentence.verb not in ("Create", "Update") or sentence.post_id is None:
        return False
    post = posts.by_id(tx, sentence.post_id)
    return post is not None and post.visibility == "followers"


def _chosen(tx: Reader, sentence: Sentence, who: Account, post: Post | None) -> list[str]:
    match sentence.verb:
        case "Create" | "Update" if sentence.object_uri != who.uri:
            return _of_post(tx, post, is_edit=sentence.verb == "Update") if post is not None else []
        case "Update" | "Add" | "Remove" | "Move":
            return _common(recipients.followers(tx, who.id))
        case "Delete" if sentence.object_uri == who.uri:
            return [*sentence.facts.get("inboxes", []), *_common(recipients.followers(tx, who.id))]
        case "Delete":
            return _of_farewell(tx, sentence, who)
        case "Forward":
            # Whoever wrote it has told their own server.
            return [
                inbox
                for inbox in _common(recipients.followers(tx, who.id))
                if not same_origin(inbox, sentence.object_uri)
            ]
        case "Revoke":
            # Whoever has the post may show the quote as well, and whoever quoted it may have told anybody.
            heard = recipients.heard_of(tx, sentence.facts.get("quoted", 0))
            return _common([*_one(tx, sentence, post), *heard])
        case "Announce":
            return [*_common(recipients.followers(tx, who.id)), *_personal(_one(tx, sentence, post))]
        case "Undo" if sentence.facts.get("verb") == "Announce":
            return [*_common(recipients.followers(tx, who.id)), *_personal(_one(tx, sentence, post))]
        case _:
            return _personal(_one(tx, sentence, post))


def _of_post(tx: Reader, post: Post, *, is_edit: bool) -> list[str]:
    named = recipients.mentioned(tx, post.id, post.account_id)
    if post.visibility == "direct":
        return _personal(named)
    found = _common([*recipients.followers(tx, post.account_id), *named])
    if post.visibility in OPEN and post.parent_id is not None:
        found += _common(recipients.conversation(tx, post))
    if is_edit and post.visibility in OPEN:
        found += _common(recipients.interested(tx, post.id, post.account_id))
    return found


def _of_farewell(tx: Reader, sentence: Sentence, who: Account) -> list[str]:
    said = sentence.facts
    known = [*said.get("mentions", []), *said.get("interested", [])]
    found = _common(recipients.heard_of(tx, sentence.post_id or 0))
    if said.get("visibility") == "direct":
        return [*found, *_personal(recipients.people(tx, said.get("mentions", [])))]
    return [*found, *_common(recipients.followers(tx, who.id)), *_common(recipients.people(tx, known))]


def _one(tx: Reader, sentence: Sentence, post: Post | None) -> list[Mailbox]:
    """The one person it is about."""
    if sentence.target_id is not None:
        return recipients.people(tx, [sentence.target_id])
    return recipients.people(tx, [post.account_id]) if post is not None else []


def _common(mailboxes: Iterable[Mailbox]) -> list[str]:
    return [mailbox.best for mailbox in mailboxes]


def _personal(mailboxes: Iterable[Mailbox]) -> list[str]:
    return [mailbox.inbox for mailbox in mailboxes]


def _sendable(tx: Reader, chosen: Iterable[str]) -> list[tuple[str, str]]:
    hosts: dict[str, str] = {}
    for inbox in dict.fromkeys(chosen):
        try:
            host = host_of(inbox)
        except Malformed:
            continue
        if host != tx.site.domain:
            hosts[inbox] = host
    blocked = domain_policy.blocked_among(tx, set(hosts.values())) if hosts else set()
    return [(inbox, host) for inbox, host in hosts.items() if host not in blocked]
