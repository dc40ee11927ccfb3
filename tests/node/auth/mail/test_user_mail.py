"""Mail to the staff goes to addresses that were confirmed."""

from __future__ import annotations

import dataclasses

from node.auth import users
from node.auth.mail import user_mail
from node.database import Database, Writer
from node.mail.outgoing_mail import JOB, MailKind
from node.models.account import Account


async def test_only_staff_with_a_confirmed_address_is_told(
    db: Database, alice: Account, bob: Account, mallory: Account
) -> None:
    def unit(tx: Writer) -> list[str]:
        tx.site = dataclasses.replace(tx.site, sends_mail=True)
        for person, role in ((alice, "admin"), (bob, "moderator"), (mallory, "user")):
            users.create(tx, person, email=f"{person.name}@a.test", password_hash="-", role=role)
        for person in (bob, mallory):
            users.set_address(tx, person, f"{person.name}@a.test", is_confirmed=True)
        user_mail.tell_staff(tx, MailKind.STAFF_REPORT, about="1")
        return [row["payload"] for row in tx.all("SELECT payload FROM jobs WHERE kind = :kind", kind=JOB)]

    (only,) = await db.write(unit)

    assert "bob@a.test" in only
