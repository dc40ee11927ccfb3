"""Account migration in the settings: adding an alias, moving, cancelling the redirect."""

from __future__ import annotations

from node.accounts import accounts
from node.lifecycle import migration
from node.models.account import Account
from node.node import Node
from tests.support.visitors import Visitor
from tests.web.pages.conftest import SignedIn


async def test_an_account_moves_to_another_on_this_node(
    node: Node, alice: Account, bob: Account, signed_in: SignedIn, anybody: Visitor
) -> None:
    hers, his = await signed_in(alice), await signed_in(bob)
    assert "Account migration" in (await hers.get("/settings/profile")).main_text
    move = {"target": "bob"}
    refused = await hers.post("/settings/moving", move)
    assert refused.status == 422
    assert "does not list this account" in refused.main_text
    refused = await his.post("/settings/moving/aliases", {"alias": "nobody-at-all"})
    assert (refused.status, "account does not exist" in refused.main_text) == (422, True)
    seen = await his.post("/settings/moving/aliases", {"alias": "@alice"})
    assert "You can now start the move" in seen.main_text
    seen = await hers.post("/settings/moving", move)
    assert "Your account has moved" in seen.main_text
    profile = await anybody.get("/@alice")
    assert "has moved to" in profile.main_text
    assert profile.one("a", href="/@bob")
    refused = await hers.post("/compose", {"caption": "Still here"})
    assert "has moved" in refused.main_text
    seen = await hers.post("/settings/moving/back")
    assert "Redirect cancelled" in seen.main_text
    assert "again from" in seen.main_text
    assert (await node.db.read(accounts.get, alice.id)).moved_to == ""
    assert "has moved to" not in (await anybody.get("/@alice")).main_text
    assert (await node.db.read(accounts.get, bob.id)).aliases == [alice.uri]
    await his.post("/settings/moving/aliases/remove", {"uri": alice.uri})
    assert (await node.db.read(accounts.get, bob.id)).aliases == []
    assert await node.db.read(migration.next_move_at, alice)
