"""A remote actor without optional fields claims nothing about itself."""

from __future__ import annotations

import dataclasses

import pytest

from node.models.remote_actor import ActorKey, RemoteActor, RemoteEmoji

RITA = RemoteActor(
    "https://far.example/users/rita", "rita", "far.example", "https://far.example/users/rita/inbox"
)


def test_uri_name_domain_and_inbox_are_required() -> None:
    required = [
        field.name
        for field in dataclasses.fields(RemoteActor)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]

    assert required == ["uri", "name", "domain", "inbox"]


def test_absent_flags_are_false_except_discoverable() -> None:
    assert RITA.is_discoverable  # as Mastodon treats an absent `discoverable`
    assert (RITA.is_locked, RITA.is_indexable, RITA.is_suspended, RITA.hides_from_web) == (False,) * 4
    assert (RITA.kind, RITA.created_at, list(RITA.keys), list(RITA.emoji)) == ("Person", None, [], [])


def test_an_emoji_without_a_time_counts_as_the_oldest() -> None:
    assert RemoteEmoji("fog", "https://far.example/fog.png").updated_at == 0


@pytest.mark.parametrize(
    "value", [RITA, RemoteEmoji("fog", "https://far.example/fog.png"), ActorKey("a", "rsa", "b")]
)
def test_descriptions_cannot_be_changed(value: RemoteActor | RemoteEmoji | ActorKey) -> None:
    name = dataclasses.fields(value)[0].name

    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, name, "other")
