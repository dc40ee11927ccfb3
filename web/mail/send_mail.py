"""The job `send_mail`: writes a mail in the language of who gets it, and hands it to the mail server."""

from __future__ import annotations

import logging
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from node.auth import users
from node.auth.users import Credentials
from node.config import Config
from node.database import Reader
from node.ids import now_ms
from node.jobs.queue import GiveUp, Job
from node.mail import outgoing_mail, smtp
from node.mail.outgoing_mail import MailRequest
from node.mail.smtp import MailRefused, MailUnavailable
from node.node import Node
from web.html.templates import Templates
from web.i18n import translations
from web.i18n.translations import _
from web.mail import texts
from web.mail.texts import MailText

log = logging.getLogger("tintype.mail")


async def send_mail(node: Node, job: Job) -> None:
    """Raises RetryLater where the server cannot be reached, and GiveUp where it refuses the mail, which is noted."""
    request = outgoing_mail.read_request(job)
    if not node.config.mail.url:
        raise GiveUp("no mail server is configured")
    person = await node.db.read(_find, request.account_id)
    translations.set_language(translations.choose_language(request.language, ()))
    text = texts.write(node, request, person)
    if text is None:
        return
    try:
        await smtp.send(node.config.mail, compose(node, request, text))
    except MailUnavailable as unavailable:
        log.warning("a mail (%s) has to wait: %s", request.kind, unavailable)
        raise outgoing_mail.retry_later(request, job.attempts, str(unavailable)) from unavailable
    except MailRefused as refused:
        log.warning("a mail (%s) was refused: %s", request.kind, refused)
        if refused.is_recipient:
            await node.db.write(users.record_mail_problem, request.to, str(refused))
        raise GiveUp(str(refused)) from refused
    if person is not None and person.user.mail_problem:
        await node.db.write(users.record_mail_problem, request.to, "")


def _find(tx: Reader, account_id: int) -> Credentials | None:
    return users.by_account_id(tx, account_id) if account_id else None


def compose(node: Node, request: MailRequest, text: MailText) -> EmailMessage:
    """Returns a mail as text and HTML."""
    env = node.component(Templates).environment(translations.current_language())
    message = _new_message(node.config, request.to, text.subject)
    message.set_content(_to_plain_text(text))
    message.add_alternative(env.get_template("mail/layout.html").render(mail=text), subtype="html")
    return message


def _new_message(options: Config, to: str, subject: str) -> EmailMessage:
    """Returns a mail without a body, with the headers that keep automatic answers away (RFC 3834)."""
    host = options.node.domain.partition(":")[0]
    message = EmailMessage()
    message["From"] = Address(options.node.title, addr_spec=options.mail.sender or f"photos@{host}")
    message["To"] = Address(addr_spec=to)
    message["Subject"] = " ".join(subject.split())
    message["Date"] = formatdate(now_ms() / 1000, usegmt=True)
    message["Message-ID"] = make_msgid(domain=host)
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    return message


def _to_plain_text(text: MailText) -> str:
    parts = list(text.paragraphs)
    if text.action is not None:
        parts.append(":\n".join(text.action))
    if text.code:
        parts.append(_("Or type this code: %(code)s", code=text.code))
    return "\n\n".join(filter(None, [*parts, text.note])) + "\n"


async def send_test(options: Config, address: str) -> None:
    """Sends a test mail at once, for the command line. Raises MailRefused or MailUnavailable."""
    message = _new_message(options, address, f"A test mail from {options.node.title}")
    message.set_content("The mail of this server works: you are reading one.\n")
    await smtp.send(options.mail, message)
