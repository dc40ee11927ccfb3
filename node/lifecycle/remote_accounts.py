"""Takes in accounts of other servers: checks and cleans what their server says. `accounts` writes the rows."""

from __future__ import annotations

import json
from typing import Any

from node.accounts import accounts, keys
from node.accounts.accounts import KINDS
from node.attachments import custom_emoji
from node.database import Writer
from node.errors import Invalid, NotFound
from node.ids import now_ms
from node.models.account import Account
from node.models.remote_actor import RemoteActor
from node.moderation import domain_policy
from node.text import display_names, formatting, hostnames


def receive(tx: Writer, actor: RemoteActor) -> Account:
    """Take in someone from another server, or what is new about them. Raises Invalid.

    Whoever calls it has fetched the document from the actor's own origin. Nothing else about someone
    elsewhere is believed, and nothing here can make a stranger one of ours.
    """
    values = foreign(tx, actor)
    if actor.uri.lower().startswith(tx.site.base_url + "/") or tx.site.is_own(values["domain"]):
        raise Invalid("That person is on this server.", detail=f"{actor.uri} claims to be one of ours")
    now = now_ms()
    created_at = max(0, min(now if actor.created_at is None else actor.created_at, now))
    account = accounts.upsert_remote(tx, actor.uri, values, created_at=created_at, now=now)
    if account is None:
        raise NotFound("That account has been deleted.", detail=actor.uri)
    if actor.is_suspended != account.suspended_there:
        account = accounts.set_suspended_there(tx, account, is_suspended=actor.is_suspended)
    keys.remember(tx, account, actor.keys, now)
    return domain_policy.judge(tx, account)


FOREIGN_BIO = 20 * 1024
FOREIGN_FIELDS = 50
FOREIGN_FIELD = 2047
FOREIGN_ALIASES = 256
FOREIGN_LABEL = 2048
LONGEST_ALT = 1500
LONGEST_URI = 2048


def foreign(tx: Writer, actor: RemoteActor) -> dict[str, Any]:
    """Columns of someone elsewhere. Raises Invalid when they cannot be understood as a person at all.

    The emoji they use are known here afterwards.
    """
    name = display_names.foreign(actor.name)
    if not name or not _usable(actor.uri) or not _usable(actor.inbox):
        raise Invalid("This profile could not be read from its server.", detail=actor.uri)
    fields = [
        [display_names.shown(label, FOREIGN_FIELD), formatting.clean_html(value[:FOREIGN_FIELD])]
        for label, value in list(actor.fields)[:FOREIGN_FIELDS]
    ]
    aliases = [uri for uri in list(actor.also_known_as)[:FOREIGN_ALIASES] if _usable(uri)]
    values: dict[str, Any] = {
        "url": actor.url if _usable(actor.url) else actor.uri,
        "name": name,
        "domain": actor.domain.lower().rstrip("."),
        "host": hostnames.place(actor.uri),
        "kind": actor.kind if actor.kind in KINDS else "Person",
        "display_name": display_names.shown(actor.display_name, FOREIGN_LABEL),
        "bio": formatting.clean_html(actor.bio[:FOREIGN_BIO]),
        "fields": json.dumps(fields),
        "also_known_as": json.dumps(aliases),
        "avatar_alt": display_names.shown(actor.avatar_alt, LONGEST_ALT),
        "header_alt": display_names.shown(actor.header_alt, LONGEST_ALT),
        "is_locked": actor.is_locked,
        "is_discoverable": actor.is_discoverable,
        "is_indexable": actor.is_indexable,
        "inbox": actor.inbox,
        "hides_from_web": actor.hides_from_web,
    }
    for part in (
        "shared_inbox",
        "outbox",
        "followers_uri",
        "following_uri",
        "featured_uri",
        "avatar_url",
        "header_url",
        "moved_to",
    ):
        uri = getattr(actor, part)
        values[part] = uri if _usable(uri) else ""
    values["emoji"] = custom_emoji.take_in(
        tx,
        hostnames.of(actor.uri),
        actor.emoji,
        values["display_name"],
        values["bio"],
        *(part for line in fields for part in line),
    )
    return values


def _usable(uri: str) -> bool:
    return uri.startswith(("https://", "http://")) and len(uri) <= LONGEST_URI
