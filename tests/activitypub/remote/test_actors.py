"""Actors as they are stored: which inboxes are taken, and under which name."""

from __future__ import annotations

from typing import Any

import pytest

from activitypub import vocab
from activitypub.remote import actors
from activitypub.uris import Malformed
from node.models.remote_actor import RemoteActor

ME = "https://far.example/users/rita"


def converted(**more: Any) -> RemoteActor:
    document = {"id": ME, "type": "Person", "preferredUsername": "rita", "inbox": f"{ME}/inbox", **more}
    return actors.to_remote_actor(vocab.parse_actor(document), "far.example")


@pytest.mark.parametrize(
    ("endpoints", "shared"),
    [
        ({"sharedInbox": "https://far.example/inbox"}, "https://far.example/inbox"),
        ({"sharedInbox": "https://other.example/inbox"}, ""),
        ({"sharedInbox": "http://far.example/inbox"}, ""),
        ({"sharedInbox": "https://far.example:8443/inbox"}, ""),
        ({}, ""),
        (None, ""),
    ],
)
def test_a_shared_inbox_on_another_origin_is_left_out(endpoints: dict[str, str] | None, shared: str) -> None:
    actor = converted(endpoints=endpoints)

    assert (actor.inbox, actor.shared_inbox) == (f"{ME}/inbox", shared)


def test_an_actor_whose_own_inbox_is_on_another_origin_is_refused() -> None:
    with pytest.raises(Malformed):
        converted(inbox="https://other.example/inbox")


def test_a_title_as_user_name_gives_a_handle_without_blanks() -> None:
    assert converted(type="Group", preferredUsername="My Blog").name == "MyBlog"
