"""Records remote accounts: checks and cleans what their server sends. Owns no table: `accounts` writes the rows.

Called with actor documents that were fetched, by `activitypub.remote.actors`.
"""

from __future__ import annotations

import json
from typing import Any

from node.accounts import accounts, keys
from node.accounts.accounts import ACTOR_TYPES
from node.attachments import custom_emoji
from node.database import Writer
from node.errors import Invalid, NotFound
from node.ids import now_ms
from node.models.account import Account
from node.models.remote_actor import RemoteActor
from node.moderation import domain_rules
from node.text import display_names, formatting, hostnames, plain_or_html


def upsert(tx: Writer, actor: RemoteActor) -> Account:
    """Inserts a remote account, or updates it. Raises Invalid, and NotFound for one that was deleted.

    The caller has fetched the document from the actor's own origin, the only source that is trusted. A document can
    neither claim an account of this server nor change one.
    """
    values = columns_from_actor(tx, actor)
    if actor.uri.lower().startswith(tx.site.base_url + "/") or tx.site.is_own_domain(values["domain"]):
        raise Invalid("That person is on this server.", detail=f"{actor.uri} claims to be a local account")
    now = now_ms()
    created_at = max(0, min(now if actor.created_at is None else actor.created_at, now))
    account = accounts.upsert_remote(tx, actor.uri, values, created_at=created_at, now=now)
    if account is None:
        raise NotFound("That account has been deleted.", detail=actor.uri)
    if actor.is_suspended != account.suspended_there:
        account = accounts.apply_remote_suspension(tx, account, is_suspended=actor.is_suspended)
    keys.save_public(tx, account, actor.keys, now)
    return domain_rules.apply_to_account(tx, account)


MAX_REMOTE_BIO_LENGTH = 20 * 1024
MAX_REMOTE_FIELDS = 50
MAX_REMOTE_FIELD_LENGTH = 2047
MAX_REMOTE_ALIASES = 256
MAX_REMOTE_DISPLAY_NAME_LENGTH = 2048
MAX_ALT_LENGTH = 1500
MAX_URI_LENGTH = 2048


def columns_from_actor(tx: Writer, actor: RemoteActor) -> dict[str, Any]:
    """Returns the columns of a remote account. Raises Invalid for one without a usable name, id or inbox.

    What is too long is cut, and a uri that cannot be used becomes ''. Records the custom emoji it uses.
    """
    name = display_names.clean_remote_username(actor.name)
    if not name or not _is_usable_uri(actor.uri) or not _is_usable_uri(actor.inbox):
        raise Invalid("This profile could not be read from its server.", detail=actor.uri)
    fields = [
        [
            display_names.clean_line(plain_or_html.read(label), MAX_REMOTE_FIELD_LENGTH),
            formatting.sanitize_html(value[:MAX_REMOTE_FIELD_LENGTH]),
        ]
        for label, value in list(actor.fields)[:MAX_REMOTE_FIELDS]
    ]
    aliases = [uri for uri in list(actor.also_known_as)[:MAX_REMOTE_ALIASES] if _is_usable_uri(uri)]
    values: dict[str, Any] = {
        "url": actor.url if _is_usable_uri(actor.url) else actor.uri,
        "name": name,
        "domain": actor.domain.lower().rstrip("."),
        "host": hostnames.netloc(actor.uri),
        "kind": actor.kind if actor.kind in ACTOR_TYPES else "Person",
        "display_name": display_names.clean_line(actor.display_name, MAX_REMOTE_DISPLAY_NAME_LENGTH),
        "bio": formatting.sanitize_html(actor.bio[:MAX_REMOTE_BIO_LENGTH]),
        "fields": json.dumps(fields),
        "also_known_as": json.dumps(aliases),
        "avatar_alt": display_names.clean_line(actor.avatar_alt, MAX_ALT_LENGTH),
        "header_alt": display_names.clean_line(actor.header_alt, MAX_ALT_LENGTH),
        "is_locked": actor.is_locked,
        "is_discoverable": actor.is_discoverable,
        "is_indexable": actor.is_indexable,
        "inbox": actor.inbox,
        "hides_from_web": actor.hides_from_web,
    }
    for column in (
        "shared_inbox",
        "outbox",
        "followers_uri",
        "following_uri",
        "featured_uri",
        "avatar_url",
        "header_url",
        "moved_to",
    ):
        uri = getattr(actor, column)
        values[column] = uri if _is_usable_uri(uri) else ""
    values["emoji"] = custom_emoji.record_used(
        tx,
        hostnames.from_uri(actor.uri),
        actor.emoji,
        values["display_name"],
        values["bio"],
        *(part for line in fields for part in line),
    )
    return values


def _is_usable_uri(uri: str) -> bool:
    return uri.startswith(("https://", "http://")) and len(uri) <= MAX_URI_LENGTH
