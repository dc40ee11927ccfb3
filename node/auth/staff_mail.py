"""Mail to the staff: to those who have confirmed an address. Owns no table."""

from __future__ import annotations

from node.auth import users
from node.database import Writer
from node.mail.outgoing_mail import MailKind, queue_mail
from node.models.account import Account


def queue(tx: Writer, kind: MailKind, *, account: Account | None = None, about: str = "") -> None:
    """Queues a mail to each of the staff who has confirmed an address."""
    for colleague in users.staff(tx):
        user = colleague.user
        if user.email_confirmed_at is not None:
            queue_mail(tx, kind, user.email, account=account, language=user.language, about=about)
