"""Update: edits of posts, in the right order, and profiles that are only fetched."""

from __future__ import annotations

import pytest

from activitypub.handlers.received_activity import Ignored, NeedsFetch
from node.accounts import accounts
from node.database import Writer
from node.models import post_extras
from node.models.account import Account
from node.node import Node
from node.posts import posts
from tests.support.people import remote
from tests.support.posting import follow
from tests.support.received import handle, jobs, note


def _caption(tx: Writer, uri: str) -> str:
    post = posts.by_uri(tx, uri)
    assert post is not None
    return post.caption


async def test_an_older_edit_does_not_replace_a_newer_one(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        follow(tx, alice, rita)
        handle(tx, rita, "Create", note(rita))
        for month, text in ((5, "May"), (3, "March")):
            edited = note(rita, content=f"<p>{text}</p>", updated=f"2026-0{month}-01T00:00:00Z")
            handle(tx, rita, "Update", edited)
        assert "May" in _caption(tx, note(rita)["id"])

    await node.db.write(unit)


async def test_an_edit_without_a_date_has_the_date_of_its_update(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        follow(tx, alice, rita)
        handle(tx, rita, "Create", note(rita))
        for month, text in ((5, "May"), (3, "March")):
            edited = note(rita, content=f"<p>{text}</p>")
            handle(tx, rita, "Update", edited, published=f"2026-0{month}-01T00:00:00Z")
        assert "May" in _caption(tx, note(rita)["id"])

    await node.db.write(unit)


async def test_an_edit_that_is_only_named_is_fetched(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        follow(tx, alice, rita)
        handle(tx, rita, "Create", note(rita))
        with pytest.raises(NeedsFetch):
            handle(tx, rita, "Update", note(rita)["id"])

    await node.db.write(unit)


async def test_nobody_edits_the_post_of_another(node: Node, alice: Account) -> None:
    def unit(tx: Writer) -> None:
        rita, omar = remote(tx), remote(tx, "omar")
        follow(tx, alice, rita)
        handle(tx, rita, "Create", note(rita))
        forged = note(rita, content="<p>Forged</p>", updated="2026-05-01T00:00:00Z")
        with pytest.raises(Ignored):
            handle(tx, omar, "Update", forged)
        assert "Forged" not in _caption(tx, note(rita)["id"])

    await node.db.write(unit)


async def test_a_profile_is_fetched_and_never_taken_from_the_update(node: Node) -> None:
    def unit(tx: Writer) -> None:
        rita = remote(tx)
        actor = {"id": rita.uri, "type": "Person", "inbox": "https://evil.example/inbox", "name": "Forged"}
        handle(tx, rita, "Update", actor)
        assert jobs(tx, "refresh_actor") == [{"id": rita.id}]
        assert accounts.get(tx, rita.id).inbox == rita.inbox

    await node.db.write(unit)


async def test_votes_of_a_poll_are_counted_without_an_edit(node: Node, alice: Account) -> None:
    def question(author: Account, *votes: int, **more: object) -> dict[str, object]:
        options = [
            {"type": "Note", "name": f"o{n}", "replies": {"type": "Collection", "totalItems": count}}
            for n, count in enumerate(votes)
        ]
        return note(author, type="Question", oneOf=options, endTime="2026-02-01T00:00:00Z", **more)

    def unit(tx: Writer) -> None:
        rita = remote(tx)
        follow(tx, alice, rita)
        handle(tx, rita, "Create", question(rita, 0, 0))
        handle(tx, rita, "Update", question(rita, 2, 1, votersCount=3))
        post = posts.by_uri(tx, note(rita)["id"])
        assert post is not None
        poll = post_extras.load(post.extras).poll

        assert poll is not None
        assert [(option.title, option.votes) for option in poll.options] == [("o0", 2), ("o1", 1)]
        assert (poll.voters, post.edited_at) == (3, None)

    await node.db.write(unit)
