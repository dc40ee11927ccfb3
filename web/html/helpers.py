"""Small pieces of HTML that every page is full of: icons, faces, photos, times, numbers.

Functions rather than macros, because a page holds hundreds of them. Everything that came from a person
goes through `escape` here.
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
from web.files.media_urls import of_avatar, of_header
from web.i18n.translations import gettext as _

# As wide as the column of the stylesheet.
COLUMN = "(min-width: 46rem) 37rem, 100vw"
PAGE_SIZES = ("small", "medium", "large")
UNKNOWN = (1200, 900)
_NO_SITE = Site("", "", b"")


def path_of(account: Account) -> str:
    """Where someone's profile is on this node."""
    return "/@" + account.handle.replace("%", "%25")


def post_path(post: Post, author: Account) -> str:
    return f"/p/{author.name}/{post.id}" if post.is_local else f"/posts/{post.id}"


class Icons:
    """Icons by name, from the one sprite."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._made: dict[tuple[str, str], Markup] = {}

    def __call__(self, name: str, classes: str = "") -> Markup:
        made = self._made.get((name, classes))
        if made is None:
            kind = f"icon {classes}".rstrip()
            made = self._made[name, classes] = Markup(  # noqa: S704
                f'<svg class="{kind}" aria-hidden="true"><use href="{self._address}#{name}"/></svg>'
            )
        return made


def avatar_path(account: Account, size: str = "small") -> str:
    """The address of a face, as a path: the page may have been reached under another name of the node."""
    address = of_avatar(_NO_SITE, account).removeprefix(_NO_SITE.base_url)
    return address.replace("/avatar.webp", f"/{size}.webp") if "/media/" in address else address


def header_path(account: Account) -> str:
    """Where the wide picture above a profile is, on this node; '' for none."""
    return of_header(_NO_SITE, account).removeprefix(_NO_SITE.base_url)


def avatar(account: Account, classes: str = "", size: str = "small") -> Markup:
    """A face. Beside the name it says nothing new, so it is silent unless the person described it."""
    pixels = 160 if "l" in classes.split() else 40
    return Markup(  # noqa: S704
        f'<img class="avatar {classes}" src="{escape(avatar_path(account, size))}" alt="{escape(account.avatar_alt)}"'
        f' width="{pixels}" height="{pixels}" loading="lazy" decoding="async">'
    )


class Sources(NamedTuple):
    """Where the sizes of a photo are: `srcset`s by format, and single addresses."""

    avif: str
    webp: str
    plain: str
    large: str


def sources(photo: Photo) -> Sources:
    """The sizes a page may choose from. A remote photo is fetched by this node when first looked at."""
    base = f"/media/remote/{photo.id}/" if photo.remote_url else ""
    sets = {}
    for form in ("avif", "webp"):
        entries = []
        for size in PAGE_SIZES:
            if (file := photo.files.get((size, form))) is not None:
                where = f"{base}{size}.{form}" if base else f"/media/{file.file}"
                entries.append(f"{where} {file.width}w")
        sets[form] = ", ".join(entries)
    if base:
        medium = f"{base}medium.webp"
        return Sources(sets["avif"], sets["webp"], medium, f"{base}large.webp")
    whole = photo.files.get(("federated", "jpeg")) or next(iter(photo.files.values()), None)
    plain = f"/media/{whole.file}" if whole else ""
    large = photo.files.get(("large", "webp"))
    return Sources(sets["avif"], sets["webp"], plain, f"/media/{large.file}" if large else plain)


def thumb_path(photo: Photo, form: str = "webp") -> str:
    """The square of a photo for a grid; '' when it is not there in this format."""
    if photo.remote_url:
        return f"/media/remote/{photo.id}/thumb.{form}" if form == "webp" else ""
    file = photo.files.get(("thumb", form))
    if file is None and form == "webp":
        file = photo.files.get(("medium", "webp")) or next(iter(photo.files.values()), None)
    return f"/media/{file.file}" if file else ""


def _blur(photo: Photo) -> str:
    return f' data-blurhash="{escape(photo.blurhash)}"' if photo.blurhash else ""


def picture(photo: Photo, label: str, *, eager: bool = False, sizes: str = COLUMN) -> Markup:
    """A photo in its box: reserved by its size, blurred until it is there, described behind a badge."""
    found = sources(photo)
    if not found.plain:
        said = photo.alt or _("Media from this server is not shown here.")
        return Markup(f'<div class="photo refused"{_blur(photo)}><p>{escape(said)}</p></div>')  # noqa: S704
    width, height = (photo.width, photo.height) if photo.width and photo.height else UNKNOWN
    offers = "".join(
        f'<source type="image/{form}" srcset="{escape(offer)}" sizes="{sizes}">'
        for form, offer in (("avif", found.avif), ("webp", found.webp))
        if offer
    )
    alt = escape(photo.alt or label)
    badge = ""
    if photo.alt:
        said = escape(_("Photo description"))
        badge = f'<details class="alt"><summary aria-label="{said}">ALT</summary><p>{alt}</p></details>'
    when = 'fetchpriority="high"' if eager else 'loading="lazy"'
    return Markup(  # noqa: S704
        f'<div class="photo"{_blur(photo)}><picture>{offers}'
        f'<img src="{escape(found.plain)}" alt="{alt}" width="{width}" height="{height}" {when} decoding="async"'
        f' data-large="{escape(found.large)}"></picture>{badge}</div>'
    )


def thumb(photo: Photo, label: str) -> Markup:
    """A square for a grid: cut from the middle, or around what the author says matters."""
    if not thumb_path(photo):
        said = photo.alt or _("Media from this server is not shown here.")
        return Markup(f'<span class="refused">{escape(said)}</span>')  # noqa: S704
    focus = focus_class(photo)
    plain, avif = (_whole(photo, form) if focus else thumb_path(photo, form) for form in ("webp", "avif"))
    offer = f'<source type="image/avif" srcset="{escape(avif)}">' if avif else ""
    return Markup(  # noqa: S704
        f'<picture>{offer}<img{focus} src="{escape(plain)}" alt="{escape(photo.alt or label)}"'
        ' width="480" height="480" loading="lazy" decoding="async"></picture>'
    )


def _whole(photo: Photo, form: str) -> str:
    """The uncut picture that a browser can cut to a square itself."""
    if photo.remote_url:
        return f"/media/remote/{photo.id}/medium.webp" if form == "webp" else ""
    file = photo.files.get(("medium", form))
    return f"/media/{file.file}" if file else thumb_path(photo) if form == "webp" else ""


def focus_class(photo: Photo) -> str:
    """The class by which a square shows the focal point, in fifths; '' when the middle will do.

    A class and not a style, since the pages allow no styles in their HTML.
    """
    if not (photo.focus_x or photo.focus_y):
        return ""
    width, height = photo.width or 1, photo.height or 1
    across = _shift((photo.focus_x + 1) / 2, width / height)
    down = _shift((1 - photo.focus_y) / 2, height / width)
    return f' class="fx{across} fy{down}"' if (across, down) != (2, 2) else ""


def _shift(at: float, ratio: float) -> int:
    """Which fifth of the way a square window slides, so that the point is as near its middle as can be."""
    if ratio <= 1:
        return 2
    return round(4 * min(1.0, max(0.0, (at * ratio - 0.5) / (ratio - 1))))


_SHAPES = ((0.9, "r-tall"), (1.16, "r-even"), (1.42, "r-wide"), (1.64, "r-film"), (99.0, "r-long"))


def album_shape(photos: Sequence[Photo]) -> str:
    """The class of the one box that all photos of an album share: that of the first, within reason."""
    first = photos[0]
    ratio = first.width / first.height if first.width and first.height else UNKNOWN[0] / UNKNOWN[1]
    return next(name for most, name in _SHAPES if ratio < most)


def short(n: int) -> str:
    """A count as it stands beside an icon: 950, 1.2k, 34k, 5.6M."""
    if n < 1000:
        return str(n)
    for size, letter in ((1_000_000, "M"), (1000, "k")):
        if n >= size:
            value = n / size
            return f"{value:.1f}".removesuffix(".0") + letter if value < 10 else f"{value:.0f}{letter}"
    return str(n)


def size(bytes_: int) -> str:
    """How much space something takes: 640 KB, 12 MB, 3.4 GB."""
    value, unit = bytes_ / 1024, "KB"
    for larger in ("MB", "GB", "TB"):
        if value >= 1000:
            value, unit = value / 1024, larger
    return f"{value:.1f} {unit}" if 0 < value < 10 and unit != "KB" else f"{value:.0f} {unit}"


def ago(ms: int) -> Markup:
    """When something happened, as people say it; the exact time is in the element."""
    seconds = max(0, int(time.time()) - ms // 1000)
    if seconds < 60:
        said = _("now")
    elif seconds < 3600:
        said = _("%(n)s min", n=seconds // 60)
    elif seconds < 86400:
        said = _("%(n)s h", n=seconds // 3600)
    elif seconds < 7 * 86400:
        said = _("%(n)s d", n=seconds // 86400)
    else:
        said = f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d}"
    return Markup(f'<time datetime="{_iso(ms)}" data-ago>{escape(said)}</time>')  # noqa: S704


def moment(ms: int) -> Markup:
    """The exact time, for pages that are about it."""
    return Markup(  # noqa: S704
        f'<time datetime="{_iso(ms)}">{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M}</time>'
    )


def _iso(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"
