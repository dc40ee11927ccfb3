"""Renders the parts of entities: times, photos as attachments, relationships. Pure functions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from node.accounts.relationships import Relationship
from node.attachments.photo_rows import Photo
from node.database import Site
from web.files import media_urls


def format_datetime(ms: int) -> str:
    """Formats a time in milliseconds as the client API does: `2026-11-21T00:48:49.123Z`."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def format_date(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).date().isoformat()


def _size(width: int, height: int) -> dict[str, Any]:
    return {"width": width, "height": height, "size": f"{width}x{height}", "aspect": width / height}


def media_attachment(site: Site, photo: Photo, *, is_open: bool) -> dict[str, Any]:
    """Renders a MediaAttachment. `is_open`: everyone may see the post it is in."""
    full = media_urls.photo_url(site, photo, media_urls.FULL_VARIANTS, is_open=is_open)
    preview = media_urls.photo_url(site, photo, media_urls.PREVIEW_VARIANTS, is_open=is_open)
    meta: dict[str, Any] = {"focus": {"x": photo.focus_x, "y": photo.focus_y}}
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
        "muting_expires_at": None,
        "requested": found.requested,
        "requested_by": found.requested_by,
        "domain_blocking": found.domain_blocking,
        "endorsed": False,
        "note": "",
    }
