"""Renders the small pieces of HTML that pages consist of: icons, avatars, photos.

Functions rather than macros, because a page holds hundreds of them. Everything that users or other servers wrote
goes through `escape` in these functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

from node.attachments.photo_rows import Photo
from node.database import Site
from node.models.account import Account
from node.models.post import Post
from node.posts.tagged_people import TaggedPerson
from web.files.media_urls import avatar_url, header_url
from web.html import photo_frames
from web.i18n.formats import relative_time as relative_time
from web.i18n.formats import short_number as short_number
from web.i18n.translations import gettext as _
from web.i18n.translations import ngettext

# As wide as the column of the stylesheet.
COLUMN_SIZES = "(min-width: 46rem) 37rem, 100vw"
# On a wide screen the page of a post leaves this beside its column.
STAGE_SIZES = (
    "(min-width: 100rem) calc(100vw - 46rem), (min-width: 68.75rem) calc(100vw - 33rem),"
    " (min-width: 46rem) 37rem, 100vw"
)
PHOTO_VARIANTS = ("small", "medium", "large")
DEFAULT_DIMENSIONS = (1200, 900)
_NO_SITE = Site("", "", b"")


def profile_path(account: Account) -> str:
    """Returns the path of the profile of a local or remote account on this node."""
    return "/@" + account.handle.replace("%", "%25")


def post_path(post: Post, author: Account) -> str:
    return f"/p/{author.name}/{post.id}" if post.is_local else f"/posts/{post.id}"


def photo_path(post: Post, number: int) -> str:
    """Returns the path of the page of one photo, of which `number` is 1 for the first.

    These links stand behind the warning of a post that has one, so that what they lead to is shown at once.
    """
    covered = post.is_sensitive or post.warning
    return f"/posts/{post.id}/photos/{number}" + ("?show=1" if covered else "")


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
    """The URLs of the sizes of a photo: a `srcset` for each format, and single URLs.

    `largest` is the one that a visitor may keep: no other public file has more pixels.
    """

    avif: str
    webp: str
    plain: str
    large: str
    largest: str


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
        return PhotoSources(sets["avif"], sets["webp"], medium, f"{base}large.webp", f"{base}large.webp")
    whole = photo.files.get(("federated", "jpeg")) or next(iter(photo.files.values()), None)
    plain = f"/media/{whole.key}" if whole else ""
    large = photo.files.get(("large", "webp"))
    return PhotoSources(sets["avif"], sets["webp"], plain, f"/media/{large.key}" if large else plain, plain)


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


def incomplete_notice(photo: Photo) -> str:
    """Returns what is said of a photo whose file broke off; '' for any other."""
    return (
        _("The end of this file is missing, so a part of the picture may be grey or less sharp.")
        if photo.is_incomplete
        else ""
    )


def render_photo(
    photo: Photo,
    label: str,
    path: str,
    *,
    eager: bool = False,
    sizes: str = COLUMN_SIZES,
    frame: float | None = None,
    scrubs: bool = False,
    people: Sequence[TaggedPerson] = (),
) -> Markup:
    """Renders a photo as a link to its own page (`path`), with its description behind a badge.

    Until it is loaded its box shows its blurhash. With `frame`, the box has that ratio, and the photo fills it or
    lies whole in it; else the box has the photo's own size. With `scrubs`, it has the height of its frame and is
    moved sideways. `people` are tagged in it.
    """
    files = photo_sources(photo)
    surround = photo_frames.surround_class(photo)
    if not files.plain:
        text = photo.alt or _("Media from this server is not shown here.")
        return Markup(f'<div class="photo refused"{_blurhash_attribute(photo)}><p>{escape(text)}</p></div>')  # noqa: S704
    width, height = (photo.width, photo.height) if photo.width and photo.height else DEFAULT_DIMENSIONS
    if scrubs:
        sizes = _scrubbed_sizes(width / height / (frame or 1))
    sources = "".join(
        f'<source type="image/{form}" srcset="{escape(srcset)}" sizes="{sizes}">'
        for form, srcset in (("avif", files.avif), ("webp", files.webp))
        if srcset
    )
    alt = escape(photo.alt or label)
    fills = frame is not None and photo_frames.fills(photo, frame)
    focus = focus_class(photo, frame) if frame is not None and fills else ""
    loading = 'fetchpriority="high"' if eager else 'loading="lazy"'
    image = (
        f'<a class="shot" href="{escape(path)}" data-shots="{photo.post_id or 0}"><picture>{sources}'
        f'<img{focus} src="{escape(files.plain)}" alt="{alt}" width="{width}" height="{height}" {loading} decoding="async">'
        "</picture></a>"
    )
    kind = f"photo {surround}".rstrip()
    if frame is not None:
        kind += " framed fills" if fills else " framed"
        box = f'<svg class="frame" viewBox="0 0 {round(frame * 1000)} 1000" aria-hidden="true"></svg>'
        image = box + (
            f'<div class="scrub" data-focus="{photo.focus_x:.3g}">{image}</div>' if scrubs else image
        )
    if scrubs:
        kind += " panorama"
        image += f'<span class="mark">{escape(_("Panorama"))}</span>'
    reach = '<span class="reach" aria-hidden="true"><i></i></span>' if scrubs else ""
    badges = _badges(photo) + _people(people)
    return Markup(f'<div class="{kind}"{_blurhash_attribute(photo)}>{image}{badges}</div>{reach}')  # noqa: S704


def _scrubbed_sizes(times: float) -> str:
    """Returns how wide a photo is that reaches beyond its frame on both sides."""
    return f"(min-width: 46rem) {37 * times:.0f}rem, {100 * times:.0f}vw"


def _people(people: Sequence[TaggedPerson]) -> str:
    """Renders who is tagged in a photo, on demand: a list of names, which scripts put where the people are."""
    if not people:
        return ""
    names = "".join(
        f'<li data-x="{one.x:.3g}" data-y="{one.y:.3g}"><a href="{escape(profile_path(one.account))}">'
        f"<bdi>{escape(one.account.label)}</bdi></a></li>"
        for one in people
    )
    count = ngettext("%(num)s person", "%(num)s people", len(people))
    return (
        f'<details class="alt people"><summary><span class="face">{escape(count)}</span>'
        f'<span class="sr"> {escape(_("In this photo"))}</span></summary><ul>{names}</ul></details>'
    )


def _badges(photo: Photo) -> str:
    """Renders what lies on a photo: its description on demand, and that its end is missing."""
    badges = ""
    if photo.alt:
        text = escape(_("Photo description"))
        badges = (
            f'<details class="alt"><summary><span class="face">ALT</span><span class="sr"> {text}</span></summary>'
            f'<p dir="auto">{escape(photo.alt)}</p></details>'
        )
    if notice := incomplete_notice(photo):
        badges += f'<p class="incomplete">{escape(notice)}</p>'
    return badges


def render_single_photo(
    photo: Photo,
    label: str,
    path: str,
    *,
    eager: bool = False,
    is_alone: bool = False,
    people: Sequence[TaggedPerson] = (),
) -> Markup:
    """Renders the only photo of a post: in a stream in a frame of 4:5 to 1.91:1, on the post's own page whole.

    A panorama is moved sideways in its frame on both.
    """
    ratio = photo_frames.ratio_of(photo)
    frame = photo_frames.clamp(ratio)
    scrubs = photo_frames.is_panorama(photo)
    return render_photo(
        photo,
        label,
        path,
        eager=eager,
        sizes=STAGE_SIZES if is_alone else COLUMN_SIZES,
        frame=frame if scrubs or (frame != ratio and not is_alone) else None,
        scrubs=scrubs,
        people=people,
    )


def render_whole_photo(photo: Photo, label: str, number: int) -> Markup:
    """Renders a photo for the page with it alone: as large as the screen and never larger than it is."""
    files = photo_sources(photo)
    if not files.plain:
        text = photo.alt or _("Media from this server is not shown here.")
        return Markup(f'<div class="refused"><p>{escape(text)}</p></div>')  # noqa: S704
    width, height = (photo.width, photo.height) if photo.width and photo.height else DEFAULT_DIMENSIONS
    sizes = f"min({width}px, {100 * width / height:.0f}vh"
    sizes += ")" if photo_frames.is_panorama(photo) else ", 100vw)"
    sources = "".join(
        f'<source type="image/{form}" srcset="{escape(srcset)}" sizes="{sizes}">'
        for form, srcset in (("avif", files.avif), ("webp", files.webp))
        if srcset
    )
    return Markup(  # noqa: S704
        f'<a class="shot" href="{escape(files.largest)}" data-shots="{photo.post_id or 0}" data-number="{number}">'
        f'<picture>{sources}<img src="{escape(files.plain)}" alt="{escape(photo.alt or label)}" width="{width}"'
        f' height="{height}" fetchpriority="high" decoding="async"></picture></a>'
    )


def render_thumb(photo: Photo, label: str) -> Markup:
    """Renders a square for a grid, cropped to the middle or to the focal point that the author set."""
    if not thumb_path(photo):
        text = photo.alt or _("Media from this server is not shown here.")
        return Markup(f'<span class="refused">{escape(text)}</span>')  # noqa: S704
    focus = focus_class(photo)
    plain, avif = (
        medium_path(photo, form) if focus else thumb_path(photo, form) for form in ("webp", "avif")
    )
    source = f'<source type="image/avif" srcset="{escape(avif)}">' if avif else ""
    return Markup(  # noqa: S704
        f'<picture>{source}<img{focus} src="{escape(plain)}" alt="{escape(photo.alt or label)}"'
        ' width="480" height="480" loading="lazy" decoding="async"></picture>'
    )


def render_square(photo: Photo, alt: str, side: int, classes: str = "") -> Markup:
    """Renders a small square beside a text, `side` CSS pixels wide, with the focal point of the photo in view."""
    focus = focus_class(photo)
    kind = " ".join(filter(None, ("square", classes, *focus.split('"')[1:2])))
    source = medium_path(photo) if focus else thumb_path(photo)
    return Markup(  # noqa: S704
        f'<img class="{kind}" src="{escape(source)}" alt="{escape(alt)}" width="{side}" height="{side}" loading="lazy">'
    )


def medium_path(photo: Photo, form: str = "webp") -> str:
    """Returns the path of the whole photo at the size of a feed; '' when there is none in this format."""
    if photo.remote_url:
        return f"/media/remote/{photo.id}/medium.webp" if form == "webp" else ""
    file = photo.files.get(("medium", form))
    return f"/media/{file.key}" if file else thumb_path(photo) if form == "webp" else ""


def focus_class(photo: Photo, frame: float = 1.0) -> str:
    """Returns the class by which a photo cropped to a frame shows the focal point, in fifths; '' for the middle.

    `frame` is its ratio; 1 is a square. A class and not a style, since the pages allow no styles in their HTML.
    """
    if not (photo.focus_x or photo.focus_y):
        return ""
    ratio = (photo.width or 1) / (photo.height or 1) / frame
    across = _crop_step((photo.focus_x + 1) / 2, ratio)
    down = _crop_step((1 - photo.focus_y) / 2, 1 / ratio)
    return f' class="fx{across} fy{down}"' if (across, down) != (2, 2) else ""


def _crop_step(position: float, ratio: float) -> int:
    """Returns by how many fifths of the way the window of a crop moves,
    so that the point is as near its middle as possible."""
    if ratio <= 1:
        return 2
    return round(4 * min(1.0, max(0.0, (position * ratio - 0.5) / (ratio - 1))))
