"""E-mail addresses: their form, and whether somebody here has given one. Owns no table."""

from __future__ import annotations

import re
import unicodedata

from node.database import Reader
from node.errors import Invalid

_EMAIL = re.compile(r"[^@\s\x00-\x1f<>\"(),:;\[\]\\]{1,64}@(?:[\w-]+\.)*[\w-]+\Z")


def normalize_email(email: str) -> str:
    """Returns the e-mail address as it is stored: NFC, with a lower-case domain. Raises Invalid for other text."""
    email = unicodedata.normalize("NFC", email.strip())
    if len(email) > 254 or not _EMAIL.match(email):
        raise Invalid("That is not a valid e-mail address.", field="email")
    local, _, domain = email.rpartition("@")
    return f"{local}@{domain.lower()}"


def is_email_in_use(tx: Reader, email: str) -> bool:
    """Returns whether a user has given this address: for admins, who may know."""
    return tx.value("SELECT 1 FROM users WHERE lower(email) = lower(:email) LIMIT 1", email=email) is not None
