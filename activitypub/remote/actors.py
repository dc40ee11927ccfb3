"""Finds, imports and refreshes remote actors and their keys.

An actor document is accepted only from its own id. A key is accepted only if key and actor name each other and have
the same origin. Failures are cached for a while, so that nobody can make this node send request after request to a
third server.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from activitypub import vocab
from activitypub.client import documents
from activitypub.client.cache import FederationCache, KnownKey
from activitypub.client.client import Unfetchable
from activitypub.client.documents import is_local_uri
from activitypub.client.fetch_budget import FetchBudget, permanent_failure
from activitypub.remote import webfinger
from activitypub.signatures import BadSignature, parse_public_key
from activitypub.uris import Malformed, host_of, normalize_id, same_origin, without_fragment
from node.accounts import accounts, keys
from node.database import Reader, Writer
from node.errors import NotFound, Refused, Unreachable
from node.federation import recipients, server_availability
from node.ids import has_passed, now_ms
from node.jobs import queue
from node.jobs.queue import GiveUp, Job, RetryLater
from node.lifecycle import account_deletion, migration, remote_accounts
from node.models.account import Account
from node.models.remote_actor import ActorKey, RemoteActor, RemoteEmoji
from node.moderation import domain_rules
from node.node import Node
from node.text import plain_or_html

DAY_MS = 24 * 3600 * 1000
REFRESH_AFTER_MS = 2 * DAY_MS


async def ensure_instance_actor(node: Node) -> None:
    """Creates the instance actor and its key pair, unless they exist."""
    try:
        await node.db.read(accounts.instance_actor)
    except NotFound:
        pair = await asyncio.to_thread(keys.generate)
        await node.db.write(accounts.create_instance_actor, pair)


async def find(
    node: Node,
    uri: str,
    *,
    refresh: bool = False,
    budget: FetchBudget | None = None,
    is_move_target: bool = False,
) -> Account:
    """Finds the account with this actor id: from the database, or else fetched from its server.

    Raises Unfetchable.

    A known account is returned at once; if it was last fetched more than two days ago, a refresh is queued. Where a
    move target itself moved to is not looked up.
    """
    known = await node.db.read(accounts.by_uri, uri)
    if is_local_uri(node, uri):
        if known is None:
            raise permanent_failure(uri, "no local account has that id")
        return known
    if known is not None and not refresh:
        if known.fetched_at is not None and has_passed(REFRESH_AFTER_MS, known.fetched_at):
            await node.db.write(_queue_refresh, known.id)
        return known
    return await node.component(FederationCache).run_once(
        f"actor {uri}", lambda: _fetch(node, uri, budget, is_move_target)
    )


async def _fetch(node: Node, uri: str, budget: FetchBudget | None, is_move_target: bool) -> Account:
    doc = await documents.fetch(node, uri, budget=budget)
    return await import_document(node, doc, budget=budget, is_move_target=is_move_target)


async def import_document(
    node: Node,
    doc: dict[str, Any],
    *,
    domain: str | None = None,
    separate_key: ActorKey | None = None,
    budget: FetchBudget | None = None,
    is_move_target: bool = False,
) -> Account:
    """Stores an actor document that was fetched from its own id. Raises Unfetchable.

    `domain` is that of the handle, if WebFinger has just confirmed it; `separate_key` a key with its own document.
    """
    try:
        actor = vocab.parse_actor(doc)
        previous_domain, previous_key_ids = await node.db.read(_previous_domain_and_key_ids, actor.id)
        if domain is None:
            domain = await webfinger.resolve_domain(
                node, actor.username, actor.id, actor.webfinger, previous_domain, budget
            )
        remote = to_remote_actor(actor, domain)
        if separate_key is not None:
            remote = replace(remote, keys=[*remote.keys, separate_key])
        account = await node.db.write(_save, remote, actor.supports_rfc9421, is_move_target)
    except Unfetchable:
        raise
    except (Malformed, Refused) as error:
        reason = error.detail or error.message if isinstance(error, Refused) else str(error)
        raise permanent_failure(str(doc.get("id")), f"not an acceptable actor: {reason}") from error
    for key_id in {*previous_key_ids, *(key.id for key in remote.keys)}:
        node.component(FederationCache).keys.forget(key_id)
    return account


def _save(tx: Writer, remote: RemoteActor, supports_rfc9421: bool, is_move_target: bool) -> Account:
    if supports_rfc9421:
        server_availability.set_advertised_signature_style(tx, host_of(remote.uri), "rfc9421")
    previous = accounts.by_uri(tx, remote.uri) if remote.moved_to else None
    account = remote_accounts.upsert(tx, remote)
    is_new_move = previous is None or previous.moved_to != account.moved_to
    if account.moved_to and is_new_move and not is_move_target:
        _queue_move_target(tx, account)
    return account


def _queue_move_target(tx: Writer, account: Account) -> None:
    """Queues a fetch of the account to which this one has moved, so that it can be named."""
    host = host_of(account.moved_to)
    if migration.destination(tx, account) is None and not domain_rules.is_blocked(tx, host):
        queue.add(tx, "fetch_move_target", {"id": account.id}, lane=f"fetch {host}")


def _previous_domain_and_key_ids(tx: Reader, uri: str) -> tuple[str | None, list[str]]:
    """Returns the stored domain of the handle of an actor, and the ids of its stored keys."""
    account = accounts.by_uri(tx, uri)
    return (
        (None, []) if account is None else (account.domain, [key.id for key in keys.by_account(tx, account)])
    )


def to_remote_actor(actor: vocab.ActorDoc, domain: str) -> RemoteActor:
    """Converts a parsed actor to the form that `node` stores. Raises Malformed for an inbox on another origin.

    A shared inbox on another origin is left out: everything goes to the actor's own.
    """
    if not same_origin(actor.inbox, actor.id):
        raise Malformed("an inbox on another server")
    listed = [
        ActorKey(key.id, key.algorithm or "rsa", key.text)
        for key in actor.keys
        if key.text is not None and _owns(actor, key)
    ]
    return RemoteActor(
        uri=actor.id,
        name=actor.username,
        domain=domain,
        inbox=actor.inbox,
        url=actor.url or actor.id,
        kind=actor.type if actor.type in accounts.ACTOR_TYPES else "Person",
        display_name=plain_or_html.read(actor.name),
        bio=actor.summary,
        fields=actor.fields,
        avatar_url=actor.icon or "",
        avatar_alt=actor.icon_alt,
        header_url=actor.image or "",
        header_alt=actor.image_alt,
        is_locked=actor.manually_approves_followers,
        is_discoverable=actor.discoverable,
        is_indexable=actor.indexable,
        shared_inbox=(actor.shared_inbox or "") if same_origin(actor.shared_inbox, actor.id) else "",
        outbox=actor.outbox or "",
        followers_uri=actor.followers or "",
        following_uri=actor.following or "",
        featured_uri=actor.featured or "",
        also_known_as=actor.also_known_as,
        moved_to=actor.moved_to or "",
        created_at=actor.published_ms,
        keys=listed,
        is_suspended=actor.suspended,
        hides_from_web=actor.hides_from_web,
        emoji=[RemoteEmoji(one.shortcode, one.url, one.updated_ms or 0) for one in actor.emoji],
    )


def _owns(actor: vocab.ActorDoc, key: vocab.Key) -> bool:
    return (
        key.owner is not None
        and normalize_id(key.owner) == normalize_id(actor.id)
        and same_origin(key.id, actor.id)
    )


async def by_handle(node: Node, handle: str) -> Account:
    """Finds the account with the handle `name@domain`, looked up at its server if unknown.

    Raises NotFound or Unreachable.
    """
    try:
        _, domain = webfinger.split_handle(handle)
        known = await node.db.read(accounts.by_handle, handle.strip().removeprefix("acct:"))
        if node.site.is_own_domain(domain) or known is not None:
            if known is None or known.deleted_at is not None:
                raise NotFound("This account does not exist.")
            return known
        if await node.db.read(domain_rules.is_blocked, domain):
            raise NotFound("This account does not exist.", detail=f"{domain} is blocked")
        found = await webfinger.look_up_handle(node, handle)
        doc = await documents.fetch(node, found.actor_uri)
        if doc.get("id") != found.actor_uri:
            raise Malformed("the actor has another id than in its WebFinger document")
        actor = vocab.parse_actor(doc)
        if actor.username.lower() != found.name.lower():
            raise Malformed("the actor has another name than in its WebFinger document")
        if not await webfinger.is_confirmed_by_actor_host(node, found, actor.webfinger):
            raise Malformed("the actor's own server does not confirm that handle")
        account = await import_document(node, doc, domain=found.domain)
        await node.db.write(queue_featured, account)
        return account
    except Malformed as error:
        raise NotFound("This account does not exist.", detail=f"{handle}: {error}") from error
    except Unfetchable as error:
        if not error.temporary:
            raise NotFound("This account does not exist.", detail=f"{handle}: {error}") from error
        raise Unreachable(error.summary, detail=str(error)) from error


async def find_key(node: Node, key_id: str, *, refresh: bool = False) -> KnownKey:
    """Finds the public key with this id, and its owner. Raises Unfetchable.

    Looked up in the cache, then in the database, then once at its server. A failure is cached, so that any number of
    requests signed with a key that does not exist cause one fetch.
    """
    cache = node.component(FederationCache)
    if not refresh:
        known = cache.keys.get(key_id) or await node.db.read(_stored_key, key_id)
        if known is not None:
            cache.keys.put(key_id, known)
            return known
    failure = cache.key_failures.get(key_id) or cache.unavailable_key_hosts.get(_host(key_id))
    if failure is not None:
        raise failure
    if is_local_uri(node, key_id):
        raise permanent_failure(key_id, "no such local key")
    try:
        known = await cache.run_once(f"key {key_id}", lambda: _fetch_key(node, key_id))
    except Unfetchable as error:
        cache.key_failures.put(key_id, error, 60 if error.temporary else None)
        if error.temporary:
            cache.unavailable_key_hosts.put(_host(key_id), error, 15)
        raise
    cache.keys.put(key_id, known)
    return known


def _host(uri: str) -> str:
    try:
        return host_of(uri)
    except Malformed:
        return ""


async def _fetch_key(node: Node, key_id: str) -> KnownKey:
    doc = await documents.fetch(node, key_id)
    if _lists_key(doc, key_id):
        account = await import_document(node, doc)
    else:
        # The key has a document of its own: it names its owner, and the owner must name the key.
        owner = _key_owner(doc, key_id)
        actor = await documents.fetch(node, owner)
        if _lists_key(actor, key_id):
            account = await import_document(node, actor)
        elif (separate_key := _separate_key(doc, actor, key_id)) is not None:
            account = await import_document(node, actor, separate_key=separate_key)
        else:
            raise permanent_failure(key_id, "the key and its owner do not name each other")
    known = await node.db.read(_stored_key, key_id)
    if known is None or known.account_id != account.id:
        raise permanent_failure(key_id, "the key is not a usable key of that actor")
    return known


def _lists_key(doc: dict[str, Any], key_id: str) -> bool:
    """Returns whether this is a complete actor document that lists the key as its own."""
    try:
        actor = vocab.parse_actor(doc)
        return any(key.id == key_id and _owns(actor, key) for key in actor.keys)
    except Malformed:
        return False


def _separate_key(doc: dict[str, Any], actor: dict[str, Any], key_id: str) -> ActorKey | None:
    """Returns the key in the key document `doc`, if the actor names it by its id alone."""
    is_named = any(
        key.id == key_id
        and key.owner is None
        and key.text is None
        and same_origin(key_id, str(actor.get("id")))
        for key in vocab.parse_keys(actor)
    )
    for key in vocab.parse_keys(doc) if is_named else ():
        if key.id == key_id and key.text is not None and key.owner == actor.get("id"):
            return ActorKey(key.id, key.algorithm or "rsa", key.text)
    return None


def _key_owner(doc: dict[str, Any], key_id: str) -> str:
    """Returns the actor id that a key document names. Raises Unfetchable for one on another origin."""
    listed = doc.get("publicKey")
    stub = listed if isinstance(listed, dict) else doc
    owner = stub.get("owner") or stub.get("controller")
    if stub.get("id") != key_id or not isinstance(owner, str) or not same_origin(owner, key_id):
        raise permanent_failure(key_id, "the document is not that of the key")
    return without_fragment(owner)


def _stored_key(tx: Reader, key_id: str) -> KnownKey | None:
    stored = keys.by_id(tx, key_id)
    owner = None if stored is None else accounts.by_id(tx, stored.account_id)
    if stored is None or owner is None:
        return None
    try:
        parsed = parse_public_key(stored.public)
    except BadSignature:
        return None
    return KnownKey(key_id, parsed, owner.id, owner.uri, host_of(owner.uri))


def _queue_featured_if_followed(tx: Writer, account: Account) -> None:
    if recipients.is_followed_locally(tx, account.id):
        queue_featured(tx, account)


def _queue_refresh(tx: Writer, account_id: int) -> None:
    accounts.record_fetch(tx, account_id)
    queue.add(tx, "refresh_actor", {"id": account_id})


async def refresh(node: Node, job: Job) -> None:
    """Job `refresh_actor`: fetches an actor document again, and deletes the account if the actor is gone for good.

    410 means gone; 404 does only after a Delete of the actor, since some servers send it during a moderation review.
    """
    account = await node.db.read(accounts.by_id, job.payload["id"])
    if account is None or account.is_local or account.deleted_at is not None:
        return
    try:
        found = await find(node, account.uri, refresh=True)
        await node.db.write(_queue_featured_if_followed, found)
    except Unfetchable as error:
        if error.response_status == 410 or (error.gone and job.payload.get("farewell")):
            await node.db.write(account_deletion.delete_account, account)
        elif error.temporary and job.attempts < 6:
            raise RetryLater(now_ms() + (60_000 << (2 * job.attempts)), str(error)) from error
        else:
            raise GiveUp(str(error)) from error


def queue_featured(tx: Writer, account: Account) -> None:
    """Queues a read of the pinned posts of a remote account."""
    if not account.is_local and not account.is_inactive and same_origin(account.featured_uri, account.uri):
        queue.add(tx, "read_featured", {"id": account.id}, lane=f"fetch {host_of(account.uri)}")
