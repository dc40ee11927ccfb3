"""A post of ours as a document that four kinds of photo servers read richly.

One address is both id and page. Lists stay lists with one member. Pictures go out as JPEG no larger than
any peer takes, with their size, blurhash and alt text twice, since some read `name` and some `summary`.
Each rule came from a server that would otherwise lose the post.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape
from typing import Any
from urllib.parse import quote

from activitypub.documents import contexts
from activitypub.vocab import PUBLIC, interaction_policies
from activitypub.vocab import quotes as written
from activitypub.vocab.interaction_policies import Circles
from node.accounts import accounts
from node.attachments import photo_metadata, photo_rows
from node.attachments.photo_rows import Photo
from node.database import Reader, Site
from node.interactions import quotes
from node.interactions.quotes import Quote
from node.models.account import Account
from node.models.audience import OPEN
from node.models.interaction_policy import narrowed
from node.models.post import Post
from node.posts import hashtags, mentions, posts

SHOWN_EVERYWHERE = 4
"""How many pictures of a post the least generous peer shows."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a document says about one post."""

    post: Post
    author: Account
    photos: list[Photo] = field(default_factory=list)
    mentioned: list[Account] = field(default_factory=list)
    hashtags: list[tuple[str, str]] = field(default_factory=list)
    context: str = ""
    quote: Quote | None = None


def facts(tx: Reader, wanted: list[Post]) -> list[Facts]:
    """What the documents of these posts need, read together."""
    ids = [post.id for post in wanted]
    authors = accounts.by_ids(tx, (post.account_id for post in wanted))
    pictures = photo_rows.of_posts(tx, ids)
    mentioned = mentions.of_posts(tx, ids)
    names = hashtags.of_posts(tx, ids)
    quoted = quotes.of_posts(tx, ids)
    roots = posts.by_ids(tx, {post.root_id for post in wanted})
    return [
        Facts(
            post,
            authors[post.account_id],
            pictures.get(post.id, []),
            [mention.account for mention in mentioned.get(post.id, [])],
            names.get(post.id, []),
            _context(post, roots.get(post.root_id)),
            quoted.get(post.id),
        )
        for post in wanted
    ]


def _context(post: Post, root: Post | None) -> str:
    """The collection of the whole conversation: ours where it began here, else what its own server calls it."""
    if root is None or not post.is_open or not root.is_open or root.deleted_at is not None:
        return ""
    return f"{root.uri}/context" if root.is_local and not root.is_comment else root.context


def time_of(ms: int) -> str:
    return datetime.fromtimestamp(ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def edit_time(post: Post) -> str:
    """When it was last edited, rounded up: an edit in the second of publication is still later."""
    return time_of((post.edited_at or post.published_at) + 999)


def addressing(author: Account, visibility: str, others: list[str]) -> tuple[list[str], list[str]]:
    """`to` and `cc`: the same on the post and on every activity about it."""
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


def note(site: Site, about: Facts) -> dict[str, Any]:
    """The whole document of a post, without its context."""
    post, author = about.post, about.author
    to, cc = addressing(author, post.visibility, [person.uri for person in about.mentioned])
    content = _content(post, len(about.photos), about.quote)
    document: dict[str, Any] = {
        "id": post.uri,
        "url": post.uri,
        "type": "Note",
        "attributedTo": author.uri,
        "published": time_of(post.published_at),
        "to": to,
        "cc": cc,
        "summary": post.warning or None,
        "sensitive": bool(post.is_sensitive or post.warning),
        "content": content,
    }
    if post.edited_at is not None:
        document["updated"] = edit_time(post)
    if post.source:
        document["source"] = {"content": post.source, "mediaType": "text/plain"}
    if post.language:
        document["contentMap"] = {post.language: content}
    if post.parent_uri:
        document["inReplyTo"] = post.parent_uri
    if about.context:
        document |= {"context": about.context, "conversation": about.context}
    document |= _policy(about)
    if about.quote is not None:
        stamp = about.quote.stamp_uri if about.quote.target_id is not None else ""
        document |= written.properties(about.quote.target_uri, stamp or None)
    if place := next((found for photo in about.photos if (found := photo.told.get("place"))), None):
        document["location"] = {"type": "Place", "name": place["name"]}
    document |= {
        "replies": f"{post.uri}/replies",
        "likes": f"{post.uri}/likes",
        "shares": f"{post.uri}/shares",
        "attachment": [
            _attachment(site, post, photo) for photo in about.photos if ("federated", "jpeg") in photo.files
        ],
        "tag": [
            *({"type": "Mention", "href": who.uri, "name": f"@{who.full_handle}"} for who in about.mentioned),
            *(
                {"type": "Hashtag", "href": site.uri("/tags/" + quote(name, safe="")), "name": f"#{display}"}
                for name, display in about.hashtags
            ),
            *([] if about.quote is None else [written.link(about.quote.target_uri)]),
        ],
    }
    return document


def document(tx: Reader, post: Post) -> dict[str, Any]:
    """The document under a post's own address: the post, or the tombstone that is left of it."""
    if post.deleted_at is not None:
        return tombstone(post.uri, post.deleted_at)
    return {"@context": contexts.NOTE, **note(tx.site, facts(tx, [post])[0])}


def tombstone(uri: str, deleted_at: int, *, former: str = "Note") -> dict[str, Any]:
    """What is left of something deleted."""
    return {
        "@context": contexts.ACTIVITY,
        "id": uri,
        "type": "Tombstone",
        "formerType": former,
        "deleted": time_of(deleted_at),
    }


def _content(post: Post, pictures: int, quote: Quote | None) -> str:
    """The caption, with what some servers would not show otherwise: the other pictures, and what is quoted."""
    content = post.caption
    if pictures > SHOWN_EVERYWHERE:
        link = escape(post.url)
        content += f'<p><a href="{link}" rel="noopener">{link}</a></p>'
    if quote is not None:
        link = escape(quote.target_uri)
        content += f'<p class="quote-inline">RE: <a href="{link}" rel="noopener">{link}</a></p>'
    return content


def _policy(about: Facts) -> dict[str, Any]:
    """Who may do what with the post, in Pixelfed's and in GoToSocial's words."""
    circles = Circles(
        about.author.uri,
        about.author.followers_uri,
        about.author.following_uri,
        frozenset(person.uri for person in about.mentioned),
    )
    return interaction_policies.write(narrowed(about.post.allows, about.post.visibility), circles)


def _attachment(site: Site, post: Post, photo: Photo) -> dict[str, Any]:
    file = photo.files["federated", "jpeg"]
    attachment: dict[str, Any] = {
        "type": "Image",
        "mediaType": "image/jpeg",
        "url": media_url(site, post.visibility, file.file),
        "name": photo.alt or None,
        "width": file.width,
        "height": file.height,
        "focalPoint": [float(photo.focus_x), float(photo.focus_y)],
    }
    if photo.alt:
        attachment["summary"] = photo.alt
    if photo.blurhash:
        attachment["blurhash"] = photo.blurhash
    told = photo.told
    if told.get("license"):
        # Pixelfed reads the name; what others read is an address.
        attachment["license"] = told["license"]
        if address := photo_metadata.LICENCES.get(told["license"]):
            attachment["licenseUrl"] = address
    if told.get("exif"):
        # FEP-ee3a; `@type` and not `type`, since that is what its readers look for.
        attachment["exifData"] = [
            {"@type": "PropertyValue", "name": name, "value": value} for name, value in told["exif"]
        ]
    return attachment


def media_url(site: Site, visibility: str, key: str) -> str:
    """Where other servers fetch a file: in the open, or under a name that only recipients are told."""
    if visibility in OPEN:
        return site.uri(f"/media/{key}")
    return site.uri(f"/media/p/{site.media_capability(key)}/{key}")
