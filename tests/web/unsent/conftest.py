"""A node on which Alice and Bob have passwords, and their browsers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from node.auth import passwords, users
from node.database import Writer
from node.models.account import Account
from node.node import Node
from tests.support.visitors import Seen, Visitor
from tests.web.pages.conftest import PASSWORD, app, publish, signed_in

__all__ = ["PASSWORD", "app", "publish", "signed_in"]

OWN = {"sec-fetch-site": "same-origin", "referer": "https://tintype.test/somewhere?a=1"}
"""What a browser says of a form that a page of this node sent."""

SignInAs = Callable[[Visitor, Account], Awaitable[Seen]]


async def give_password(node: Node, who: Account) -> None:
    hashed = await passwords.hash(PASSWORD)

    def unit(tx: Writer) -> None:
        if users.by_account(tx, who) is None:
            users.create(tx, who, email=f"{who.name}@tintype.test", password_hash=hashed)
        users.set_password(tx, who.id, hashed)

    await node.db.write(unit)


def hidden(seen: Seen) -> list[tuple[str, str]]:
    """The hidden fields of the page but for its form token."""
    main = seen.elements.index(seen.one("main"))
    return [
        (one.attributes["name"], one.attributes["value"])
        for one in seen.elements[main:]
        if one.tag == "input" and one.attributes["type"] == "hidden" and one.attributes["name"] != "csrf"
    ]


@pytest.fixture
def sign_in_as(node: Node) -> SignInAs:
    """`await sign_in_as(visitor, alice)`: submits the open sign-in page, with all that it carries."""

    async def signing_in(visitor: Visitor, who: Account) -> Seen:
        await give_password(node, who)
        assert visitor.page is not None
        form = [*hidden(visitor.page), ("login", who.name), ("password", PASSWORD)]
        return await visitor.post("/sign-in", form, files=[], headers={"sec-fetch-site": "same-origin"})

    return signing_in
