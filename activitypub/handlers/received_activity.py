"""A received activity, and the checks that its handlers share: who owns the object, and is it local.

An embedded object counts only if its id is on the actor's server and it names the actor as its author. Anything
else is a reference: looked up in the tables, or fetched from its own server (`NeedsFetch`) if a local account
would see it. All the rest is dropped, and `Ignored` says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from activitypub import vocab
from activitypub.uris import Malformed, same_origin
from activitypub.vocab import Activity, Note, Ref
from node.accounts import accounts
from node.database import Reader
from node.federation.seen_activities import UnseenActivities
from node.models.account import Account
from node.models.post import Post
from node.posts import posts


class Ignored(Exception):
    """The activity is dropped on purpose; the message says why, for the log."""


class NeedsFetch(Exception):
    """The object at `uri` must be fetched first, outside the unit of work."""

    def __init__(self, uri: str) -> None:
        super().__init__(uri)
        self.uri = uri


@dataclass(frozen=True, slots=True)
class ReceivedActivity:
    """An activity, its verified actor, the ids of its batch that were not seen before, what was fetched for it
    ((note, author) by the URI that was requested, None where that failed), and when it was signed (seconds).
    """

    activity: Activity
    actor: Account
    unseen: UnseenActivities
    fetched: Mapping[str, tuple[Note, Account] | None] = field(default_factory=dict)
    signed_at: int = 0

    @property
    def uri(self) -> str | None:
        """The activity's id, if it is on the actor's own server; None otherwise."""
        id_ = self.activity.id
        return id_ if id_ is not None and same_origin(id_, self.actor.uri) else None


def dedup_key(actor: Account, uri: str) -> str:
    """Returns the key an activity is remembered by; it holds the actor,
    so that nobody can use up the ids of others."""
    return f"{actor.uri} {uri}"


def has_local_origin(tx: Reader, uri: str | None) -> bool:
    """Returns whether the URI is on this server, whatever it names."""
    return uri is not None and uri.startswith(tx.site.base_url + "/")


def local_account(tx: Reader, uri: str | None) -> Account:
    """Returns the local account with this URI. Raises Ignored if there is none."""
    account = accounts.by_uri(tx, uri) if uri is not None and has_local_origin(tx, uri) else None
    if account is None:
        raise Ignored("it names no local account")
    return account


def parse_own_note(tx: Reader, received: ReceivedActivity) -> Note | None:
    """Returns the embedded or fetched post of the activity, if it is the actor's own;
    None if it must be fetched.

    Raises Ignored for a post that can never be accepted.
    """
    ref = received.activity.object
    if ref.uri is None or has_local_origin(tx, ref.uri):
        raise Ignored("a post without an id, or with a local one")
    fetched = received.fetched.get(ref.uri)
    if fetched is not None:
        note, author = fetched
        if author.id != received.actor.id:
            raise Ignored("the post belongs to another account")
        return note
    if ref.doc is None:
        return None
    try:
        note = vocab.parse_note(ref.doc)
    except Malformed as error:
        if ref.doc.get("attributedTo") is None and same_origin(ref.uri, received.actor.uri):
            return None  # only its id, or a part of the post
        raise Ignored(str(error)) from error
    if note.actor == received.actor.uri and same_origin(note.id, received.actor.uri):
        return note
    return None


def fetch_or_ignore(received: ReceivedActivity, ref: Ref) -> Exception:
    """Returns the exception to raise for a post that must be fetched: Ignored if that was tried already."""
    if ref.uri is None or ref.uri in received.fetched:
        return Ignored("the post cannot be fetched from its own server")
    return NeedsFetch(ref.uri)


def visible_local_post(tx: Reader, ref: Ref, actor: Account) -> Post:
    """Returns the local post if the actor may see it.

    Raises Ignored, the same for a hidden post as for none.
    """
    post = (
        posts.visible_by_uri(tx, actor, ref.uri)
        if ref.uri is not None and has_local_origin(tx, ref.uri)
        else None
    )
    if post is None:
        raise Ignored("not a local post that the actor may see")
    return post
