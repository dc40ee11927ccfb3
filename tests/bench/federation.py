"""The inbox and the deliveries of a whole node, each beside what its parts alone cost in the same run."""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import uvloop
from hypercorn.config import Config as Hypercorn

from activitypub import vocab
from activitypub.server.routes import FederationApp
from activitypub.signatures import SignedRequest, SigningKey, parse_claim, sign_cavage, verify
from activitypub.signatures.keys import parse_public_key
from federation_tests import authority
from node.accounts import accounts, keys
from node.config import Config, DatabaseOptions, FederationOptions, MediaOptions, NodeOptions, ServerOptions
from node.database import Writer
from node.interactions import follows
from node.lifecycle import remote_accounts
from node.models.account import Account
from node.models.remote_actor import ActorKey, RemoteActor
from node.node import Node
from node.posts.drafts import Draft
from node.publishing import publishing
from tests.support.ports import free_port
from web import wiring
from web.server import http_server

NUMBER = 1500
HOSTS = 200
NAMES = ["*.bench.test"]  # one certificate with 200 names would be read 200 times
CONNECTIONS = 32
RITA = "https://remote.example/users/rita"


def rows() -> list[tuple[str, str, str]]:
    with (
        tempfile.TemporaryDirectory() as folder,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        return runner.run(_rows(Path(folder)))


async def _rows(folder: Path, database: str = "") -> list[tuple[str, str, str]]:
    pem, public = await asyncio.to_thread(keys.generate_rsa)
    port = free_port()
    made = authority.make(folder, NAMES)
    node = await opened(folder, port, made, database)
    alice = await node.db.write(accounts.create_local, "alice", pair=await asyncio.to_thread(keys.generate))
    await node.db.write(meet, alice, public)
    found = [
        *await _inbox(node, port, pem, public, alice),
        *await _deliveries(node, alice, folder, made),
    ]
    await node.close()
    return found


async def opened(folder: Path, port: int, made: authority.Authority, database: str = "") -> Node:
    """A node of its own, for which every host name is this machine; on SQLite, or the database at a URL."""

    async def resolve_local(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    return await wiring.open_node(
        Config(
            node=NodeOptions(domain=f"a.test:{port}", secret="of the benchmark"),
            server=ServerOptions(scheme="http"),
            database=DatabaseOptions(url=database or f"sqlite:{folder / 'node.db'}"),
            media=MediaOptions(url=f"file:{folder / 'media'}"),
            federation=FederationOptions(allow_private_addresses=True, allow_http=True, ca_file=made.ca_file),
        ),
        resolve=resolve_local,
    )


def meet(tx: Writer, alice: Account, public: str, uri: str = RITA) -> None:
    """Let alice follow an account of another server, whose key is known."""
    host, _, name = uri.removeprefix("https://").partition("/users/")
    remote = RemoteActor(
        uri=uri,
        name=name,
        domain=host,
        inbox=f"{uri}/inbox",
        followers_uri=f"{uri}/followers",
        keys=[ActorKey(f"{uri}#main-key", "rsa", public)],
    )
    follows.accept(tx, follows.follow(tx, alice, remote_accounts.upsert(tx, remote)))
    drop_jobs(tx)


def drop_jobs(tx: Writer) -> None:
    """Deletes all jobs: no server listens to which their activities could be delivered."""
    tx.run("DELETE FROM jobs")
    tx.run("DELETE FROM lanes")


async def _inbox(node: Node, port: int, pem: str, public: str, alice: Account) -> list[tuple[str, str, str]]:
    federation_app = FederationApp(node)
    stopping = asyncio.Event()
    app: dict[str, Any] = {"now": federation_app}

    async def dispatch(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await app["now"](scope, receive, send)

    config = Hypercorn()
    config.bind = [f"127.0.0.1:{port}"]
    config.accesslog = config.errorlog = None
    config.keep_alive_max_requests = 1_000_000
    web = asyncio.create_task(http_server.serve(dispatch, config, shutdown_trigger=stopping.wait))
    await asyncio.sleep(0.3)
    order = {
        "url": f"http://a.test:{port}/inbox",
        "path": "/inbox",
        "port": port,
        "key_id": f"{RITA}#main-key",
        "private": pem,
    }

    app["now"] = _bare
    bare, _, bare_rates = await _sent(order | {"run": "x", "body": create("")}, [1, 8, CONNECTIONS])
    app["now"] = federation_app
    accept, _, rates = await _sent(order | {"run": "a", "body": create("")}, [1, 8, CONNECTIONS])
    verifying = _verifying(pem, public, port)
    found = [
        (
            "inbox accept, at 1 / 8 / 32 connections",
            f"{accept:.3f} ms CPU; {' / '.join(rates)} per s",
            f"bare ASGI {bare:.3f} ms ({' / '.join(bare_rates)} per s); claim and verify {verifying:.3f} ms",
        )
    ]

    worker = wiring.create_worker(node)
    await wiring.run_due_jobs(node)
    await worker.start(is_only_process=True)
    liked = await node.db.write(_publish_many, alice, NUMBER)
    like = json.dumps(
        {"id": f"{RITA}#likes/NUMBER", "type": "Like", "actor": RITA, "object": "OBJECT", "to": [alice.uri]}
    )
    photo = ',"attachment":' + json.dumps(
        [
            {
                "type": "Image",
                "mediaType": "image/jpeg",
                "url": "https://remote.example/media/NUMBER.jpg",
                "name": "A lake in the morning",
                "blurhash": "LEHV6nWB2yk8pyo0adR*.7kCMdnj",
                "width": 2048,
                "height": 1365,
            }
        ]
    )
    for name, run, body, count in (
        ("text post", "t", create(""), "SELECT COUNT(*) FROM feed"),
        ("photo post", "p", create(photo), "SELECT COUNT(*) FROM feed"),
        ("like", "l", like, "SELECT COUNT(*) FROM likes"),
    ):
        before = await node.db.read(lambda tx, count=count: tx.value(count))

        async def arrived(count: str = count, before: int = before) -> None:
            while await node.db.read(lambda tx: tx.value(count)) < before + NUMBER:  # noqa: ASYNC110
                await asyncio.sleep(0.02)

        cpu, seconds, _ = await _sent(
            order | {"run": run, "body": body, "objects": liked}, [CONNECTIONS], arrived
        )
        found.append(
            (
                f"inbox, {name}, fully processed",
                f"{cpu:.2f} s CPU per 1000; {NUMBER / seconds:.0f} per s",
                f"accept alone {accept:.2f}; {cpu / verifying:.1f} x claim and verify",
            )
        )
    await worker.stop()
    stopping.set()
    await web
    return found


def _publish_many(tx: Writer, alice: Account, number: int) -> list[str]:
    """The URIs of so many posts, which are not delivered."""
    made = [publishing.publish(tx, alice, Draft(caption=f"Like me, number {n}")).uri for n in range(number)]
    drop_jobs(tx)
    return made


def create(extra: str) -> str:
    note = (
        f'{{"id":"{RITA}/NUMBER","type":"Note","attributedTo":"{RITA}","published":"2026-11-01T10:00:00Z",'
        f'"content":"<p>Good morning from the lake, number NUMBER. It is colder than yesterday.</p>",'
        f'"to":["{vocab.PUBLIC}"],"cc":["{RITA}/followers"]{extra}}}'
    )
    return (
        f'{{"@context":"https://www.w3.org/ns/activitystreams","id":"{RITA}/NUMBER/activity","type":"Create",'
        f'"actor":"{RITA}","to":["{vocab.PUBLIC}"],"cc":["{RITA}/followers"],"object":{note}}}'
    )


async def _bare(scope: Any, receive: Any, send: Any) -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 202, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


async def _sent(
    order: dict[str, Any], connections: list[int], arrived: Callable[[], Any] | None = None
) -> tuple[float, float, list[str]]:
    """CPU milliseconds of this process per request at the last number of connections; seconds; rates at each."""
    rates = []
    cpu = seconds = 0.0
    for at_once in connections:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.bench._load",
            "send",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert child.stdin is not None
        assert child.stdout is not None
        number = NUMBER if at_once > 1 else NUMBER // 3
        whole = order | {
            "connections": at_once,
            "number": number,
            "run": f"{order['run']}{at_once}x",
        }
        child.stdin.write(json.dumps(whole).encode() + b"\n")
        await child.stdout.readline()
        before, started = time.process_time(), time.monotonic()
        child.stdin.write(b"\n")
        answer = json.loads(await child.stdout.readline())
        if arrived is not None:
            await arrived()
        seconds = time.monotonic() - started
        cpu = (time.process_time() - before) / number * 1000
        assert answer["accepted"] == number, answer
        rates.append(f"{number / answer['seconds']:.0f}")
        await child.wait()
    return cpu, seconds, rates


def _verifying(pem: str, public: str, port: int) -> float:
    """Milliseconds for what every inbox must do: parsing a signature and verifying it."""
    key = SigningKey.load(f"{RITA}#main-key", pem)
    body = create("").encode()
    headers = sign_cavage(key, "POST", f"http://a.test:{port}/inbox", body, time.time())
    lines = [(name.lower(), value) for name, value in headers.items()]
    request = SignedRequest("POST", "/inbox", f"a.test:{port}", "http", lines, body)
    parsed = parse_public_key(public)
    started = time.process_time()
    for _ in range(1000):
        verify(parse_claim(request, time.time()), request, parsed)
    return time.process_time() - started


async def _deliveries(
    node: Node, alice: Account, folder: Path, made: authority.Authority
) -> list[tuple[str, str, str]]:
    child, port = await listening(made)
    await node.db.write(gather_followers, alice, port)
    worker = wiring.create_worker(node)
    await worker.start(is_only_process=True)
    assert child.stdin is not None
    known, new = [], []
    for _ in range(5):
        await publish(node, alice)
        known.append(await publish(node, alice))
        child.stdin.write(b"hang up\n")
        await asyncio.sleep(0.3)
        new.append(await publish(node, alice))
    await worker.stop()
    warm, cold = sorted(known)[2], sorted(new)[2]
    key = SigningKey.load(*await node.db.read(keys.private_pem, alice))
    signing, posting = _signing(key, port), await _posting(key, port, made)
    connecting = await _posting(key, port, made, force_close=True)
    await ended(child)
    limit = f"sign {signing:.3f} + aiohttp POST {posting:.3f} ms"
    return [
        (
            f"delivery to {HOSTS} servers, known connections",
            f"{warm[1]:.0f} ms; {warm[0]:.2f} ms CPU each",
            f"{limit}; {warm[0] / (signing + posting):.1f} x",
        ),
        (
            f"delivery to {HOSTS} servers, new TLS connections",
            f"{cold[1]:.0f} ms; {cold[0]:.2f} ms CPU each",
            f"sign {signing:.3f} + aiohttp POST over a new connection {connecting:.3f} ms; "
            f"{cold[0] / (signing + connecting):.1f} x",
        ),
    ]


async def listening(
    made: authority.Authority | None, how: str = "listen"
) -> tuple[asyncio.subprocess.Process, int]:
    """Another process that accepts every delivery (`listen`) or never responds (`sleep`), and its port."""
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.bench._load",
        how,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    order = {} if made is None else {"certificate": made.certificate, "key": made.key}
    child.stdin.write(json.dumps(order).encode() + b"\n")
    return child, int(await child.stdout.readline())


async def ended(child: asyncio.subprocess.Process) -> None:
    assert child.stdin is not None
    child.stdin.write(b"\n")
    await child.wait()


def gather_followers(tx: Writer, alice: Account, port: int) -> None:
    for n in range(HOSTS):
        uri = f"https://r{n}.bench.test:{port}/users/u"
        fan = remote_accounts.upsert(
            tx,
            RemoteActor(uri=uri, name="u", domain=f"r{n}.bench.test:{port}", inbox=f"{uri}/inbox"),
        )
        follows.follow(tx, fan, alice, uri=f"{uri}#follow")
    drop_jobs(tx)  # or delivering the Accepts would open the connections


async def publish(node: Node, alice: Account, hosts: int = HOSTS) -> tuple[float, float]:
    """CPU milliseconds per server, and milliseconds until so many have a post."""
    before, started = time.process_time(), time.monotonic()
    post = await node.db.write(publishing.publish, alice, Draft(caption="To all of you"))
    while True:
        done = await node.db.read(
            lambda tx: tx.value(
                """SELECT COUNT(*) FROM deliveries d JOIN outbox o ON o.id = d.outbox_id
                   WHERE o.post_id = :post AND d.state = 'delivered'""",
                post=post.id,
            )
        )
        if done >= hosts:
            break
        await asyncio.sleep(0.004)
    wall = (time.monotonic() - started) * 1000
    await asyncio.sleep(0.1)
    return (time.process_time() - before) / hosts * 1000, wall


def _signing(key: SigningKey, port: int) -> float:
    started = time.process_time()
    for n in range(HOSTS):
        sign_cavage(key, "POST", f"https://r{n}.bench.test:{port}/users/u/inbox", b"x" * 1500, time.time())
    return (time.process_time() - started) / HOSTS * 1000


async def _posting(
    key: SigningKey, port: int, made: authority.Authority, *, force_close: bool = False
) -> float:
    """A bare aiohttp POST over a connection that is open already, or one that is opened for it."""
    context = ssl.create_default_context(cafile=made.ca_file)
    context.check_hostname = False
    url = f"https://127.0.0.1:{port}/users/u/inbox"
    headers = sign_cavage(key, "POST", url, b"x" * 1500, time.time())
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=context, limit=20, force_close=force_close)
    ) as session:

        async def one() -> None:
            async with session.post(url, data=b"x" * 1500, headers=headers) as response:
                await response.read()

        for _ in range(2):
            started = time.process_time()
            for _ in range(HOSTS // 20):
                await asyncio.gather(*(one() for _ in range(20)))
    return (time.process_time() - started) / HOSTS * 1000
