"""Resolves a handle or URL that somebody typed or pasted to an account or a post, local or remote."""

from __future__ import annotations

import asyncio

from activitypub import vocab
from activitypub.client import documents, page_links, signing_keys
from activitypub.client.client import FetchedFile, Unfetchable
from activitypub.client.documents import is_local_uri
from activitypub.remote import actors, webfinger
from activitypub.remote import notes as remote_notes
from activitypub.signatures import SigningKey
from activitypub.uris import Malformed, parse_uri
from node.accounts import accounts
from node.database import Reader
from node.errors import NotFound, Refused, Unreachable
from node.ids import parse_id
from node.models.account import Account
from node.models.post import Post
from node.node import Node
from node.posts import posts
from node.text import formatting

MAX_MENTIONS = 10


async def resolve(node: Node, query: str, viewer: Account | None) -> Account | Post | None:
    """Returns the account or post that a handle or URL names; None when there is none,
    or none that `viewer` may see.

    Remote servers are asked only for a viewer who is signed in. Raises Unreachable when one does not answer.
    """
    query = query.strip()
    if query.lower().startswith(("https://", "http://")):
        return await _by_address(node, query, viewer)
    try:
        _, domain = webfinger.split_handle(query)
        handle = query.removeprefix("acct:").removeprefix("@")
        known = await node.db.read(accounts.by_handle, handle)
        if known is not None or viewer is None or node.site.is_own_domain(domain):
            return None if known is None or known.is_inactive else known
        return await actors.by_handle(node, handle)
    except (Malformed, NotFound):
        return None


async def _by_address(node: Node, address: str, viewer: Account | None) -> Account | Post | None:
    found = await node.db.read(_find_known, address, viewer)
    if found is not None or viewer is None or is_local_uri(node, address):
        return found
    # A follower may read posts that are not public, so the request is signed with the key of the viewer.
    key = await signing_keys.by_account(node, viewer.id)
    try:
        try:
            found = await _fetch(node, address, key)
        except Unfetchable as error:
            linked = await _linked_document(node, address, error)
            found = await _fetch(node, linked, key)
    except Unfetchable as error:
        if error.temporary:
            raise Unreachable(error.summary, detail=str(error)) from error
        return None
    except (Malformed, Refused):
        return None
    if isinstance(found, Post):
        return await node.db.read(_if_visible, found, viewer)
    return found


async def _fetch(node: Node, address: str, key: SigningKey) -> Account | Post | None:
    doc = await documents.fetch(node, address, key=key)
    try:
        vocab.parse_actor(doc)
    except Malformed:
        return await remote_notes.find(node, str(doc.get("id")), key=key)
    known = await node.db.read(accounts.by_uri, str(doc.get("id")))
    return known if known is not None else await actors.import_document(node, doc)


async def _linked_document(node: Node, address: str, failure: Unfetchable) -> str:
    """Returns the address of the ActivityPub document that an HTML page links to.

    Raises `failure` without one.
    """
    if failure.response_status != 200:
        raise failure
    page: FetchedFile = await node.client.get_text(address)
    linked = page_links.find_alternate(page.url, page.text, page.link_header)
    if linked is None or linked == address:
        raise failure
    return linked


def _find_known(tx: Reader, address: str, viewer: Account | None) -> Account | Post | None:
    account = accounts.by_uri(tx, address)
    try:
        found = parse_uri(address)
    except Malformed:
        return None
    if account is None and tx.site.is_own_domain(found.authority):
        account = webfinger.local_account(tx, address)
        if account is not None and account.kind == "Application":
            account = None
    if account is not None:
        return None if account.is_inactive else account
    post = posts.by_uri(tx, address) or posts.by_url(tx, address)
    if post is None and found.authority == tx.site.domain and found.path.startswith("/posts/"):
        number = parse_id(found.path.removeprefix("/posts/"))
        post = posts.by_id(tx, number) if number is not None else None
    return None if post is None else _if_visible(tx, post, viewer)


def _if_visible(tx: Reader, post: Post, viewer: Account | None) -> Post | None:
    try:
        return posts.visible_by_id(tx, viewer, post.id)
    except NotFound:
        return None


async def fetch_mentioned_accounts(node: Node, text: str) -> None:
    """Fetches the accounts mentioned in a text, before it is published; a handle that is not found stays plain text."""
    handles = list(dict.fromkeys(formatting.remote_handles(text)))[:MAX_MENTIONS]
    unknown = [handle for handle in handles if await node.db.read(accounts.by_handle, handle) is None]
    await asyncio.gather(*(_try_by_handle(node, handle) for handle in unknown))


async def _try_by_handle(node: Node, handle: str) -> None:
    try:
        await actors.by_handle(node, handle)
    except Refused:
        return
