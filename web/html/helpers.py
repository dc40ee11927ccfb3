"""Renders the small pieces of HTML that pages consist of: icons, avatars, photos, times, numbers.

Functions rather than macros, because a page holds hundreds of them. Everything that users or other servers wrote
goes through `escape` in these functions.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from markupsafe import Markup, escape

from node.attachments.photo_rows import Photo
from node.database import Site
from node.models.account import Account
from node.models.post import Post
from web.files.media_urls import avatar_url, header_url
from web.i18n.translations import gettext as _

# As wide as the column of the stylesheet.
COLUMN_SIZES = "(min-width: 46rem) 37rem, 100vw"
PHOTO_VARIANTS = ("small", "medium", "large")
DEFAULT_DIMENSIONS = (1200, 900)
_NO_SITE = Site("", "", b"")


def profile_path(account: Account) -> str:
    """Returns the path of the profile of a local or remote account on this node."""
    return "/@" + account.handle.replace("%", "%25")


def post_path(post: Post, author: Account) -> str:
    return f"/p/{author.name}/{post.id}" if post.is_local else f"/posts/{post.id}"


class Icons:
    """Renders icons by name, from the one SVG sprite."""

    def __init__(self, url: str) -> None:
        self._sprite_url = url
        self._icons: dict[tuple[str, str], Markup] = {}

    def __call__(self, name: str, classes: str = "") -> Markup:
        icon = self._icons.get((name, classes))
        if icon is None:
            kind = f"icon {classes}".rstrip()
            icon = self._icons[name, classes] = Markup(  # noqa: S704
                f'<svg class="{kind}" aria-hidden="true"><use href="{self._sprite_url}#{name}"/></svg>'
            )
        return icon


def avatar_path(account: Account, size: str = "small") -> str:
    """Returns the path of an avatar.

    Without the host, since the page may have been requested under another name of the node.
    """
    url = avatar_url(_NO_SITE, account).removeprefix(_NO_SITE.base_url)
    return url.replace("/avatar.webp", f"/{size}.webp") if "/media/" in url else url


def header_path(account: Account) -> str:
    """Returns the path of the header image of a profile; '' for none."""
    return header_url(_NO_SITE, account).removeprefix(_NO_SITE.base_url)


def render_avatar(account: Account, classes: str = "", size: str = "small") -> Markup:
    """Renders an avatar. Beside the name it adds nothing, so its `alt` is empty unless the account has described it."""
    pixels = 160 if "l" in classes.split() else 40
    return Markup(  # noqa: S704
        f'<img class="avatar {classes}" src="{escape(avatar_path(account, size))}" alt="{escape(account.avatar_alt)}"'
        f' width="{pixels}" height="{pixels}" loading="lazy" decoding="async">'
    )


class PhotoSources(NamedTuple):
    """The URLs of the sizes of a photo: a `srcset` for each format, and single URLs."""

    avif: str
    webp: str
    plain: str
    large: str


def photo_sources(photo: Photo) -> PhotoSources:
    """Returns the sizes a browser may choose from.

    A remote photo is fetched by this node when it is first requested.
    """
    base = f"/media/remote/{photo.id}/" if photo.remote_url else ""
    sets = {}
    for form in ("avif", "webp"):
        entries = []
        for size in PHOTO_VARIANTS:
            if (file := photo.files.get((size, form))) is not None:
                url = f"{base}{size}.{form}" if base else f"/media/{file.key}"
                entries.append(f"{url} {file.width}w")
        sets[form] = ", ".join(entries)
    if base:
        medium = f"{base}medium.webp"
        return PhotoSources(sets["avif"], sets["webp"], medium, f"{base}large.webp")
    whole = photo.files.get(("federated", "jpeg")) or next(iter(photo.files.values()), None)
    plain = f"/media/{whole.key}" if whole else ""
    large = photo.files.get(("large", "webp"))
    return PhotoSources(sets["avif"], sets["webp"], plain, f"/media/{large.key}" if large else plain)


def thumb_path(photo: Photo, form: str = "webp") -> str:
    """Returns the path of the square of a photo for a grid; '' when there is none in this format."""
    if photo.remote_url:
        return f"/media/remote/{photo.id}/thumb.{form}" if form == "webp" else ""
    file = photo.files.get(("thumb", form))
    if file is None and form == "webp":
        file = photo.files.get(("medium", "webp")) or next(iter(photo.files.values()), None)
    return f"/media/{file.key}" if file else ""


def _blurhash_attribute(photo: Photo) -> str:
    return f' data-blurhash="{escape(photo.blurhash)}"' if photo.blurhash else ""


def render_photo(photo: Photo, label: str, *, eager: bool = False, sizes: str = COLUMN_SIZES) -> Markup:
    """Renders a photo in a box of its size, blurred until it is loaded, with its description behind a badge."""
    files = photo_sources(photo)
    if not files.plain:
        text = photo.alt or _("Media from this server is not shown here.")
        return Markup(f'<div class="photo refused"{_blurhash_attribute(photo)}><p>{escape(text)}</p></div>')  # noqa: S704
    width, height = (photo.width, photo.height) if photo.width and photo.height else DEFAULT_DIMENSIONS
    sources = "".join(
        f'<source type="image/{form}" srcset="{escape(srcset)}" sizes="{sizes}">'
        for form, srcset in (("avif", files.avif), ("webp", files.webp))
        if srcset
    )
    alt = escape(photo.alt or label)
    badge = ""
    if photo.alt:
        text = escape(_("Photo description"))
        badge = f'<details class="alt"><summary aria-label="{text}">ALT</summary><p>{alt}</p></details>'
    loading = 'fetchpriority="high"' if eager else 'loading="lazy"'
    return Markup(  # noqa: S704
        f'<div class="photo"{_blurhash_attribute(photo)}><picture>{sources}'
        f'<img src="{escape(files.plain)}" alt="{alt}" width="{width}" height="{height}" {loading} decoding="async"'
        f' data-large="{escape(files.large)}"></picture>{badge}</div>'
    )


def render_thumb(photo: Photo, label: str) -> Markup:
    """Renders a square for a grid, cropped to the middle or to the focal point that the author set."""
    if not thumb_path(photo):
        text = photo.alt or _("Media from this server is not shown here.")
        return Markup(f'<span class="refused">{escape(text)}</span>')  # noqa: S704
    focus = focus_class(photo)
    plain, avif = (
        _uncropped_path(photo, form) if focus else thumb_path(photo, form) for form in ("webp", "avif")
    )
    source = f'<source type="image/avif" srcset="{escape(avif)}">' if avif else ""
    return Markup(  # noqa: S704
        f'<picture>{source}<img{focus} src="{escape(plain)}" alt="{escape(photo.alt or label)}"'
        ' width="480" height="480" loading="lazy" decoding="async"></picture>'
    )


def _uncropped_path(photo: Photo, form: str) -> str:
    """Returns the path of the uncropped photo that a browser can crop to a square itself."""
    if photo.remote_url:
        return f"/media/remote/{photo.id}/medium.webp" if form == "webp" else ""
    file = photo.files.get(("medium", form))
    return f"/media/{file.key}" if file else thumb_path(photo) if form == "webp" else ""


def focus_class(photo: Photo) -> str:
    """Returns the class by which a square shows the focal point, in fifths; '' for the middle.

    A class and not a style, since the pages allow no styles in their HTML.
    """
    if not (photo.focus_x or photo.focus_y):
        return ""
    width, height = photo.width or 1, photo.height or 1
    across = _crop_step((photo.focus_x + 1) / 2, width / height)
    down = _crop_step((1 - photo.focus_y) / 2, height / width)
    return f' class="fx{across} fy{down}"' if (across, down) != (2, 2) else ""


def _crop_step(position: float, ratio: float) -> int:
    """Returns by how many fifths of the way a square window moves,
    so that the point is as near its middle as possible."""
    if ratio <= 1:
        return 2
    return round(4 * min(1.0, max(0.0, (position * ratio - 0.5) / (ratio - 1))))


_ALBUM_CLASSES = ((0.9, "r-tall"), (1.16, "r-even"), (1.42, "r-wide"), (1.64, "r-film"), (99.0, "r-long"))


def album_class(photos: Sequence[Photo]) -> str:
    """Returns the class of the one box that all photos of an album share:
    that of the first, within reason."""
    first = photos[0]
    ratio = (
        first.width / first.height
        if first.width and first.height
        else DEFAULT_DIMENSIONS[0] / DEFAULT_DIMENSIONS[1]
    )
    return next(name for limit, name in _ALBUM_CLASSES if ratio < limit)


def short_number(n: int) -> str:
    """Formats a count for the place beside an icon: 950, 1.2k, 34k, 5.6M."""
    if n < 1000:
        return str(n)
    for size, suffix in ((1_000_000, "M"), (1000, "k")):
        if n >= size:
            value = n / size
            return f"{value:.1f}".removesuffix(".0") + suffix if value < 10 else f"{value:.0f}{suffix}"
    return str(n)


def format_bytes(bytes_: int) -> str:
    """Formats a size in bytes: 640 KB, 12 MB, 3.4 GB."""
    value, unit = bytes_ / 1024, "KB"
    for larger in ("MB", "GB", "TB"):
        if value >= 1000:
            value, unit = value / 1024, larger
    return f"{value:.1f} {unit}" if 0 < value < 10 and unit != "KB" else f"{value:.0f} {unit}"


def relative_time(ms: int) -> Markup:
    """Renders how long ago something happened; the exact time is in the `datetime` attribute."""
    seconds = max(0, int(time.time()) - ms // 1000)
    if seconds < 60:
        text = _("now")
    elif seconds < 3600:
        text = _("%(n)s min", n=seconds // 60)
    elif seconds < 86400:
        text = _("%(n)s h", n=seconds // 3600)
    elif seconds < 7 * 86400:
        text = _("%(n)s d", n=seconds // 86400)
    else:
        text = f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d}"
    return Markup(f'<time datetime="{_iso(ms)}" data-ago>{escape(text)}</time>')  # noqa: S704


def exact_time(ms: int) -> Markup:
    """Renders the exact time, for pages that are about it."""
    return Markup(  # noqa: S704
        f'<time datetime="{_iso(ms)}">{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M}</time>'
    )


def _iso(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"
