"""Remote accounts for tests, and what an account sent and was notified of."""

from __future__ import annotations

import json
from typing import Any

from node.accounts import accounts
from node.database import Reader, Writer
from node.lifecycle import profiles, remote_accounts
from node.models.account import Account
from node.models.remote_actor import ActorKey, RemoteActor

REMOTE_KEY = "-----BEGIN PUBLIC KEY-----\nremote\n-----END PUBLIC KEY-----\n"


def actor(name: str = "rita", domain: str = "far.example", **changes: Any) -> RemoteActor:
    """A remote actor as its server would describe it."""
    uri = changes.pop("uri", f"https://{domain}/users/{name}")
    values: dict[str, Any] = {
        "uri": uri,
        "name": name,
        "domain": domain,
        "inbox": f"{uri}/inbox",
        "shared_inbox": f"https://{domain}/inbox",
        "followers_uri": f"{uri}/followers",
        "keys": [ActorKey(f"{uri}#main-key", "rsa", REMOTE_KEY)],
    }
    return RemoteActor(**(values | changes))


def remote(tx: Writer, name: str = "rita", domain: str = "far.example", **changes: Any) -> Account:
    return remote_accounts.upsert(tx, actor(name, domain, **changes))


def activities_of(tx: Reader, account: Account) -> list[tuple[str, str, dict[str, Any]]]:
    """(verb, object, extra) of each outgoing activity of an account, oldest first."""
    rows = tx.all(
        "SELECT verb, object_uri, extra FROM outbox WHERE account_id = :id ORDER BY id", id=account.id
    )
    return [(row["verb"], row["object_uri"], json.loads(row["extra"])) for row in rows]


def verbs_of(tx: Reader, account: Account) -> list[str]:
    return [verb for verb, _, _ in activities_of(tx, account)]


def notifications_of(tx: Reader, account: Account) -> list[tuple[str, int]]:
    """(kind, id of the account it is about) of each notification of an account, oldest first."""
    rows = tx.all("SELECT kind, by_id FROM notifications WHERE account_id = :id ORDER BY id", id=account.id)
    return [(row["kind"], row["by_id"]) for row in rows]


def profile(tx: Writer, account: Account, **changes: Any) -> Account:
    """Changes parts of a profile; the rest stays as it is."""
    current = accounts.get(tx, account.id)
    values: dict[str, Any] = {
        "display_name": current.display_name,
        "bio": current.bio_source,
        "fields": current.source_fields,
        "is_locked": current.is_locked,
        "is_discoverable": current.is_discoverable,
        "is_indexable": current.is_indexable,
    }
    return profiles.update_profile(tx, current, **(values | changes))


def lock(tx: Writer, account: Account) -> Account:
    return profile(tx, account, is_locked=True)
