"""A remote account with a real key, and requests that it signs, without a network."""

from __future__ import annotations

import functools
import json
import time
from typing import Any

from activitypub.signatures import SignedRequest, SigningKey, sign_cavage
from activitypub.signatures.signing import ExtraHeaders
from node.accounts import keys
from node.database import Site, Writer
from node.models.account import Account
from node.models.remote_actor import ActorKey
from tests.support.people import remote


@functools.cache
def pair(name: str) -> tuple[str, str]:
    """(private, public) PEM, the same for one name in the whole run."""
    return keys.generate_rsa()


def signer(tx: Writer, name: str = "rita", domain: str = "far.example", **changes: Any) -> Account:
    """A remote account whose public key is stored."""
    key_id = f"https://{domain}/users/{name}#main-key"
    return remote(tx, name, domain, keys=[ActorKey(key_id, "rsa", pair(name)[1])], **changes)


def signed_headers(
    account: Account,
    method: str,
    url: str,
    body: bytes | None = None,
    *,
    key: str | None = None,
    extra: ExtraHeaders = (),
) -> dict[str, str]:
    """The headers of a request that the account signs; `key` names the pair of another account."""
    signing_key = SigningKey.load(f"{account.uri}#main-key", pair(key or account.name)[0])
    return sign_cavage(signing_key, method, url, body, time.time(), extra)


def inbox_request(
    account: Account,
    site: Site,
    activity: dict[str, Any],
    *,
    key: str | None = None,
    extra: ExtraHeaders = (),
) -> SignedRequest:
    """A POST to the shared inbox as signatures see it."""
    body = json.dumps(activity).encode()
    headers = signed_headers(account, "POST", site.uri("/inbox"), body, key=key, extra=extra)
    pairs = [(name.lower(), value) for name, value in headers.items()]
    return SignedRequest("POST", "/inbox", site.domain, site.scheme, pairs, body)
