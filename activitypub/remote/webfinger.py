"""WebFinger (RFC 7033): handles of other servers become ids, and our own answer who they are.

A handle is believed only when the server it names says so itself: a document of one host that speaks for
another leads to a second question, put to that other host.
https://www.rfc-editor.org/rfc/rfc7033
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from activitypub.client import page_links
from activitypub.client.cache import Memory
from activitypub.client.client import Unfetchable
from activitypub.client.fetch_budget import Budget
from activitypub.documents import webfinger
from activitypub.uris import Malformed, host_and_port, normal_id, parts
from node.accounts import accounts
from node.database import Reader
from node.models.account import Account
from node.node import Node

_XRD_TYPES, _XRD_LIMIT = ("application/xrd+xml", "application/xml", "text/xml"), 64 * 1024
_NAME = re.compile(r"[^\s@/?#<>\"'\\:]{1,2048}")


@dataclass(frozen=True, slots=True)
class Found:
    """Who a handle belongs to: `name@domain` as their server writes it, and the id of the actor."""

    name: str
    domain: str
    uri: str


def split(handle: str) -> tuple[str, str]:
    """`@name@domain`, `acct:name@domain` → (name, domain), the domain lower-case. Raises Malformed."""
    text = handle.strip()
    text = text[5:] if text[:5].lower() == "acct:" else text
    name, at, domain = text.removeprefix("@").partition("@")
    if not at or _NAME.fullmatch(name) is None:
        raise Malformed("not a handle")
    host, port = host_and_port(domain)
    return name, host if port in (None, 443) else f"{host}:{port}"


async def look_up(node: Node, handle: str) -> Found:
    """Ask the server a handle names. Raises Unfetchable or Malformed."""
    name, domain = split(handle)
    jrd = await _ask(node, name, domain)
    subject = split(_subject(jrd))
    if subject[1] == domain:
        return Found(*subject, _self(jrd))
    # Another host's name: only that host can say whose it is.
    second = await _ask(node, *subject)
    again = split(_subject(second))
    if again[1] != subject[1] or again[0].lower() != subject[0].lower() or _self(second) != _self(jrd):
        raise Malformed("the two servers of that handle do not agree")
    return Found(*again, _self(second))


async def _ask(node: Node, name: str, domain: str) -> dict[str, Any]:
    if node.site.is_own(domain):
        raise Malformed("one of our own")
    scheme = "http" if node.config.federation.allow_http and node.site.scheme == "http" else "https"
    resource = quote(f"acct:{name}@{domain}", safe="")
    url = f"{scheme}://{domain}/.well-known/webfinger?resource={resource}"
    try:
        jrd: dict[str, Any] = (await node.client.get_jrd(url)).doc
    except Unfetchable as error:
        template = await _template(node, f"{scheme}://{domain}") if error.answered == 404 else None
        if template is None or (elsewhere := template.replace("{uri}", resource)) == url:
            raise
        jrd = (await node.client.get_jrd(elsewhere)).doc
    return jrd


async def _template(node: Node, origin: str) -> str | None:
    """Where a host's WebFinger is, by its host-meta (RFC 6415), as XRD or as JSON. It may be on another host."""
    found: Any = None
    with contextlib.suppress(Unfetchable):
        address = f"{origin}/.well-known/host-meta"
        found = page_links.lrdd(
            (await node.client.get_text(address, types=_XRD_TYPES, limit=_XRD_LIMIT)).text
        )
    if found is None:
        with contextlib.suppress(Unfetchable):
            doc = (await node.client.get_jrd(f"{origin}/.well-known/host-meta.json")).doc
            listed = doc["links"] if isinstance(doc.get("links"), list) else []
            lrdd = (link for link in listed if isinstance(link, dict) and link.get("rel") == "lrdd")
            found = next((link.get("template") for link in lrdd), None)
    return found if isinstance(found, str) and "{uri}" in found else None


def _subject(jrd: dict[str, Any]) -> str:
    subject = jrd.get("subject")
    if not isinstance(subject, str):
        raise Malformed("the WebFinger answer has no subject")
    return subject


def _self(jrd: dict[str, Any]) -> str:
    links = jrd.get("links")
    for link in links if isinstance(links, list) else ():
        if not isinstance(link, dict) or link.get("rel") != "self":
            continue
        type_ = re.sub(r"\s+", " ", str(link.get("type", ""))).lower()
        href = link.get("href")
        if isinstance(href, str) and type_.replace(";profile", "; profile") in webfinger._AS_TYPES:
            normal_id(href)
            return href
    raise Malformed("the WebFinger answer names no actor")


async def is_at_home(node: Node, found: Found, claimed: str | None) -> bool:
    """Whether the actor's own server calls it by that handle too: nobody is named by a stranger.

    `claimed` is the actor's `webfinger` property (FEP-2c59), which says it without another question.
    """
    host = parts(found.uri).authority
    wanted = (found.name.lower(), found.domain)
    if found.domain == host or (claimed is not None and _pair(claimed) == wanted):
        return True
    jrd = await _ask(node, found.name, host)
    return _pair(_subject(jrd)) == wanted and _self(jrd) == found.uri


def _pair(handle: str) -> tuple[str, str] | None:
    try:
        name, domain = split(handle)
    except Malformed:
        return None
    return name.lower(), domain


async def domain_of(
    node: Node, name: str, uri: str, claimed: str | None, known: str | None, budget: Budget | None
) -> str:
    """The domain to show beside an actor's name: another than its own host only if both agree about it.

    `claimed` is the actor's `webfinger` property (FEP-2c59), `known` the domain it has here already. Who claims
    nothing is asked for at their own host, which may name another. A name is kept while nobody can be asked about
    it; a host that was named in vain is not asked again at the word of the same server for a while.
    """
    host = parts(uri).authority
    try:
        if claimed is None and known in (None, host):
            _spend(budget, uri)
            jrd = await _ask(node, name, host)
            claimed = _subject(jrd) if _self(jrd) == uri else None
        elif claimed is None:
            claimed = f"{name}@{known}"
        pair = None if claimed is None else _pair(claimed)
        if claimed is None or pair is None or pair[1] == host or pair[0] != name.lower():
            return host
        if node.part(Memory).named_in_vain.get((host, pair[1])):
            return known or host
        _spend(budget, f"https://{pair[1]}/")
        await _vouched_for(node, claimed, uri, host, pair[1])
    except Malformed:
        return host
    except Unfetchable as error:
        return known or host if error.temporary or error.answered is None else host
    return pair[1]


async def _vouched_for(node: Node, handle: str, uri: str, host: str, domain: str) -> None:
    """Raises Malformed or Unfetchable unless the domain of a handle says that it belongs to this actor."""
    try:
        found = await look_up(node, handle)
        if found.uri != uri or found.domain != domain:
            raise Malformed("the two servers do not agree")
    except (Malformed, Unfetchable):
        node.part(Memory).named_in_vain.put((host, domain), True)
        raise


def _spend(budget: Budget | None, uri: str) -> None:
    if budget is not None:
        budget.spend(uri)


def local(tx: Reader, resource: str) -> Account | None:
    """Who of ours a `resource` means: a handle, an actor's id or a profile's address.

    Raises Malformed for what is none of these. Someone deleted is returned, with `deleted_at` set.
    """
    text = resource.strip()
    if text.lower().startswith(("https://", "http://")):
        return _by_address(tx, text)
    name, domain = split(text)
    if not tx.site.is_own(domain):
        return None
    if name.lower() in (domain, *(own.partition(":")[0] for own in tx.site.own_domains)):
        return accounts.instance_actor(tx)
    return _shown(accounts.by_handle(tx, name))


def _by_address(tx: Reader, address: str) -> Account | None:
    found = parts(address)
    if not tx.site.is_own(found.authority):
        return None
    path = found.path.rstrip("/")
    if path in ("", "/actor"):
        return accounts.instance_actor(tx)
    for prefix in ("/users/", "/@"):
        name, _, domain = path.removeprefix(prefix).partition("@")
        if path.startswith(prefix) and "/" not in name and (not domain or tx.site.is_own(domain.lower())):
            return _shown(accounts.by_handle(tx, name))
    return None


def _shown(account: Account | None) -> Account | None:
    """Nobody is told of someone who still waits to be let in, or who was sent away."""
    return account if account is not None and account.is_local and account.suspended_at is None else None
