"""URLs of photos and profile pictures that any browser or app can open.

A photo of a public or unlisted post has a plain URL. That of any other post carries a capability, a keyed hash of
the file's own name and of the account it is for: it works where no cookie or token is sent, such as in an app's image
view, and only as long as that account may see the post. `web/files/media_files.py` serves all of them.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from typing import Any

from node.attachments import avatars
from node.attachments.photo_rows import Photo
from node.attachments.stored_files import StoredFile
from node.database import Site
from node.models.account import Account

# What an app gets: the variant to zoom into and the variant of a list, best first. The
# first of each exists from the moment the upload is answered.
FULL_VARIANTS = (("federated", "jpeg"), ("large", "webp"), ("medium", "webp"), ("small", "webp"))
PREVIEW_VARIANTS = (("medium", "webp"), ("small", "webp"), ("federated", "jpeg"))

Capability = Callable[[str], str]
"""Returns the token for the rest of a URL; None in its place stands for what everyone may see."""

# The longest side of the "medium" variant, which is what a preview is.
PREVIEW_EDGE_PIXELS = 1080

REMOTE_FULL_VARIANT = ("large", "webp")
REMOTE_PREVIEW_VARIANT = ("medium", "webp")


def viewer_capability(site: Site, viewer: Account) -> Capability:
    """Returns the capability for what one account is shown."""
    return functools.partial(site.media_capability, viewer_id=viewer.id)


def media_url(site: Site, rest: str, capability: Capability | None) -> str:
    """Returns the URL of `rest`, a storage key or a path below `remote/`."""
    if capability is None:
        return site.uri(f"/media/{rest}")
    return site.uri(f"/media/p/{capability(rest)}/{rest}")


def select_file(photo: Photo, variants: tuple[tuple[str, str], ...]) -> StoredFile | None:
    """Returns the first of these variants that the photo has, or any other; None if it has no file."""
    for name in variants:
        if (found := photo.files.get(name)) is not None:
            return found
    return next(iter(photo.files.values()), None)


def photo_url(
    site: Site, photo: Photo, variants: tuple[tuple[str, str], ...], capability: Capability | None
) -> str:
    """Returns the URL of one variant of a photo, '' for none.

    This node fetches a remote one when it is first viewed.
    """
    if photo.remote_url:
        variant, form = REMOTE_FULL_VARIANT if variants is FULL_VARIANTS else REMOTE_PREVIEW_VARIANT
        return media_url(site, f"remote/{photo.id}/{variant}.{form}", capability)
    file = select_file(photo, variants)
    return media_url(site, file.key, capability) if file is not None else ""


def preview_image(site: Site, photo: Photo) -> dict[str, Any] | None:
    """Returns the URL and the size of a photo for the preview of a link to it; None without a file."""
    address = photo_url(site, photo, PREVIEW_VARIANTS, None)
    if not address:
        return None
    file = select_file(photo, PREVIEW_VARIANTS)
    return {
        "url": address,
        "width": file.width if file else photo.width,
        "height": file.height if file else photo.height,
    }


def avatar_url(site: Site, account: Account, default: str = "/static/avatar.svg") -> str:
    """Returns the URL of an account's avatar, or of the default one."""
    return _profile_picture_url(site, account, avatars.AVATAR) or site.uri(default)


def header_url(site: Site, account: Account) -> str:
    """Returns the URL of an account's header; '' for none."""
    return _profile_picture_url(site, account, avatars.HEADER)


def _profile_picture_url(site: Site, account: Account, kind: avatars.PictureKind) -> str:
    """Returns the URL of a profile picture. It changes with the picture, so it may be cached for long."""
    source = kind.file(account) if account.is_local else kind.url(account)
    if not source or account.is_without_media:
        return ""
    version = hashlib.blake2b(source.encode(), digest_size=6).hexdigest()
    return site.uri(f"/media/{kind.name}/{account.id}/{kind.name}.webp?v={version}")
