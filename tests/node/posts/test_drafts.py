from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.attachments.photo_metadata import SharedMetadata
from node.errors import Invalid
from node.posts.drafts import MAX_CAPTION_LENGTH, MAX_PHOTOS, MAX_WARNING_LENGTH, Draft, validate


def test_control_characters_are_removed_from_caption_and_warning() -> None:
    draft = validate(Draft(caption="Lake\x00\u2028", warning=" wet \n feet "))

    assert draft.caption == "Lake"
    assert draft.warning == "wet feet"


def test_a_warning_makes_a_post_sensitive() -> None:
    assert validate(Draft(caption="x", warning="wet")).is_sensitive
    assert validate(Draft(caption="x", is_sensitive=True)).is_sensitive
    assert not validate(Draft(caption="x", warning=" \x00 ")).is_sensitive


@pytest.mark.parametrize(
    "draft",
    [
        Draft(caption="x" * MAX_CAPTION_LENGTH),
        Draft(caption="x", warning="w" * MAX_WARNING_LENGTH),
        Draft(photo_ids=list(range(1, MAX_PHOTOS + 1))),
    ],
)
def test_a_draft_at_the_limit_is_accepted(draft: Draft) -> None:
    assert validate(draft) == validate(validate(draft))


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("caption", {"caption": ""}),
        ("caption", {"caption": " \x00\n"}),
        ("caption", {"caption": "x" * (MAX_CAPTION_LENGTH + 1)}),
        ("warning", {"warning": "w" * (MAX_WARNING_LENGTH + 1)}),
        ("visibility", {"visibility": "secret"}),
        ("photos", {"photo_ids": list(range(1, MAX_PHOTOS + 2))}),
        ("photos", {"photo_ids": [7, 7]}),
        ("place", {"shared_metadata": SharedMetadata(place="Vienna")}),
    ],
)
def test_what_cannot_be_a_post_is_refused_with_its_field(field: str, values: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refused:
        validate(Draft(**({"caption": "x"} | values)))

    assert refused.value.field == field


def test_a_photo_needs_no_caption() -> None:
    assert validate(Draft(photo_ids=[7])).caption == ""


@given(st.text(max_size=300), st.text(max_size=300), st.text(max_size=60))
def test_validating_twice_changes_nothing(caption: str, warning: str, language: str) -> None:
    once = validate(Draft(caption=caption, warning=warning, language=language, photo_ids=[7]))

    assert validate(once) == once
