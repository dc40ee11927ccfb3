"""People of other servers, and what ours have said, for tests."""

from __future__ import annotations

import json
from typing import Any

from node.accounts import accounts
from node.database import Reader, Writer
from node.lifecycle import profiles, remote_accounts
from node.models.account import Account
from node.models.remote_actor import PublicKey, RemoteActor

REMOTE_KEY = "-----BEGIN PUBLIC KEY-----\nremote\n-----END PUBLIC KEY-----\n"


def actor(name: str = "rita", domain: str = "far.example", **changes: Any) -> RemoteActor:
    """Someone elsewhere, as their server would describe them."""
    uri = changes.pop("uri", f"https://{domain}/users/{name}")
    values: dict[str, Any] = {
        "uri": uri,
        "name": name,
        "domain": domain,
        "inbox": f"{uri}/inbox",
        "shared_inbox": f"https://{domain}/inbox",
        "followers_uri": f"{uri}/followers",
        "keys": [PublicKey(f"{uri}#main-key", "rsa", REMOTE_KEY)],
    }
    return RemoteActor(**(values | changes))


def remote(tx: Writer, name: str = "rita", domain: str = "far.example", **changes: Any) -> Account:
    return remote_accounts.receive(tx, actor(name, domain, **changes))


def said(tx: Reader, who: Account) -> list[tuple[str, str, dict[str, Any]]]:
    """(verb, object, extra) of each sentence of a person, oldest first."""
    rows = tx.all("SELECT verb, object_uri, extra FROM outbox WHERE account_id = :id ORDER BY id", id=who.id)
    return [(row["verb"], row["object_uri"], json.loads(row["extra"])) for row in rows]


def verbs(tx: Reader, who: Account) -> list[str]:
    return [verb for verb, _, _ in said(tx, who)]


def told(tx: Reader, who: Account) -> list[tuple[str, int]]:
    """(kind, by) of each notification of a person, oldest first."""
    rows = tx.all("SELECT kind, by_id FROM notifications WHERE account_id = :id ORDER BY id", id=who.id)
    return [(row["kind"], row["by_id"]) for row in rows]


def profile(tx: Writer, who: Account, **changes: Any) -> Account:
    """Say something else about oneself; the rest stays as it is."""
    now = accounts.get(tx, who.id)
    said: dict[str, Any] = {
        "display_name": now.display_name,
        "bio": now.bio_source,
        "fields": now.typed_fields,
        "is_locked": now.is_locked,
        "is_discoverable": now.is_discoverable,
        "is_indexable": now.is_indexable,
    }
    return profiles.update_profile(tx, now, **(said | changes))


def lock(tx: Writer, who: Account) -> Account:
    return profile(tx, who, is_locked=True)
