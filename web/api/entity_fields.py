"""The small shapes inside entities: times, photos as attachments, relationships. Pure functions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from node.accounts.relationships import Relationship
from node.attachments.photo_rows import Photo
from node.database import Site
from web.files import media_urls


def moment(ms: int) -> str:
    """A time as the client API writes it: `2026-11-21T00:48:49.123Z`."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def date(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).date().isoformat()


def _size(width: int, height: int) -> dict[str, Any]:
    return {"width": width, "height": height, "size": f"{width}x{height}", "aspect": width / height}


def attachment(site: Site, photo: Photo, *, is_open: bool) -> dict[str, Any]:
    """A MediaAttachment. `is_open` says whether everyone may see the post it is in."""
    full = media_urls.of_photo(site, photo, media_urls.FULL, is_open=is_open)
    preview = media_urls.of_photo(site, photo, media_urls.PREVIEW, is_open=is_open)
    meta: dict[str, Any] = {"focus": {"x": photo.focus_x, "y": photo.focus_y}}
    if photo.width and photo.height:
        width, height = photo.width, photo.height
        file = None if photo.remote_url else media_urls.chosen(photo, media_urls.FULL)
        if file is not None:
            width, height = file.width, file.height
        meta["original"] = _size(width, height)
        scale = min(1.0, media_urls.PREVIEW_EDGE / max(width, height))
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


def relationship(between: Relationship) -> dict[str, Any]:
    """A Relationship, from the caller's side."""
    return {
        "id": str(between.id),
        "following": between.following,
        "showing_reblogs": between.showing_boosts,
        "notifying": False,
        "languages": None,
        "followed_by": between.followed_by,
        "blocking": between.blocking,
        "blocked_by": between.blocked_by,
        "muting": between.muting,
        "muting_notifications": between.muting_notifications,
        "muting_expires_at": None,
        "requested": between.requested,
        "requested_by": between.requested_by,
        "domain_blocking": between.domain_blocking,
        "endorsed": False,
        "note": "",
    }
