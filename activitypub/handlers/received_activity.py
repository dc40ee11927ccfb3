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
from activitypub.vocab import Activity, Note, Ref, emoji_reactions
from activitypub.vocab.emoji_reactions import EmojiReaction
from node.accounts import accounts
from node.database import Reader
from node.federation.seen_activities import UnseenActivities
from node.models.account import Account
from node.models.post import Post
from node.posts import posts

_RELATIONS = {name: name for name in ("Add", "Announce", "Block", "Follow", "Like")} | {"Remove": "Add"}
ALL_REACTIONS = "EmojiReact"
"""The kind of relation that ends with all reactions of an actor to a post."""


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

    def is_outdated(self, kind: str, object_uri: str) -> bool:
        """Returns whether the actor set or ended this relation by something that was signed later."""
        return self.unseen.is_outdated(relation_key(self.actor, kind, object_uri), self.signed_at)

    def supersede(self, kind: str, object_uri: str, *, includes_same_second: bool = False) -> None:
        """Makes outdated whatever else concerns this relation and was signed before."""
        signed_before = self.signed_at + int(includes_same_second)
        self.unseen.supersede(relation_key(self.actor, kind, object_uri), signed_before)

    @property
    def uri(self) -> str | None:
        """The activity's id, if it is on the actor's own server; None otherwise."""
        return own_id(self.actor, self.activity)


def own_id(actor: Account, activity: Activity) -> str | None:
    """Returns the id of an activity, if it is on the actor's own server; None otherwise."""
    id_ = activity.id
    return id_ if id_ is not None and same_origin(id_, actor.uri) else None


def dedup_key(actor: Account, uri: str) -> str:
    """Returns the key an activity is remembered by; it holds the actor,
    so that nobody can use up the ids of others."""
    return f"{actor.uri} {uri}"


def relation_of(actor: Account, activity: Activity) -> tuple[str, str] | None:
    """Returns the kind and the object of what an activity sets or ends, if there is one of that kind between the two."""
    reaction = emoji_reactions.parse(activity)
    kind = (
        _RELATIONS.get(activity.type) if reaction is None else reaction_kind(reaction_name(actor, reaction))
    )
    return None if kind is None or activity.object.uri is None else (kind, activity.object.uri)


def reaction_name(actor: Account, reaction: EmojiReaction) -> str:
    """Returns the name reactions are counted by:
    custom emoji of two servers may share a shortcode and stay two."""
    return reaction.key if reaction.emoji is None else f"{reaction.key}{actor.domain}"


def reaction_kind(name: str) -> str:
    """Returns the kind of relation that is set by reactions of this name."""
    return f"{ALL_REACTIONS} {name}"


def relation_key(actor: Account, kind: str, object_uri: str) -> str:
    """Returns the key for what an actor sets and ends under any id, for example its follow of an account."""
    return f"{actor.uri} {kind} {object_uri}"


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
