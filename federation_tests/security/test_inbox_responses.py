"""Bad requests to the inbox: the right status, one log line with host, reason and id, and nothing stored."""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Awaitable, Callable

import pytest

from activitypub.inbox.fair_queue import FairQueue
from activitypub.signatures import sign_cavage
from activitypub.uris import host_of
from federation_tests.fediverse import Fediverse
from federation_tests.remote_server import RemoteServer
from federation_tests.security.scenes import alice_follows_rita, create, rows_of
from node.moderation import domain_rules
from node.node import Node

Send = Callable[[Node, RemoteServer], Awaitable[int]]


async def _unsigned(node: Node, evil: RemoteServer) -> int:
    headers = {"Content-Type": "application/activity+json"}
    return (await evil.request("POST", node.site.uri("/inbox"), headers, json.dumps(create(evil)).encode()))[
        0
    ]


async def _blocked(node: Node, evil: RemoteServer) -> int:
    await node.db.write(domain_rules.block, evil.domain)
    return await evil.send(node, "rita", create(evil))


async def _keyless(node: Node, evil: RemoteServer) -> int:
    evil.person("nina")
    evil.replies["/users/nina"].status = 502
    return await evil.send(node, "nina", create(evil, "nina"))


CASES: dict[str, tuple[int, Send]] = {
    "no signature": (401, _unsigned),
    "another's key": (
        401,
        lambda node, evil: evil.send(node, "rita", create(evil), key=evil.key("rita", pair="x")),
    ),
    "an old date": (401, lambda node, evil: evil.send(node, "rita", create(evil), now=time.time() - 9000)),
    "a blocked server": (403, _blocked),
    "no JSON": (400, lambda node, evil: evil.send(node, "rita", b"{")),
    "a list": (400, lambda node, evil: evil.send(node, "rita", b"[]")),
    "no type": (400, lambda node, evil: evil.send(node, "rita", {**create(evil), "type": None})),
    "no actor": (400, lambda node, evil: evil.send(node, "rita", {**create(evil), "actor": None})),
    "too large": (413, lambda node, evil: evil.send(node, "rita", b'"' + b"x" * 1_100_000 + b'"')),
    "a form": (415, lambda node, evil: evil.send(node, "rita", create(evil), content_type="text/html")),
    "an unavailable key": (503, _keyless),
}


@pytest.mark.parametrize("case", CASES)
async def test_a_bad_inbox_request_gets_its_status_and_one_log_line(
    fediverse: Fediverse, evil: RemoteServer, case: str, caplog: pytest.LogCaptureFixture
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    assert await evil.send(alice.node, "rita", create(evil, number=99)) == 202
    await fediverse.settle()
    caplog.set_level(logging.DEBUG, "tintype.inbox")
    caplog.clear()
    before = await rows_of(alice.node)
    status, send = CASES[case]

    started = time.monotonic()
    assert await send(alice.node, evil) == status
    assert time.monotonic() - started < 3

    lines = [record.getMessage() for record in caplog.records if record.name == "tintype.inbox"]
    (line,) = [one for one in lines if f" {status} " in one]
    assert re.search(r"inbox [0-9a-f]{10,} \d{3} from \S+ \(\S+\): \S+", line), line
    if case not in ("no signature", "a form", "too large"):
        assert evil.domain in line
    after = await rows_of(alice.node)
    assert after[2:] == before[2:] or case == "a blocked server"
    assert after[2] == before[2]
    # The next activity is received as usual.
    if case != "a blocked server":
        assert await evil.send(alice.node, "rita", create(evil, number=2)) == 202
        await fediverse.settle()
        assert "Post 2" in await alice.home()


@pytest.mark.parametrize(
    "case",
    ["unknown activity", "nobody would see it", "a post of another", "nonsense inside", "duplicate"],
)
async def test_an_activity_without_effect_is_accepted_and_logged(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer, case: str, caplog: pytest.LogCaptureFixture
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    evil.person("nina")
    post = create(evil)
    assert await evil.send(alice.node, "rita", post) == 202
    assert await evil.send(alice.node, "nina", evil.activity("nina", "Like", post["object"]["id"])) == 202
    await fediverse.settle()
    caplog.set_level(logging.DEBUG, "tintype.inbox")
    caplog.clear()
    before = await rows_of(alice.node)
    author, activity = {
        "unknown activity": ("rita", evil.activity("rita", "Listen", "https://music.example/1")),
        "nobody would see it": ("nina", create(evil, "nina")),
        "a post of another": ("nina", evil.activity("nina", "Delete", post["object"]["id"])),
        "nonsense inside": ("rita", evil.activity("rita", "Create", {"type": "Note", "content": {}})),
        "duplicate": ("rita", post),
    }[case]
    assert await evil.send(alice.node, author, activity) == 202
    await fediverse.settle()
    after = await rows_of(alice.node)
    assert after[2:6] == before[2:6]
    lines = [record.getMessage() for record in caplog.records if "ignored" in record.getMessage()]
    assert len(lines) == 1
    assert str(activity["id"]) in lines[0]
    assert evil.domain in lines[0]


async def test_a_flooding_server_gets_429_while_others_are_received(
    fediverse: Fediverse, evil: RemoteServer, other: RemoteServer, caplog: pytest.LogCaptureFixture
) -> None:
    alice = await alice_follows_rita(fediverse, evil)
    other.person("nina")
    caplog.set_level(logging.INFO, "tintype.inbox")
    like = other.activity("nina", "Like", f"{other.base}/1")
    assert await other.send(alice.node, "nina", like) == 202
    # As if it had just sent thousands of correctly signed requests.
    fair_queue = alice.node.component(FairQueue)
    for _ in range(3000):
        fair_queue.record_accepted(host_of(evil.base))

    body = json.dumps(create(evil)).encode()
    url = alice.node.site.uri("/inbox")
    signed = sign_cavage(evil.key("rita"), "POST", url, body, time.time())
    status, _, headers = await evil.request("POST", url, signed, body)
    assert (status, headers["retry-after"]) == (429, "30")
    (line,) = [one.getMessage() for one in caplog.records if " 429 " in one.getMessage()]
    assert evil.domain in line
    assert await other.send(alice.node, "nina", {**like, "id": f"{like['id']}0"}) == 202
    await fediverse.settle()
    assert await alice.home() == []
