"""Renders local posts as Notes that four kinds of photo servers read in full.

One URI is both id and page. Lists stay lists with one member. Photos go out as JPEG no larger than
any peer takes, with their size, blurhash and alt text twice, since some read `name` and some `summary`.
Each rule came from a server that would otherwise lose the post.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape
from typing import Any
from urllib.parse import quote

from activitypub.documents import contexts
from activitypub.vocab import PUBLIC, interaction_policies
from activitypub.vocab import quotes as quote_vocab
from activitypub.vocab.interaction_policies import AudienceUris
from node.accounts import accounts
from node.attachments import photo_metadata, photo_rows
from node.attachments.photo_rows import Photo
from node.database import Reader, Site
from node.federation import public_collections
from node.interactions import quotes
from node.interactions.quotes import PostQuote
from node.models import interaction_policy
from node.models.account import Account
from node.models.audience import OPEN_VISIBILITIES
from node.models.interaction_policy import restrict_to_visibility
from node.models.places import RADIUS_KM
from node.models.post import Post
from node.paging import Page
from node.posts import hashtags, mentions, posts, tagged_people
from node.posts.tagged_people import TaggedPerson
from node.text import plain_or_html

EMBEDDED_REPLIES = 20
PHOTOS_SHOWN_BY_ALL_PEERS = 4
"""How many photos of a post every peer shows; some show no more."""


@dataclass(frozen=True, slots=True)
class NoteData:
    """Everything the Note of one post is rendered from."""

    post: Post
    author: Account
    photos: list[Photo] = field(default_factory=list)
    mentioned: list[Account] = field(default_factory=list)
    hashtags: list[tuple[str, str]] = field(default_factory=list)
    context: str = ""
    quote: PostQuote | None = None
    replies: list[tuple[int, str]] = field(default_factory=list)
    tagged: dict[int, list[TaggedPerson]] = field(default_factory=dict)


def load_data(tx: Reader, wanted: list[Post]) -> list[NoteData]:
    """Loads what the Notes of these posts need, in few statements, in the order of the posts."""
    ids = [post.id for post in wanted]
    authors = accounts.by_ids(tx, (post.account_id for post in wanted))
    photos = photo_rows.by_posts(tx, ids)
    tagged = tagged_people.by_photos(tx, [photo.id for shown in photos.values() for photo in shown])
    mentioned = mentions.by_posts(tx, ids)
    names = hashtags.by_posts(tx, ids)
    quoted = quotes.by_posts(tx, ids)
    roots = posts.by_ids(tx, {post.root_id for post in wanted})
    return [
        NoteData(
            post,
            authors[post.account_id],
            photos.get(post.id, []),
            [mention.account for mention in mentioned.get(post.id, [])],
            names.get(post.id, []),
            _conversation_uri(post, roots.get(post.root_id)),
            quoted.get(post.id),
            _load_replies(tx, post),
            {photo.id: tagged[photo.id] for photo in photos.get(post.id, []) if photo.id in tagged},
        )
        for post in wanted
    ]


def _load_replies(tx: Reader, post: Post) -> list[tuple[int, str]]:
    """Returns (id, uri) of the latest replies to a post that anybody may read."""
    if not post.comments_count or not post.is_open:
        return []
    return public_collections.replies(tx, post, Page(limit=EMBEDDED_REPLIES))


def _conversation_uri(post: Post, root: Post | None) -> str:
    """Returns the collection of the whole conversation: local if its root is,
    else what its own server calls it."""
    if root is None or not post.is_open or not root.is_open or root.deleted_at is not None:
        return ""
    return f"{root.uri}/context" if root.is_local and not root.is_comment else root.context


def format_time(ms: int) -> str:
    """Formats milliseconds as an `xsd:dateTime` in UTC, to the second."""
    return datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def format_edit_time(post: Post) -> str:
    """Returns the time of the last edit, rounded up:
    an edit within the second of publication is still later."""
    return format_time((post.edited_at or post.published_at) + 999)


def addressing(author: Account, visibility: str, others: list[str]) -> tuple[list[str], list[str]]:
    """Returns `to` and `cc` of a post, the same on every activity about it;
    `others` are the mentioned accounts."""
    others = [uri for uri in others if uri != author.uri]
    match visibility:
        case "public":
            return [PUBLIC], [author.followers_uri, *others]
        case "unlisted":
            return [author.followers_uri], [PUBLIC, *others]
        case "followers":
            return [author.followers_uri], others
        case _:
            return others, []


def render_note(site: Site, data: NoteData) -> dict[str, Any]:
    """Renders the Note of a post, without its `@context`."""
    post, author = data.post, data.author
    to, cc = addressing(author, post.visibility, [account.uri for account in data.mentioned])
    content = _render_content(post, len(data.photos), data.quote)
    document: dict[str, Any] = {
        "id": post.uri,
        "url": post.uri,
        "type": "Note",
        "attributedTo": author.uri,
        "published": format_time(post.published_at),
        "to": to,
        "cc": cc,
        "summary": plain_or_html.spell_warning(post.warning) or None,
        "sensitive": bool(post.is_sensitive or post.warning),
        "content": content,
    }
    if post.edited_at is not None:
        document["updated"] = format_edit_time(post)
    if post.source:
        document["source"] = {"content": post.source, "mediaType": "text/plain"}
    if post.language:
        document["contentMap"] = {post.language: content}
    if post.parent_uri:
        document["inReplyTo"] = post.parent_uri
    if data.context:
        document |= {"context": data.context, "conversation": data.context}
    document |= _render_policy(data)
    if data.quote is not None:
        stamp = data.quote.stamp_uri if data.quote.target_id is not None else ""
        document |= quote_vocab.render_properties(data.quote.target_uri, stamp or None)
    if place := next((found for photo in data.photos if (found := photo.public_metadata.get("place"))), None):
        document["location"] = _render_place(place, is_text=False)
    document |= {
        **_render_collections(data),
        "attachment": [
            _render_attachment(site, post, photo, data.tagged.get(photo.id, []))
            for photo in data.photos
            if ("federated", "jpeg") in photo.files
        ],
        "tag": [
            *(
                {"type": "Mention", "href": account.uri, "name": f"@{account.full_handle}"}
                for account in data.mentioned
            ),
            *(
                {"type": "Hashtag", "href": site.uri("/tags/" + quote(name, safe="")), "name": f"#{display}"}
                for name, display in data.hashtags
            ),
            *([] if data.quote is None else [quote_vocab.render_link(data.quote.target_uri)]),
        ],
    }
    return document


def _render_collections(data: NoteData) -> dict[str, Any]:
    """Renders the collections of a post: its replies with their first page, because GoToSocial reads no other.

    They are written as Mastodon writes them, the one way that everybody reads.

    The counts and the replies of a post that is not open are nobody's business.
    """
    post = data.post
    uris = {name: f"{post.uri}/{name}" for name in ("replies", "likes", "shares")}
    if not post.is_open:
        return uris
    totals = {"replies": post.comments_count, "likes": post.likes_count, "shares": post.boosts_count}
    documents: dict[str, Any] = {
        name: {"id": uri, "type": "Collection", "totalItems": max(0, totals[name])}
        for name, uri in uris.items()
    }
    first: dict[str, Any] = {
        "id": f"{uris['replies']}?page=true",
        "type": "CollectionPage",
        "partOf": uris["replies"],
        "items": [uri for _, uri in data.replies],
    }
    if len(data.replies) == EMBEDDED_REPLIES:
        first["next"] = f"{uris['replies']}?page=true&max_id={data.replies[-1][0]}"
    documents["replies"]["first"] = first
    return documents


def render_document(tx: Reader, post: Post) -> dict[str, Any]:
    """Renders the document under a post's URI: its Note, or the Tombstone of a deleted one."""
    if post.deleted_at is not None:
        return render_tombstone(post.uri, post.deleted_at)
    return {"@context": contexts.NOTE, **render_note(tx.site, load_data(tx, [post])[0])}


def render_tombstone(uri: str, deleted_at: int, *, former_type: str = "Note") -> dict[str, Any]:
    """Renders the Tombstone of something deleted."""
    return {
        "@context": contexts.ACTIVITY,
        "id": uri,
        "type": "Tombstone",
        "formerType": former_type,
        "deleted": format_time(deleted_at),
    }


def _render_content(post: Post, photos_count: int, quote: PostQuote | None) -> str:
    """Renders the caption, with links to what some servers would not show:
    further photos, and the quoted post."""
    content = post.caption
    if photos_count > PHOTOS_SHOWN_BY_ALL_PEERS:
        link = escape(post.url)
        content += f'<p><a href="{link}" rel="noopener">{link}</a></p>'
    if quote is not None:
        link = escape(quote.target_uri)
        content += f'<p class="quote-inline">RE: <a href="{link}" rel="noopener">{link}</a></p>'
    return content


def _render_policy(data: NoteData) -> dict[str, Any]:
    """Renders the interaction policy of a post, in Pixelfed's and in GoToSocial's terms."""
    audience_uris = AudienceUris(
        data.author.uri,
        data.author.followers_uri,
        data.author.following_uri,
        frozenset(account.uri for account in data.mentioned),
    )
    return _render_policy_for(data.post.policy, data.post.visibility, audience_uris)


# Most posts of an author have the same one, which is a quarter of what their Notes cost.
@functools.lru_cache(maxsize=512)
def _render_policy_for(policy: str, visibility: str, audience_uris: AudienceUris) -> dict[str, Any]:
    allowed = restrict_to_visibility(interaction_policy.load(policy), visibility)
    return interaction_policies.render(allowed, audience_uris)


def _render_place(place: dict[str, Any], *, is_text: bool) -> dict[str, Any]:
    """Renders a place, with the coordinates that its author shares: rounded long before, and said to be so.

    They are numbers in the place of a post, and text (`is_text`) in that of a picture, as Vernissage reads them.
    """
    document = {"type": "Place", "name": place["name"]}
    if place.get("latitude") is not None and place.get("longitude") is not None:
        document |= {
            axis: str(place[axis]) if is_text else float(place[axis]) for axis in ("latitude", "longitude")
        }
        if radius := RADIUS_KM.get(place.get("precision", "")):
            document |= {"radius": radius, "units": "km"}
    return document


def _render_tag(tagged: TaggedPerson) -> dict[str, Any]:
    """Renders somebody in a photo: a Mention at a point, measured as a focal point is."""
    point = [round(2 * tagged.x - 1, 3), round(1 - 2 * tagged.y, 3)]
    account = tagged.account
    return {
        "type": "Mention",
        "href": account.uri,
        "name": f"@{account.full_handle}",
        "focalPoint": [one + 0.0 for one in point],
    }


def _render_attachment(site: Site, post: Post, photo: Photo, tagged: list[TaggedPerson]) -> dict[str, Any]:
    file = photo.files["federated", "jpeg"]
    attachment: dict[str, Any] = {
        "type": "Image",
        "mediaType": "image/jpeg",
        "url": media_url(site, post.visibility, file.key),
        "name": photo.alt or None,
        "width": file.width,
        "height": file.height,
        "focalPoint": [float(photo.focus_x), float(photo.focus_y)],
    }
    if photo.alt:
        attachment["summary"] = photo.alt
    if photo.blurhash:
        attachment["blurhash"] = photo.blurhash
    metadata = photo.public_metadata
    if metadata.get("license"):
        # Pixelfed reads the name; others read a URL.
        attachment["license"] = metadata["license"]
        if url := photo_metadata.LICENCES.get(metadata["license"]):
            attachment["licenseUrl"] = url
    if photo.place and metadata.get("place"):
        attachment["location"] = _render_place(metadata["place"], is_text=True)
    if tagged:
        attachment["tag"] = [_render_tag(one) for one in tagged]
    if metadata.get("exif"):
        # FEP-ee3a; `@type` and not `type`, since that is what its readers look for.
        attachment["exifData"] = [
            {"@type": "PropertyValue", "name": name, "value": value} for name, value in metadata["exif"]
        ]
    return attachment


def media_url(site: Site, visibility: str, key: str) -> str:
    """Returns the URL other servers fetch a file from; of a post that is not open,
    one that only recipients know."""
    if visibility in OPEN_VISIBILITIES:
        return site.uri(f"/media/{key}")
    return site.uri(f"/media/p/{site.media_capability(key)}/{key}")
