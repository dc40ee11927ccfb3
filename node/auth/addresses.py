"""E-mail addresses, and what people type to sign in: their form, and whether somebody here has given one. Owns no table."""

from __future__ import annotations

import re
import unicodedata

from node.database import Reader, Site
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


def is_email(site: Site, login: str) -> bool:
    """Returns whether what somebody signs in with is looked for among the e-mail addresses."""
    return "@" in without_own_domain(site, login)


def normalize_login(site: Site, login: str) -> str:
    """Returns what somebody signs in with as it is counted: one text for all spellings of a name or an address."""
    return unicodedata.normalize("NFC", without_own_domain(site, login)).lower()


def without_own_domain(site: Site, login: str) -> str:
    """Returns the name of an own handle; an e-mail address as it is."""
    login = login.strip().removeprefix("@")
    name, _, domain = login.partition("@")
    return name if site.is_own_domain(domain.lower()) else login
