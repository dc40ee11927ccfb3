"""Rules for usernames that are chosen here, and cleaning of any name that is shown.

A shown name must not be able to reorder the text around it, hide characters or look empty, so direction
controls, invisible characters and stacks of combining marks are removed.
"""

from __future__ import annotations

import re
import unicodedata

from node.errors import Invalid

RESERVED_USERNAMES = frozenset(
    """about abuse account accounts activity actor admin administrator api app apps auth authorize_interaction
    bookmarks compose contact explore favicon feed follow_requests followers following health help home
    host_meta hostmaster inbox info instance internal login logout mail mailer_daemon me media moderator
    nobody node nodeinfo notifications null oauth outbox owner p people post postmaster posts privacy register
    robots root rules search security self settings setup share sign_in sign_out sign_up signin signup
    staff static status support system tag tags terms tintype undefined user users webfinger webmaster
    well_known www""".split()  # noqa: SIM905
)
MAX_DISPLAY_NAME_LENGTH = 60
MAX_REMOTE_USERNAME_LENGTH = 2048
_USERNAME = re.compile(r"[A-Za-z0-9_]{1,30}\Z")
_JOINERS = "\u200c\u200d"
_BLANKS = re.compile("[\u115f\u1160\u2800\u3164\uffa0\\s]+")
_PLAIN = re.compile(r"[\x21-\x7e]+(?: [\x21-\x7e]+)*\Z")
_MAX_COMBINING_MARKS = 4


def check_username(name: str) -> str:
    """Returns the name if a local account may have it; raises Invalid otherwise. Does not check if it is taken."""
    if not _USERNAME.match(name):
        raise Invalid("A name has 1 to 30 characters: a–z, 0–9, _.", field="name")
    if name.lower() in RESERVED_USERNAMES or not name.strip("_"):
        raise Invalid("That username is reserved. Please choose another.", field="name")
    return name


def clean_line(text: str, max_length: int = MAX_DISPLAY_NAME_LENGTH) -> str:
    """Cleans one line of untrusted text so that it is safe beside other text; at most `max_length` characters."""
    text = text[: max_length * 8]
    if not _PLAIN.match(text):
        text = _remove_invisible(text)
    return text[:max_length].rstrip()


def _remove_invisible(text: str) -> str:
    kept: list[str] = []
    marks = 0
    for index, character in enumerate(text):
        category = unicodedata.category(character)
        if character in _JOINERS:
            # Emoji families and several scripts need them, but only between visible non-ASCII characters.
            after = text[index + 1 : index + 2]
            if not kept or kept[-1] <= "\x7f" or kept[-1] in _JOINERS or after <= "\x7f" or after in _JOINERS:
                continue
        elif "\U000e0020" <= character <= "\U000e007f":
            # Tags spell regional flags after a black flag, and hidden text after anything else.
            if not kept or not (kept[-1] == "\U0001f3f4" or kept[-1] >= "\U000e0020"):
                continue
        elif character.isspace():
            character = " "
        elif category[0] == "C" or category in ("Zl", "Zp"):
            continue
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if marks <= _MAX_COMBINING_MARKS:
            kept.append(character)
    return _BLANKS.sub(" ", "".join(kept)).strip()


def clean_remote_username(name: str) -> str:
    """Cleans the username of a remote account for use in a handle; '' when nothing usable is left.

    A name that is too long gives '' as well: cut short, it would be the name of another account.
    """
    kept = re.sub(r"[\s@/\\?#<>\"'&]", "", clean_line(name, MAX_REMOTE_USERNAME_LENGTH + 1))
    return kept if is_storable_username(kept) else ""


def is_storable_username(name: str) -> bool:
    """Returns whether a remote username has at most 2048 characters, and at most 2048 bytes for the index."""
    return (
        len(name) <= MAX_REMOTE_USERNAME_LENGTH and len(name.lower().encode()) <= MAX_REMOTE_USERNAME_LENGTH
    )
