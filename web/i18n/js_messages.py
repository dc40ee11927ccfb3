"""Messages that scripts show, sent with every page as one piece of JSON."""

from __future__ import annotations

import json
from collections.abc import Callable

from markupsafe import Markup


def collect_messages(_: Callable[[str], str]) -> dict[str, object]:
    """Returns the messages that the modules in `static/js` know as `messages`,
    by key; {n} is filled in there."""
    return {
        "failed": _("Something went wrong. Please try again."),
        "copied": _("Copied"),
        "more": _("more"),
        "now": _("now"),
        "previous": _("Previous photo"),
        "next": _("Next photo"),
        "close": _("Close"),
        "viewer": _("Full-screen photo"),
        "again": _("Try again"),
        "offline": _("The connection was lost."),
        "uploading": _("Uploading"),
        "preparing": _("Processing photo"),
        "metadata": _("Metadata:"),
        "waiting": _("Posting when all photos are uploaded"),
        "tooMany": _("A post can have up to 20 photos"),
        "restored": _("Draft restored"),
        "describe": _("Describe photo {n} for people who cannot see it"),
        "hint": _("Describe this photo for people who cannot see it"),
        "earlier": _("Move earlier"),
        "later": _("Move later"),
        "remove": _("Remove"),
        "moved": _("Photo moved to position {n}"),
        "keyboard": _("Keyboard"),
        "keys": [
            ["j", _("next post")],
            ["k", _("previous post")],
            ["l", _("like")],
            ["b", _("boost")],
            ["r", _("comment")],
            ["f", _("full screen")],
            ["/", _("search")],
            ["n", _("new post")],
            ["?", _("this list")],
        ],
    }


def to_script_json(value: object) -> Markup:
    """Returns a value as JSON that is safe inside a script element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704
