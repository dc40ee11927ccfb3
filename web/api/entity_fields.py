"""Renders the parts of entities: times, photos as attachments, relationships. Pure functions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from node.accounts.relationships import Relationship
from node.attachments.photo_rows import Photo
from node.database import Site
from node.ids import now_ms
from node.models.post_extras import Poll, RemoteFile
from node.text import formatting
from web.files import media_urls


def format_datetime(ms: int) -> str:
    """Formats a time in milliseconds as the client API does: `2026-11-21T00:48:49.123Z`."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def format_optional_datetime(ms: int | None) -> str | None:
    return None if ms is None else format_datetime(ms)


def format_date(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).date().isoformat()


def _size(width: int, height: int) -> dict[str, Any]:
    return {"width": width, "height": height, "size": f"{width}x{height}", "aspect": width / height}


def media_attachment(site: Site, photo: Photo, capability: media_urls.Capability | None) -> dict[str, Any]:
    """Renders a MediaAttachment. `capability` is for its URLs, None where everyone may see the post it is in."""
    full = media_urls.photo_url(site, photo, media_urls.FULL_VARIANTS, capability)
    preview = media_urls.photo_url(site, photo, media_urls.PREVIEW_VARIANTS, capability)
    meta: dict[str, Any] = {"focus": {"x": photo.focus_x, "y": photo.focus_y}}
    if photo.is_incomplete:
        meta["incomplete"] = True
    if photo.width and photo.height:
        width, height = photo.width, photo.height
        file = None if photo.remote_url else media_urls.select_file(photo, media_urls.FULL_VARIANTS)
        if file is not None:
            width, height = file.width, file.height
        meta["original"] = _size(width, height)
        scale = min(1.0, media_urls.PREVIEW_EDGE_PIXELS / max(width, height))
        meta["small"] = _size(max(1, round(width * scale)), max(1, round(height * scale)))
    return {
        "id": str(photo.id),
        "type": "image" if full else "unknown",
        "url": full or None,
        "preview_url": preview or None,
        "remote_url": photo.remote_url or None,
        "preview_remote_url": None,
        "text_url": None,
        "meta": meta,
        "description": photo.alt or None,
        "blurhash": photo.blurhash or None,
    }


def file_attachment(post_id: int, position: int, file: RemoteFile) -> dict[str, Any]:
    """Renders a MediaAttachment for a video, a recording or another file that is only linked.

    Its type is "unknown", for which apps show the link: what has a known type they would load from the other server
    by themselves, which tells it who reads the post.
    """
    meta = {"original": _size(file.width, file.height)} if file.width and file.height else {}
    return {
        "id": f"{post_id}-{position}",
        "type": "unknown",
        "url": file.url or None,
        "preview_url": None,
        "remote_url": file.url or None,
        "preview_remote_url": None,
        "text_url": None,
        "meta": meta,
        "description": file.alt or None,
        "blurhash": file.blurhash or None,
    }


def poll(post_id: int, found: Poll, emojis: list[dict[str, Any]]) -> dict[str, Any]:
    """Renders a Poll. It has the id of its post; nobody here can have voted in it."""
    end = found.end
    return {
        "id": str(post_id),
        "expires_at": format_datetime(end) if end is not None else None,
        "expired": end is not None and end <= now_ms(),
        "multiple": found.is_multiple,
        "votes_count": found.votes,
        "voters_count": found.voters,
        "voted": False,
        "own_votes": [],
        "options": [{"title": option.title, "votes_count": option.votes} for option in found.options],
        "emojis": emojis,
    }


def quote_link(url: str) -> str:
    """Renders the line that names a quoted post where it cannot be shown, as other servers write it."""
    return f'<p class="quote-inline">RE: {formatting.link(url)}</p>'


def relationship(found: Relationship) -> dict[str, Any]:
    """Renders a Relationship of the caller with an account."""
    return {
        "id": str(found.id),
        "following": found.following,
        "showing_reblogs": found.showing_boosts,
        "notifying": False,
        "languages": None,
        "followed_by": found.followed_by,
        "blocking": found.blocking,
        "blocked_by": found.blocked_by,
        "muting": found.muting,
        "muting_notifications": found.muting_notifications,
        "muting_expires_at": format_optional_datetime(found.muting_ends_at),
        "requested": found.requested,
        "requested_by": found.requested_by,
        "domain_blocking": found.domain_blocking,
        "endorsed": False,
        "note": "",
    }
