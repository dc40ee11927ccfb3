"""Mail to users about their account, and to the staff: to those who have confirmed an address. Owns no table."""

from __future__ import annotations

from node.auth import users
from node.database import Writer
from node.mail.outgoing_mail import MailKind, queue_mail
from node.models.account import Account


def tell(tx: Writer, account: Account, kind: MailKind, *, about: str = "") -> None:
    """Queues a mail to the address of a user, unless somebody else's may stand there: one that was never confirmed."""
    user = users.by_account(tx, account)
    if user is not None and user.email_confirmed_at is not None:
        queue_mail(tx, kind, user.email, account=account, language=user.language, about=about)


def tell_staff(tx: Writer, kind: MailKind, *, account: Account | None = None, about: str = "") -> None:
    """Queues a mail to each of the staff who has confirmed an address."""
    for colleague in users.staff(tx):
        user = colleague.user
        if user.email_confirmed_at is not None:
            queue_mail(tx, kind, user.email, account=account, language=user.language, about=about)
