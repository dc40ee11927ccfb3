"""Where a photo or an avatar is, as an address that anyone's browser or app can open.

A photo of a public or unlisted post has a plain address. That of any other post carries a capability, a
keyed hash of the file's own name: only who may see the post is ever told it, and it works where no
cookie or token is sent, such as in an app's image view. `web/files/media_files.py` answers all of them.
"""

from __future__ import annotations

import hashlib

from node.attachments import avatars
from node.attachments.photo_rows import Photo
from node.attachments.stored_files import File
from node.database import Site
from node.models.account import Account

# What an app is sent: the size it may zoom into and the size of a list, best first. Only sizes that
# exist from the moment the upload is answered.
FULL = (("federated", "jpeg"), ("large", "webp"), ("medium", "webp"), ("small", "webp"))
PREVIEW = (("medium", "webp"), ("small", "webp"), ("federated", "jpeg"))

# The longest side of the "medium" size, which is what a preview is.
PREVIEW_EDGE = 1080

REMOTE_FULL = ("large", "webp")
REMOTE_PREVIEW = ("medium", "webp")


def media(site: Site, rest: str, *, is_open: bool) -> str:
    """The address of `rest`, a storage key or a path below `remote/`."""
    if is_open:
        return site.uri(f"/media/{rest}")
    return site.uri(f"/media/p/{site.media_capability(rest)}/{rest}")


def chosen(photo: Photo, wanted: tuple[tuple[str, str], ...]) -> File | None:
    """The first of the wanted sizes that the photo has, or whatever there is."""
    for name in wanted:
        if (found := photo.files.get(name)) is not None:
            return found
    return next(iter(photo.files.values()), None)


def of_photo(site: Site, photo: Photo, wanted: tuple[tuple[str, str], ...], *, is_open: bool) -> str:
    """The address of one size of a photo; of a remote one, where this node fetches it when first looked at."""
    if photo.remote_url:
        variant, form = REMOTE_FULL if wanted is FULL else REMOTE_PREVIEW
        return media(site, f"remote/{photo.id}/{variant}.{form}", is_open=is_open)
    file = chosen(photo, wanted)
    return media(site, file.file, is_open=is_open) if file is not None else ""


def of_avatar(site: Site, account: Account, missing: str = "/static/avatar.svg") -> str:
    """The address of someone's face."""
    return _of_profile(site, account, avatars.AVATAR) or site.uri(missing)


def of_header(site: Site, account: Account) -> str:
    """The address of the wide picture above someone's profile; '' for none."""
    return _of_profile(site, account, avatars.HEADER)


def _of_profile(site: Site, account: Account, kind: avatars.Kind) -> str:
    """It changes with the picture, so it may be kept for long."""
    source = kind.file(account) if account.is_local else kind.url(account)
    if not source or account.is_without_media:
        return ""
    version = hashlib.blake2b(source.encode(), digest_size=6).hexdigest()
    return site.uri(f"/media/{kind.name}/{account.id}/{kind.name}.webp?v={version}")
