"""WebFinger and host-meta documents about local accounts (RFC 7033, RFC 6415)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from node.database import Site
from node.models.account import Account

AS_TYPE = "application/activity+json"
AS_TYPES = (AS_TYPE, 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"')


def username(account: Account) -> str:
    """Returns the part before the @. The instance actor's is its host without a port,
    which no user name may hold."""
    return account.name.partition(":")[0]


def document(site: Site, account: Account, rels: Sequence[str] = ()) -> dict[str, Any]:
    """Returns the JRD of a local account; `rels`, if any, filter its links."""
    links = [
        {"rel": "self", "type": AS_TYPE, "href": account.uri},
        {"rel": "http://webfinger.net/rel/profile-page", "type": "text/html", "href": account.url},
    ]
    if account.kind != "Application":
        template = site.uri("/authorize_interaction?uri={uri}")
        links.append({"rel": "http://ostatus.org/schema/1.0/subscribe", "template": template})
    return {
        "subject": f"acct:{username(account)}@{account.domain}",
        "aliases": list(dict.fromkeys((account.url, account.uri))),
        "links": [link for link in links if not rels or link["rel"] in rels],
    }


def host_meta(site: Site) -> str:
    """Returns the XRD that leads older servers to WebFinger (RFC 6415)."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<XRD xmlns="http://docs.oasis-open.org/ns/xri/xrd-1.0">'
        f'<Link rel="lrdd" template="{site.uri("/.well-known/webfinger?resource={uri}")}"/>'
        "</XRD>\n"
    )


def host_meta_json(site: Site) -> dict[str, Any]:
    template = site.uri("/.well-known/webfinger?resource={uri}")
    return {"links": [{"rel": "lrdd", "type": "application/jrd+json", "template": template}]}
