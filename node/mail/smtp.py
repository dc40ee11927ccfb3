"""Sends a mail through the configured SMTP server (RFC 5321; TLS as RFC 8314 has it)."""

from __future__ import annotations

import ipaddress
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

import aiosmtplib

from node.config import MailOptions

TIMEOUT_SECONDS = 30
SUBMISSIONS_PORT, SUBMISSION_PORT = 465, 587


class MailRefused(Exception):
    """The server will not take this mail, now or later; the text is its answer. `is_recipient`: because of the address."""

    def __init__(self, answer: str, *, is_recipient: bool) -> None:
        super().__init__(answer)
        self.is_recipient = is_recipient


class MailUnavailable(Exception):
    """The mail could not be handed over; it may work later. The text is for the log and the admin."""


@dataclass(frozen=True, slots=True)
class MailServer:
    """What `[mail] url` says. `uses_tls` is TLS from the start; otherwise STARTTLS, unless it is this machine."""

    host: str
    port: int
    uses_tls: bool
    user: str | None
    password: str | None = field(repr=False)

    @property
    def is_this_machine(self) -> bool:
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def parse_url(url: str) -> MailServer:
    """Parses `smtps://name:password@host:port` or `smtp://…`; `Config` has checked its form."""
    parts = urlsplit(url)
    uses_tls = parts.scheme == "smtps"
    return MailServer(
        host=parts.hostname or "",
        port=parts.port or (SUBMISSIONS_PORT if uses_tls else SUBMISSION_PORT),
        uses_tls=uses_tls,
        user=None if parts.username is None else unquote(parts.username),
        password=None if parts.password is None else unquote(parts.password),
    )


async def send(mail: MailOptions, message: EmailMessage) -> None:
    """Hands a mail to the server, from and to the addresses in its headers. Raises MailRefused or MailUnavailable."""
    server = parse_url(mail.url)
    try:
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            use_tls=server.uses_tls,
            start_tls=not server.uses_tls and not server.is_this_machine,
            username=server.user,
            password=server.password,
            tls_context=_tls_context(mail.ca_file),
            timeout=TIMEOUT_SECONDS,
        )
        async with client:
            await client.send_message(message)
    except aiosmtplib.SMTPRecipientsRefused as error:
        answer = error.recipients[0]
        raise _failure(answer.code, answer.message, is_recipient=True) from error
    except aiosmtplib.SMTPAuthenticationError as error:
        # The admin can correct it, so nothing is lost meanwhile.
        raise MailUnavailable(f"signing in was refused: {error.code} {error.message}") from error
    except aiosmtplib.SMTPResponseException as error:
        raise _failure(error.code, error.message, is_recipient=False) from error
    except (aiosmtplib.SMTPException, OSError, ValueError) as error:
        raise MailUnavailable(f"{server.host}:{server.port}: {error or type(error).__name__}") from error


def _tls_context(ca_file: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file:
        try:
            context.load_verify_locations(ca_file)
        except OSError as error:  # an SSLError is one, too
            raise MailUnavailable(f"[mail] ca_file {ca_file} cannot be used: {error}") from error
    return context


def _failure(code: int, text: str, *, is_recipient: bool) -> MailRefused | MailUnavailable:
    """Returns what an answer means: 5xx is for good, 4xx for now (RFC 5321, 4.2.1)."""
    answer = f"{code} {' '.join(text.split())}"[:300]
    return MailRefused(answer, is_recipient=is_recipient) if 500 <= code < 600 else MailUnavailable(answer)
