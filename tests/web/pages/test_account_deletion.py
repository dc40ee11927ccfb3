"""Whoever deletes their own account is asked who they are and for its name, and is then gone everywhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from node.accounts import accounts
from node.auth import access_tokens, passwords, users
from node.database import Reader, Writer
from node.interactions import follows
from node.models.account import Account
from node.node import Node
from tests.support import people
from tests.support.visitors import Visitor
from tests.web.pages.conftest import PASSWORD, Publish, SignedIn

PAGE = "/settings/deletion"


def _has_user(tx: Reader, account: Account) -> bool:
    return users.by_account(tx, account) is not None


def _is_long_signed_in(tx: Writer) -> None:
    tx.run("UPDATE sessions SET proved_at = 1")


async def test_an_account_is_deleted_with_its_posts_and_signed_out_everywhere(
    node: Node,
    alice: Account,
    bob: Account,
    signed_in: SignedIn,
    publish: Publish,
    settle: Callable[[], Awaitable[int]],
) -> None:
    here, there, his = await signed_in(alice), await signed_in(alice), await signed_in(bob)
    post = await publish(alice, "Morning")
    await node.db.write(follows.follow, bob, alice)
    shown = await here.get(PAGE)
    assert "cannot be undone" in shown.main_text
    assert "the name @alice stays taken" in shown.main_text.lower()

    seen = await here.post(PAGE, {"name": "@Alice"})

    assert seen.path == "/sign-in?done=deleted"
    assert "Your account is deleted" in seen.main_text
    assert not await node.db.read(_has_user, alice)
    assert (await node.db.read(accounts.get, alice.id)).deleted_at is not None
    assert (await node.db.read(people.verbs_of, alice))[-1] == "Delete"
    assert (await here.get("/bookmarks")).path.startswith("/sign-in")
    assert (await there.get("/bookmarks")).path.startswith("/sign-in")
    await settle()
    assert (await his.get("/@alice")).status in (404, 410)
    assert (await his.get(f"/p/alice/{post.id}")).status in (404, 410)
    assert (await his.get("/bookmarks")).status == 200


@pytest.mark.parametrize("typed", ["", "bob", "alice@other.test", "alic", "x" * 5000])
async def test_another_name_deletes_nothing(
    node: Node, alice: Account, signed_in: SignedIn, typed: str
) -> None:
    visitor = await signed_in(alice)
    await visitor.get(PAGE)

    seen = await visitor.post(PAGE, {"name": typed})

    assert (seen.status, "not the name of your account" in seen.main_text) == (422, True)
    assert await node.db.read(_has_user, alice)
    assert (await visitor.get("/bookmarks")).path == "/bookmarks"


async def test_who_signed_in_long_ago_proves_first_who_they_are(
    node: Node, alice: Account, signed_in: SignedIn
) -> None:
    visitor = await signed_in(alice)
    await visitor.get(PAGE)
    await node.db.write(users.set_password, alice.id, await passwords.hash(PASSWORD))
    await node.db.write(_is_long_signed_in)

    seen = await visitor.post(PAGE, {"name": "alice"})
    assert seen.path.startswith("/confirm")
    assert await node.db.read(_has_user, alice)
    seen = await visitor.get(PAGE)
    assert "Confirm that it is you" in seen.main_text
    wrong = await visitor.post("/confirm", {"password": "wrong", "next": PAGE})
    assert wrong.status != 200
    assert await node.db.read(_has_user, alice)

    seen = await visitor.post("/confirm", {"password": PASSWORD, "next": PAGE})

    assert seen.path == PAGE
    await visitor.post(PAGE, {"name": "alice"})
    assert not await node.db.read(_has_user, alice)


async def test_the_last_admin_stays(node: Node, alice: Account, signed_in: SignedIn) -> None:
    visitor = await signed_in(alice, "admin")
    await visitor.get(PAGE)

    seen = await visitor.post(PAGE, {"name": "alice"})

    assert (seen.status, "at least one admin" in seen.main_text) == (403, True)
    assert await node.db.read(_has_user, alice)


async def test_no_other_site_and_no_visitor_deletes_an_account(
    node: Node, alice: Account, signed_in: SignedIn, anybody: Visitor
) -> None:
    visitor = await signed_in(alice)
    await visitor.get(PAGE)

    await visitor.post(PAGE, {"name": "alice"}, csrf="0" * 80)
    await anybody.get("/sign-in")
    seen = await anybody.post(PAGE, {"name": "alice"})

    assert seen.path.startswith("/sign-in")
    assert "Not sent yet" not in seen.main_text
    assert await node.db.read(_has_user, alice)


async def test_its_apps_are_signed_out(node: Node, alice: Account, signed_in: SignedIn) -> None:
    visitor = await signed_in(alice)
    await visitor.get(PAGE)
    token = await node.db.write(access_tokens.create, alice, ["read"], "an app")

    await visitor.post(PAGE, {"name": "alice"})

    assert await node.db.read(access_tokens.by_token, token) is None
