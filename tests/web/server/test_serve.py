"""`tintype serve` as a process: it prints its address, answers on every address it is given, and stops in time."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import re
import signal
import ssl
import sys
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.parallel import ONE_AT_A_TIME
from tests.support.ports import free_ports

pytestmark = ONE_AT_A_TIME

ROOT = Path(__file__).parents[3]
START = 30.0
STOP = 5.0


class Served:
    """A running node."""

    def __init__(self, process: asyncio.subprocess.Process, ports: list[int], output: list[str]) -> None:
        self.process, self.ports, self.output = process, ports, output
        self.writers: list[asyncio.StreamWriter] = []

    async def stop(self) -> float:
        """Send SIGTERM and return the seconds until the process ended, with status 0."""
        begun = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = await asyncio.wait_for(self.process.wait(), 20)
        assert code == 0, "".join(self.output)
        return time.monotonic() - begun

    async def wait_for_output(self, text: str) -> str:
        """Wait until it printed this text, and return all that it printed."""
        async with asyncio.timeout(5):
            while text not in (output := "".join(self.output)):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        return output

    async def connect(self, place: int = 0, **tls: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.ports[place], limit=1 << 22, **tls)
        self.writers.append(writer)
        return reader, writer


@contextlib.asynccontextmanager
async def serve_node(folder: Path, *, fast: bool, binds: int = 1, **options: str) -> AsyncIterator[Served]:
    ports = free_ports(binds)
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "TINTYPE_NODE_DOMAIN": f"localhost:{ports[0]}",
        "TINTYPE_SERVER_BIND": ",".join(f"127.0.0.1:{port}" for port in ports),
        "TINTYPE_SERVER_SCHEME": "http",
        "TINTYPE_SERVER_FAST_HTTP": str(fast).lower(),
        **options,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "node", "serve", cwd=folder, env=environ, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    output: list[str] = []

    async def listen(stream: asyncio.StreamReader) -> None:
        while line := await stream.readline():
            output.append(line.decode())

    listening = asyncio.create_task(listen(process.stderr))
    node = Served(process, ports, output)
    try:
        for port in ports:
            await _wait_for(port, process, output)
        yield node
    finally:
        for writer in node.writers:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
        if process.returncode is None:
            process.kill()
            await process.wait()
        await listening


async def _wait_for(port: int, process: asyncio.subprocess.Process, output: list[str]) -> None:
    deadline = time.monotonic() + START
    while time.monotonic() < deadline:
        assert process.returncode is None, "".join(output)
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            await writer.wait_closed()
            return
    raise AssertionError("".join(output))


async def get(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str, more: str = "") -> bytes:
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{more}\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
    await reader.readexactly(length)
    return head


@pytest.fixture
def served(fast: bool) -> Any:
    return functools.partial(serve_node, fast=fast)


async def test_it_prints_its_address_and_how_to_become_admin(tmp_path: Path, served: Any) -> None:
    async with served(tmp_path, binds=2) as node:
        for place in range(2):
            reader, writer = await node.connect(place)
            head = await get(reader, writer, "/api/v2/instance")
            assert head.startswith(b"http/1.1 200")
            assert b"\r\nserver:" not in head
        printed = await node.wait_for_output("enter the code")
        assert f"http://localhost:{node.ports[0]}" in printed
        assert re.search(r"enter the code [A-Z0-9]{4}-[A-Z0-9]{4}-[A-Z0-9]{4}", printed)
        assert (tmp_path / "data" / "tintype.db").exists()
        assert await node.stop() < STOP
    assert not list((tmp_path / "data").glob("tintype.db-*")), "the database was not closed"


@pytest.mark.parametrize(
    ("scheme", "domain", "is_told"),
    [("https", "localhost", True), ("https", "photos.example", False), ("http", "localhost", False)],
)
async def test_a_trial_on_one_machine_is_told_that_its_address_needs_https(
    tmp_path: Path, served: Any, scheme: str, domain: str, is_told: bool
) -> None:
    options = {"TINTYPE_SERVER_SCHEME": scheme, "TINTYPE_NODE_DOMAIN": domain}
    async with served(tmp_path, **options) as node:
        printed = await node.wait_for_output("enter the code")

    assert f"Tintype is at {scheme}://{domain} " in printed
    assert ("TINTYPE_SERVER_SCHEME=http" in printed) is is_told


async def test_it_stops_in_time_whatever_browsers_are_doing(tmp_path: Path, served: Any) -> None:
    async with served(tmp_path) as node:
        idle = await node.connect()
        await get(*idle, "/api/v1/instance")
        _, half_a_request = await node.connect()
        half_a_request.write(b"GET / HTTP/1.1\r\nHost: local")
        _, half_a_body = await node.connect()
        half_a_body.write(
            b"POST /inbox HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90\r\n"
            b"Content-Type: application/activity+json\r\n\r\n{"
        )
        answers = 0

        async def insist() -> None:
            nonlocal answers
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                reader, writer = await node.connect()
                while True:
                    await get(reader, writer, "/api/v1/timelines/public")
                    answers += 1

        load = [asyncio.create_task(insist()) for _ in range(8)]
        await asyncio.sleep(0.5)
        assert await node.stop() < STOP
        await asyncio.gather(*load)
        assert answers > 8
        assert not [line for line in node.output if "Traceback" in line], "".join(node.output)


def certificate(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / "cert.pem", folder / "key.pem"
    certificate_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return certificate_file, key_file


@pytest.mark.parametrize("protocol", ["http/1.1", "h2"])
async def test_it_speaks_tls_by_itself(tmp_path: Path, protocol: str, served: Any) -> None:
    certificate_file, key_file = certificate(tmp_path)
    async with served(
        tmp_path,
        TINTYPE_SERVER_TLS_CERTIFICATE=str(certificate_file),
        TINTYPE_SERVER_TLS_KEY=str(key_file),
        TINTYPE_SERVER_SCHEME="https",
    ) as node:
        context = ssl.create_default_context(cafile=str(certificate_file))
        context.set_alpn_protocols([protocol])
        reader, writer = await node.connect(ssl=context, server_hostname="localhost")
        assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == protocol
        if protocol == "http/1.1":
            assert (await get(reader, writer, "/api/v1/instance")).startswith(b"http/1.1 200")
        assert await node.stop() < STOP


async def test_an_address_that_is_taken_is_named(tmp_path: Path, served: Any) -> None:
    async with served(tmp_path) as first:
        taken = f"127.0.0.1:{first.ports[0]}"
        other = tmp_path / "other"
        other.mkdir()
        environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "TINTYPE_NODE_DOMAIN": "localhost:1",
            "TINTYPE_SERVER_BIND": taken,
        }
        second = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "node", "serve", cwd=other, env=environ, stderr=asyncio.subprocess.PIPE
        )
        _, output = await asyncio.wait_for(second.communicate(), START)
    assert second.returncode == 2
    assert f"[server] bind has {taken}, where another program listens already" in output.decode()
    assert list(other.iterdir()) == [], "it created something"
    assert "Tintype is at" not in output.decode(), "it output that it was there"
    assert "Traceback" not in output.decode()
