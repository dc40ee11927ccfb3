"""A real SMTP server on this machine, which keeps what it gets, or refuses it."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult

from tests.support.ports import free_port


@dataclass
class MailServer:
    """`received` is what it took; `answers` maps an address to the answer to mail for it, else it is taken."""

    port: int
    received: list[EmailMessage] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=dict)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.received.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
        return "250 OK"

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        given = {data.login.decode(): data.password.decode()}
        return AuthResult(success=given.items() <= self.passwords.items(), handled=False)

    def take(self) -> EmailMessage:
        """Returns the only mail that came since the last call."""
        (one,) = self.received
        self.received.clear()
        return one


@asynccontextmanager
async def serving(
    *, tls: ssl.SSLContext | None = None, starttls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[MailServer]:
    """`tls` from the start, or `starttls`, without which it then takes nothing."""
    mail_server = MailServer(free_port())

    def protocol() -> SMTP:
        return SMTP(
            mail_server,
            hostname="mail.test",
            tls_context=starttls,
            require_starttls=starttls is not None,
            authenticator=mail_server.authenticate,
            auth_require_tls=False,
            enable_SMTPUTF8=True,
            loop=asyncio.get_running_loop(),
        )

    server = await asyncio.get_running_loop().create_server(protocol, host, mail_server.port, ssl=tls)
    try:
        yield mail_server
    finally:
        server.close()
        await server.wait_closed()


def plain_text(mail: EmailMessage) -> str:
    """Returns the part of a mail for programs that show no HTML."""
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def html(mail: EmailMessage) -> str:
    """Returns the part of a mail for programs that show HTML."""
    part = mail.get_body(("html",))
    assert part is not None
    return str(part.get_content())


def link(mail: EmailMessage) -> str:
    """Returns the path and query of the only link in the text of a mail."""
    (found,) = re.findall(r"https?://[^/\s]+(/\S*)", plain_text(mail))
    return str(found)


def code(mail: EmailMessage) -> str:
    """Returns the code in the text of a mail."""
    (found,) = re.findall(r"\b\d{6}\b", plain_text(mail))
    return str(found)
