"""The guarded HTTP client against real sockets: rows B2, B5, D1, D2, D3, D5, D8 and D9 of the security table."""

from __future__ import annotations

import asyncio
import datetime
import gzip
import ipaddress
import json
import re
import ssl
import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Sequence
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from activitypub import signatures
from activitypub.client.client import MAX_DOCUMENT_BYTES, Client, Unfetchable
from activitypub.client.public_addresses import is_public, parse_ip_literal
from activitypub.client.resolver import AddressNotPublic, GuardedResolver
from activitypub.signatures import SignedRequest, SigningKey
from node.accounts import keys
from tests.support.http_server import AP, NOTE, Names, Server, opened, serving
from tests.support.parallel import ONE_AT_A_TIME


@pytest.fixture
async def b() -> AsyncIterator[Server]:
    async with serving() as server:
        yield server


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    async with opened() as client:
        yield client


@pytest.fixture
async def strict_client() -> AsyncIterator[Client]:
    async with opened(allow_private=False, allow_http=False) as client:
        yield client


async def unfetchable(awaitable: Awaitable[object]) -> Unfetchable:
    with pytest.raises(Unfetchable) as failed:
        await awaitable
    return failed.value


def a_key() -> tuple[SigningKey, signatures.PublicKey]:
    private, public = keys.generate_rsa()
    return SigningKey.load("https://a.test/actor#main-key", private), signatures.parse_public_key(public)


# Ordinary requests.


async def test_a_document_is_fetched_with_a_signature_that_verifies(client: Client, b: Server) -> None:
    key, public = a_key()
    b.says("/1?page=2")
    fetched = await client.get_json(f"http://b.test:{b.port}/1?page=2", key=key)
    assert fetched.doc == json.loads(NOTE)
    assert fetched.url == f"http://b.test:{b.port}/1?page=2"
    method, target, headers, _ = b.requests[0]
    request = SignedRequest(method, target, f"b.test:{b.port}", "http", headers)
    signatures.verify(signatures.parse_claim(request, time.time()), request, public)
    assert AP in dict(headers)["accept"]
    assert dict(headers)["user-agent"] == "Tintype test"
    assert "cookie" not in dict(headers)


async def test_a_post_is_sent_as_signed_and_connections_are_used_again(client: Client, b: Server) -> None:
    key, public = a_key()
    b.says("/inbox", b"thank you", status="202 Accepted", kind="text/plain")
    url = f"http://b.test:{b.port}/inbox"
    for _ in range(3):
        headers = signatures.sign_cavage(key, "POST", url, b'{"a":1}', time.time())
        answer = await client.post(url, b'{"a":1}', headers)
        assert (answer.status, answer.body) == (202, "thank you")
    method, target, received, body = b.requests[-1]
    request = SignedRequest(method, target, f"b.test:{b.port}", "http", received, body)
    signatures.verify(signatures.parse_claim(request, time.time()), request, public)
    assert dict(received)["content-type"] == AP
    assert b.connections == 1


async def test_a_post_is_answered_whatever_the_status_and_follows_no_redirect(
    client: Client, b: Server
) -> None:
    b.moves("/inbox", "/moved")
    b.says("/busy", b"x" * 100_000, status="503 Busy", kind="text/plain", Retry_After="60")
    assert (await client.post(f"http://b.test:{b.port}/inbox", b"{}", {})).status == 302
    busy = await client.post(f"http://b.test:{b.port}/busy", b"{}", {})
    assert (busy.status, busy.headers["retry-after"], len(busy.body)) == (503, "60", 500)
    assert len(b.requests) == 2


@pytest.mark.parametrize(
    ("status", "temporary", "gone"),
    [
        ("404 Not Found", False, True),
        ("410 Gone", False, True),
        ("401 Unauthorized", False, False),
        ("408 Timeout", True, False),
        ("429 Slow", True, False),
        ("500 Oh", True, False),
        ("206 Part", False, False),
    ],
)
async def test_a_status_decides_whether_a_retry_may_help(
    client: Client, b: Server, status: str, temporary: bool, gone: bool
) -> None:
    b.says("/1", status=status)
    failed = await unfetchable(client.get_json(f"http://b.test:{b.port}/1", key=None))
    assert (failed.response_status, failed.temporary, failed.gone) == (int(status[:3]), temporary, gone)
    assert failed.status == 502


async def test_a_connection_failure_is_temporary(client: Client) -> None:
    failed = await unfetchable(client.get_json("http://b.test:1/1", key=None))
    assert failed.temporary
    assert (await unfetchable(client.post("http://b.test:1/1", b"", {}))).temporary


async def test_https_is_checked_against_the_given_authority(tmp_path: Path, b: Server) -> None:
    context, authority = certificate(tmp_path, "b.test")
    async with serving(context) as secure:
        secure.says("/1")
        async with opened(allow_http=False, ca_file=str(authority)) as client:
            assert (await client.get_json(f"https://b.test:{secure.port}/1", key=None)).doc["type"] == "Note"
            other = await unfetchable(client.get_json(f"https://c.test:{secure.port}/1", key=None))
            assert other.temporary
        async with opened(allow_http=False) as client:
            await unfetchable(client.get_json(f"https://b.test:{secure.port}/1", key=None))


def certificate(folder: Path, host: str) -> tuple[ssl.SSLContext, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "ca.pem", folder / "key.pem"
    public.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return context, public


# B2: what counts as a document.


@pytest.mark.parametrize(
    "kind",
    ["", "text/plain", "image/png", "application/json", "application/ld+json", "text/html",
     'application/ld+json; profile="https://evil.example/ns"', "application/activity+jsonx",
     'text/plain; profile="https://www.w3.org/ns/activitystreams"'],
)  # fmt: skip
async def test_other_content_types_are_not_documents(client: Client, b: Server, kind: str) -> None:
    b.says("/1", kind=kind)
    await unfetchable(client.get_json(f"http://b.test:{b.port}/1", key=None))


@pytest.mark.parametrize(
    "kind",
    [AP, f"{AP}; charset=utf-8", "Application/Activity+JSON",
     'application/ld+json; profile="https://www.w3.org/ns/activitystreams"',
     'application/ld+json; charset=utf-8; profile="https://x.example https://www.w3.org/ns/activitystreams"'],
)  # fmt: skip
async def test_the_two_activitypub_content_types_are_documents(client: Client, b: Server, kind: str) -> None:
    b.says("/1", kind=kind)
    await client.get_json(f"http://b.test:{b.port}/1", key=None)


async def test_a_jrd_a_page_and_a_picture_have_types_of_their_own(client: Client, b: Server) -> None:
    at = f"http://b.test:{b.port}"
    b.says("/jrd", b'{"subject":"x"}', kind="application/jrd+json")
    b.says("/page", "é".encode(), kind="text/html; charset=utf-8", Link="<x>; rel=alternate")
    b.says("/picture", b"\xff\xd8", kind="image/jpeg")
    assert (await client.get_jrd(f"{at}/jrd")).doc == {"subject": "x"}
    await unfetchable(client.get_jrd(f"{at}/page"))
    page = await client.get_text(f"{at}/page")
    assert (page.text, page.link_header, page.content_type) == ("é", "<x>; rel=alternate", "text/html")
    assert (await client.get_bytes(f"{at}/picture", max_bytes=10, types=("image/*",))).body == b"\xff\xd8"
    await unfetchable(client.get_bytes(f"{at}/page", max_bytes=10, types=("image/*",)))
    await unfetchable(client.get_bytes(f"{at}/picture", max_bytes=1, types=("image/jpeg",)))


async def test_a_document_that_is_not_json_is_refused_for_good(client: Client, b: Server) -> None:
    b.says("/1", b"[" * 1000)
    assert not (await unfetchable(client.get_json(f"http://b.test:{b.port}/1", key=None))).temporary


# B5, B11, D5: URLs that are never requested.


async def test_this_node_is_never_requested(b: Server) -> None:
    async with opened(own_host=f"a.test:{b.port}") as client:
        for url in (f"http://a.test:{b.port}/1", f"HTTP://A.TEST.:{b.port}/1"):
            assert "itself" in (await unfetchable(client.get_json(url, key=None))).reason
            assert "itself" in (await unfetchable(client.post(url, b"", {}))).reason
        b.moves("/1", f"http://a.test:{b.port}/2")
        await unfetchable(client.get_json(f"http://b.test:{b.port}/1", key=None))
    assert len(b.requests) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://b.example/1",
        "https://b.example:6379/1",
        "https://b.example:22/1",
        "https://user@b.example/1",
        "https://b.example\r\nX: y/1",
        "https://b.example/1\r\nX: y",
        "https://b .example/1",
        "file:///etc/passwd",
        "gopher://b.example/",
        "https:b.example",
        "https://",
        "",
        "/1",
        "https://a@127.0.0.1:6379/..#",
    ],
)
async def test_malformed_urls_are_refused_before_any_lookup(url: str) -> None:
    names = Names(["127.0.0.1"])
    async with opened(allow_private=False, allow_http=False, resolve=names) as client:
        assert not (await unfetchable(client.get_json(url, key=None))).temporary
        await unfetchable(client.post(url, b"", {}))
    assert names.hosts == []


# D1: addresses.

PRIVATE = re.findall(
    r"\S+",
    """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.254 169.254.169.254 172.16.0.1
172.31.255.255 192.0.0.1 192.0.0.9 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1
224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
:: ::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:7f00:1 ::127.0.0.1 ::8.8.8.8 64:ff9b::7f00:1 64:ff9b::a00:1 64:ff9b:1::1
64:ff9b:1::7f00:1 100::1 2001::1 2001:0:7f00:1:: 2001:10::1 2001:20::1 2001:db8::1 2002:7f00:1:: 2002:a00:1::1 3fff::1
3fff:fff::1 4000::1 5f00::1 fc00::1 fd12:3456::1 fe80::1 febf::1 fec0::1 ff02::1 ff0e::1 fe80::1%eth0 2606:4700::1%1
""",
)

PUBLIC = re.findall(
    r"\S+",
    """
1.1.1.1 8.8.8.8 93.184.216.34 172.15.0.1 172.32.0.1 192.0.1.1 198.17.0.1 223.255.255.254
2606:4700:4700::1111 2a01:4f8::1 ::ffff:8.8.8.8 64:ff9b::808:808
""",
)


@pytest.mark.parametrize("address", PRIVATE)
async def test_D1_private_addresses_are_refused_as_literal_and_resolved(address: str) -> None:
    assert not is_public(address)
    host = f"[{address}]" if ":" in address else address
    async with opened(allow_private=False, resolve=Names([address])) as client:
        for url in (f"https://{host}/", "https://b.example/", f"http://{host}/", "http://b.example/"):
            failed = await unfetchable(client.get_json(url, key=None))
            assert not failed.temporary
            assert "public internet" in failed.reason or "%" in address
            await unfetchable(client.post(url, b"", {}))


@pytest.mark.parametrize("address", PUBLIC)
def test_ordinary_hosts_are_public(address: str) -> None:
    assert is_public(address)
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "host",
    ["2130706433", "0x7f000001", "0x7f.1", "127.1", "127.0.1", "0177.0.0.1", "017700000001", "0x7f.0x0.0x0.0x1",
     "127.0.0.1.", "00000127.0.0.1", "1.1.1.1.1", "256.1.1.1", "0", "0x", "localhost", "localhost.", "x.127.1"],
)  # fmt: skip
async def test_other_spellings_of_an_address_are_refused(host: str) -> None:
    async with opened(allow_private=False, resolve=None) as client:
        failed = await unfetchable(client.get_json(f"https://{host}/", key=None))
        assert not failed.temporary
    if not host.startswith("localhost") and host != "127.0.0.1.":
        with pytest.raises(ValueError, match=r".+"):
            parse_ip_literal(host)


def test_names_are_no_addresses() -> None:
    for host in ("b.example", "1.example", "127.0.0.1.example", "0x7f.example", "xn--9ca.example"):
        assert parse_ip_literal(host) is None


# D2: DNS rebinding.


async def test_one_private_answer_among_several_is_enough_to_refuse() -> None:
    for answers in (["93.184.216.34", "127.0.0.1"], ["127.0.0.1", "93.184.216.34"], ["2606:4700::1", "::1"]):
        with pytest.raises(AddressNotPublic):
            await GuardedResolver(allow_private=False, resolve=Names(answers)).resolve("b.example", 443)


async def test_D2_the_checked_address_is_the_one_connected_to(b: Server) -> None:
    b.says("/1")
    names = Names(["127.0.0.1"], ["127.0.0.9"])
    async with opened(resolve=names) as client:
        for _ in range(2):
            await client.get_json(f"http://b.test:{b.port}/1", key=None)
    assert names.hosts == ["b.test"]
    resolver = GuardedResolver(allow_private=False, resolve=Names(["93.184.216.34"], ["127.0.0.1"]))
    for _ in range(3):
        assert [row["host"] for row in await resolver.resolve("b.example", 443)] == ["93.184.216.34"]
    resolver._cache.clear()
    with pytest.raises(AddressNotPublic):
        await resolver.resolve("b.example", 443)


async def test_D12_the_cache_of_names_is_bounded() -> None:
    resolver = GuardedResolver(allow_private=False, resolve=Names(["93.184.216.34"]))
    for number in range(5000):
        await resolver.resolve(f"h{number}.example", 443)
    assert len(resolver._cache) <= 2048


# D3: redirects.


@pytest.mark.parametrize(
    "to",
    [
        "https://127.0.0.1/",
        "https://[::1]/",
        "http://b.example/",
        "file:///etc/passwd",
        "data:application/activity+json,{}",
        "gopher://b.test/",
        "/loop",
        "/0",
    ],
)
async def test_D3_a_redirect_leads_only_where_a_first_request_may_go(
    tmp_path: Path, b: Server, to: str
) -> None:
    key, _ = a_key()
    context, authority = certificate(tmp_path, "b.test")
    async with (
        serving(context) as secure,
        opened(allow_http=False, ca_file=str(authority)) as client,
    ):

        async def move(writer: asyncio.StreamWriter) -> None:
            # From here on the client is as strict as in production.
            client._allow_private = False
            writer.write(f"HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode())

        secure.replies["/1"] = move
        secure.moves("/loop", "/loop")
        for number in range(9):
            secure.moves(f"/{number}" if number != 1 else "/x", f"/{number + 1}" if number else "/x")
        refused = await unfetchable(client.get_json(f"https://b.test:{secure.port}/1", key=key))
    assert not refused.temporary
    assert len(secure.requests) <= 4
    assert b.requests == []
    # A signature for one URL is never sent to another.
    sent = [dict(headers)["signature"] for _, _, headers, _ in secure.requests]
    assert len(set(sent)) == len(sent)


async def test_a_redirect_is_followed_and_signed_again(client: Client, b: Server) -> None:
    key, public = a_key()
    async with serving() as c:
        b.moves("/1", f"http://c.test:{c.port}/2#x", "301 Moved Permanently")
        c.says("/2")
        fetched = await client.get_json(f"http://b.test:{b.port}/1", key=key)
        assert fetched.url == f"http://c.test:{c.port}/2"
        method, target, headers, _ = c.requests[0]
        request = SignedRequest(method, target, f"c.test:{c.port}", "http", headers)
        signatures.verify(signatures.parse_claim(request, time.time()), request, public)
        assert dict(headers)["signature"] != dict(b.requests[0][2])["signature"]


async def test_a_relative_redirect_is_followed(client: Client, b: Server) -> None:
    b.moves("/a/1", "../2?x=%20")
    b.says("/2?x=%20")
    assert (await client.get_json(f"http://b.test:{b.port}/a/1", key=None)).url.endswith("/2?x=%20")


@pytest.mark.parametrize(
    "to",
    [
        "file:///etc/passwd",
        "data:application/activity+json,{}",
        "gopher://b.test/",
        "",
        "//",
        "http://[",
        "http://u@b.test/",
    ],
)
async def test_a_redirect_to_a_malformed_url_is_refused(client: Client, b: Server, to: str) -> None:
    b.moves("/1", to)
    assert not (await unfetchable(client.get_json(f"http://b.test:{b.port}/1", key=None))).temporary
    assert len(b.requests) == 1


async def test_loops_and_long_chains_end(client: Client, b: Server) -> None:
    b.moves("/loop", "/loop")
    await unfetchable(client.get_json(f"http://b.test:{b.port}/loop", key=None))
    assert len(b.requests) == 1
    for number in range(20):
        b.moves(f"/{number}", f"/{number + 1}")
    await unfetchable(client.get_json(f"http://b.test:{b.port}/0", key=None))
    assert len(b.requests) == 1 + 4
    b.says("/20")
    await client.get_json(f"http://b.test:{b.port}/17", key=None)


async def test_from_https_never_to_http_nor_to_a_private_address(tmp_path: Path, b: Server) -> None:
    context, authority = certificate(tmp_path, "b.test")
    b.says("/1")
    async with serving(context) as secure, opened(ca_file=str(authority)) as client:
        secure.moves("/1", f"http://c.test:{b.port}/1")
        await unfetchable(client.get_json(f"https://b.test:{secure.port}/1", key=None))
    assert b.requests == []


async def test_a_redirect_is_checked_like_a_first_request(strict_client: Client) -> None:
    # One function checks every hop; that it runs for each is shown by the loop above.
    for url in ("https://127.0.0.1/", "https://[::1]/", "https://b.example:8080/", "http://b.example/"):
        await unfetchable(strict_client.get_json(url, key=None))


# D8: slow servers.


async def drip(writer: asyncio.StreamWriter, head: bytes) -> None:
    writer.write(head)
    for _ in range(100):
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    "head",
    [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Type: application/activity+json\r\nContent-Length: 9999\r\n\r\n"],
    ids=["never-ending status", "never-ending header", "body by the byte"],
)  # fmt: skip
@ONE_AT_A_TIME
async def test_D8_a_slow_server_is_dropped_at_the_deadline(b: Server, head: bytes) -> None:
    b.replies["/1"] = lambda writer: drip(writer, head)
    async with opened(timeout_seconds=0.3) as client:
        start = time.monotonic()
        failures = await asyncio.gather(
            *(unfetchable(client.get_json(f"http://b.test:{b.port}/1", key=None)) for _ in range(10)),
            unfetchable(client.post(f"http://b.test:{b.port}/1", b"{}", {})),
        )
        assert all(failed.temporary for failed in failures)
        assert time.monotonic() - start < 2
        # Requests to other servers are not delayed meanwhile.
        async with serving() as c:
            c.says("/1")
            await client.get_json(f"http://c.test:{c.port}/1", key=None)


async def test_a_name_server_that_never_answers_is_dropped_at_the_deadline() -> None:
    async def never(host: str, port: int) -> Sequence[str]:
        await asyncio.sleep(60)
        return []

    async with opened(timeout_seconds=0.2, resolve=never) as client:
        assert (await unfetchable(client.get_json("https://b.example/", key=None))).temporary


@ONE_AT_A_TIME
async def test_endless_headers_are_dropped(b: Server) -> None:
    b.replies["/1"] = b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000
    b.replies["/2"] = b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1_000_000
    async with opened(timeout_seconds=2) as client:
        for path in ("/1", "/2"):
            start = time.monotonic()
            await unfetchable(client.get_json(f"http://b.test:{b.port}{path}", key=None))
            assert time.monotonic() - start < 1


# D9: decompression bombs.


async def test_D9_a_body_over_the_limit_is_cut_off_while_reading(client: Client, b: Server) -> None:
    at = f"http://b.test:{b.port}"
    bomb = gzip.compress(b" " * 50_000_000)
    assert len(bomb) < MAX_DOCUMENT_BYTES
    b.says("/gzip", bomb, Content_Encoding="gzip")
    b.says("/deflate", zlib.compress(b" " * 50_000_000), Content_Encoding="deflate")
    b.says("/nested", gzip.compress(bomb), Content_Encoding="gzip, gzip")
    b.says("/brotli", b"x", Content_Encoding="br")
    b.says("/large", b" " * (MAX_DOCUMENT_BYTES + 1))
    b.replies["/lie"] = (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/activity+json\r\nContent-Length: 99999999999999\r\n\r\n"
    )
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    b.replies["/chunked"] = (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/activity+json\r\nTransfer-Encoding: chunked\r\n\r\n"
        + chunk * 40
    )
    b.says("/broken", b"not gzip", Content_Encoding="gzip")
    for path in ("/gzip", "/deflate", "/nested", "/brotli", "/large", "/lie", "/chunked", "/broken"):
        failed = await unfetchable(client.get_json(at + path, key=None))
        assert failed.response_status == 200, path
        assert not failed.temporary


async def test_a_compressed_document_is_read(client: Client, b: Server) -> None:
    b.says("/gzip", gzip.compress(NOTE), Content_Encoding="gzip")
    b.says("/deflate", zlib.compress(NOTE), Content_Encoding="deflate")
    for path in ("/gzip", "/deflate"):
        assert (await client.get_json(f"http://b.test:{b.port}{path}", key=None)).doc == json.loads(NOTE)


async def test_a_truncated_body_is_a_temporary_failure(client: Client, b: Server) -> None:
    async def half(writer: asyncio.StreamWriter) -> None:
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/activity+json\r\nContent-Length: 99\r\n\r\n{"
        )
        writer.close()

    b.replies["/1"] = half
    assert (await unfetchable(client.get_json(f"http://b.test:{b.port}/1", key=None))).temporary


async def test_no_cookie_and_no_proxy_is_used(b: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    b.says("/1", Set_Cookie="a=b; Path=/")
    async with opened() as client:
        for _ in range(2):
            await client.get_json(f"http://b.test:{b.port}/1", key=None)
    assert all("cookie" not in dict(headers) for _, _, headers, _ in b.requests)
