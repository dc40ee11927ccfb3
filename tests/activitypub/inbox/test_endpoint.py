"""The inbox endpoint: what is queued, and with which status the rest is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from activitypub.client.cache import FederationCache
from activitypub.inbox import endpoint
from activitypub.inbox.endpoint import Inbox, InboxJob
from activitypub.server.routes import FederationApp
from node.accounts import accounts
from node.database import Writer
from node.models.account import Account
from node.moderation import domain_rules
from node.node import Node
from tests.support.asgi import Client, Reply
from tests.support.away_database import AwayDatabase
from tests.support.received import jobs
from tests.support.signed import signed_headers, signer

TYPE = "application/activity+json"


def _like(account: Account, **changes: Any) -> dict[str, Any]:
    return {
        "id": f"{account.uri}#1",
        "type": "Like",
        "actor": account.uri,
        "object": "https://x.example/1",
    } | changes


async def _post(
    node: Node, account: Account, activity: Any, *, key: str | None = None, **changes: str
) -> Reply:
    body = activity if isinstance(activity, bytes) else json.dumps(activity).encode()
    headers = signed_headers(account, "POST", node.site.uri("/inbox"), body, key=key)
    given = {"content-type": TYPE, **{name.lower(): value for name, value in headers.items()}, **changes}
    return await Client(Inbox(node)).post("/inbox", body=body, headers=given)


async def test_a_signed_activity_is_queued_and_accepted(node: Node) -> None:
    rita = await node.db.write(signer)

    reply = await _post(node, rita, _like(rita))

    assert reply.status == 202
    (job,) = await node.db.read(jobs, "receive")
    assert (job["doc"], job["by"], job["host"]) == (_like(rita), rita.id, "far.example")


async def test_a_signature_by_another_key_is_refused(node: Node) -> None:
    rita = await node.db.write(signer)
    node.component(FederationCache).refetched_keys.put(f"{rita.uri}#main-key", True)

    reply = await _post(node, rita, _like(rita), key="mallory")

    assert reply.status == 401
    assert await node.db.read(jobs, "receive") == []


async def test_an_account_cannot_sign_for_another_on_its_server(node: Node) -> None:
    rita = await node.db.write(signer)

    reply = await _post(node, rita, _like(rita, actor="https://far.example/users/omar"))

    assert reply.status == 401
    assert b"not by the actor" in reply.body


async def test_a_forwarded_activity_without_a_proof_is_refused(node: Node) -> None:
    rita = await node.db.write(signer)

    reply = await _post(node, rita, _like(rita, actor="https://third.example/users/omar"))

    assert reply.status == 401
    assert await node.db.read(jobs, "receive") == []


async def test_a_blocked_server_is_refused(node: Node) -> None:
    rita = await node.db.write(signer)
    await node.db.write(domain_rules.block, "far.example")

    reply = await _post(node, rita, _like(rita))

    assert reply.status == 403
    assert await node.db.read(jobs, "receive") == []


@pytest.mark.parametrize(
    ("activity", "changes", "status"),
    [
        (b"{}", {"content-type": "text/html"}, 415),
        (b"no JSON", {}, 400),
        (b"[]", {}, 400),
        ({"type": "Like"}, {}, 400),
        (b"{}", {"signature": ""}, 401),
        (b"{}", {"date": "Mon, 01 Jan 2001 00:00:00 GMT"}, 401),
        (b" " * (endpoint.MAX_BODY_BYTES + 1), {}, 413),
    ],
)
async def test_a_request_that_is_no_signed_activity(
    node: Node, activity: Any, changes: dict[str, str], status: int
) -> None:
    rita = await node.db.write(signer)

    reply = await _post(node, rita, activity, **changes)

    assert reply.status == status


async def test_only_post_is_allowed(node: Node) -> None:
    reply = await Client(Inbox(node)).get("/inbox")

    assert (reply.status, reply.headers["allow"]) == (405, "POST")


async def test_the_deletion_of_an_unknown_account_is_accepted_without_effect(node: Node) -> None:
    """Servers send it to everybody, and the key is gone with the account."""
    rita = await node.db.write(signer)
    ghost = "https://third.example/users/ghost"
    activity = {"id": f"{ghost}#delete", "type": "Delete", "actor": ghost, "object": ghost}
    body = json.dumps(activity).encode()
    headers = {
        name.lower(): value.replace("far.example/users/rita", "third.example/users/ghost")
        for name, value in signed_headers(rita, "POST", node.site.uri("/inbox"), body).items()
    }

    reply = await Client(Inbox(node)).post("/inbox", body=body, headers=headers | {"content-type": TYPE})

    assert reply.status == 202
    assert await node.db.read(jobs, "receive") == []
    assert await node.db.read(accounts.by_uri, ghost) is None


async def test_a_batch_is_stored_without_the_blocked_servers(node: Node) -> None:
    def unit(tx: Writer) -> list[bool]:
        domain_rules.block(tx, "far.example")
        batch = [
            InboxJob("receive", {"n": n}, frozenset(hosts), n + 1)
            for n, hosts in enumerate([{"ok.example"}, {"far.example"}, {"ok.example", "far.example"}])
        ]
        return endpoint._insert_jobs(tx, batch)

    assert await node.db.write(unit) == [True, False, False]
    assert await node.db.read(jobs, "receive") == [{"n": 0}]


async def test_an_activity_that_cannot_be_stored_is_not_accepted_and_is_taken_when_sent_again(
    node: Node,
) -> None:
    rita = await node.db.write(signer)
    away = AwayDatabase(node.db)
    node.db = away
    body = json.dumps(_like(rita)).encode()
    headers = signed_headers(rita, "POST", node.site.uri("/inbox"), body)
    client = Client(FederationApp(node), {"content-type": TYPE, **{k.lower(): v for k, v in headers.items()}})
    for is_key_known in (False, True):
        away.is_away = True

        reply = await client.post("/inbox", body=body)

        assert (reply.status, bool(reply.headers["retry-after"])) == (503, True), is_key_known
        away.is_away = False
        assert (await client.post("/inbox", body=body)).status == 202
