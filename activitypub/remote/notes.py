"""Fetches remote posts from their own id, imports them as posts of this node, and applies their edits.

Modules import it `as remote_notes`, since `documents/notes.py` has the same last name. A post is accepted only from its
own id, and only if its author has the same origin.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from html import escape, unescape

import msgspec

from activitypub import vocab
from activitypub.client import documents
from activitypub.client.client import Unfetchable
from activitypub.client.documents import is_local_uri
from activitypub.client.fetch_budget import FetchBudget, permanent_failure
from activitypub.remote import actors
from activitypub.signatures import SigningKey
from activitypub.uris import Malformed, host_of, same_origin
from activitypub.vocab import PUBLIC, Activity, Attachment, Note, interaction_policies, values
from activitypub.vocab import quotes as quote_vocab
from activitypub.vocab.interaction_policies import AudienceUris
from node.accounts import accounts
from node.database import Reader, Writer
from node.federation import early_updates
from node.ids import now_ms
from node.interactions import quotes
from node.jobs import queue
from node.jobs.queue import Job, RetryLater
from node.models.account import Account
from node.models.audience import OPEN_VISIBILITIES
from node.models.interaction_policy import dump
from node.models.post import Post
from node.models.post_extras import PostExtras
from node.models.remote_actor import RemoteEmoji
from node.models.remote_post import RemotePhoto, RemotePost
from node.node import Node
from node.posts import posts
from node.publishing import remote_posts
from node.publishing.remote_posts import ImportStatus
from node.text import formatting

MAX_ANCESTORS = 50
MAX_ATTEMPTS = 4


async def fetch(
    node: Node, uri: str, *, key: SigningKey | None = None, budget: FetchBudget | None = None
) -> tuple[Note, Account]:
    """Fetches a post from its own server, and its author, who is then stored. Raises Unfetchable."""
    doc = await documents.fetch(node, uri, key=key, budget=budget)
    try:
        note = vocab.parse_note(doc)
    except Malformed as error:
        raise permanent_failure(uri, str(error)) from error
    if not same_origin(note.actor, note.id):
        raise permanent_failure(uri, "the author is on another server than the post")
    return note, await actors.find(node, note.actor, budget=budget)


async def find(
    node: Node, uri: str, *, key: SigningKey | None = None, budget: FetchBudget | None = None
) -> Post | None:
    """Returns the post with this id or URL, fetched with its ancestors if it is not stored.

    Raises Unfetchable.

    None when it was fetched but may not be imported.
    """
    known = await node.db.read(by_uri_or_url, uri)
    if known is not None or is_local_uri(node, uri):
        return known
    budget = budget or FetchBudget()
    note, author = await fetch(node, uri, key=key, budget=budget)
    thread, seen = [(note, author)], {uri, note.id}
    try:
        while len(thread) <= MAX_ANCESTORS and (parent := thread[-1][0].in_reply_to):
            if parent in seen:
                break
            if is_local_uri(node, parent) or await node.db.read(by_uri_or_url, parent) is not None:
                break
            seen.add(parent)
            thread.append(await fetch(node, parent, budget=budget))
    except Unfetchable:
        pass  # Without its parent the comment is shown on its own.
    post: Post | None = None
    for ancestor, ancestor_author in reversed(thread):
        post = await node.db.write(import_note, ancestor, ancestor_author)
    return post


def by_uri_or_url(tx: Reader, uri: str) -> Post | None:
    """Returns the stored post with this id or page URL, unless it is deleted."""
    found = posts.by_uri(tx, uri) or posts.by_url(tx, uri)
    return None if found is None or found.deleted_at is not None else found


def import_note(tx: Writer, note: Note, author: Account, status: ImportStatus | None = None) -> Post | None:
    """Stores a post that was checked to be its author's, with its quote, and an edit of it that was received before.

    None when it is not imported. `status` is what the caller has just read of the post.
    """
    status = status or remote_posts.import_status(tx, author, note.id)
    is_new = not status.is_known and not status.is_tombstoned
    post = remote_posts.receive_create(tx, to_remote_post(tx, note, author), is_new=is_new)
    if post is not None and note.quote is not None:
        record_quote(tx, note, post)
    if post is not None and status.has_early_update:
        _apply_early_edit(tx, author, note)
        post = posts.by_id(tx, post.id)
    return post


def apply_edit(tx: Writer, activity: Activity, note: Note, author: Account) -> None:
    """Applies an edit to a stored post, unless a later one was applied before."""
    edited = to_remote_post(tx, note, author)
    if edited.edited_at is None and activity.published_ms is not None:
        # Some servers date only the Update and not the edit: an older edit must not win over a newer one either.
        edited = replace(edited, edited_at=activity.published_ms)
    changed = remote_posts.receive_update(tx, edited)
    if changed is not None:
        record_quote(tx, note, changed)


def keep_early_edit(tx: Writer, activity: Activity, note: Note, author: Account) -> None:
    """Keeps an edit until its post is imported."""
    document = msgspec.json.encode(activity.raw).decode()
    edited_at = note.updated_ms or activity.published_ms or now_ms()
    early_updates.keep(tx, author, note.id, document, edited_at=edited_at)


def remember_early_edit(tx: Writer, activity: Activity, uri: str, author: Account) -> None:
    """Remembers that a post was edited which is not stored yet: it is fetched once it is."""
    early_updates.keep(tx, author, uri, "", edited_at=activity.published_ms or now_ms())


def _apply_early_edit(tx: Writer, author: Account, note: Note) -> None:
    """Applies the edit that was received before this post, which is stored now, or has the post fetched."""
    document = early_updates.take(tx, author, note.id)
    if document is None:
        return
    if not document:
        # Without an id of its own it is no duplicate, and it is not passed on.
        update = {"type": "Update", "actor": author.uri, "object": note.id, "to": note.to, "cc": note.cc}
        payload = {"doc": update, "by": author.id, "host": host_of(author.uri), "uri": note.id}
        queue.add(tx, "fetch", payload, lane=f"fetch {host_of(note.id)}")
        return
    try:
        activity = vocab.parse_activity(vocab.parse_json(document.encode()))
        edited = vocab.parse_note(activity.object.doc or {})
    except Malformed:
        return
    if edited.id == note.id and edited.actor == author.uri:
        apply_edit(tx, activity, edited, author)


async def check_deleted(node: Node, job: Job) -> None:
    """Job `check_post`: deletes an open post if its own server answers 404, 410 or a Tombstone."""
    post = await node.db.read(posts.by_id, job.payload["id"])
    if post is None or not post.is_open:
        return
    try:
        doc = await documents.fetch(node, job.payload["uri"])
    except Unfetchable as error:
        if error.temporary and job.attempts < MAX_ATTEMPTS:
            raise RetryLater(now_ms() + (60_000 << (2 * job.attempts)), error.reason) from error
        if not error.gone:
            return
    else:
        if values.type_name(doc) != "Tombstone":
            return
    await node.db.write(_delete, job.payload["id"])


def _delete(tx: Writer, post_id: int) -> None:
    post = posts.by_id(tx, post_id)
    if post is not None and post.deleted_at is None:
        remote_posts.receive_delete(tx, accounts.get(tx, post.account_id), post.uri)


def derive_visibility(note_to: list[str], note_cc: list[str], author: Account) -> str:
    """Returns the visibility that the recipients in `to` and `cc` amount to; "direct",
    the narrowest, in doubt."""
    if PUBLIC in note_to:
        return "public"
    if PUBLIC in note_cc:
        return "unlisted"
    if author.followers_uri and author.followers_uri in (*note_to, *note_cc):
        return "followers"
    return "direct"


def to_remote_post(tx: Reader, note: Note, author: Account) -> RemotePost:
    """Converts a parsed post, known to be its author's, to the form that `node` stores."""
    visibility = derive_visibility(note.to, note.cc, author)
    addressed = {*note.to, *note.cc}
    # A mention in a post that is not open gives no access to an account that the post is not addressed to.
    mentioned = _known_accounts(
        tx, [uri for uri, _ in note.mentions if visibility in OPEN_VISIBILITIES or uri in addressed]
    )
    local_prefix = tx.site.uri("/users/")
    local_recipients = [
        uri for uri in (*note.to, *note.cc) if uri.startswith(local_prefix) and uri not in mentioned
    ]
    return RemotePost(
        uri=note.id,
        url=note.url if note.url and same_origin(note.url, note.id) else note.id,
        author=author,
        html=_to_html(note),
        warning=note.summary if _is_warning(note) else "",
        is_sensitive=note.sensitive,
        language=note.language or "",
        visibility=visibility,
        parent_uri=note.in_reply_to or "",
        published_at=note.published_ms or now_ms(),
        edited_at=note.updated_ms,
        photos=[_to_remote_photo(media, note) for media in note.attachments if media.is_image],
        hashtags=[name for name, _ in note.hashtags],
        mentions=list(mentioned.values()),
        addressed=list(_known_accounts(tx, local_recipients).values()),
        emoji=[RemoteEmoji(tag.shortcode, tag.url, tag.updated_ms or 0) for tag in note.emoji],
        policy=_parse_policy(note, author),
        context=note.context or "",
        extras=PostExtras(files=tuple(note.files), poll=note.poll),
    )


def _parse_policy(note: Note, author: Account) -> str:
    mentioned = frozenset(uri for uri, _ in note.mentions)
    uris = AudienceUris(author.uri, author.followers_uri or None, author.following_uri or None, mentioned)
    return dump(interaction_policies.parse(note.raw, uris))


def _known_accounts(tx: Reader, uris: list[str]) -> dict[str, Account]:
    """Returns the accounts among these uris that are stored: a mention in a remote post causes no fetch."""
    found = {}
    for uri in dict.fromkeys(uris):
        account = accounts.by_uri(tx, uri)
        if account is not None and account.deleted_at is None:
            found[uri] = account
    return found


def _to_html(note: Note) -> str:
    """Returns the content as HTML, with all that is told in other properties and would be lost: the title before it,
    time and place of an event and links to pages behind it."""
    content = _without_quote_line(note.content) if note.quote is not None else note.content
    parts = [content, *_event_lines(note)]
    if not _is_warning(note) and note.summary and not _begins_with(content, note.summary):
        parts.insert(0, f"<p>{note.summary}</p>")
    # Some servers write entities in it, though it is plain text: a title with a tag in it is shown with its tag.
    title = escape(unescape(note.name))
    if title and not _begins_with(content, title):
        parts.insert(0, f"<p><strong>{title}</strong></p>")
    parts += [
        f"<p>{_link(link.url, link.title)}</p>"
        for link in note.links
        if link.url not in (note.url, note.quote) and not _names(content, link.url)
    ]
    return "".join(parts)


def _is_warning(note: Note) -> bool:
    """Returns whether the summary is a content warning. Except in a Note or a poll it is an abstract."""
    return note.type in ("Note", "Question") or note.sensitive


def _begins_with(html: str, beginning: str) -> bool:
    """Returns whether the text says the same already: an excerpt is often cut from it, and a title repeated in it."""
    start = formatting.html_to_text(beginning).casefold().split()[:12]
    words = formatting.html_to_text(html[:20_000]).casefold().split()
    return words[: len(start) or 1] == start


def _names(html: str, url: str) -> bool:
    return escape(url) in html or url in html


def _link(url: str, title: str) -> str:
    return f'<a href="{escape(url)}">{escape(title)}</a>' if title else formatting.link(url)


def _event_lines(note: Note) -> list[str]:
    """Returns when and where it takes place, without words, since nobody can translate a stored text."""
    event, lines = note.event, []
    # The end of a poll is told with the poll, and the place of a photo with the photo.
    if note.type != "Question" and (event.starts_at is not None or note.type == "Event"):
        times = [_format_time(time) for time in (event.starts_at, event.ends_at) if time is not None]
        if times:
            lines.append("🗓 " + ("" if event.starts_at is not None else "– ") + " – ".join(times) + " UTC")
    if note.type == "Event" or not any(media.is_image for media in note.attachments):
        lines += [f"📍 {escape(place)}" for place in event.places]
        lines += [f"🔗 {formatting.link(url)}" for url in event.urls if not _names(note.content, url)]
    return [f"<p>{'<br>'.join(lines)}</p>"] if lines else []


def _format_time(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M}"


def _without_quote_line(html: str) -> str:
    """Returns the HTML without the fallback line ("RE: …") for software that does not support quotes."""
    before, line, after = html.partition('<p class="quote-inline">')
    return before + after.partition("</p>")[2] if line and "</p>" in after else html


def _to_remote_photo(media: Attachment, note: Note) -> RemotePhoto:
    """Converts an attachment; licence and place fall back to those of the post."""
    focus = media.focus or (0.0, 0.0)
    extra: dict[str, object] = {}
    if media.exif:
        extra["exif"] = [list(pair) for pair in media.exif]
    if licence := media.license or vocab.parse_licence(note.raw):
        extra["license"] = licence
    if (place := media.place or note.place) is not None:
        extra["place"] = {
            "name": place.name,
            "latitude": place.latitude,
            "longitude": place.longitude,
            "country": place.country,
            "geoname_id": place.geoname_id,
        }
    return RemotePhoto(
        url=media.url,
        mime=media.media_type,
        alt=media.alt,
        width=media.width or 0,
        height=media.height or 0,
        blurhash=media.blurhash or "",
        focus_x=focus[0],
        focus_y=focus[1],
        extra=extra,
        people=media.people,
    )


def record_quote(tx: Writer, note: Note, post: Post) -> None:
    """Stores the quote of a remote post that was created or updated, and queues its check; or removes it."""
    quote = quote_vocab.parse_quote(note)
    if quote is None:
        quotes.remove_quote(tx, post.id)
        return
    quotes.record_unapproved(tx, post.id, quote.target, quote.authorization_uri or "")
    try:
        queue.add(tx, "check_quote", {"id": post.id}, lane=f"fetch {host_of(quote.target)}")
    except Malformed:
        return
