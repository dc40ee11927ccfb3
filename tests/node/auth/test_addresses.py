"""E-mail addresses: one spelling, and what is none."""

from __future__ import annotations

import pytest

from node.auth import addresses, users
from node.database import Database
from node.errors import Invalid
from node.models.account import Account


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        (" Bob@A.Test ", "Bob@a.test"),
        ("o'b+x@localhost", "o'b+x@localhost"),
        ("u\u0308@a.test", "ü@a.test"),
        ("a@bücher.example", "a@bücher.example"),
    ],
)
def test_an_e_mail_address_is_stored_in_one_spelling(written: str, stored: str) -> None:
    assert addresses.normalize_email(written) == stored


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "@a.test",
        "a@",
        "a@b@c.test",
        "a b@c.test",
        "a@b\nc",
        "a@b\x00",
        "<a@b.test>",
        "a" * 65 + "@b",
    ],
)
def test_a_text_that_is_no_e_mail_address_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        addresses.normalize_email(text)

    assert refused.value.field == "email"


async def test_admins_may_know_whether_an_address_is_in_use(db: Database, alice: Account) -> None:
    await db.write(lambda tx: users.create(tx, alice, email="alice@a.test", password_hash="-"))

    assert await db.read(addresses.is_email_in_use, "ALICE@a.test")
    assert not await db.read(addresses.is_email_in_use, "bob@a.test")
