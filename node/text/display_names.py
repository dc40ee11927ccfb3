"""What a name may look like: ours when one is chosen, anyone's when one is shown.

A shown name must not be able to reorder the text around it, hide characters or pass for empty, so
direction controls, invisible characters and towers of combining marks are taken out.
"""

from __future__ import annotations

import re
import unicodedata

from node.errors import Invalid

RESERVED = frozenset(
    """about abuse account accounts activity actor admin administrator api app apps auth authorize_interaction
    bookmarks compose contact explore favicon feed follow_requests followers following health help home
    host_meta hostmaster inbox info instance internal login logout mail mailer_daemon me media moderator
    nobody node nodeinfo notifications null oauth outbox owner p people post postmaster posts privacy register
    robots root rules search security self settings setup share sign_in sign_out sign_up signin signup
    staff static status support system tag tags terms tintype undefined user users webfinger webmaster
    well_known www""".split()  # noqa: SIM905
)
LONGEST_LABEL = 60
LONGEST_FOREIGN = 2048
_NAME = re.compile(r"[A-Za-z0-9_]{1,30}\Z")
_JOINERS = "\u200c\u200d"
_BLANKS = re.compile("[\u115f\u1160\u2800\u3164\uffa0\\s]+")
_PLAIN = re.compile(r"[\x21-\x7e]+(?: [\x21-\x7e]+)*\Z")
_MOST_MARKS = 4


def check_name(name: str) -> str:
    """The name, if one of our people may have it; raises Invalid. Whether it is free is another question."""
    if not _NAME.match(name):
        raise Invalid("A name has 1 to 30 letters, digits or underscores: a–z, 0–9, _.", field="name")
    if name.lower() in RESERVED or not name.strip("_"):
        raise Invalid("That username is reserved. Please choose another.", field="name")
    return name


def shown(text: str, longest: int = LONGEST_LABEL) -> str:
    """One line of text by a stranger, safe to put beside other text."""
    text = text[: longest * 8]
    if not _PLAIN.match(text):
        text = _visible(text)
    return text[:longest].rstrip()


def _visible(text: str) -> str:
    kept: list[str] = []
    marks = 0
    for at, character in enumerate(text):
        category = unicodedata.category(character)
        if character in _JOINERS:
            # Emoji families and several scripts need them, but only between visible characters of theirs.
            after = text[at + 1 : at + 2]
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
        if marks <= _MOST_MARKS:
            kept.append(character)
    return _BLANKS.sub(" ", "".join(kept)).strip()


def foreign(name: str) -> str:
    """The name of someone elsewhere, as it may stand in a handle; '' when nothing usable is left.

    Nor is there anything usable in a name that is too long: the half of it would be somebody else's.
    """
    kept = re.sub(r"[\s@/\\?#<>\"'&]", "", shown(name, LONGEST_FOREIGN + 1))
    return kept if is_keepable(kept) else ""


def is_keepable(name: str) -> bool:
    """Whether a name given elsewhere has at most 2048 characters, and few enough bytes for an index."""
    return len(name) <= LONGEST_FOREIGN and len(name.lower().encode()) <= LONGEST_FOREIGN
