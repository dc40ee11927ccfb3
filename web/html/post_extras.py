"""Texts for what remote posts have besides text and photos: files that are only linked, and polls."""

from __future__ import annotations

from markupsafe import Markup, escape

from node.ids import now_ms
from node.models.post_extras import Poll, RemoteFile
from node.text import hostnames
from web.i18n import formats
from web.i18n.translations import gettext as _
from web.i18n.translations import ngettext


def file_title(file: RemoteFile) -> str:
    """Returns what a file is, and the server to which its link leads."""
    names = {"video": _("Video"), "audio": _("Audio")}
    name = names.get(file.kind) or _("File")
    return f"{name} · {hostnames.to_unicode(hostnames.from_uri(file.url))}" if file.url else name


def has_ended(poll: Poll) -> bool:
    return poll.end is not None and poll.end <= now_ms()


def poll_state(poll: Poll) -> Markup:
    """Returns how many took part in a poll and when it ends, in one line."""
    parts: list[str] = []
    if poll.voters is not None:
        parts.append(ngettext("%(num)s person", "%(num)s people", poll.voters))
    elif any(option.votes is not None for option in poll.options):
        parts.append(ngettext("%(num)s vote", "%(num)s votes", poll.votes))
    if poll.is_multiple:
        parts.append(_("Several answers can be chosen"))
    # A poll that is closed without a time has the earliest one.
    if poll.end is not None and poll.end >= 86_400_000:
        message = _("Ended %(time)s") if has_ended(poll) else _("Ends %(time)s")
        parts.append(escape(message) % {"time": formats.exact_utc_time(poll.end)})
    elif poll.end is not None:
        parts.append(_("Ended"))
    return Markup(" · ").join(parts)
