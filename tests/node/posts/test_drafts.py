from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.attachments.photo_metadata import SharedMetadata
from node.errors import Invalid
from node.posts.drafts import (
    LINK_LENGTH,
    MAX_CAPTION_LENGTH,
    MAX_PHOTOS,
    MAX_WARNING_LENGTH,
    MAX_WRITTEN_LENGTH,
    Draft,
    validate,
)


def test_control_characters_are_removed_from_caption_and_warning() -> None:
    draft = validate(Draft(caption="Lake\x00\u2028", warning=" wet \n feet "))

    assert draft.caption == "Lake"
    assert draft.warning == "wet feet"


def test_a_warning_makes_a_post_sensitive() -> None:
    assert validate(Draft(caption="x", warning="wet")).is_sensitive
    assert validate(Draft(caption="x", is_sensitive=True)).is_sensitive
    assert not validate(Draft(caption="x", warning=" \x00 ")).is_sensitive


def link(length: int) -> str:
    return "https://lake.test/".ljust(length, "x")


@pytest.mark.parametrize(
    ("written", "counted"),
    [
        (link(120), LINK_LENGTH),
        (" ".join([link(1_000)] * 10), 10 * LINK_LENGTH + 9),
        ("(" + link(60) + "), " + link(90), 2 * LINK_LENGTH + 4),
        (link(LINK_LENGTH - 5), LINK_LENGTH - 5),
        ("@alice@" + "lake." * 20 + "test", len("@alice")),
        ("x" + link(120), 121),
    ],
)
def test_links_and_mentions_count_as_in_apps(written: str, counted: int) -> None:
    rest = " " + "x" * (MAX_CAPTION_LENGTH - counted - 1)

    assert validate(Draft(caption=written + rest)).caption == written + rest
    with pytest.raises(Invalid, match="too long"):
        validate(Draft(caption=written + rest + "x"))


def test_what_is_written_of_links_is_bounded() -> None:
    links = " ".join([link(4_000)] * 6)

    assert validate(Draft(caption=links[:MAX_WRITTEN_LENGTH])).caption == links[:MAX_WRITTEN_LENGTH]
    for length in (MAX_WRITTEN_LENGTH + 1, MAX_WRITTEN_LENGTH * 10):
        with pytest.raises(Invalid, match="too long"):
            validate(Draft(caption=links[:1].ljust(length, "x")))
        with pytest.raises(Invalid, match="too long"):
            validate(Draft(caption=(links + " ").ljust(length, "/")[:length]))


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
