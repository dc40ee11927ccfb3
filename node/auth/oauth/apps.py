"""Apps that act for people, as OAuth clients (RFC 6749, 2). Owns `apps`.

An app that registered itself has a client id and a secret, of which the hash is kept, and the addresses that people may
be sent back to. One that `tintype token create` made has only a name.
"""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass
from urllib.parse import urlsplit

from node import rate_limits
from node.auth.issued_tokens import hash_of
from node.auth.oauth.scopes import DEFAULT, parse_scopes
from node.database import Reader, Row, Writer
from node.errors import Invalid
from node.ids import new_id, now_ms
from node.text import display_names

OUT_OF_BAND_URI = "urn:ietf:wg:oauth:2.0:oob"  # the code is shown to be copied, not sent
MAX_NAME_LENGTH, MAX_URI_LENGTH, MAX_URIS = 200, 2000, 10
MAX_PER_HOUR, MAX_PER_NETWORK_AND_HOUR = 1000, 60
NEVER_USED_RETENTION_MS = 24 * 3_600_000
UNUSED_RETENTION_MS = 365 * 24 * 3_600_000  # a web app registers once, and keeps its client id for good
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]{0,60}")
_URI_CHARACTERS = re.compile(r"[\x21\x23-\x3b\x3d\x3f-\x5b\x5d-\x7e]+")
# What a browser would run, show or hand on, instead of leading to an app.
_NO_ADDRESSES = frozenset(
    [
        "about",
        "blob",
        "chrome",
        "data",
        "file",
        "filesystem",
        "ftp",
        "intent",
        "jar",
        "javascript",
        "mailto",
        "resource",
        "sms",
        "tel",
        "urn",
        "vbscript",
        "view-source",
        "ws",
        "wss",
    ]
)
# An address of this machine, its port apart (RFC 8252, 7.3); compared as written, since parsers disagree.
_LOOPBACK_URI = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]|localhost))(?::(\d{1,5}))?((?:[/?].*)?)")


@dataclass(frozen=True, slots=True)
class ClientApp:
    """An app. `client_id` is '' for one that did not register itself."""

    id: int
    name: str
    website: str
    created_at: int
    client_id: str = ""
    secret_hash: str = ""
    redirect_uris: tuple[str, ...] = ()
    scopes: frozenset[str] = frozenset()

    def is_secret(self, given: str) -> bool:
        """Returns whether this is the app's secret, compared in constant time."""
        return bool(self.secret_hash) and hmac.compare_digest(self.secret_hash, hash_of(given))

    def allows_redirect(self, uri: str) -> bool:
        """Returns whether people may be sent there: an address that it registered, character by character.

        Only on this machine the port may be another: an app there takes one that is free (RFC 8252, 7.3).
        """
        return any(uri == known or _is_same_loopback(uri, known) for known in self.redirect_uris)


def count_registration(tx: Writer, address: str) -> None:
    """Counts a registration, of a network and of all. Raises TooManyRequests."""
    network = rate_limits.client_network(address)
    rate_limits.count_attempt(tx, f"app {network}", limit=MAX_PER_NETWORK_AND_HOUR, seconds=3600)
    rate_limits.count_attempt(tx, "app", limit=MAX_PER_HOUR, seconds=3600)


def register(
    tx: Writer, *, name: str, redirect_uris: list[str], scopes: str = "", website: str = ""
) -> tuple[ClientApp, str]:
    """Registers an app; returns it with its secret, which is not kept. Raises Invalid, with its field.

    Callers call `count_registration` first, in a unit of its own.
    """
    name = display_names.clean_line(name, MAX_NAME_LENGTH)
    if not name:
        raise Invalid("An app needs a name.", field="client_name")
    if not 1 <= len(redirect_uris) <= MAX_URIS:
        raise Invalid(f"An app has 1 to {MAX_URIS} redirect URIs.", field="redirect_uris")
    for uri in redirect_uris:
        check_redirect_uri(uri)
    secret = secrets.token_urlsafe(32)
    app = ClientApp(
        id=new_id(),
        name=name,
        website=_website(website),
        created_at=now_ms(),
        client_id=secrets.token_urlsafe(24),
        secret_hash=hash_of(secret),
        redirect_uris=tuple(dict.fromkeys(redirect_uris)),
        scopes=parse_scopes(scopes or DEFAULT),
    )
    tx.run(
        """INSERT INTO apps (id, name, website, created_at, client_id, secret_hash, redirect_uris, scopes)
           VALUES (:id, :name, :website, :now, :client_id, :secret_hash, :redirect_uris, :scopes)""",
        id=app.id,
        name=app.name,
        website=app.website,
        now=app.created_at,
        client_id=app.client_id,
        secret_hash=app.secret_hash,
        redirect_uris="\n".join(app.redirect_uris),
        scopes=" ".join(sorted(app.scopes)),
    )
    return app, secret


def by_name(tx: Writer, name: str, website: str = "") -> int:
    """Returns the id of an app without a client id, which is created if there is none of that name."""
    found = tx.value(
        "SELECT id FROM apps WHERE name = :name AND website = :website AND client_id = '' ORDER BY id LIMIT 1",
        name=name,
        website=website,
    )
    if found is not None:
        return int(found)
    app_id = new_id()
    tx.run(
        "INSERT INTO apps (id, name, website, created_at) VALUES (:id, :name, :website, :now)",
        id=app_id,
        name=name,
        website=website,
        now=now_ms(),
    )
    return app_id


def by_client_id(tx: Reader, client_id: str) -> ClientApp | None:
    """Returns an app that registered itself."""
    row = tx.one("SELECT * FROM apps WHERE client_id = :client_id AND client_id <> ''", client_id=client_id)
    return build_app(row) if row else None


def build_app(row: Row) -> ClientApp:
    """Builds an app from all columns of its row."""
    return ClientApp(
        row["id"],
        row["name"],
        row["website"],
        row["created_at"],
        row["client_id"],
        row["secret_hash"],
        tuple(row["redirect_uris"].splitlines()),
        frozenset(row["scopes"].split()),
    )


def mark_used(tx: Writer, app: ClientApp) -> None:
    """Records that a person has let an app in."""
    tx.run("UPDATE apps SET let_in_at = :now WHERE id = :id", id=app.id, now=now_ms())


def clean_up(tx: Writer, now: int, after: int | None) -> int | None:
    """Deletes those of the next apps that nobody let in for a year, or within a day of their registration.

    Those with a token stay. Returns where to go on, None at the end.
    """
    rows = tx.all(
        """SELECT a.id, a.created_at < :never_used AND a.let_in_at < :unused
               AND NOT EXISTS (SELECT 1 FROM tokens t WHERE t.app_id = a.id)
               AND NOT EXISTS (SELECT 1 FROM app_tokens t WHERE t.app_id = a.id)
               AND NOT EXISTS (SELECT 1 FROM authorization_codes c WHERE c.app_id = a.id) AS is_unused
           FROM apps a WHERE a.id > :after ORDER BY a.id LIMIT 500""",
        never_used=now - NEVER_USED_RETENTION_MS,
        unused=now - UNUSED_RETENTION_MS,
        after=after or 0,
    )
    tx.run("DELETE FROM apps WHERE id IN (:ids)", ids=[row["id"] for row in rows if row["is_unused"]])
    return rows[-1]["id"] if rows else None


def check_redirect_uri(uri: str) -> None:
    """Raises Invalid for what people must not be sent to: no absolute URI, one with a fragment, or a script."""
    if uri == OUT_OF_BAND_URI:
        return
    scheme, colon, rest = uri.partition(":")
    is_uri = bool(colon and rest and _SCHEME.fullmatch(scheme)) and bool(_URI_CHARACTERS.fullmatch(uri))
    if not is_uri or len(uri) > MAX_URI_LENGTH or "#" in uri or scheme.lower() in _NO_ADDRESSES:
        raise Invalid(f"This cannot be a redirect URI: {uri[:100]}", field="redirect_uris")
    if scheme.lower() not in ("http", "https"):
        return
    if not host_of(uri) or "@" in urlsplit(uri).netloc or not rest.startswith("//"):
        raise Invalid(f"This redirect URI has no host, or more than one: {uri[:100]}", field="redirect_uris")
    if scheme.lower() == "http" and not _LOOPBACK_URI.fullmatch(uri):
        raise Invalid("A redirect URI to another machine needs HTTPS.", field="redirect_uris")


def host_of(uri: str) -> str:
    """Returns the host that a URI leads to; '' for none."""
    try:
        return urlsplit(uri).hostname or ""
    except ValueError:
        return ""


def _is_same_loopback(uri: str, known: str) -> bool:
    """Returns whether two differ by the port of this machine alone."""
    if not _URI_CHARACTERS.fullmatch(uri):
        return False
    given, wanted = _LOOPBACK_URI.fullmatch(uri), _LOOPBACK_URI.fullmatch(known)
    if given is None or wanted is None or int(given[2] or 0) > 65535:
        return False
    return (given[1], given[3]) == (wanted[1], wanted[3])


def _website(text: str) -> str:
    """Returns the website if it is one that can be linked; '' otherwise, since it is only shown."""
    is_link = text.startswith(("https://", "http://")) and len(text) <= MAX_URI_LENGTH and text.isprintable()
    return text if is_link and host_of(text) else ""
