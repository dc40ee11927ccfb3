"""What people type or paste to find someone or something elsewhere, looked up for them."""

from __future__ import annotations

import asyncio

from activitypub import vocab
from activitypub.client import documents, page_links, signing_keys
from activitypub.client.client import Unfetchable
from activitypub.client.documents import is_ours
from activitypub.remote import actors, webfinger
from activitypub.remote import notes as remote_notes
from activitypub.signatures import SigningKey
from activitypub.uris import Malformed, parts
from node.accounts import accounts
from node.database import Reader
from node.errors import NotFound, Refused, Unreachable
from node.ids import read_id
from node.models.account import Account
from node.models.post import Post
from node.node import Node
from node.posts import posts
from node.text import formatting

MOST_MENTIONS = 10


async def resolve(node: Node, query: str, viewer: Account | None) -> Account | Post | None:
    """Whom or what a handle or an address means; None when it means nothing, or nothing for this person.

    Other servers are asked only for somebody who is signed in. Raises Unreachable when one does not answer.
    """
    query = query.strip()
    if query.lower().startswith(("https://", "http://")):
        return await _by_address(node, query, viewer)
    try:
        _, domain = webfinger.split(query)
        handle = query.removeprefix("acct:").removeprefix("@")
        known = await node.db.read(accounts.by_handle, handle)
        if known is not None or viewer is None or node.site.is_own(domain):
            return None if known is None or known.is_gone else known
        return await actors.by_handle(node, handle)
    except (Malformed, NotFound):
        return None


async def _by_address(node: Node, address: str, viewer: Account | None) -> Account | Post | None:
    found = await node.db.read(_here, address, viewer)
    if found is not None or viewer is None or is_ours(node, address):
        return found
    # A follower may read what is not public, so this look-up is in their own name.
    key = await signing_keys.of_account(node, viewer.id)
    try:
        try:
            found = await _fetch(node, address, key)
        except Unfetchable as error:
            behind = await _behind_page(node, address, error)
            found = await _fetch(node, behind, key)
    except Unfetchable as error:
        if error.temporary:
            raise Unreachable("That server does not answer at the moment.", detail=str(error)) from error
        return None
    except (Malformed, Refused):
        return None
    if isinstance(found, Post):
        return await node.db.read(_seen, found, viewer)
    return found


async def _fetch(node: Node, address: str, key: SigningKey) -> Account | Post | None:
    doc = await documents.document(node, address, key=key)
    try:
        vocab.actor(doc)
    except Malformed:
        return await remote_notes.find(node, str(doc.get("id")), key=key)
    known = await node.db.read(accounts.by_uri, str(doc.get("id")))
    return known if known is not None else await actors.keep(node, doc)


async def _behind_page(node: Node, address: str, failure: Unfetchable) -> str:
    """The document that a page says it stands for."""
    if failure.answered != 200:
        raise failure
    page = await node.client.get_text(address)
    behind = page_links.alternate(page.url, page.text, page.link)
    if behind is None or behind == address:
        raise failure
    return behind


def _here(tx: Reader, address: str, viewer: Account | None) -> Account | Post | None:
    account = accounts.by_uri(tx, address)
    try:
        found = parts(address)
    except Malformed:
        return None
    if account is None and tx.site.is_own(found.authority):
        account = webfinger.local(tx, address)
        if account is not None and account.kind == "Application":
            account = None
    if account is not None:
        return None if account.is_gone else account
    post = posts.by_uri(tx, address) or posts.by_url(tx, address)
    if post is None and found.authority == tx.site.domain and found.path.startswith("/posts/"):
        number = read_id(found.path.removeprefix("/posts/"))
        post = posts.by_id(tx, number) if number is not None else None
    return None if post is None else _seen(tx, post, viewer)


def _seen(tx: Reader, post: Post, viewer: Account | None) -> Post | None:
    try:
        return posts.seen_by(tx, viewer, post.id)
    except NotFound:
        return None


async def mentions(node: Node, text: str) -> None:
    """Get to know the people named in a text before it is published. Whoever cannot be found stays a word."""
    handles = list(dict.fromkeys(formatting.mentions_in(text)))[:MOST_MENTIONS]
    unknown = [handle for handle in handles if await node.db.read(accounts.by_handle, handle) is None]
    await asyncio.gather(*(_try(node, handle) for handle in unknown))


async def _try(node: Node, handle: str) -> None:
    try:
        await actors.by_handle(node, handle)
    except Refused:
        return
