"""URLs of photos and profile pictures that any browser or app can open.

A photo of a public or unlisted post has a plain URL. That of any other post carries a capability, a
keyed hash of the file's own name: only who may see the post is given it, and it works where no
cookie or token is sent, such as in an app's image view. `web/files/media_files.py` serves all of them.
"""

from __future__ import annotations

import hashlib

from node.attachments import avatars
from node.attachments.photo_rows import Photo
from node.attachments.stored_files import StoredFile
from node.database import Site
from node.models.account import Account

# What an app gets: the variant to zoom into and the variant of a list, best first. The
# first of each exists from the moment the upload is answered.
FULL_VARIANTS = (("federated", "jpeg"), ("large", "webp"), ("medium", "webp"), ("small", "webp"))
PREVIEW_VARIANTS = (("medium", "webp"), ("small", "webp"), ("federated", "jpeg"))

# The longest side of the "medium" variant, which is what a preview is.
PREVIEW_EDGE_PIXELS = 1080

REMOTE_FULL_VARIANT = ("large", "webp")
REMOTE_PREVIEW_VARIANT = ("medium", "webp")


def media_url(site: Site, rest: str, *, is_open: bool) -> str:
    """Returns the URL of `rest`, a storage key or a path below `remote/`.

    With `is_open` without a capability.
    """
    if is_open:
        return site.uri(f"/media/{rest}")
    return site.uri(f"/media/p/{site.media_capability(rest)}/{rest}")


def select_file(photo: Photo, variants: tuple[tuple[str, str], ...]) -> StoredFile | None:
    """Returns the first of these variants that the photo has, or any other; None if it has no file."""
    for name in variants:
        if (found := photo.files.get(name)) is not None:
            return found
    return next(iter(photo.files.values()), None)


def photo_url(site: Site, photo: Photo, variants: tuple[tuple[str, str], ...], *, is_open: bool) -> str:
    """Returns the URL of one variant of a photo, '' for none.

    This node fetches a remote one when it is first viewed.
    """
    if photo.remote_url:
        variant, form = REMOTE_FULL_VARIANT if variants is FULL_VARIANTS else REMOTE_PREVIEW_VARIANT
        return media_url(site, f"remote/{photo.id}/{variant}.{form}", is_open=is_open)
    file = select_file(photo, variants)
    return media_url(site, file.key, is_open=is_open) if file is not None else ""


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
