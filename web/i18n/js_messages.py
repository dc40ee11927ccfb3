"""The sentences that scripts say, sent with every page as one piece of JSON."""

from __future__ import annotations

import json
from collections.abc import Callable

from markupsafe import Markup


def sentences(_: Callable[[str], str]) -> dict[str, object]:
    """What the modules in `static/js` find as `words`; {n} is filled in there."""
    return {
        "failed": _("That did not work. Please try again."),
        "copied": _("Copied"),
        "more": _("more"),
        "now": _("now"),
        "previous": _("Previous photo"),
        "next": _("Next photo"),
        "close": _("Close"),
        "viewer": _("Photo on the whole screen"),
        "again": _("Try again"),
        "offline": _("The connection was lost."),
        "uploading": _("Uploading"),
        "preparing": _("Preparing the photo"),
        "written": _("In the file:"),
        "waiting": _("Posting as soon as every photo is here"),
        "enough": _("A post holds up to 20 photos"),
        "restored": _("Your draft is back"),
        "describe": _("Describe photo {n} for people who cannot see it"),
        "hint": _("What would you say about it on the phone?"),
        "earlier": _("Move earlier"),
        "later": _("Move later"),
        "remove": _("Remove"),
        "moved": _("Now photo {n}"),
        "keyboard": _("Keyboard"),
        "keys": [
            ["j", _("next post")],
            ["k", _("previous post")],
            ["l", _("like")],
            ["b", _("boost")],
            ["r", _("comment")],
            ["f", _("whole screen")],
            ["/", _("search")],
            ["n", _("new post")],
            ["?", _("this list")],
        ],
    }


def as_json(value: object) -> Markup:
    """JSON that may stand inside a script element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704
