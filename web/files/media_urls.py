"""Where a photo or an avatar is, as an address that anyone's browser or app can open.

A photo of a public or unlisted post has a plain address. That of any other post carries a capability, a
keyed hash of the file's own name: only who may see the post is ever told it, and it works where no
cookie or token is sent, such as in an app's image view. `web/files/media_files.py` answers all of them.
"""

from __future__ import annotations

import hashlib

from node.attachments import avatars
from node.attachments.photo_rows import Photo
from node.attachments.stored_files import StoredFile
from node.database import Site
from node.models.account import Account

# What an app is sent: the size it may zoom into and the size of a list, best first. Only sizes that
# exist from the moment the upload is answered.
FULL_VARIANTS = (("federated", "jpeg"), ("large", "webp"), ("medium", "webp"), ("small", "webp"))
PREVIEW_VARIANTS = (("medium", "webp"), ("small", "webp"), ("federated", "jpeg"))

# The longest side of the "medium" size, which is what a preview is.
PREVIEW_EDGE_PIXELS = 1080

REMOTE_FULL_VARIANT = ("large", "webp")
REMOTE_PREVIEW_VARIANT = ("medium", "webp")


def media_url(site: Site, rest: str, *, is_open: bool) -> str:
    """The address of `rest`, a storage key or a path below `remote/`."""
    if is_open:
        return site.uri(f"/media/{rest}")
    return site.uri(f"/media/p/{site.media_capability(rest)}/{rest}")


def select_file(photo: Photo, variants: tuple[tuple[str, str], ...]) -> StoredFile | None:
    """The first of the wanted sizes that the photo has, or whatever there is."""
    for name in variants:
        if (found := photo.files.get(name)) is not None:
            return found
    return next(iter(photo.files.values()), None)


def photo_url(site: Site, photo: Photo, variants: tuple[tuple[str, str], ...], *, is_open: bool) -> str:
    """The address of one size of a photo; of a remote one, where this node fetches it when first looked at."""
    if photo.remote_url:
        variant, form = REMOTE_FULL_VARIANT if variants is FULL_VARIANTS else REMOTE_PREVIEW_VARIANT
        return media_url(site, f"remote/{photo.id}/{variant}.{form}", is_open=is_open)
    file = select_file(photo, variants)
    return media_url(site, file.key, is_open=is_open) if file is not None else ""


def avatar_url(site: Site, account: Account, default: str = "/static/avatar.svg") -> str:
    """The address of someone's face."""
    return _profile_picture_url(site, account, avatars.AVATAR) or site.uri(default)


def header_url(site: Site, account: Account) -> str:
    """The address of the wide picture above someone's profile; '' for none."""
    return _profile_picture_url(site, account, avatars.HEADER)


def _profile_picture_url(site: Site, account: Account, kind: avatars.PictureKind) -> str:
    """It changes with the picture, so it may be kept for long."""
    source = kind.file(account) if account.is_local else kind.url(account)
    if not source or account.is_without_media:
        return ""
    version = hashlib.blake2b(source.encode(), digest_size=6).hexdigest()
    return site.uri(f"/media/{kind.name}/{account.id}/{kind.name}.webp?v={version}")
