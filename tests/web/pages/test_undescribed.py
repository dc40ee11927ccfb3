"""Posting photos that have no description: it is asked about once, if the author wants that, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from node.attachments import photos
from node.database import Reader
from node.models.account import Account
from node.node import Node
from node.paging import Page
from node.publishing import saved_drafts
from node.timelines import timelines
from tests.support.visitors import Seen
from tests.web.pages.conftest import Publish, SignedIn

Photo = Callable[..., bytes]
NO_FILES = [("photos", "", b"")]
QUESTION = "2 photos have no description."


def _posts(tx: Reader, who: Account) -> int:
    return len(timelines.profile(tx, who, who, Page()))


def _question(seen: Seen) -> str:
    return seen.one("div", id="undecided").text


def _fields(seen: Seen) -> list[tuple[str, str]]:
    """The hidden fields of the form that came back, as a browser sends them again."""
    fields = [
        (one.attributes.get("name"), one.attributes["value"]) for one in seen.all("input", type="hidden")
    ]
    return [(name, value) for name, value in fields if name and name != "csrf"]


async def _two(node: Node, who: Account, photo: Photo) -> list[tuple[str, str]]:
    made = [await photos.upload(node, who, photo(60, 40, "JPEG", seed=n)) for n in range(2)]
    return [("photo", str(one.id)) for one in made]


async def test_it_is_asked_before_they_are_posted_and_not_again_after_post_anyway(
    node: Node, alice: Account, signed_in: SignedIn, photo: Photo
) -> None:
    visitor = await signed_in(alice)
    form = [
        *_fields(await visitor.get("/compose")),
        *await _two(node, alice, photo),
        ("caption", "Two lakes"),
        ("visibility", "followers"),
    ]
    seen = await visitor.post("/compose", [*form, ("do", "post")], files=NO_FILES)

    assert QUESTION in _question(seen)
    assert seen.one("textarea", name="caption").text == "Two lakes"
    assert "checked" in seen.one("input", name="visibility", value="followers").attributes
    first = form[-4][1]
    assert [one.text for one in seen.all("a", href=f"#alt-{first}")] == ["Describe them"]
    assert await node.db.read(_posts, alice) == 0

    # Something else is wrong: that is said, and the question is not asked again.
    late = [("caption", "Two lakes"), ("visibility", "followers"), ("publish_at", "yesterday")]
    seen = await visitor.post("/compose", [*_fields(seen), *late, ("do", "post-anyway")], files=NO_FILES)
    assert "That is not a date and time." in seen.main_text
    assert QUESTION not in seen.main_text
    seen = await visitor.post("/compose", [*_fields(seen), *late[:2], ("do", "post")], files=NO_FILES)
    assert "Two lakes" in seen.main_text
    assert await node.db.read(_posts, alice) == 1


async def test_one_that_is_described_is_not_counted_and_blanks_are_no_description(
    node: Node, alice: Account, signed_in: SignedIn, photo: Photo
) -> None:
    visitor = await signed_in(alice)
    form = [*_fields(await visitor.get("/compose")), *await _two(node, alice, photo), ("do", "post")]
    alts = [f"alt-{value}" for name, value in form if name == "photo"]

    seen = await visitor.post("/compose", [*form, (alts[0], "A lake"), (alts[1], " \n")], files=NO_FILES)
    assert "1 photo has no description." in _question(seen)

    seen = await visitor.post("/compose", [*form, (alts[0], "A lake"), (alts[1], "A boat")], files=NO_FILES)
    assert await node.db.read(_posts, alice) == 1


async def test_files_that_come_with_post_are_asked_about_too(
    node: Node, alice: Account, signed_in: SignedIn, photo: Photo
) -> None:
    visitor = await signed_in(alice)
    form = [*_fields(await visitor.get("/compose")), ("caption", "At once"), ("do", "post")]
    files = [("photos", f"{n}.jpg", photo(60, 40, "JPEG", seed=n)) for n in range(2)]
    assert QUESTION in _question(await visitor.post("/compose", form, files=files))
    assert await node.db.read(_posts, alice) == 0


async def test_a_draft_is_not_asked_about_and_a_scheduled_post_is(
    node: Node, alice: Account, signed_in: SignedIn, photo: Photo
) -> None:
    visitor = await signed_in(alice)
    form = [*_fields(await visitor.get("/compose")), *await _two(node, alice, photo)]
    await visitor.post("/compose", [*form, ("do", "draft")], files=NO_FILES)
    [saved] = await node.db.read(saved_drafts.by_author, alice)

    opened = await visitor.get(f"/compose?draft={saved.id}")
    at = ("publish_at", f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%dT%H:%M}")
    seen = await visitor.post("/compose", [*_fields(opened), at, ("do", "post")], files=NO_FILES)
    assert QUESTION in _question(seen)
    assert seen.one("input", name="publish_at").attributes["value"] == at[1]
    await visitor.post("/compose", [*_fields(seen), at, ("do", "post-anyway")], files=NO_FILES)
    [saved] = await node.db.read(saved_drafts.by_author, alice)
    assert saved.publish_at is not None


async def test_a_posted_album_is_asked_about_only_for_the_photos_that_were_added(
    node: Node, alice: Account, publish: Publish, signed_in: SignedIn, photo: Photo
) -> None:
    post = await publish(alice, "Morning", shots=2, alt="")
    visitor = await signed_in(alice)
    path = f"/posts/{post.id}/edit"
    form = [*_fields(await visitor.get(path)), ("caption", "Later"), ("do", "post")]
    assert "Later" in (await visitor.post(path, form, files=NO_FILES)).main_text

    form = [*_fields(await visitor.get(path)), ("caption", "Evening")]
    new = [("photos", "new.jpg", photo(60, 40, "JPEG", seed=7))]
    seen = await visitor.post(path, [*form, ("do", "post")], files=new)
    assert "1 photo has no description." in _question(seen)
    assert "Save anyway" in _question(seen)
    seen = await visitor.post(
        path, [*_fields(seen), ("caption", "Evening"), ("do", "post-anyway")], files=NO_FILES
    )
    assert "Evening" in seen.main_text


@pytest.mark.parametrize("wanted", [True, False])
async def test_whether_it_is_asked_is_chosen_in_the_settings(
    node: Node, alice: Account, signed_in: SignedIn, photo: Photo, wanted: bool
) -> None:
    visitor = await signed_in(alice)
    profile = await visitor.get("/settings/profile")
    assert "checked" in profile.one("input", type="checkbox", name="asks_descriptions").attributes
    form = [("asks_descriptions", "0"), ("asks_descriptions", "1")][: 1 + wanted]
    profile = await visitor.post("/settings/profile", form)
    box = profile.one("input", type="checkbox", name="asks_descriptions")
    assert ("checked" in box.attributes) == wanted
    # A form without the checkbox, such as an app's, leaves it as it is.
    await visitor.post("/settings/profile", {"theme": "dark"})

    form = [*_fields(await visitor.get("/compose")), *await _two(node, alice, photo), ("do", "post")]
    await visitor.post("/compose", form, files=NO_FILES)

    assert await node.db.read(_posts, alice) == (0 if wanted else 1)
