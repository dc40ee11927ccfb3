"""What an activity of another server does here: `DEEDS[type]`, the same deeds that our own people do.

Every deed is judged by one question first: is it the actor's own thing? Objects count only if their id is on
the actor's server and they name the actor as author; everything else is a pointer that is looked up in our
tables, or fetched from where it belongs (`Needs`) if somebody here would see it. The rest is let go of:
`Ignored` says why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from activitypub import remote_posts, vocab
from activitypub.uris import Malformed, host_of, same_origin
from activitypub.vocab import Activity, Note, Ref
from node import accounts, blocks, boosts, follows, jobs, likes, posts, reach, received, receiving
from node.accounts import Account
from node.database import Reader, Writer
from node.errors import NotAllowed, NotFound
from node.follows import Follow
from node.ids import now_ms
from node.paging import Page
from node.posts import Post
from node.visibility import OPEN, may_see

MOST_BOOSTERS = 80


class Ignored(Exception):
    """Nothing is done about it, and that is right; the text says why, for the log."""


class Needs(Exception):
    """Something must be fetched first, outside the unit of work."""

    def __init__(self, uri: str) -> None:
        super().__init__(uri)
        self.uri = uri


@dataclass(frozen=True, slots=True)
class Heard:
    """An activity, who said it, and what was fetched for it: (document, author) by the id that was asked."""

    activity: Activity
    by: Account
    fetched: Mapping[str, tuple[Note, Account] | None] = field(default_factory=dict)

    @property
    def uri(self) -> str | None:
        """The activity's id, if it is one that this actor may give."""
        id_ = self.activity.id
        return id_ if id_ is not None and same_origin(id_, self.by.uri) else None


def perform(tx: Writer, heard: Heard) -> None:
    """Do it, once. Raises Ignored or Needs, before anything is changed."""
    by = heard.by
    if by.is_gone:
        raise Ignored("the actor is suspended or gone")
    deed = DEEDS.get(heard.activity.type)
    if deed is None:
        raise Ignored(f"{heard.activity.type} means nothing here")
    if heard.uri is None:
        deed(tx, heard)
        return
    if not received.first_time(tx, _seen_as(by, heard.uri)):
        raise Ignored("heard before")
    try:
        deed(tx, heard)
    except (Ignored, Needs):
        received.forget(tx, _seen_as(by, heard.uri))
        raise


def _seen_as(by: Account, uri: str) -> str:
    """Bound to the actor, so that nobody can use up the ids of others."""
    return f"{by.uri} {uri}"


def _here(tx: Reader, uri: str | None) -> bool:
    return uri is not None and uri.startswith(tx.site.base_url + "/")


def _local_person(tx: Reader, uri: str | None) -> Account:
    account = accounts.by_uri(tx, uri) if uri is not None and _here(tx, uri) else None
    if account is None:
        raise Ignored("it is about nobody here")
    return account


def _own_note(tx: Reader, heard: Heard) -> Note | None:
    """The post in the activity, if it is the actor's own; None when only its own server can tell."""
    ref = heard.activity.object
    if ref.uri is None or _here(tx, ref.uri):
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
        raise Ignored(str(error)) from error
    if note.actor == heard.by.uri and same_origin(note.id, heard.by.uri):
        return note
    return None


def _matters(tx: Reader, to: list[str], parent_uri: str | None, by: Account) -> bool:
    """Whether anybody here would see a post: a follower of its author, someone it names, a conversation we have."""
    here = tx.site.uri("/users/")
    if any(uri.startswith(here) for uri in to):
        return True
    if reach.is_followed_here(tx, by.id):
        return True
    return parent_uri is not None and (
        posts.by_uri(tx, parent_uri) is not None or posts.by_url(tx, parent_uri) is not None
    )


def create(tx: Writer, heard: Heard) -> None:
    activity = heard.activity
    note = _own_note(tx, heard)
    if note is None:
        if not _matters(tx, [*activity.to, *activity.cc], None, heard.by):
            raise Ignored("nobody here would see it")
        raise _fetch(heard, activity.object)
    if note.is_vote:
        raise Ignored("votes mean nothing here")
    if posts.by_uri(tx, note.id) is not None:
        raise Ignored("the post is here already")
    told = [*note.to, *note.cc, *(uri for uri, _ in note.mentions)]
    if not _matters(tx, told, note.in_reply_to, heard.by):
        raise Ignored("nobody here would see it")
    receiving.receive(tx, remote_posts.remote_post(tx, note, heard.by))


def _fetch(heard: Heard, ref: Ref) -> Exception:
    """What to raise for a post that only its own server can give."""
    if ref.uri is None or ref.uri in heard.fetched:
        return Ignored("the post cannot be had from its own server")
    return Needs(ref.uri)


def update(tx: Writer, heard: Heard) -> None:
    activity, by = heard.activity, heard.by
    ref = activity.object
    if ref.uri == by.uri:
        # Whatever it says about keys or inboxes, the actor's own address is asked.
        jobs.add(tx, "refresh_actor", {"id": by.id})
        return
    known = posts.by_uri(tx, ref.uri) if ref.uri is not None else None
    if known is None or known.account_id != by.id:
        raise Ignored("not a post of theirs that is here")
    note = _own_note(tx, heard)
    if note is None:
        raise _fetch(heard, ref)
    receiving.receive_update(tx, remote_posts.remote_post(tx, note, by))


def delete(tx: Writer, heard: Heard) -> None:
    by, uri = heard.by, heard.activity.object.uri
    if uri is None or _here(tx, uri):
        raise Ignored("a deletion of nothing, or of something of ours")
    if uri == by.uri:
        accounts.delete(tx, by)
    elif same_origin(uri, by.uri):
        _end_boosts(tx, by, uri)
        receiving.receive_delete(tx, by, uri)
    else:
        raise Ignored("a deletion of somebody else's")


def _end_boosts(tx: Writer, by: Account, uri: str) -> None:
    """Those who got the post through a boost by one of ours hear that it is over: its author cannot know them."""
    post = posts.by_uri(tx, uri)
    if post is None or post.account_id != by.id or post.boosts_count == 0:
        return
    for listed in boosts.of(tx, post, None, Page(limit=MOST_BOOSTERS)):
        if listed.account.is_local:
            boosts.unboost(tx, listed.account, post)


def like(tx: Writer, heard: Heard) -> None:
    likes.like(tx, heard.by, _our_post(tx, heard.activity.object, heard.by), heard.uri)


def _our_post(tx: Reader, ref: Ref, by: Account) -> Post:
    """A post of ours that the actor may see. One that they may not see looks like none."""
    post = posts.by_uri(tx, ref.uri) if ref.uri is not None and _here(tx, ref.uri) else None
    if post is None or not may_see(tx, by, post):
        raise Ignored("not a post of ours that they may see")
    return post


def announce(tx: Writer, heard: Heard) -> None:
    activity, by = heard.activity, heard.by
    uri = activity.object.uri
    if uri is None:
        raise Ignored("a boost of nothing")
    if _here(tx, uri):
        post = _our_post(tx, activity.object, by)
    else:
        if not reach.is_followed_here(tx, by.id):
            raise Ignored("nobody here would see it")
        post = _boosted(tx, heard, uri)
    if post.visibility not in OPEN and post.account_id != by.id:
        raise Ignored("not for passing on")
    visibility = remote_posts.visibility(activity.to, activity.cc, by)
    at = min(activity.published_ms or now_ms(), now_ms())
    boosts.boost(
        tx,
        by,
        post,
        heard.uri,
        visibility=visibility if visibility != "direct" else "followers",
        created_at=at,
    )


def _boosted(tx: Writer, heard: Heard, uri: str) -> Post:
    """Somebody else's words are never taken from who passes them on."""
    post = posts.by_uri(tx, uri) or posts.by_url(tx, uri)
    if post is None and uri in heard.fetched:
        found = heard.fetched[uri]
        if found is None:
            raise Ignored("the boosted post cannot be had")
        post = posts.by_uri(tx, found[0].id) or remote_posts.take_in(tx, *found)
        if post is None:
            raise Ignored("the boosted post may not come in")
    if post is None:
        raise Needs(uri)
    author = accounts.get(tx, post.account_id)
    if post.deleted_at is not None or author.is_gone:
        raise Ignored("the boosted post is gone")
    return post


def follow(tx: Writer, heard: Heard) -> None:
    target = _local_person(tx, heard.activity.object.uri)
    try:
        follows.follow(tx, heard.by, target, uri=heard.uri)
    except (NotFound, NotAllowed):
        if not target.is_gone:
            follows.decline(tx, heard.by, target, heard.uri)


def accept(tx: Writer, heard: Heard) -> None:
    follows.accept(tx, _our_follow(tx, heard))


def reject(tx: Writer, heard: Heard) -> None:
    follows.reject(tx, _our_follow(tx, heard))


def _our_follow(tx: Reader, heard: Heard) -> Follow:
    """The follow that is answered: only one of ours, and only if the actor is the one it asks."""
    ref = heard.activity.object
    found = follows.by_uri(tx, ref.uri) if ref.uri is not None else None
    if found is None and ref.doc is not None:
        # Some servers mangle the id of what they answer; who and whom is enough.
        asker = _party(ref.doc, "actor")
        follower = accounts.by_uri(tx, asker) if _here(tx, asker) and asker is not None else None
        found = follows.between(tx, follower, heard.by) if follower is not None else None
    if found is None or found.followed_id != heard.by.id:
        raise Ignored("an answer to a follow that was never asked of them")
    return found


def _party(doc: Mapping[str, object], name: str) -> str | None:
    value = doc.get(name)
    if isinstance(value, dict):
        value = value.get("id")
    return value if isinstance(value, str) else None


def block(tx: Writer, heard: Heard) -> None:
    blocks.block(tx, heard.by, _local_person(tx, heard.activity.object.uri), uri=heard.uri)


def undo(tx: Writer, heard: Heard) -> None:
    """Take back something of the actor's own, named by its id or described."""
    by, ref = heard.by, heard.activity.object
    said = ref.doc or {}
    if said.get("actor") is not None and _party(said, "actor") != by.uri:
        raise Ignored("only the actor can take something back")
    kind = said.get("type")
    object_uri = _party(said, "object")
    undone = any(
        take_back(tx, by, ref.uri, object_uri)
        for name, take_back in _TAKING_BACK.items()
        if kind is None or kind == name
    )
    if not undone and ref.uri is not None and same_origin(ref.uri, by.uri):
        # It may still be on its way: when it comes, it has been heard before.
        received.first_time(tx, _seen_as(by, ref.uri))


def _undo_follow(tx: Writer, by: Account, uri: str | None, object_uri: str | None) -> bool:
    found = follows.by_uri(tx, uri) if uri is not None else None
    if found is None or found.follower_id != by.id:
        target = accounts.by_uri(tx, object_uri) if object_uri is not None else None
        found = follows.between(tx, by, target) if target is not None else None
    if found is None:
        return False
    follows.unfollow(tx, by, accounts.get(tx, found.followed_id))
    return True


def _undo_like(tx: Writer, by: Account, uri: str | None, object_uri: str | None) -> bool:
    found = likes.by_uri(tx, uri) if uri is not None else None
    if found is not None and found.account_id == by.id:
        post = posts.by_id(tx, found.post_id)
    else:
        post = posts.by_uri(tx, object_uri) if object_uri is not None else None
    if post is None:
        return False
    likes.unlike(tx, by, post)
    return True


def _undo_announce(tx: Writer, by: Account, uri: str | None, object_uri: str | None) -> bool:
    found = boosts.by_uri(tx, uri) if uri is not None else None
    if found is not None and found.account_id == by.id:
        post = posts.by_id(tx, found.post_id)
    else:
        post = posts.by_uri(tx, object_uri) if object_uri is not None else None
    if post is None or boosts.between(tx, by, post) is None:
        return False
    boosts.unboost(tx, by, post)
    if not post.is_local:
        # A boost also ends when the post itself does, and nobody else would tell us.
        jobs.add(tx, "check_post", {"id": post.id, "uri": post.uri}, lane=f"fetch {host_of(post.uri)}")
    return True


def _undo_block(tx: Writer, by: Account, uri: str | None, object_uri: str | None) -> bool:
    target = accounts.by_uri(tx, object_uri) if object_uri is not None else None
    if target is None or not target.is_local:
        return False
    blocks.unblock(tx, by, target)
    return True


_TAKING_BACK: dict[str, Callable[[Writer, Account, str | None, str | None], bool]] = {
    "Follow": _undo_follow,
    "Like": _undo_like,
    "Announce": _undo_announce,
    "Block": _undo_block,
}

DEEDS: dict[str, Callable[[Writer, Heard], None]] = {
    "Accept": accept,
    "Announce": announce,
    "Block": block,
    "Create": create,
    "Delete": delete,
    "Follow": follow,
    "Like": like,
    "Reject": reject,
    "Undo": undo,
    "Update": update,
}
