"""Apps change the profile of the person who is signed in, and read their preferences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from node.accounts import accounts
from node.models.account import Account
from node.node import Node
from tests.web.api.conftest import App

PATH = "/api/v1/accounts/update_credentials"
Picture = Callable[..., bytes]


@pytest.mark.parametrize("place", ["query", "form", "json"])
async def test_what_is_sent_is_changed_and_all_else_stays(
    app: App, alice: Account, node: Node, place: str
) -> None:
    client = await app(alice)
    first = {"display_name": "Alice", "note": "Lakes. #fog", "locked": "true"}
    assert (await client.call("PATCH", PATH, **_placed(place, first))).status == 200

    changed = (await client.call("PATCH", PATH, **_placed(place, {"discoverable": "false"}))).json

    assert (changed["display_name"], changed["source"]["note"], changed["locked"]) == (
        "Alice",
        "Lakes. #fog",
        True,
    )
    assert changed["source"]["discoverable"] is False
    stored = await node.db.read(accounts.get, alice.id)
    assert (stored.display_name, stored.is_discoverable) == ("Alice", False)


def _placed(place: str, values: dict[str, str]) -> dict[str, Any]:
    return {{"query": "query", "form": "form", "json": "sent"}[place]: values}


async def test_fields_are_replaced_as_a_whole_in_either_shape(app: App, alice: Account) -> None:
    client = await app(alice)
    as_list = {"fields_attributes": [{"name": "Camera", "value": "A box"}, {"name": "Town", "value": "Brno"}]}
    names = lambda reply: [one["name"] for one in reply.json["source"]["fields"]]  # noqa: E731
    assert names(await client.call("PATCH", PATH, sent=as_list)) == ["Camera", "Town"]
    as_object = {"fields_attributes": {"0": {"name": "Film", "value": "Grainy"}}}
    assert names(await client.call("PATCH", PATH, sent=as_object)) == ["Film"]
    in_form = {"fields_attributes[0][name]": "Lens", "fields_attributes[0][value]": "50 mm"}
    assert names(await client.call("PATCH", PATH, form=in_form)) == ["Lens"]
    assert names(await client.call("PATCH", PATH, sent={"note": "No word of fields"})) == ["Lens"]
    assert names(await client.call("PATCH", PATH, sent={"fields_attributes": []})) == []


async def test_pictures_come_with_their_descriptions(app: App, alice: Account, photo: Picture) -> None:
    client = await app(alice)
    texts = {"avatar_description": "A cat", "header_description": "A lake", "note": "With pictures"}
    files = {"avatar": photo(200, 200), "header": photo(600, 200)}

    changed = (await client.call("POST", PATH, form=texts, files=files)).json

    assert (changed["avatar_description"], changed["header_description"]) == ("A cat", "A lake")
    assert "/media/" in changed["avatar"]
    assert changed["source"]["note"] == "With pictures"
    again = (await client.call("PATCH", PATH, form={"avatar_description": "A tabby cat"})).json
    assert (again["avatar"], again["avatar_description"]) == (changed["avatar"], "A tabby cat")


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"display_name": "x" * 200}, "name"),
        ({"note": "x" * 2000}, "text about you"),
        ({"bot": True}, "bot"),
        ({"source": {"privacy": "everyone"}}, "privacy"),
        ({"source": {"language": "tlh"}}, "language"),
        ({"avatar": "https://pictures.example/a.png"}, "file"),
        ({"fields_attributes": [{"name": str(n), "value": "x"} for n in range(9)]}, "lines"),
    ],
)
async def test_what_cannot_be_is_refused_and_nothing_is_changed(
    app: App, alice: Account, node: Node, sent: dict[str, Any], field: str
) -> None:
    before = await node.db.read(accounts.get, alice.id)
    reply = await (await app(alice)).call("PATCH", PATH, sent={"locked": not alice.is_locked, **sent})
    assert reply.status == 422
    assert field in reply.json["error"]
    assert await node.db.read(accounts.get, alice.id) == before


async def test_a_broken_picture_changes_no_text(app: App, alice: Account, node: Node) -> None:
    client = await app(alice)
    reply = await client.call("PATCH", PATH, form={"note": "New"}, files={"avatar": b"no picture"})
    assert reply.status == 422
    assert (await node.db.read(accounts.get, alice.id)).bio_source == alice.bio_source


async def test_preferences_follow_the_settings(app: App, alice: Account) -> None:
    client = await app(alice)
    await client.call("PATCH", PATH, sent={"source": {"privacy": "private", "language": "en"}})
    found = (await client.get("/api/v1/preferences")).json
    assert found["posting:default:visibility"] == "private"
    assert found["posting:default:language"] == "en"
    verified = (await client.get("/api/v1/accounts/verify_credentials")).json
    assert verified["source"]["privacy"] == "private"


async def test_a_token_that_only_reads_changes_nothing(app: App, alice: Account) -> None:
    client = await app(alice, "read")
    assert (await client.call("PATCH", PATH, sent={"note": "New"})).status == 403
