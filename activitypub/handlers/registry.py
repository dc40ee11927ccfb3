"""What an activity of another server does here: `DEEDS[type]`, the same deeds that our own people do.

`heard` holds what they all ask first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from activitypub.handlers import flag, like, move, pin, quote, undo
from activitypub.handlers.received_activity import (
    Heard,
    Ignored,
    Needs,
    here,
    local_person,
    our_post,
    own_note,
    seen_as,
    to_fetch,
)
from activitypub.remote import actors, conversations
from activitypub.remote import notes as remote_notes
from activitypub.uris import same_origin
from activitypub.vocab import values
from node.accounts import accounts, relationships
from node.accounts.relationships import Follow
from node.database import Reader, Writer
from node.errors import NotAllowed, NotFound
from node.federation import recipients
from node.ids import now_ms
from node.interactions import blocks, boosts, follows
from node.jobs import queue
from node.lifecycle import account_deletion
from node.models.audience import OPEN
from node.models.post import Post
from node.paging import Page
from node.posts import posts
from node.publishing import remote_posts

MOST_BOOSTERS = 80
TAKING_BACK = frozenset({"Block", "Delete", "Undo"})
"""What is heard of somebody who is suspended too: what they end must not be there when they come back."""


def perform(tx: Writer, heard: Heard) -> None:
    """Do it, once. Raises Ignored or Needs, before anything is changed."""
    by = heard.by
    # Whom their own server had suspended is heard when it says something new of them.
    is_of_themselves = heard.activity.type == "Update" and heard.activity.object.uri == by.uri
    takes_back = heard.activity.type in TAKING_BACK and by.deleted_at is None
    if by.is_gone and not takes_back and not (by.suspended_there and is_of_themselves):
        raise Ignored("the actor is suspended or gone")
    deed = DEEDS.get(heard.activity.type)
    if deed is None:
        raise Ignored(f"{heard.activity.type} means nothing here")
    if heard.uri is None:
        deed(tx, heard)
        return
    if not heard.unheard.take(seen_as(by, heard.uri)):
        if heard.activity.type == "Follow":
            _answer_again(tx, heard)
        raise Ignored("heard before")
    try:
        deed(tx, heard)
    except (Ignored, Needs):
        heard.unheard.give_back(seen_as(by, heard.uri))
        raise


def _matters(tx: Reader, to: list[str], parent_uri: str | None, *, is_followed: bool) -> bool:
    """Whether anybody here would see a post: a follower of its author, someone it names, a conversation we have."""
    people = tx.site.uri("/users/")
    if is_followed or any(uri.startswith(people) for uri in to):
        return True
    return parent_uri is not None and (
        posts.by_uri(tx, parent_uri) is not None or posts.by_url(tx, parent_uri) is not None
    )


def create(tx: Writer, heard: Heard) -> None:
    activity = heard.activity
    note = own_note(tx, heard)
    if note is None:
        is_followed = recipients.is_followed_here(tx, heard.by.id)
        if not _matters(tx, [*activity.to, *activity.cc], None, is_followed=is_followed):
            raise Ignored("nobody here would see it")
        raise to_fetch(heard, activity.object)
    if note.is_vote:
        raise Ignored("votes mean nothing here")
    prospect = remote_posts.ask(tx, heard.by, note.id)
    if prospect.is_here:
        raise Ignored("the post is here already")
    told = [*note.to, *note.cc, *(uri for uri, _ in note.mentions)]
    if not _matters(tx, told, note.in_reply_to, is_followed=prospect.is_followed):
        raise Ignored("nobody here would see it")
    if prospect.is_buried:
        return
    post = remote_notes.take_in(tx, note, heard.by, is_new=True)
    if post is not None and post.is_comment and post.parent_id is None:
        conversations.orphaned(tx, post)


def update(tx: Writer, heard: Heard) -> None:
    activity, by = heard.activity, heard.by
    ref = activity.object
    if ref.uri == by.uri:
        # Whatever it says about keys or inboxes, the actor's own address is asked.
        queue.add(tx, "refresh_actor", {"id": by.id})
        return
    known = posts.by_uri(tx, ref.uri) if ref.uri is not None else None
    if known is None or known.account_id != by.id:
        raise Ignored("not a post of theirs that is here")
    note = own_note(tx, heard)
    if note is None:
        raise to_fetch(heard, ref)
    edited = remote_notes.remote_post(tx, note, by)
    if edited.edited_at is None and activity.published_ms is not None:
        # Some say when they tell of an edit, and not when it was made: an older one must not win either.
        edited = replace(edited, edited_at=activity.published_ms)
    changed = remote_posts.receive_update(tx, edited)
    if changed is not None:
        remote_notes.noticed(tx, note, changed)


def delete(tx: Writer, heard: Heard) -> None:
    by, uri = heard.by, heard.activity.object.uri
    if uri is None or here(tx, uri):
        raise Ignored("a deletion of nothing, or of something of ours")
    if uri == by.uri:
        account_deletion.delete(tx, by)
    elif same_origin(uri, by.uri):
        if quote.revoked(tx, by, uri):
            return
        post = posts.by_uri(tx, uri)
        if post is not None:
            if post.account_id != by.id:
                raise Ignored("a deletion of somebody else's")
            _end_boosts(tx, post)
        remote_posts.receive_delete(tx, by, uri)
    else:
        raise Ignored("a deletion of somebody else's")


def _end_boosts(tx: Writer, post: Post) -> None:
    """Those who got the post through a boost by one of ours hear that it is over: its author cannot know them."""
    if post.boosts_count == 0:
        return
    for listed in boosts.of(tx, post, None, Page(limit=MOST_BOOSTERS)):
        if listed.account.is_local:
            boosts.unboost(tx, listed.account, post)


def announce(tx: Writer, heard: Heard) -> None:
    activity, by = heard.activity, heard.by
    uri = activity.object.uri
    if uri is None:
        raise Ignored("a boost of nothing")
    is_ours = here(tx, uri)
    if is_ours:
        post = our_post(tx, activity.object, by)
    else:
        if not recipients.is_followed_here(tx, by.id):
            raise Ignored("nobody here would see it")
        post = _boosted(tx, heard, uri)
    if post.visibility not in OPEN and post.account_id != by.id:
        raise Ignored("not for passing on")
    visibility = remote_notes.visibility(activity.to, activity.cc, by)
    at = min(activity.published_ms or now_ms(), now_ms())
    boosts.boost(
        tx,
        by,
        post,
        heard.uri,
        visibility=visibility if visibility != "direct" else "followers",
        created_at=at,
        is_seen=is_ours,
    )


def _boosted(tx: Writer, heard: Heard, uri: str) -> Post:
    """Somebody else's words are never taken from who passes them on."""
    post = posts.by_uri(tx, uri) or posts.by_url(tx, uri)
    if post is None and uri in heard.fetched:
        found = heard.fetched[uri]
        if found is None:
            raise Ignored("the boosted post cannot be had")
        post = posts.by_uri(tx, found[0].id) or remote_notes.take_in(tx, *found)
        if post is None:
            raise Ignored("the boosted post may not come in")
    if post is None:
        raise Needs(uri)
    author = accounts.get(tx, post.account_id)
    if post.deleted_at is not None or author.is_gone:
        raise Ignored("the boosted post is gone")
    return post


def follow(tx: Writer, heard: Heard) -> None:
    target = local_person(tx, heard.activity.object.uri)
    try:
        follows.follow(tx, heard.by, target, uri=heard.uri)
    except (NotFound, NotAllowed):
        if not target.is_gone:
            follows.decline(tx, heard.by, target, heard.uri)


def _answer_again(tx: Writer, heard: Heard) -> None:
    """A follow that is sent once more is answered once more: the first answer may have been lost."""
    target = local_person(tx, heard.activity.object.uri)
    existing = relationships.between(tx, heard.by, target)
    if existing is not None and existing.uri == heard.uri and existing.is_accepted:
        follows.follow(tx, heard.by, target, uri=heard.uri)


def accept(tx: Writer, heard: Heard) -> None:
    if quote.answered(tx, heard, is_allowed=True):
        return
    asked = _our_follow(tx, heard)
    follows.accept(tx, asked)
    if not asked.is_accepted:
        actors.ask(tx, heard.by)


def reject(tx: Writer, heard: Heard) -> None:
    if quote.answered(tx, heard, is_allowed=False):
        return
    follows.reject(tx, _our_follow(tx, heard))


def _our_follow(tx: Reader, heard: Heard) -> Follow:
    """The follow that is answered: only one of ours, and only if the actor is the one it asks."""
    ref = heard.activity.object
    found = relationships.by_uri(tx, ref.uri) if ref.uri is not None else None
    if found is None:
        # Some servers mangle the id of what they answer, or name who asked alone; who and whom is enough.
        asker = ref.uri if ref.doc is None else values.uri(ref.doc.get("actor"))
        follower = accounts.by_uri(tx, asker) if here(tx, asker) and asker is not None else None
        found = relationships.between(tx, follower, heard.by) if follower is not None else None
    if found is None or found.followed_id != heard.by.id:
        raise Ignored("an answer to a follow that was never asked of them")
    return found


def block(tx: Writer, heard: Heard) -> None:
    blocks.block(tx, heard.by, local_person(tx, heard.activity.object.uri), uri=heard.uri)


DEEDS: dict[str, Callable[[Writer, Heard], None]] = {
    "Accept": accept,
    "Add": pin.add,
    "Announce": announce,
    "Block": block,
    "Create": create,
    "Delete": delete,
    "Flag": flag.flag,
    "Follow": follow,
    "EmojiReact": like.emoji_react,
    "Like": like.like,
    "Move": move.hear,
    "QuoteRequest": quote.request,
    "Reject": reject,
    "Remove": pin.remove,
    "Undo": undo.undo,
    "Update": update,
}
