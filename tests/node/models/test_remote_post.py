"""A remote post is described by names only, and what its server does not say is empty."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from node.database import Database
from node.models.remote_post import RemotePhoto, RemotePost
from tests.support import people


async def test_a_post_without_optional_fields_has_no_content_and_no_parent(db: Database) -> None:
    rita = await db.write(people.remote)

    post = RemotePost(uri=f"{rita.uri}/1", author=rita, visibility="public", published_at=1)

    assert (post.html, post.warning, post.parent_uri, post.policy, post.context) == ("", "", "", "", "")
    assert (post.edited_at, post.is_sensitive) == (None, False)
    assert (post.photos, post.hashtags, post.mentions, post.addressed, post.emoji) == ((),) * 5


def test_two_photos_do_not_share_their_extra_values() -> None:
    one, other = RemotePhoto(url="https://far.example/1.jpg"), RemotePhoto(url="https://far.example/2.jpg")

    assert (one.extra, one.focus_x, one.width) == ({}, 0.0, 0)
    assert one.extra is not other.extra


@pytest.mark.parametrize("kind", [RemotePhoto, RemotePost])
def test_values_are_given_by_name_so_that_none_is_swapped(kind: Any) -> None:
    assert all(field.kw_only for field in dataclasses.fields(kind))
    with pytest.raises(TypeError):
        kind("https://far.example/1")
