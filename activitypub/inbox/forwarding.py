"""Inbox forwarding (ActivityPub 7.1.2): an answer reaches those who follow the conversation elsewhere.

*Passed on by us:* an answer to a post of ours that its author also addressed to our person's followers goes to
those followers as it came, once, when it is first seen; and so does its deletion.

*Brought to us:* what somebody brings that another has said is never believed. If it is about a conversation
under a post of the bearer's own server, it is a hint, and the post is read from its own address (`look_up`).
Anything else that is not by who signed it is refused, and nobody is asked about it.
"""

from __future__ import annotations

import logging
from typing import Any

import msgspec

from activitypub.client.client import Unfetchable
from activitypub.client.fetch_budget import Budget
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

MOST_TRIES = 4
HIDDEN = frozenset({"bto", "bcc"})


def pass_on(tx: Writer, activity: Activity, by: Account) -> None:
    """Tell the followers of the person here who was answered, if this is addressed to them too."""
    uri = activity.object.uri
    if activity.type not in ("Create", "Update", "Delete") or activity.id is None or uri is None:
        return
    is_deletion = activity.type == "Delete"
    followers = tx.site.uri("/users/")
    if not is_deletion and not any(to.startswith(followers) for to in (*activity.to, *activity.cc)):
        return
    answer = posts.by_uri(tx, uri)
    above = None if answer is None or answer.parent_id is None else posts.by_id(tx, answer.parent_id)
    if answer is None or above is None or answer.account_id != by.id:
        return
    if (answer.deleted_at is not None) is not is_deletion:
        return
    root = posts.by_id(tx, answer.root_id)
    for post in (above, root):
        if post is None or not post.is_local or post.deleted_at is not None:
            continue
        who = accounts.get(tx, post.account_id)
        # A deletion is rarely addressed to anybody: it goes where the answer went.
        is_for_them = who.followers_uri in (*activity.to, *activity.cc)
        if outbox.has_forwarded(tx, who, uri) if is_deletion else is_for_them:
            document = msgspec.json.encode(_without_hidden(activity.raw)).decode()
            outbox.forward(tx, who, activity.id, uri, document)
            return


def _without_hidden(value: Any) -> Any:
    """The document without the addressees nobody else may know (ActivityPub 6), left in by whoever sent it."""
    if isinstance(value, list):
        return [_without_hidden(one) for one in value]
    if isinstance(value, dict):
        return {name: _without_hidden(one) for name, one in value.items() if name not in HIDDEN}
    return value


def hint(tx: Reader, key_id: str, activity: Activity) -> dict[str, Any] | None:
    """What to look up, if somebody else's activity is about a conversation at the bearer's own server."""
    key = keys.by_key_id(tx, key_id)
    bearer = None if key is None else accounts.by_id(tx, key.account_id)
    uri = activity.object.uri
    if bearer is None or bearer.is_gone or uri is None or not same_origin(uri, activity.actor):
        return None
    known = posts.by_uri(tx, uri)
    if activity.type == "Delete":
        # Whether a post that is not open is gone cannot be asked: its server answers strangers as if it were.
        if known is None or known.deleted_at is not None or not known.is_open:
            return None
        if not _is_under(tx, known, bearer):
            return None
        return {"uri": uri, "id": known.id}
    if activity.type not in ("Create", "Update"):
        return None
    above = values.uri((activity.object.doc or {}).get("inReplyTo"))
    parent = (posts.by_uri(tx, above) or posts.by_url(tx, above)) if above is not None else None
    if parent is None or parent.deleted_at is not None:
        return None
    is_theirs = same_origin(parent.uri, bearer.uri) or _is_under(tx, parent, bearer)
    return {"uri": uri} if is_theirs else None


def _is_under(tx: Reader, post: Post, bearer: Account) -> bool:
    """Whether a post hangs under one of the bearer's server."""
    above = [posts.by_id(tx, id_) for id_ in (post.parent_id, post.root_id) if id_ not in (None, post.id)]
    return any(one is not None and same_origin(one.uri, bearer.uri) for one in above)


async def look_up(node: Node, job: Job) -> None:
    """Job `look_up`: read a post that somebody else spoke of from its own address."""
    uri = job.payload["uri"]
    if "id" in job.payload:
        await remote_notes.check(node, job)
        return
    try:
        note, author = await remote_notes.read(node, uri, budget=Budget())
    except Unfetchable as error:
        if error.temporary and job.attempts < MOST_TRIES:
            raise queue.Later(now_ms() + (30_000 << (2 * job.attempts)), error.reason) from error
        log.info("%s was brought by another server and cannot be had: %s", uri, error.reason)
    except (Malformed, Refused) as error:
        log.info("%s was brought by another server and is of no use: %s", uri, error)
    else:
        await node.db.write(_take_in, note, author)


def _take_in(tx: Writer, note: Note, author: Account) -> None:
    if posts.by_uri(tx, note.id) is None:
        remote_notes.take_in(tx, note, author)
    else:
        remote_posts.receive_update(tx, remote_notes.remote_post(tx, note, author))


def lane(uri: str) -> str:
    """Whatever is asked of one server for such reasons is asked one after the other."""
    return f"fetch {host_of(uri)}"
