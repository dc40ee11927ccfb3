"""What an activity of another server does here: `DEEDS[type]`, the same deeds that our own people do.

`heard` holds what they all ask first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from activitypub.handlers import flag, like, move, pin, quote, undo
from activitypub.handlers.received_activity import (
    Ignored,
    NeedsFetch,
    ReceivedActivity,
    dedup_key,
    fetch_or_ignore,
    is_local_uri,
    local_account,
    parse_own_note,
    visible_local_post,
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
from node.models.audience import OPEN_VISIBILITIES
from node.models.post import Post
from node.paging import Page
from node.posts import posts
from node.publishing import remote_posts

MAX_BOOSTERS = 80
ALLOWED_WHEN_SUSPENDED = frozenset({"Block", "Delete", "Undo"})
"""What is heard of somebody who is suspended too: what they end must not be there when they come back."""


def handle_activity(tx: Writer, received: ReceivedActivity) -> None:
    """Do it, once. Raises Ignored or Needs, before anything is changed."""
    by = received.actor
    # Whom their own server had suspended is heard when it says something new of them.
    is_of_themselves = received.activity.type == "Update" and received.activity.object.uri == by.uri
    takes_back = received.activity.type in ALLOWED_WHEN_SUSPENDED and by.deleted_at is None
    if by.is_inactive and not takes_back and not (by.suspended_there and is_of_themselves):
        raise Ignored("the actor is suspended or gone")
    deed = HANDLERS.get(received.activity.type)
    if deed is None:
        raise Ignored(f"{received.activity.type} means nothing here")
    if received.uri is None:
        deed(tx, received)
        return
    if not received.unseen.mark_seen(dedup_key(by, received.uri)):
        if received.activity.type == "Follow":
            _resend_accept(tx, received)
        raise Ignored("heard before")
    try:
        deed(tx, received)
    except (Ignored, NeedsFetch):
        received.unseen.unmark_seen(dedup_key(by, received.uri))
        raise


def _is_relevant(tx: Reader, to: list[str], parent_uri: str | None, *, is_followed: bool) -> bool:
    """Whether anybody here would see a post: a follower of its author, someone it names, a conversation we have."""
    people = tx.site.uri("/users/")
    if is_followed or any(uri.startswith(people) for uri in to):
        return True
    return parent_uri is not None and (
        posts.by_uri(tx, parent_uri) is not None or posts.by_url(tx, parent_uri) is not None
    )


def handle_create(tx: Writer, heard: ReceivedActivity) -> None:
    activity = heard.activity
    note = parse_own_note(tx, heard)
    if note is None:
        is_followed = recipients.is_followed_locally(tx, heard.actor.id)
        if not _is_relevant(tx, [*activity.to, *activity.cc], None, is_followed=is_followed):
            raise Ignored("nobody here would see it")
        raise fetch_or_ignore(heard, activity.object)
    if note.is_vote:
        raise Ignored("votes mean nothing here")
    prospect = remote_posts.import_status(tx, heard.actor, note.id)
    if prospect.is_known:
        raise Ignored("the post is here already")
    told = [*note.to, *note.cc, *(uri for uri, _ in note.mentions)]
    if not _is_relevant(tx, told, note.in_reply_to, is_followed=prospect.is_followed):
        raise Ignored("nobody here would see it")
    if prospect.is_tombstoned:
        return
    post = remote_notes.import_note(tx, note, heard.actor, is_new=True)
    if post is not None and post.is_comment and post.parent_id is None:
        conversations.queue_ancestors(tx, post)


def handle_update(tx: Writer, heard: ReceivedActivity) -> None:
    activity, by = heard.activity, heard.actor
    ref = activity.object
    if ref.uri == by.uri:
        # Whatever it says about keys or inboxes, the actor's own address is asked.
        queue.add(tx, "refresh_actor", {"id": by.id})
        return
    known = posts.by_uri(tx, ref.uri) if ref.uri is not None else None
    if known is None or known.account_id != by.id:
        raise Ignored("not a post of theirs that is here")
    note = parse_own_note(tx, heard)
    if note is None:
        raise fetch_or_ignore(heard, ref)
    edited = remote_notes.to_remote_post(tx, note, by)
    if edited.edited_at is None and activity.published_ms is not None:
        # Some say when they tell of an edit, and not when it was made: an older one must not win either.
        edited = replace(edited, edited_at=activity.published_ms)
    changed = remote_posts.receive_update(tx, edited)
    if changed is not None:
        remote_notes.record_quote(tx, note, changed)


def handle_delete(tx: Writer, heard: ReceivedActivity) -> None:
    by, uri = heard.actor, heard.activity.object.uri
    if uri is None or is_local_uri(tx, uri):
        raise Ignored("a deletion of nothing, or of something of ours")
    if uri == by.uri:
        account_deletion.delete_account(tx, by)
    elif same_origin(uri, by.uri):
        if quote.handle_authorization_deletion(tx, by, uri):
            return
        post = posts.by_uri(tx, uri)
        if post is not None:
            if post.account_id != by.id:
                raise Ignored("a deletion of somebody else's")
            _undo_local_boosts(tx, post)
        remote_posts.receive_delete(tx, by, uri)
    else:
        raise Ignored("a deletion of somebody else's")


def _undo_local_boosts(tx: Writer, post: Post) -> None:
    """Those who got the post through a boost by one of ours hear that it is over: its author cannot know them."""
    if post.boosts_count == 0:
        return
    for listed in boosts.boosters(tx, post, None, Page(limit=MAX_BOOSTERS)):
        if listed.account.is_local:
            boosts.unboost(tx, listed.account, post)


def handle_announce(tx: Writer, heard: ReceivedActivity) -> None:
    activity, by = heard.activity, heard.actor
    uri = activity.object.uri
    if uri is None:
        raise Ignored("a boost of nothing")
    is_ours = is_local_uri(tx, uri)
    if is_ours:
        post = visible_local_post(tx, activity.object, by)
    else:
        if not recipients.is_followed_locally(tx, by.id):
            raise Ignored("nobody here would see it")
        post = _boosted_post(tx, heard, uri)
    if post.visibility not in OPEN_VISIBILITIES and post.account_id != by.id:
        raise Ignored("not for passing on")
    visibility = remote_notes.derive_visibility(activity.to, activity.cc, by)
    at = min(activity.published_ms or now_ms(), now_ms())
    boosts.boost(
        tx,
        by,
        post,
        heard.uri,
        visibility=visibility if visibility != "direct" else "followers",
        created_at=at,
        is_visible=is_ours,
    )


def _boosted_post(tx: Writer, heard: ReceivedActivity, uri: str) -> Post:
    """Somebody else's words are never taken from who passes them on."""
    post = posts.by_uri(tx, uri) or posts.by_url(tx, uri)
    if post is None and uri in heard.fetched:
        found = heard.fetched[uri]
        if found is None:
            raise Ignored("the boosted post cannot be had")
        post = posts.by_uri(tx, found[0].id) or remote_notes.import_note(tx, *found)
        if post is None:
            raise Ignored("the boosted post may not come in")
    if post is None:
        raise NeedsFetch(uri)
    author = accounts.get(tx, post.account_id)
    if post.deleted_at is not None or author.is_inactive:
        raise Ignored("the boosted post is gone")
    return post


def handle_follow(tx: Writer, heard: ReceivedActivity) -> None:
    target = local_account(tx, heard.activity.object.uri)
    try:
        follows.follow(tx, heard.actor, target, uri=heard.uri)
    except (NotFound, NotAllowed):
        if not target.is_inactive:
            follows.send_reject(tx, heard.actor, target, heard.uri)


def _resend_accept(tx: Writer, heard: ReceivedActivity) -> None:
    """A follow that is sent once more is answered once more: the first answer may have been lost."""
    target = local_account(tx, heard.activity.object.uri)
    existing = relationships.follow_between(tx, heard.actor, target)
    if existing is not None and existing.uri == heard.uri and existing.is_accepted:
        follows.follow(tx, heard.actor, target, uri=heard.uri)


def handle_accept(tx: Writer, heard: ReceivedActivity) -> None:
    if quote.handle_quote_response(tx, heard, is_allowed=True):
        return
    asked = _answered_follow(tx, heard)
    follows.accept(tx, asked)
    if not asked.is_accepted:
        actors.queue_featured(tx, heard.actor)


def handle_reject(tx: Writer, heard: ReceivedActivity) -> None:
    if quote.handle_quote_response(tx, heard, is_allowed=False):
        return
    follows.reject(tx, _answered_follow(tx, heard))


def _answered_follow(tx: Reader, heard: ReceivedActivity) -> Follow:
    """The follow that is answered: only one of ours, and only if the actor is the one it asks."""
    ref = heard.activity.object
    found = relationships.follow_by_uri(tx, ref.uri) if ref.uri is not None else None
    if found is None:
        # Some servers mangle the id of what they answer, or name who asked alone; who and whom is enough.
        asker = ref.uri if ref.doc is None else values.uri(ref.doc.get("actor"))
        follower = accounts.by_uri(tx, asker) if is_local_uri(tx, asker) and asker is not None else None
        found = relationships.follow_between(tx, follower, heard.actor) if follower is not None else None
    if found is None or found.followed_id != heard.actor.id:
        raise Ignored("an answer to a follow that was never asked of them")
    return found


def handle_block(tx: Writer, heard: ReceivedActivity) -> None:
    blocks.block(tx, heard.actor, local_account(tx, heard.activity.object.uri), uri=heard.uri)


HANDLERS: dict[str, Callable[[Writer, ReceivedActivity], None]] = {
    "Accept": handle_accept,
    "Add": pin.handle_add,
    "Announce": handle_announce,
    "Block": handle_block,
    "Create": handle_create,
    "Delete": handle_delete,
    "Flag": flag.handle_flag,
    "Follow": handle_follow,
    "EmojiReact": like.handle_emoji_react,
    "Like": like.handle_like,
    "Move": move.handle_move,
    "QuoteRequest": quote.handle_quote_request,
    "Reject": handle_reject,
    "Remove": pin.handle_remove,
    "Undo": undo.handle_undo,
    "Update": handle_update,
}
