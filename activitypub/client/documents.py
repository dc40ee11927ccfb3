"""Fetches documents of remote servers and checks that each comes from its own id.

`fetch` is the only way in for an object that did not arrive in a request signed by its author: what a third
party says about an object is only a hint at its address. A document is accepted if it was found under its own
id, on its own origin; one that names another id is discarded and that id is fetched instead.
"""

from __future__ import annotations

from typing import Any

from activitypub.client import signature_style, signing_keys
from activitypub.client.client import Unfetchable
from activitypub.client.fetch_budget import FetchBudget, permanent_failure
from activitypub.signatures import SigningKey
from activitypub.uris import Malformed, host_of, normalize_id, same_origin, without_fragment
from node.moderation import domain_rules
from node.node import Node


async def fetch(
    node: Node, uri: str, *, key: SigningKey | None = None, budget: FetchBudget | None = None
) -> dict[str, Any]:
    """Fetches the object with this id from its own server. Raises Unfetchable.

    `uri` may also be the address of its page: then the id in the response is fetched.
    `key` signs the request; without it the key of the instance actor does.
    """
    try:
        uri = without_fragment(uri)
        await _check_host(node, uri)
        if key is None:
            key = await signing_keys.instance_key(node)
        doc, found_at = await _get(node, uri, key, budget)
        claimed = _claimed_id(doc, uri)
        if not _is_found_at_id(claimed, found_at, uri):
            await _check_host(node, claimed)
            doc, found_at = await _get(node, claimed, key, budget)
            if not _is_found_at_id(_claimed_id(doc, claimed), found_at, claimed):
                raise permanent_failure(uri, "the document is not where its id says it is")
    except Malformed as error:
        raise permanent_failure(uri, str(error)) from error
    return doc


async def fetch_collection(node: Node, url: str, budget: FetchBudget) -> dict[str, Any]:
    """Fetches a collection, or a page of one, that is known only by its address. Raises Unfetchable."""
    try:
        await _check_host(node, url)
        doc, found_at = await _get(node, url, await signing_keys.instance_key(node), budget)
        if not same_origin(found_at, url):
            raise permanent_failure(url, "the collection has moved to another server")
    except Malformed as error:
        raise permanent_failure(url, str(error)) from error
    return doc


async def _get(
    node: Node, uri: str, key: SigningKey, budget: FetchBudget | None
) -> tuple[dict[str, Any], str]:
    """Sends the GET, and after a 401 or 403 once more with the other signature style, which is then remembered."""
    host = host_of(uri)
    style = await signature_style.by_host(node, host)
    if budget is not None:
        budget.spend(uri)
    try:
        fetched = await node.client.get_json(uri, key=key, style=style)
    except Unfetchable as error:
        if error.response_status not in (401, 403):
            raise
        if budget is not None:
            budget.spend(uri)
        style = signature_style.other(style)
        try:
            fetched = await node.client.get_json(uri, key=key, style=style)
        except Unfetchable:
            raise error from None
        if host_of(fetched.url) == host:
            await signature_style.remember(node, host, style)
    return fetched.doc, fetched.url


def _claimed_id(doc: dict[str, Any], uri: str) -> str:
    id_ = doc.get("id") or doc.get("@id")
    if not isinstance(id_, str) or not id_:
        raise permanent_failure(uri, "the document does not say what its id is")
    return id_


def _is_found_at_id(id_: str, found_at: str, requested: str) -> bool:
    """Returns whether a document with this id is acceptable at `found_at`,
    the address after redirects from `requested`."""
    found = normalize_id(without_fragment(found_at))
    claimed = normalize_id(without_fragment(id_))
    return claimed == found or (claimed == normalize_id(requested) and same_origin(id_, found_at))


async def _check_host(node: Node, uri: str) -> None:
    """Raises Unfetchable for this node itself and for a blocked server, Malformed for what is no address."""
    host = host_of(uri)
    if host == node.site.domain:
        raise permanent_failure(uri, "local objects are not fetched")
    if await node.db.read(domain_rules.is_blocked, host):
        raise permanent_failure(uri, "this node does not exchange anything with that server")


def is_local_uri(node: Node, uri: str) -> bool:
    """Returns whether an id is on this node's own host, and so only ever found in its own tables."""
    try:
        return host_of(uri) == node.site.domain
    except Malformed:
        return False
