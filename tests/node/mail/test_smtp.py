"""Handing a mail to a real SMTP server: TLS in both forms, passwords, refusals for now and for good."""

from __future__ import annotations

import ssl
from email.message import EmailMessage
from pathlib import Path

import pytest

from federation_tests import authority
from federation_tests.authority import Authority
from node.config import MailOptions
from node.mail import smtp
from node.mail.smtp import MailRefused, MailUnavailable
from tests.support import mail_server as mail_servers

# Leads to this machine, and is not taken for it.
ANOTHER_HOST = "0.0.0.0"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority.make(tmp_path_factory.mktemp("authority"), [ANOTHER_HOST])


@pytest.fixture
def tls(certificates: Authority) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates.certificate, certificates.key)
    return context


def _mail(to: str = "alice@home.example") -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "photos@tintype.test", to, "Grüße"
    mail.set_content("Ein See am Morgen\n")
    return mail


async def test_tls_from_the_start(tls: ssl.SSLContext, certificates: Authority) -> None:
    async with mail_servers.serving(tls=tls) as server:
        url = f"smtps://{ANOTHER_HOST}:{server.port}"
        await smtp.send(MailOptions(url=url, ca_file=certificates.ca_file), _mail())
        assert server.take()["Subject"] == "Grüße"

        with pytest.raises(MailUnavailable, match="certificate"):
            await smtp.send(MailOptions(url=url), _mail())
        assert server.received == []


async def test_starttls(tls: ssl.SSLContext, certificates: Authority) -> None:
    async with mail_servers.serving(starttls=tls) as server:
        url = f"smtp://{ANOTHER_HOST}:{server.port}"
        await smtp.send(MailOptions(url=url, ca_file=certificates.ca_file), _mail())
        server.take()

        with pytest.raises(MailUnavailable, match="certificate"):
            await smtp.send(MailOptions(url=url), _mail())


async def test_nothing_goes_to_another_machine_without_tls() -> None:
    async with mail_servers.serving() as server:
        with pytest.raises(MailUnavailable, match="STARTTLS"):
            await smtp.send(MailOptions(url=f"smtp://{ANOTHER_HOST}:{server.port}"), _mail())
        assert server.received == []


async def test_a_name_and_a_password_with_signs_of_urls() -> None:
    async with mail_servers.serving() as server:
        server.passwords["photos@tintype.test"] = "p@ss/word:1%"
        right = f"smtp://photos%40tintype.test:p%40ss%2Fword%3A1%25@127.0.0.1:{server.port}"
        await smtp.send(MailOptions(url=right), _mail())
        server.take()

        # The admin can correct a wrong one, so the mail waits.
        with pytest.raises(MailUnavailable, match="signing in was refused"):
            await smtp.send(MailOptions(url=right.replace("word", "wort")), _mail())


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("550 5.1.1 No such person", MailRefused),
        ("553 Not allowed", MailRefused),
        ("450 4.2.0 Greylisted", MailUnavailable),
        ("421 Too busy", MailUnavailable),
    ],
)
async def test_refusals_for_good_and_for_now(answer: str, expected: type[Exception]) -> None:
    async with mail_servers.serving() as server:
        server.answers["alice@home.example"] = answer
        with pytest.raises(expected) as refused:
            await smtp.send(MailOptions(url=f"smtp://127.0.0.1:{server.port}"), _mail())

    assert answer[:3] in str(refused.value)


@pytest.mark.parametrize("url", ["smtp://127.0.0.1:9", "smtps://nowhere.invalid"])
async def test_a_server_that_cannot_be_reached(url: str) -> None:
    with pytest.raises(MailUnavailable):
        await smtp.send(MailOptions(url=url), _mail())


async def test_an_address_that_is_not_ascii() -> None:
    async with mail_servers.serving() as server:
        await smtp.send(MailOptions(url=f"smtp://127.0.0.1:{server.port}"), _mail("zoë@häuser.example"))
        assert server.take()["To"] == "zoë@häuser.example"


def test_the_parts_of_a_url() -> None:
    server = smtp.parse_url("smtps://me:pw@mail.example")
    assert (server.host, server.port, server.uses_tls) == ("mail.example", 465, True)
    assert "pw" not in repr(server)
    assert smtp.parse_url("smtp://mail.example").port == 587
    assert smtp.parse_url("smtp://[::1]:25").is_this_machine


async def test_a_missing_file_of_certificates_is_named(tmp_path: Path) -> None:
    missing = str(tmp_path / "none.pem")
    with pytest.raises(MailUnavailable, match=r"none\.pem"):
        await smtp.send(MailOptions(url="smtps://nowhere.invalid", ca_file=missing), _mail())
