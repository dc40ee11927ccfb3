"""An activity that was heard, and what every deed asks about it first: whose thing is it?

Objects count only if their id is on the actor's server and they name the actor as author; everything else is
a pointer that is looked up in our tables, or fetched from where it belongs (`Needs`) if somebody here would
see it. The rest is let go of: `Ignored` says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from activitypub import vocab
from activitypub.uris import Malformed, same_origin
from activitypub.vocab import Activity, Note, Ref
from node.accounts import accounts
from node.database import Reader
from node.federation.seen_activities import Unheard
from node.models.account import Account
from node.models.post import Post
from node.posts import posts


class Ignored(Exception):
    """Nothing is done about it, and that is right; the text says why, for the log."""


class Needs(Exception):
    """Something must be fetched first, outside the unit of work."""

    def __init__(self, uri: str) -> None:
        super().__init__(uri)
        self.uri = uri


@dataclass(frozen=True, slots=True)
class Heard:
    """An activity, who said it, what is new of what came with it, and what was fetched for it: (document,
    author) by the id that was asked.
    """

    activity: Activity
    by: Account
    unheard: Unheard
    fetched: Mapping[str, tuple[Note, Account] | None] = field(default_factory=dict)

    @property
    def uri(self) -> str | None:
        """The activity's id, if it is one that this actor may give."""
        id_ = self.activity.id
        return id_ if id_ is not None and same_origin(id_, self.by.uri) else None


def seen_as(by: Account, uri: str) -> str:
    """Bound to the actor, so that nobody can use up the ids of others."""
    return f"{by.uri} {uri}"


def here(tx: Reader, uri: str | None) -> bool:
    return uri is not None and uri.startswith(tx.site.base_url + "/")


def local_person(tx: Reader, uri: str | None) -> Account:
    account = accounts.by_uri(tx, uri) if uri is not None and here(tx, uri) else None
    if account is None:
        raise Ignored("it is about nobody here")
    return account


def own_note(tx: Reader, heard: Heard) -> Note | None:
    """The post in the activity, if it is the actor's own; None when only its own server can tell."""
    ref = heard.activity.object
    if ref.uri is None or here(tx, ref.uri):
        raise Ignored("a post without an id, or with one of ours")
    found = heard.fetched.get(ref.uri)
    if found is not None:
        if found[1].id != heard.by.id:
            raise Ignored("the post is somebody else's")
        return found[0]
    if ref.doc is None:
        return None
    try:
        note = vocab.note(ref.doc)
    except Malformed as error:
        if ref.doc.get("attributedTo") is None and same_origin(ref.uri, heard.by.uri):
            return None  # no more than its name, or a part of it
        raise Ignored(str(error)) from error
    if note.actor == heard.by.uri and same_origin(note.id, heard.by.uri):
        return note
    return None


def to_fetch(heard: Heard, ref: Ref) -> Exception:
    """What to raise for a post that only its own server can give."""
    if ref.uri is None or ref.uri in heard.fetched:
        return Ignored("the post cannot be had from its own server")
    return Needs(ref.uri)


def our_post(tx: Reader, ref: Ref, by: Account) -> Post:
    """A post of ours that the actor may see. One that they may not see looks like none."""
    post = posts.seen_by_uri(tx, by, ref.uri) if ref.uri is not None and here(tx, ref.uri) else None
    if post is None:
        raise Ignored("not a post of ours that they may see")
    return post
