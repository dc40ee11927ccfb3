"""Inbox forwarding (ActivityPub 7.1.2): a reply reaches the remote followers of whoever is replied to.

*Outgoing:* a reply to a local post that is also addressed to the local author's followers is forwarded to those
followers unchanged, once, when it is first seen; and so is its deletion.

*Incoming:* a forwarded activity is never trusted. If it is about a conversation under a post of the sender's own
server, it is a hint, and the post is fetched from its own URI (job `look_up`). Any other activity that is not
signed by its actor is refused, and nothing is fetched for it.
"""

from __future__ import annotations

import hashlib
import logging
from typing import Any

import msgspec

from activitypub.client.client import Unfetchable
from activitypub.client.fetch_budget import FetchBudget
from activitypub.remote import notes as remote_notes
from activitypub.uris import Malformed, host_of, same_origin
from activitypub.vocab import Activity, Note, values
from node.accounts import accounts, keys
from node.database import Reader, Writer
from node.errors import Refused
from node.federation import outbox
from node.ids import now_ms
from node.jobs import queue
from node.jobs.queue import Job
from node.models.account import Account
from node.models.post import Post
from node.node import Node
from node.posts import posts
from node.publishing import remote_posts

log = logging.getLogger("tintype.inbox")

MAX_ATTEMPTS = 4
HIDDEN_RECIPIENT_FIELDS = frozenset({"bto", "bcc"})


def forward_to_followers(tx: Writer, activity: Activity, actor: Account) -> None:
    """Forwards a reply to the followers of the local author it replies to, if it is addressed to them too."""
    uri = activity.object.uri
    if activity.type not in ("Create", "Update", "Delete") or activity.id is None or uri is None:
        return
    is_deletion = activity.type == "Delete"
    local_users = tx.site.uri("/users/")
    if not is_deletion and not any(to.startswith(local_users) for to in (*activity.to, *activity.cc)):
        return
    reply = posts.by_uri(tx, uri)
    parent = None if reply is None or reply.parent_id is None else posts.by_id(tx, reply.parent_id)
    if reply is None or parent is None or reply.account_id != actor.id:
        return
    if (reply.deleted_at is not None) is not is_deletion:
        return
    root = posts.by_id(tx, reply.root_id)
    for post in (parent, root):
        if post is None or not post.is_local or post.deleted_at is not None:
            continue
        author = accounts.get(tx, post.account_id)
        is_addressed = author.followers_uri in (*activity.to, *activity.cc)
        # A Delete is rarely addressed to followers: it goes where the reply was forwarded to.
        if outbox.has_forwarded(tx, author, uri) if is_deletion else is_addressed:
            document = msgspec.json.encode(_without_hidden_recipients(activity.raw)).decode()
            outbox.forward(tx, author, _forward_key(activity, document), uri, document)
            return


def _forward_key(activity: Activity, document: str) -> str:
    """Returns what a forwarded activity is known by: its id, and for an edit its content too, since GoToSocial and
    Takahe give all edits of a post one id."""
    if activity.type != "Update":
        return str(activity.id)
    return hashlib.blake2b(f"{activity.id} {document}".encode(errors="replace"), digest_size=16).hexdigest()


def _without_hidden_recipients(value: Any) -> Any:
    """Returns a copy of the document without `bto` and `bcc` at any depth (ActivityPub 6),
    which the sender left in."""
    if isinstance(value, list):
        return [_without_hidden_recipients(one) for one in value]
    if isinstance(value, dict):
        return {
            name: _without_hidden_recipients(one)
            for name, one in value.items()
            if name not in HIDDEN_RECIPIENT_FIELDS
        }
    return value


def lookup_payload(tx: Reader, key_id: str, activity: Activity) -> dict[str, Any] | None:
    """Returns the payload of a `look_up` job for a forwarded activity; None if it is no hint.

    It is one only if it is about a conversation under a post of the sender's own server; the sender is the
    owner of `key_id`, not verified yet.
    """
    key = keys.by_id(tx, key_id)
    sender = None if key is None else accounts.by_id(tx, key.account_id)
    uri = activity.object.uri
    if sender is None or sender.is_inactive or uri is None or not same_origin(uri, activity.actor):
        return None
    known = posts.by_uri(tx, uri)
    if activity.type == "Delete":
        # A non-public post cannot be checked: its server answers 404 to an unauthorized request, deleted or not.
        if known is None or known.deleted_at is not None or not known.is_open:
            return None
        if not _is_under_post_of(tx, known, sender):
            return None
        return {"uri": uri, "id": known.id}
    if activity.type not in ("Create", "Update"):
        return None
    parent_uri = values.uri((activity.object.doc or {}).get("inReplyTo"))
    parent = (
        (posts.by_uri(tx, parent_uri) or posts.by_url(tx, parent_uri)) if parent_uri is not None else None
    )
    if parent is None or parent.deleted_at is not None:
        return None
    is_hint = same_origin(parent.uri, sender.uri) or _is_under_post_of(tx, parent, sender)
    return {"uri": uri} if is_hint else None


def _is_under_post_of(tx: Reader, post: Post, sender: Account) -> bool:
    """Returns whether the post's parent or root is on the sender's server."""
    ancestors = [posts.by_id(tx, id_) for id_ in (post.parent_id, post.root_id) if id_ not in (None, post.id)]
    return any(one is not None and same_origin(one.uri, sender.uri) for one in ancestors)


async def look_up_post(node: Node, job: Job) -> None:
    """Job `look_up`: fetches a post that another server forwarded from its own URI, or checks its deletion."""
    uri = job.payload["uri"]
    if "id" in job.payload:
        await remote_notes.check_deleted(node, job)
        return
    try:
        note, author = await remote_notes.fetch(node, uri, budget=FetchBudget())
    except Unfetchable as error:
        if error.temporary and job.attempts < MAX_ATTEMPTS:
            raise queue.RetryLater(now_ms() + (30_000 << (2 * job.attempts)), error.reason) from error
        log.info("forwarded post %s cannot be fetched: %s", uri, error.reason)
    except (Malformed, Refused) as error:
        log.info("forwarded post %s is not usable: %s", uri, error)
    else:
        await node.db.write(_save_post, note, author)


def _save_post(tx: Writer, note: Note, author: Account) -> None:
    if posts.by_uri(tx, note.id) is None:
        remote_notes.import_note(tx, note, author)
    else:
        remote_posts.receive_update(tx, remote_notes.to_remote_post(tx, note, author))


def fetch_lane(uri: str) -> str:
    """Returns the lane of fetches from the URI's server: they run one after the other."""
    return f"fetch {host_of(uri)}"
