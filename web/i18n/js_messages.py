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
        "linkCopied": _("Link copied"),
        "copyThis": _("Copy this address"),
        "crop": _("Choose what is shown"),
        "cropHint": _("Drag the picture, or use the arrow keys."),
        "zoom": _("Zoom"),
        "noPreview": _("This browser cannot show the picture. Its middle will be used."),
        "notAPicture": _(
            "“{name}” cannot be used as a picture. Choose a JPEG, PNG, WebP, GIF, AVIF or HEIC file."
        ),
        "more": _("more"),
        "now": _("now"),
        "previous": _("Previous photo"),
        "next": _("Next photo"),
        "close": _("Close"),
        "viewer": _("Full-screen photo"),
        "again": _("Try again"),
        "replyTo": _("Reply to {name}"),
        "reply": _("Reply"),
        "cancel": _("Cancel"),
        "sending": _("Sending"),
        "notSent": _("Not sent."),
        "offline": _("The connection was lost."),
        "signedOut": _("You are signed out. Sign in in another tab, then try again here."),
        "signIn": _("Sign in"),
        "noPasskey": _("No passkey was used. Please try again, or sign in another way."),
        "hasPasskey": _("This device has a passkey for your account already."),
        "suggestionList": _("Suggestions"),
        "suggestions": _("{n} suggestions. Choose with the arrow keys and Enter."),
        "charactersLeft": _("Characters left: {n}"),
        "tooManyCharacters": _("{n} too many"),
        "tooLong": _("{n} characters too many. Nothing was sent yet."),
        "stillUnsaved": _("Your other changes on this page are not saved yet."),
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


def collect_viewer_messages(_: Callable[[str], str]) -> dict[str, str]:
    """Returns the messages of the full-screen viewer, which come with what it shows: `words` in its modules."""
    return {
        "position": _("{n} of {total}"),
        "previous": _("Previous photo"),
        "next": _("Next photo"),
        "film": _("Photos of this post"),
        "smaller": _("Zoom out"),
        "larger": _("Zoom in"),
        "fit": _("Fit"),
        "fitHint": _("Fit to the screen"),
        "realHint": _("Show real pixels"),
        "about": _("About this photo"),
        "description": _("Description"),
        "noDescription": _("No description yet."),
        "file": _("File"),
        "download": _("Download"),
        "share": _("Share"),
        "people": _("In this photo"),
        "full": _("Full screen"),
        "like": _("Like"),
        "comments": _("Comments"),
        "open": _("Open post"),
        "failed": _("This photo did not load."),
        "again": _("Try again"),
        "closeAbout": _("Close description"),
    }


def collect_editor_messages(_: Callable[[str], str]) -> dict[str, str]:
    """Returns the messages of the photo editor, which come with its page: `texts` in its modules."""
    return {
        "title": _("Edit photo"),
        "position": _("Photo {n} of {total}"),
        "cancel": _("Cancel"),
        "done": _("Done"),
        "undo": _("Undo"),
        "redo": _("Redo"),
        "more": _("More"),
        "photos": _("Photos of this post"),
        "changed": _("edited"),
        "getting": _("Getting the photo ready"),
        "photo": _("Your photo as edited"),
        "fromServer": _("Previews come from the server, a moment later."),
        "noPreview": _("The preview could not be made. Your edit is kept here."),
        "noSwatches": _("The pictures of the looks did not load."),
        "again": _("Try again"),
        "saving": _("Saving"),
        "notSaved": _("Not saved. Your edit is kept here."),
        "signIn": _("Sign in"),
        "restored": _("Your unsaved changes are back."),
        "restoredOther": _("Your unsaved changes to another photo are back."),
        "restoredMany": _("Your unsaved changes to {n} photos are back."),
        "outdated": _("This photo was changed in another tab or app while you edited it."),
        "outdatedOther": _(
            "Another photo of this post was changed in another tab or app while you edited it."
        ),
        "outdatedMany": _("{n} photos were changed in another tab or app while you edited them."),
        "keepMine": _("Keep mine"),
        "takeTheirs": _("Take theirs"),
        "tookTheirs": _("You see the version from there."),
        "discardQuestion": _("Discard your changes?"),
        "discard": _("Discard"),
        "keep": _("Keep editing"),
        "compare": _("Before and after"),
        "smaller": _("Zoom out"),
        "larger": _("Zoom in"),
        "fit": _("Fit"),
        "fitHint": _("Fit to the screen"),
        "before": _("Before"),
        "after": _("After"),
        "divider": _("Divider between before and after"),
        "modes": _("What to edit"),
        "looks": _("Looks"),
        "adjust": _("Adjust"),
        "crop": _("Crop"),
        "original": _("Original"),
        "strength": _("{look}, strength"),
        "auto": _("Auto-level"),
        "noAuto": _("Auto-level did not work. Please try again."),
        "tools": _("Tools"),
        "histogram": _("Brightness of the photo, from dark to light"),
        "copy": _("Copy to all"),
        "copyHint": _("Copies the look and adjustments, not the crop, to the other photos of this post."),
        "copiedOne": _("Copied to 1 photo"),
        "copied": _("Copied to {n} photos"),
        "reset": _("Reset"),
        "shape": _("Shape"),
        "straighten": _("Straighten"),
        "vertical": _("Vertical perspective"),
        "horizontal": _("Horizontal perspective"),
        "turn": _("Turn clockwise"),
        "mirror": _("Mirror left to right"),
        "frame": _("Part of the photo that is kept. Move it with the arrow keys."),
        "topLeft": _("Top left corner"),
        "topRight": _("Top right corner"),
        "bottomLeft": _("Bottom left corner"),
        "bottomRight": _("Bottom right corner"),
    }


def to_script_json(value: object) -> Markup:
    """Returns a value as JSON that is safe inside a script element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704
