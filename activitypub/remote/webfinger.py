"""WebFinger (RFC 7033): resolves remote handles to actor ids, and finds the local account of a `resource`.

A handle is accepted only from the server that it names: if the document of one host names a subject on another, that
other host is queried too.
https://www.rfc-editor.org/rfc/rfc7033
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from activitypub.client import page_links
from activitypub.client.cache import FederationCache
from activitypub.client.client import Unfetchable
from activitypub.client.fetch_budget import FetchBudget
from activitypub.documents.webfinger import AS_TYPES
from activitypub.uris import Malformed, host_and_port, normalize_id, parse_uri
from node.accounts import accounts
from node.database import Reader
from node.models.account import Account
from node.node import Node

_XRD_TYPES, _XRD_LIMIT = ("application/xrd+xml", "application/xml", "text/xml"), 64 * 1024
_NAME = re.compile(r"[^\s@/?#<>\"'\\:]{1,2048}")


@dataclass(frozen=True, slots=True)
class WebFingerResult:
    """The verified handle `name@domain`, as its server writes it, and the id of its actor."""

    name: str
    domain: str
    actor_uri: str


def split_handle(handle: str) -> tuple[str, str]:
    """Splits `@name@domain` or `acct:name@domain` into name and lower-case domain. Raises Malformed."""
    text = handle.strip()
    text = text[5:] if text[:5].lower() == "acct:" else text
    name, at, domain = text.removeprefix("@").partition("@")
    if not at or _NAME.fullmatch(name) is None:
        raise Malformed("not a handle")
    host, port = host_and_port(domain)
    return name, host if port in (None, 443) else f"{host}:{port}"


async def look_up_handle(node: Node, handle: str) -> WebFingerResult:
    """Queries the server of a handle, and that of the subject if it is another. Raises Unfetchable or Malformed."""
    name, domain = split_handle(handle)
    jrd = await _query(node, name, domain)
    subject = split_handle(_subject(jrd, name, domain))
    if subject[1] == domain:
        return WebFingerResult(*subject, _self_link(jrd))
    # The subject is on another host: only that host is an authority on its handles.
    second = await _query(node, *subject)
    confirmed = split_handle(_subject(second, *subject))
    if (
        confirmed[1] != subject[1]
        or confirmed[0].lower() != subject[0].lower()
        or _self_link(second) != _self_link(jrd)
    ):
        raise Malformed("the two servers of that handle do not agree")
    return WebFingerResult(*confirmed, _self_link(second))


async def _query(node: Node, name: str, domain: str) -> dict[str, Any]:
    if node.site.is_own_domain(domain):
        raise Malformed("a handle of this server")
    scheme = "http" if node.config.federation.allow_http and node.site.scheme == "http" else "https"
    resource = quote(f"acct:{name}@{domain}", safe="")
    url = f"{scheme}://{domain}/.well-known/webfinger?resource={resource}"
    try:
        jrd: dict[str, Any] = (await node.client.get_jrd(url)).doc
    except Unfetchable as error:
        template = (
            await _find_template(node, f"{scheme}://{domain}") if error.response_status == 404 else None
        )
        if template is None or (templated := template.replace("{uri}", resource)) == url:
            raise
        jrd = (await node.client.get_jrd(templated)).doc
    return jrd


async def _find_template(node: Node, origin: str) -> str | None:
    """Returns the WebFinger template in the host-meta of an origin (RFC 6415), XRD or JSON;
    it may lead to another host."""
    found: Any = None
    with contextlib.suppress(Unfetchable):
        address = f"{origin}/.well-known/host-meta"
        found = page_links.find_lrdd_template(
            (await node.client.get_text(address, types=_XRD_TYPES, max_bytes=_XRD_LIMIT)).text
        )
    if found is None:
        with contextlib.suppress(Unfetchable):
            doc = (await node.client.get_jrd(f"{origin}/.well-known/host-meta.json")).doc
            listed = doc["links"] if isinstance(doc.get("links"), list) else []
            lrdd = (link for link in listed if isinstance(link, dict) and link.get("rel") == "lrdd")
            found = next((link.get("template") for link in lrdd), None)
    return found if isinstance(found, str) and "{uri}" in found else None


def _subject(jrd: dict[str, Any], name: str, domain: str) -> str:
    """Returns the subject; the handle that was queried if there is none, or if it is an address and no handle.

    Then the actor has to have that name, and to be on that host or to claim the handle.
    """
    subject = jrd.get("subject")
    if not isinstance(subject, str | None):
        raise Malformed("the subject of the WebFinger answer is not a text")
    if subject is None or not subject.strip() or subject.strip().lower().startswith(("https://", "http://")):
        return f"{name}@{domain}"
    return subject


def _self_link(jrd: dict[str, Any]) -> str:
    links = jrd.get("links")
    for link in links if isinstance(links, list) else ():
        if not isinstance(link, dict) or link.get("rel") != "self":
            continue
        type_ = re.sub(r"\s+", " ", str(link.get("type", ""))).lower()
        href = link.get("href")
        if isinstance(href, str) and type_.replace(";profile", "; profile") in AS_TYPES:
            normalize_id(href)
            return href
    raise Malformed("the WebFinger answer names no actor")


async def is_confirmed_by_actor_host(node: Node, found: WebFingerResult, claimed: str | None) -> bool:
    """Returns whether the actor's own server confirms the handle,
    so that no third server can name its actors.

    `claimed` is the actor's `webfinger` property (FEP-2c59), which confirms it without another query.
    """
    host = parse_uri(found.actor_uri).authority
    handle = (found.name.lower(), found.domain)
    if found.domain == host or (claimed is not None and _normalized_handle(claimed) == handle):
        return True
    jrd = await _query(node, found.name, host)
    return (
        _normalized_handle(_subject(jrd, found.name, host)) == handle and _self_link(jrd) == found.actor_uri
    )


def _normalized_handle(handle: str) -> tuple[str, str] | None:
    try:
        name, domain = split_handle(handle)
    except Malformed:
        return None
    return name.lower(), domain


async def resolve_domain(
    node: Node, name: str, uri: str, claimed: str | None, known: str | None, budget: FetchBudget | None
) -> str:
    """Returns the domain of an actor's handle: another than its own host only if both servers agree.

    `claimed` is the actor's `webfinger` property (FEP-2c59), `known` the stored domain. Without a claim the actor's
    own host is queried, which may name another. A stored domain is kept while no server answers. A domain that did
    not confirm the claim of a host is not queried again for that host for half an hour.
    """
    host = parse_uri(uri).authority
    try:
        if claimed is None and known in (None, host):
            _spend(budget, uri)
            jrd = await _query(node, name, host)
            claimed = _subject(jrd, name, host) if _self_link(jrd) == uri else None
        elif claimed is None:
            claimed = f"{name}@{known}"
        handle = None if claimed is None else _normalized_handle(claimed)
        if claimed is None or handle is None or handle[1] == host or handle[0] != name.lower():
            return host
        if node.component(FederationCache).unconfirmed_domains.get((host, handle[1])):
            return known or host
        _spend(budget, f"https://{handle[1]}/")
        await _check_confirmed(node, claimed, uri, host, handle[1])
    except Malformed:
        return host
    except Unfetchable as error:
        return known or host if error.temporary or error.response_status is None else host
    return handle[1]


async def _check_confirmed(node: Node, handle: str, uri: str, host: str, domain: str) -> None:
    """Raises Malformed or Unfetchable unless the domain of a handle confirms that it belongs to this actor."""
    try:
        found = await look_up_handle(node, handle)
        if found.actor_uri != uri or found.domain != domain:
            raise Malformed("the two servers do not agree")
    except (Malformed, Unfetchable):
        node.component(FederationCache).unconfirmed_domains.put((host, domain), True)
        raise


def _spend(budget: FetchBudget | None, uri: str) -> None:
    if budget is not None:
        budget.spend(uri)


def local_account(tx: Reader, resource: str) -> Account | None:
    """Returns the local account that a `resource` names: by a handle, an actor id or a profile URL.

    Raises Malformed for anything else. A deleted account is returned too, with `deleted_at` set.
    """
    text = resource.strip()
    if text.lower().startswith(("https://", "http://")):
        return _by_address(tx, text)
    name, domain = split_handle(text)
    if not tx.site.is_own_domain(domain):
        return None
    if name.lower() in (domain, *(own.partition(":")[0] for own in tx.site.own_domains)):
        return accounts.instance_actor(tx)
    return _if_listed(accounts.by_handle(tx, name))


def _by_address(tx: Reader, address: str) -> Account | None:
    found = parse_uri(address)
    if not tx.site.is_own_domain(found.authority):
        return None
    path = found.path.rstrip("/")
    if path in ("", "/actor"):
        return accounts.instance_actor(tx)
    for prefix in ("/users/", "/@"):
        name, _, domain = path.removeprefix(prefix).partition("@")
        if (
            path.startswith(prefix)
            and "/" not in name
            and (not domain or tx.site.is_own_domain(domain.lower()))
        ):
            return _if_listed(accounts.by_handle(tx, name))
    return None


def _if_listed(account: Account | None) -> Account | None:
    """Returns the account, unless it is remote, suspended or waiting for approval."""
    return account if account is not None and account.is_local and account.suspended_at is None else None
