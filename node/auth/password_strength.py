"""Whether a new password would be guessed: by what people choose most, and by an optional list of stolen ones.

The list is a file of this machine, so that no password or part of one is sent anywhere: SHA-1 hashes in hexadecimal, one
a line, sorted, as "Have I Been Pwned" offers it for download. It is searched where it lies, however large it is.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Iterable
from pathlib import Path

import zxcvbn

from node.auth import passwords
from node.errors import Invalid
from node.node import Node

log = logging.getLogger("tintype.passwords")

MIN_SCORE = 2
"""Of 4: more than a million guesses. Attempts at the node are limited far below that, and hashes are slow."""

MAX_SCORED_LENGTH = 72
HASH_LENGTH = 40
MAX_LINE_LENGTH = 80
EASY = "That password is easy to guess. A few words that do not belong together are good."
STOLEN = "That password is on a list of stolen ones, which attackers try first. Please choose another."


async def check_new(node: Node, password: str, about: Iterable[str] = ()) -> None:
    """Raises Invalid, field 'password', for one that is too short, easy to guess, or stolen.

    `about` are words that a guesser knows: the name and address of whose password it is to be.
    """
    file = node.config.security.stolen_passwords
    await asyncio.to_thread(check_new_sync, password, [*about, node.config.node.title], file)


def check_new_sync(password: str, about: Iterable[str] = (), stolen_passwords: str = "") -> str:
    """Returns the password, or raises Invalid as `check_new` does. Takes some milliseconds."""
    passwords.check(password)
    words = [part for word in about for part in (word, *word.split("@")) if part]
    if zxcvbn.zxcvbn(password[:MAX_SCORED_LENGTH], user_inputs=words)["score"] < MIN_SCORE:
        raise Invalid(EASY, field="password")
    if stolen_passwords and is_stolen(Path(stolen_passwords), password):
        raise Invalid(STOLEN, field="password")
    return password


def is_stolen(file: Path, password: str) -> bool:
    """Returns whether a list has this password. One that cannot be read is logged, and refuses nothing."""
    wanted = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()
    try:
        with file.open("rb") as lines:
            # The hash is in the line that begins at or after `low`, and before `high`, or nowhere.
            low, high = 0, lines.seek(0, 2)
            while low < high:
                middle = (low + high) // 2
                lines.seek(max(0, middle - 1))
                if middle:
                    lines.readline(MAX_LINE_LENGTH)  # the rest of a line that begins before
                begins = lines.tell()
                found = lines.readline(MAX_LINE_LENGTH)[:HASH_LENGTH].upper()
                if found == wanted:
                    return True
                if not found or found > wanted:
                    high = middle
                else:
                    low = begins + 1
    except OSError as error:
        log.error("the list of stolen passwords cannot be read: %s", error)
    return False
