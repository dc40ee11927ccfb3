"""Signing, verifying, reading and posting, each beside what the bare operation costs."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import Callable, Sequence

import aiohttp
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from msgspec.json import decode

from activitypub import signatures, vocab
from activitypub.client.client import Client
from activitypub.signatures import SignedRequest, SigningKey
from node.accounts import keys

INBOX = "https://a.test/users/alice/inbox"
NOTE = {
    "id": "https://b.test/p/1",
    "type": "Note",
    "attributedTo": "https://b.test/users/bob",
    "content": "<p>Dawn <a href='https://b.test/tags/fog' class='mention hashtag' rel='tag'>#fog</a></p>" * 4,
    "published": "2026-09-01T10:00:00Z",
    "to": [vocab.PUBLIC],
    "cc": ["https://b.test/users/bob/followers"],
    "attachment": [
        {
            "type": "Image",
            "mediaType": "image/jpeg",
            "url": f"https://b.test/media/{number}.jpg",
            "name": "A lake in the morning, seen from the northern shore",
            "blurhash": "LEHV6nWB2yk8pyo0adR*.7kCMdnj",
            "focalPoint": [0.0, 0.0],
            "width": 4096,
            "height": 2731,
        }
        for number in range(4)
    ],
    "tag": [{"type": "Hashtag", "href": "https://b.test/tags/fog", "name": "#fog"}],
}
CREATE = json.dumps(
    {
        "@context": ["https://www.w3.org/ns/activitystreams", {"toot": "http://joinmastodon.org/ns#"}],
        "id": "https://b.test/p/1/activity",
        "type": "Create",
        "actor": "https://b.test/users/bob",
        "to": [vocab.PUBLIC],
        "object": NOTE,
    }
).encode()


async def rows() -> list[tuple[str, str, str]]:
    """(work, measured, the raw limit measured beside it), in microseconds of CPU."""
    private, public = keys.generate_rsa()
    key = SigningKey.load("https://b.test/users/bob#main-key", private)
    known = signatures.parse_public_key(public)
    assert isinstance(known.key, rsa.RSAPublicKey)
    raw_public = known.key
    now = time.time()
    v15, sha256 = padding.PKCS1v15(), hashes.SHA256()

    def received(headers: dict[str, str]) -> SignedRequest:
        lines = [(name.lower(), value) for name, value in headers.items()]
        return SignedRequest("POST", "/users/alice/inbox", "a.test", "https", lines, CREATE)

    def checked(request: SignedRequest) -> Callable[[], None]:
        def check() -> None:
            signatures.verify(signatures.parse_claim(request, now), request, known)

        return check

    cavage = received(signatures.sign_cavage(key, "POST", INBOX, CREATE, now))
    rfc9421 = received(signatures.sign_rfc9421(key, "POST", INBOX, CREATE, now))
    signed = key.sign(CREATE)
    document = vocab.parse_json(CREATE)
    sign = _cpu(lambda: key.sign(CREATE))
    verify = _cpu(lambda: raw_public.verify(signed, CREATE, v15, sha256))
    bare = _cpu(lambda: decode(CREATE))

    def read() -> None:
        found = vocab.parse_activity(document).object.doc
        assert found is not None
        vocab.parse_note(found)

    guarded, plain = await _posts(key)
    return [
        _row(
            "sign a POST, draft-cavage",
            _cpu(lambda: signatures.sign_cavage(key, "POST", INBOX, CREATE, now)),
            sign,
            "RSA sign",
        ),
        _row(
            "sign a POST, RFC 9421",
            _cpu(lambda: signatures.sign_rfc9421(key, "POST", INBOX, CREATE, now)),
            sign,
            "RSA sign",
        ),
        _row("claim and verify, draft-cavage", _cpu(checked(cavage)), verify, "RSA verify"),
        _row("claim and verify, RFC 9421", _cpu(checked(rfc9421)), verify, "RSA verify"),
        _row(
            f"parse_json, {len(CREATE) / 1000:.1f} KB",
            _cpu(lambda: vocab.parse_json(CREATE)),
            bare,
            "msgspec decode",
        ),
        _row("activity and note, 4 photos", _cpu(read), bare, "msgspec decode"),
        _row("guarded POST over a warm connection", guarded, plain, "aiohttp POST"),
    ]


async def _posts(key: SigningKey) -> tuple[float, float]:
    """CPU of a POST of the guarded client and of aiohttp alone, the responding server's share included in both."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readline():
            while (line := await reader.readline()) not in (b"\r\n", b""):
                if line.lower().startswith(b"content-length:"):
                    head = line
            await reader.readexactly(int(head.split(b":")[1]))
            writer.write(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    async def resolve_local(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    listener = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    url = f"http://b.test:{port}/inbox"
    headers = signatures.sign_cavage(key, "POST", url, CREATE, time.time())
    client = Client(
        user_agent="bench",
        allow_private=True,
        allow_http=True,
        ca_file=None,
        own_host="a.test",
        resolve=resolve_local,
    )
    async with aiohttp.ClientSession() as session:

        async def plain() -> None:
            async with session.post(
                f"http://127.0.0.1:{port}/inbox", data=CREATE, headers=headers
            ) as response:
                await response.read()

        async def guarded() -> None:
            await client.post(url, CREATE, headers)

        measured = []
        for post in (guarded, plain):
            await post()
            rounds = []
            for _ in range(5):
                start = time.process_time()
                for _ in range(100):
                    await post()
                rounds.append((time.process_time() - start) / 100 * 1e6)
            measured.append(statistics.median(rounds))
    await client.close()
    listener.close()
    return measured[0], measured[1]


def _cpu(work: Callable[[], object]) -> float:
    """Median microseconds of CPU of one call."""
    work()
    rounds = []
    for _ in range(7):
        start = time.process_time()
        for _ in range(60):
            work()
        rounds.append((time.process_time() - start) / 60 * 1e6)
    return statistics.median(rounds)


def _row(name: str, measured: float, limit: float, limit_name: str) -> tuple[str, str, str]:
    return name, f"{measured:.0f} µs", f"{limit_name} {limit:.0f} µs, {measured / limit:.1f}x"
