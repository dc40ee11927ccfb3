"""People in a picture are Mentions in its own `tag`, each at a point; anything else is left out."""

from __future__ import annotations

from typing import Any

import pytest

from activitypub import vocab
from activitypub.vocab.attachments import MAX_PEOPLE, parse_attachment

BOB = {"type": "Mention", "href": "https://b.example/bob", "name": "@bob", "focalPoint": [0.5, 0.5]}


def _people(tag: Any) -> tuple[tuple[str, float, float], ...]:
    found = parse_attachment({"type": "Image", "url": "https://b.example/a.jpg", "tag": tag})
    assert found is not None
    return found.people


def test_a_person_is_at_a_share_of_width_and_height() -> None:
    assert _people([BOB]) == _people(BOB) == (("https://b.example/bob", 0.75, 0.25),)


@pytest.mark.parametrize(
    "tag",
    [
        None,
        "bob",
        {**BOB, "type": "Hashtag"},
        {**BOB, "type": None},
        {**BOB, "href": "javascript:alert(1)"},
        {**BOB, "focalPoint": None},
        {**BOB, "focalPoint": [2, 0]},
        {**BOB, "focalPoint": ["x", 0]},
        {**BOB, "focalPoint": [0.1]},
    ],
)
def test_what_is_no_person_at_a_point_is_left_out(tag: Any) -> None:
    assert _people([tag]) == ()


def test_so_many_people_are_read_and_no_more() -> None:
    assert len(_people([BOB] * 100)) == MAX_PEOPLE


@pytest.mark.parametrize("type_", [None, "File", "MediaObject", "Link"])
@pytest.mark.parametrize(
    ("media_type", "kind"), [("image/png", "image"), ("video/mp4", "video"), ("audio/ogg", "audio")]
)
def test_a_media_file_is_one_by_its_media_type(type_: str | None, media_type: str, kind: str) -> None:
    item = {"type": type_, "mediaType": media_type, "name": "A lake", "url": "https://b.example/file"}
    note = vocab.parse_note(
        {
            "id": "https://b.example/1",
            "type": "Note",
            "attributedTo": "https://b.example/bob",
            "attachment": [item],
        }
    )
    found = [(one.kind, one.alt) for one in note.attachments] or [(one.kind, one.alt) for one in note.files]
    assert found == [(kind, "A lake")]
    assert note.links == []


def test_a_link_without_a_type_stays_a_link() -> None:
    note = vocab.parse_note(
        {
            "id": "https://b.example/1",
            "type": "Note",
            "attributedTo": "https://b.example/bob",
            "attachment": [{"href": "https://c.example/page", "name": "A page"}],
        }
    )
    assert [(one.url, one.title) for one in note.links] == [("https://c.example/page", "A page")]
    assert note.attachments == []
