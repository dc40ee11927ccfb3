"""Row I2 of the security table: no account reaches what belongs to another by its id, by an app or by a form."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from node.accounts import accounts
from node.attachments import photos
from node.database import Reader, Writer
from node.interactions import follows
from node.models.account import Account
from node.node import Node
from node.paging import Page
from node.posts.drafts import Draft
from node.publishing import publishing
from node.timelines import notification_list
from tests.support import people
from tests.support.visitors import sign_in
from tests.web.api.conftest import App
from web.api.routes import ROUTES
from web.app import create_app

# Tables whose rows belong to accounts: nothing that mallory sends may change a row of alice or bob.
OWNED = {
    "posts": "account_id",
    "photos": "account_id",
    "notifications": "account_id",
    "follows": "follower_id",
    "bookmarks": "account_id",
    "pins": "account_id",
    "likes": "account_id",
    "boosts": "account_id",
    "blocks": "account_id",
    "mutes": "account_id",
    "tokens": "account_id",
    "sessions": "account_id",
    "users": "account_id",
}


def _owned_rows(tx: Reader, ids: list[int]) -> dict[str, list[dict[str, Any]]]:
    """The rows of the first two accounts, without notifications that the third may cause."""
    found = {}
    for table, owner in OWNED.items():
        rows = tx.all(f"SELECT * FROM {table} WHERE {owner} IN (:a, :b)", a=ids[0], b=ids[1])
        own_rows = (dict(row) for row in rows)
        found[table] = sorted((row for row in own_rows if row.get("by_id") not in ids[2:]), key=str)
    return found


async def test_I2_nothing_of_other_accounts_is_reached_by_its_id(
    node: Node, app: App, alice: Account, bob: Account, mallory: Account, photo: Callable[..., bytes]
) -> None:
    loose = await photos.upload(node, alice, photo(seed=1), alt="Not posted yet")
    shot = await photos.upload(node, alice, photo(seed=2), alt="Hidden")

    def scene(tx: Writer) -> dict[str, int]:
        ids = {
            visibility: publishing.publish(tx, alice, Draft(caption=visibility, visibility=visibility)).id
            for visibility in ("followers", "direct")
        }
        ids["photo"] = publishing.publish(
            tx, alice, Draft(caption="Hidden", photo_ids=[shot.id], visibility="followers")
        ).id
        people.profile(tx, alice, is_locked=True, is_indexable=True)
        follows.follow(tx, bob, accounts.get(tx, alice.id))
        return ids

    made = await node.db.write(scene)
    await app(alice), await app(bob)
    (notification, *_) = await node.db.read(notification_list.page, alice, Page())
    secret = [*made.values(), loose.id, shot.id, notification.id]
    hers = await app(mallory)
    before = await node.db.read(_owned_rows, [alice.id, bob.id, mallory.id])

    tried = 0
    for route in (route for route in ROUTES if "{id}" in route.path):
        is_of_people = "/accounts/" in route.path or "follow_requests" in route.path
        for id_ in [bob.id] if is_of_people else secret:
            if is_of_people and route.method == "GET":
                continue
            body = {"status": "stolen", "description": "stolen", "media_ids": [str(loose.id)]}
            reply = await hers.call(route.method, route.path.replace("{id}", str(id_)), sent=body)
            if not is_of_people or "follow_requests" in route.path:
                # To dismiss what one does not have is done already.
                is_nothing = route.path.endswith("/dismiss") and (reply.status, reply.body) == (200, b"{}")
                assert reply.status == 404 or is_nothing, (
                    f"{route.method} {route.path} {id_}: {reply.status} {reply.body!r}"
                )
            assert b"Hidden" not in reply.body
            tried += 1
    for values in ({"media_ids": [str(loose.id)]}, {"in_reply_to_id": str(made["followers"]), "status": "x"}):
        reply = await hers.post("/api/v1/statuses", sent=values)
        assert reply.status in (404, 422), reply.body
    assert tried > 100

    visitor = await sign_in(node, mallory)
    for rule in create_app(node).quart.url_map.iter_rules():
        if "POST" not in (rule.methods or set()) or "post_id" not in rule.arguments:
            continue
        actions = re.search(r"any\(([^)]*)\)", rule.rule)
        for action in actions[1].split(",") if actions else [""]:
            for id_ in secret:
                path = re.sub(r"<any\([^)]*\):\w+>", action.strip(), rule.rule)
                path = re.sub(r"<int:post_id>", str(id_), path)
                await visitor.get("/")
                seen = await visitor.post(path, {"caption": "stolen", "comment": "stolen"})
                assert seen.status in (403, 404), f"{path}: {seen.status}"
    await visitor.get("/compose")
    seen = await visitor.post("/compose", {"caption": "x", "visibility": "public", "photo": str(loose.id)})
    assert seen.status != 500

    assert await node.db.read(_owned_rows, [alice.id, bob.id, mallory.id]) == before
