"""Posts of other servers: fetched from their own address, and put in the words of this node."""

from __future__ import annotations

from html import escape

from activitypub import vocab
from activitypub.client import documents
from activitypub.client.client import Unfetchable
from activitypub.client.documents import is_ours
from activitypub.client.fetch_budget import Budget, refusal
from activitypub.remote import actors
from activitypub.signatures import SigningKey
from activitypub.uris import Malformed, host_of, same_origin
from activitypub.vocab import PUBLIC, Attachment, Note, interaction_policies, values
from activitypub.vocab import quotes as written
from activitypub.vocab.interaction_policies import Circles
from node.accounts import accounts
from node.database import Reader, Writer
from node.ids import now_ms
from node.interactions import quotes
from node.jobs import queue
from node.jobs.queue import Job, Later
from node.models.account import Account
from node.models.audience import OPEN
from node.models.interaction_policy import dump
from node.models.post import Post
from node.models.remote_actor import RemoteEmoji
from node.models.remote_post import RemotePhoto, RemotePost
from node.node import Node
from node.posts import posts
from node.publishing import remote_posts

MOST_ANCESTORS = 50
MOST_CHECKS = 4


async def read(
    node: Node, uri: str, *, key: SigningKey | None = None, budget: Budget | None = None
) -> tuple[Note, Account]:
    """A post as its own server gives it, and its author, who is then known here. Raises Unfetchable."""
    doc = await documents.document(node, uri, key=key, budget=budget)
    try:
        note = vocab.note(doc)
    except Malformed as error:
        raise refusal(uri, str(error)) from error
    if not same_origin(note.actor, note.id):
        raise refusal(uri, "the author lives on another server than the post")
    return note, await actors.find(node, note.actor, budget=budget)


async def find(
    node: Node, uri: str, *, key: SigningKey | None = None, budget: Budget | None = None
) -> Post | None:
    """The post with this id or page, fetched if it is not here, with what it answers. Raises Unfetchable.

    None when its server shows it but it may not come in here.
    """
    here = await node.db.read(known, uri)
    if here is not None or is_ours(node, uri):
        return here
    budget = budget or Budget()
    note, author = await read(node, uri, key=key, budget=budget)
    thread, asked = [(note, author)], {uri, note.id}
    try:
        while len(thread) <= MOST_ANCESTORS and (above := thread[-1][0].in_reply_to):
            if above in asked:
                break
            if is_ours(node, above) or await node.db.read(known, above) is not None:
                break
            asked.add(above)
            thread.append(await read(node, above, budget=budget))
    except Unfetchable:
        pass  # What it answers cannot be read: it is shown on its own.
    post: Post | None = None
    for one, by in reversed(thread):
        post = await node.db.write(take_in, one, by)
    return post


def known(tx: Reader, uri: str) -> Post | None:
    found = posts.by_uri(tx, uri) or posts.by_url(tx, uri)
    return None if found is None or found.deleted_at is not None else found


def take_in(tx: Writer, note: Note, author: Account, *, is_new: bool = False) -> Post | None:
    post = remote_posts.receive(tx, remote_post(tx, note, author), is_new=is_new)
    if post is not None and note.quote is not None:
        noticed(tx, note, post)
    return post


async def check(node: Node, job: Job) -> None:
    """Job `check_post`: if an open post's own server says that it is gone, it goes here too."""
    post = await node.db.read(posts.by_id, job.payload["id"])
    if post is None or not post.is_open:
        return
    try:
        doc = await documents.document(node, job.payload["uri"])
    except Unfetchable as error:
        if error.temporary and job.attempts < MOST_CHECKS:
            raise Later(now_ms() + (60_000 << (2 * job.attempts)), error.reason) from error
        if not error.gone:
            return
    else:
        if values.kind(doc) != "Tombstone":
            return
    await node.db.write(_bury, job.payload["id"])


def _bury(tx: Writer, post_id: int) -> None:
    post = posts.by_id(tx, post_id)
    if post is not None and post.deleted_at is None:
        remote_posts.receive_delete(tx, accounts.get(tx, post.account_id), post.uri)


def visibility(note_to: list[str], note_cc: list[str], author: Account) -> str:
    """Which of our four audiences an address list means. What is not understood is the narrowest."""
    if PUBLIC in note_to:
        return "public"
    if PUBLIC in note_cc:
        return "unlisted"
    if author.followers_uri and author.followers_uri in (*note_to, *note_cc):
        return "followers"
    return "direct"


def remote_post(tx: Reader, note: Note, author: Account) -> RemotePost:
    """A document that is known to be its author's, as this node's tables want it."""
    told_of = visibility(note.to, note.cc, author)
    addressed = {*note.to, *note.cc}
    # A name in a post that is not open lets nobody read it to whom it is not addressed.
    named = _known_people(tx, [uri for uri, _ in note.mentions if told_of in OPEN or uri in addressed])
    here = tx.site.uri("/users/")
    told = [uri for uri in (*note.to, *note.cc) if uri.startswith(here) and uri not in named]
    return RemotePost(
        uri=note.id,
        url=note.url if note.url and same_origin(note.url, note.id) else note.id,
        author=author,
        html=_html(note),
        warning=note.summary if note.type == "Note" or note.sensitive else "",
        is_sensitive=note.sensitive,
        language=note.language or "",
        visibility=told_of,
        parent_uri=note.in_reply_to or "",
        published_at=note.published_ms or now_ms(),
        edited_at=note.updated_ms,
        photos=[_photo(media, note) for media in note.attachments if media.is_image],
        hashtags=[name for name, _ in note.hashtags],
        mentions=list(named.values()),
        addressed=list(_known_people(tx, told).values()),
        emoji=[RemoteEmoji(one.shortcode, one.url, one.updated_ms or 0) for one in note.emoji],
        policy=_policy(note, author),
        context=note.context or "",
    )


def _policy(note: Note, author: Account) -> str:
    named = frozenset(uri for uri, _ in note.mentions)
    circles = Circles(author.uri, author.followers_uri or None, author.following_uri or None, named)
    return dump(interaction_policies.read(note.raw, circles))


def _known_people(tx: Reader, uris: list[str]) -> dict[str, Account]:
    """Those who are known here: a name in a stranger's post makes us ask nobody."""
    found = {}
    for uri in dict.fromkeys(uris):
        account = accounts.by_uri(tx, uri)
        if account is not None and account.deleted_at is None:
            found[uri] = account
    return found


def _html(note: Note) -> str:
    """The words; pages, films and events also have a title, which is not lost."""
    if not note.name or note.type == "Note":
        return _without_quote_line(note.content) if note.quote is not None else note.content
    return f"<p><strong>{escape(note.name)}</strong></p>{note.content}"


def _without_quote_line(html: str) -> str:
    """Without the line that says what is quoted to software that knows no quotes."""
    before, line, after = html.partition('<p class="quote-inline">')
    return before + after.partition("</p>")[2] if line and "</p>" in after else html


def _photo(media: Attachment, note: Note) -> RemotePhoto:
    """A picture with what is told about it, by itself or by the whole post."""
    focus = media.focus or (0.0, 0.0)
    extra: dict[str, object] = {}
    if media.exif:
        extra["exif"] = [list(pair) for pair in media.exif]
    if licence := media.license or vocab.licence(note.raw):
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
    )


def noticed(tx: Writer, note: Note, post: Post) -> None:
    """A post of another server has come in, or was changed: does it quote something?"""
    said = written.read(note)
    if said is None:
        quotes.forget(tx, post.id)
        return
    quotes.note_down(tx, post.id, said.target, said.stamp or "")
    try:
        queue.add(tx, "check_quote", {"id": post.id}, lane=f"fetch {host_of(said.target)}")
    except Malformed:
        return
