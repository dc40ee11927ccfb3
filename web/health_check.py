"""Checks a node for `tintype check`: one line for each part, in words an admin can act on.

It checks from outside as well: the node's own domain is requested over the network, as another server would.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import quote, urlsplit

from activitypub.client import signing_keys
from activitypub.client.client import Client, Unfetchable
from activitypub.signatures import (
    BadSignature,
    SignedRequest,
    parse_claim,
    parse_public_key,
    sign_cavage,
    verify,
)
from node import config, settings
from node.accounts import accounts, keys
from node.auth import users
from node.cli import commands, control_socket
from node.config import Config
from node.database import Reader, Site
from node.database.lock import DatabaseInUse
from node.errors import Refused
from node.ids import now_ms
from node.lifecycle import registration
from node.node import Node
from node.version import VERSION
from web import wiring

MAX_CLOCK_DIFFERENCE_SECONDS = 30
_PROBE_KEY = "ch/ec/check.txt"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The result of one check."""

    name: str
    is_ok: bool
    message: str


class CheckFailed(Exception):
    """A check failed; the message says what to do."""


async def run_checks(options: Config, **client_options: object) -> AsyncIterator[CheckResult]:
    """Checks a node by its configuration, part after part. If it cannot be opened, that is the only result."""
    absent = _absent_part(options)
    if absent:
        yield CheckResult("node", False, absent)
        return
    try:
        try:
            node = await wiring.open_node(options)
        except DatabaseInUse as in_use:
            if not in_use.is_served:
                raise
            node = await wiring.open_node(options, read_only=True)
    except config.BadConfig:
        raise
    except Exception as error:
        yield CheckResult("node", False, f"It cannot be opened: {error or type(error).__name__}")
        return
    client = Client(
        user_agent=f"Tintype/{VERSION} check (+{node.site.base_url}/)",
        allow_private=True,
        allow_http=node.site.scheme == "http",
        ca_file=options.federation.ca_file or None,
        own_host="",
        **client_options,  # type: ignore[arg-type]
    )
    parts: list[tuple[str, Callable[[], Awaitable[str]]]] = [
        ("database", lambda: _check_database(node)),
        ("storage", lambda: _check_storage(node)),
        ("clock", lambda: _check_clock(node)),
        ("signatures", lambda: _check_signatures(node)),
        ("addresses", lambda: _check_addresses(node)),
        ("webfinger", lambda: _check_webfinger(node, client)),
        *((("handles", lambda: _check_handles(node, client)),) if node.site.configured_handle_domain else ()),
        ("inbox", lambda: _check_inbox(node, client)),
        ("admin", lambda: _check_admin(node)),
    ]
    try:
        for name, check in parts:
            try:
                yield CheckResult(name, True, await check())
            except CheckFailed as failed:
                yield CheckResult(name, False, str(failed))
            except Unfetchable as unfetchable:
                yield CheckResult(name, False, _unreachable_message(node, unfetchable))
            except Refused as refused:
                yield CheckResult(name, False, f"{refused.message} {refused.detail}".strip())
            except Exception as error:
                yield CheckResult(name, False, str(error) or type(error).__name__)
    finally:
        await client.close()
        await node.close()


def _absent_part(options: Config) -> str:
    """Returns what has yet to be created, as a text for admins: a check creates nothing."""
    scheme, _, path = options.database.url.partition(":")
    if scheme == "sqlite" and not Path(path).exists():
        return f"There is no database at {path}: `tintype serve` creates one. Is this the right folder?"
    secret = options.data_folder / "secret"
    if not options.node.secret and not secret.exists():
        return f"There is no {secret}: `tintype serve` creates one, but what a database holds needs the secret of before."
    return ""


def _unreachable_message(node: Node, error: Unfetchable) -> str:
    return (
        f"No valid response from {node.site.base_url}. Is `tintype serve` running, does DNS point to this machine, "
        f"and does the proxy forward everything? ({error.detail or error})"
    )


async def _check_database(node: Node) -> str:
    """Writes through the one process that may write: with SQLite, the one that serves."""
    try:
        number = await commands.perform(node.db, "check", {})
    except PermissionError:
        number = await control_socket.send_command(node.config.database.url.removeprefix("sqlite:"), "check")
    kind = "PostgreSQL" if node.config.database.url.startswith("postgresql") else "SQLite"
    return f"{kind} reads and writes, migration {number}"


async def _check_storage(node: Node) -> str:
    data = f"checked at {now_ms()}".encode()
    await node.storage.delete(_PROBE_KEY)
    await node.storage.put(_PROBE_KEY, data, "text/plain")
    try:
        if await node.storage.get(_PROBE_KEY) != data:
            raise CheckFailed("What was stored did not come back the same.")
    finally:
        await node.storage.delete(_PROBE_KEY)
    return f"stores, reads and deletes at {node.config.media.url}"


async def _check_clock(node: Node) -> str:
    return _compare_clocks("the database", await node.db.read(settings.database_time))


def _compare_clocks(clock: str, moment: datetime) -> str:
    difference = abs(moment.timestamp() - time.time())
    if difference > MAX_CLOCK_DIFFERENCE_SECONDS:
        raise CheckFailed(
            f"This clock and that of {clock} are {difference:.0f} s apart. Please set both by NTP."
        )
    return f"agrees with that of {clock}"


async def _check_signatures(node: Node) -> str:
    """Signs a request and verifies it: what fails this node's own verifier, other servers refuse too."""
    key = await signing_keys.instance_key(node)
    target = node.site.uri("/inbox")
    body = b'{"type": "Note"}'
    headers = sign_cavage(key, "POST", target, body, time.time())
    request = SignedRequest(
        method="POST",
        target=urlsplit(target).path,
        host=node.site.domain,
        scheme=node.site.scheme,
        headers=[(name.lower(), value) for name, value in headers.items()],
        body=body,
    )
    stored = await node.db.read(keys.by_id, key.key_id)
    if stored is None:
        raise CheckFailed(f"The public key {key.key_id} is missing.")
    try:
        verify(parse_claim(request, time.time()), request, parse_public_key(stored.public))
    except BadSignature as bad:
        raise CheckFailed(
            f"What this node signs does not verify: {bad}. Is the node's secret the right one?"
        ) from bad
    return f"sign and verify with {key.key_id}"


async def _check_addresses(node: Node) -> str:
    """Finds people whom other servers know by another address than the one of the options."""
    found = await node.db.read(accounts.of_another_address)
    if found is not None:
        raise CheckFailed(
            f"The address of {found.name} is {found.uri}, and [node] domain is {node.site.domain}. The addresses that "
            "people have got never change: set domain and scheme back, or begin with an empty folder of data."
        )
    return f"are at {node.site.base_url}"


async def _check_webfinger(node: Node, client: Client) -> str:
    site = node.site
    wanted = site.uri("/actor")
    if not await _resolves_to_actor(client, site, site.domain, wanted):
        raise CheckFailed(
            f"{site.domain} responds, but not as this node. Does the proxy forward /.well-known/?"
        )
    document = (await client.get_json(wanted, key=None)).doc
    public = document.get("publicKey")
    own_key = await node.db.read(_public_pem)
    if document.get("id") != wanted or not isinstance(public, dict) or public.get("publicKeyPem") != own_key:
        raise CheckFailed(f"Another node responds at {wanted}: its key is not the one in this database.")
    return f"{site.domain} is found over the network, with the right key"


async def _check_handles(node: Node, client: Client) -> str:
    """Checks that the domain of handles redirects WebFinger to this node: @name@domain is looked up there."""
    site, domain = node.site, node.site.handle_domain
    advice = (
        f"Please redirect {site.scheme}://{domain}/.well-known/webfinger to the same path of {site.base_url}."
    )
    try:
        resolves = await _resolves_to_actor(client, site, domain, site.uri("/actor"))
    except Unfetchable as error:
        raise CheckFailed(
            f"{domain} does not resolve the handles of this node. {advice} ({error.detail or error})"
        ) from error
    if not resolves:
        raise CheckFailed(f"{domain} responds, but not as this node. {advice}")
    return f"people are found as @name@{domain}"


async def _resolves_to_actor(client: Client, site: Site, domain: str, wanted: str) -> bool:
    """Returns whether the actor of this node is found under a domain."""
    resource = quote(f"acct:{domain.partition(':')[0]}@{domain}", safe="")
    jrd = (await client.get_jrd(f"{site.scheme}://{domain}/.well-known/webfinger?resource={resource}")).doc
    links = jrd.get("links")
    return any(
        isinstance(link, dict) and link.get("rel") == "self" and link.get("href") == wanted
        for link in (links if isinstance(links, list) else ())
    )


def _public_pem(tx: Reader) -> str:
    return keys.by_account(tx, accounts.instance_actor(tx))[0].public


async def _check_inbox(node: Node, client: Client) -> str:
    headers = {"Content-Type": "application/activity+json"}
    response = await client.post(node.site.uri("/inbox"), b'{"type":"Create"}', headers)
    if response.status != 401:
        raise CheckFailed(f"An unsigned activity was answered with {response.status} instead of 401.")
    date = response.headers.get("Date")
    if date:
        _compare_clocks("the public server", parsedate_to_datetime(date))
    return "refuses what is not signed"


async def _check_admin(node: Node) -> str:
    if await node.db.read(registration.needs_admin):
        raise CheckFailed(
            f"There is no admin yet. Open {node.site.base_url}/setup with the code that `tintype serve` prints, "
            "or use `tintype account create NAME --email ADDRESS --role admin`."
        )
    name = node.config.node.contact_account
    if name and await node.db.read(users.contact_account, name) is None:
        raise CheckFailed(f"[node] contact_account is {name}, but nobody here can be reached by that name.")
    staff = await node.db.read(users.staff)
    return "is " + ", ".join(person.account.handle for person in staff if person.user.is_admin)
