"""Suggestions for mentions and hashtags while they are typed."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from node.database import Writer
from node.models.account import Account
from node.node import Node
from tests.support.people import profile, remote
from tests.support.posting import publish
from tests.support.visitors import Visitor
from tests.web.pages.conftest import SignedIn


async def suggested(visitor: Visitor, q: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((await visitor.get(f"/search/suggestions?q={quote(q)}")).text)
    return found


async def test_people_and_hashtags_are_suggested_by_their_beginning(
    node: Node, alice: Account, bob: Account, signed_in: SignedIn
) -> None:
    def unit(tx: Writer) -> None:
        profile(tx, bob, display_name="Robert")
        remote(tx, "bobby", "far.example")
        publish(tx, alice, "At the #Lake, near #lausanne")

    await node.db.write(unit)
    visitor = await signed_in(alice)

    people = await suggested(visitor, "@bo")
    assert {(one["text"], one["name"]) for one in people} == {
        ("@bob", "Robert"),
        ("@bobby@far.example", "bobby"),
    }
    assert all(one["image"].startswith("/") for one in people)
    assert [one["text"] for one in await suggested(visitor, "#la")] == ["#Lake", "#lausanne"]
    assert [one["text"] for one in await suggested(visitor, "@bobby@far")] == ["@bobby@far.example"]


@pytest.mark.parametrize("q", ["", "bo", "@", "#", "@\x00", "#%", "@" + "x" * 5000, "@_", "#½"])
async def test_anything_else_has_no_suggestions(alice: Account, signed_in: SignedIn, q: str) -> None:
    answer = await (await signed_in(alice)).get(f"/search/suggestions?q={quote(q)}")
    assert answer.status == 400 if "\x00" in q else answer.text.strip() == "[]"


async def test_visitors_get_none(alice: Account, anybody: Visitor) -> None:
    assert "alice" not in (await anybody.get("/search/suggestions?q=@al")).main_text
