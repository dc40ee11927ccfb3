"""The history of a post says what each version changed: words, photos, and what was done to a photo."""

from __future__ import annotations

import pytest

from media.editing.recipes import Adjustments, Recipe
from node.attachments import photo_rows
from node.database import Writer
from node.models.account import Account
from node.models.post import Post
from node.node import Node
from node.posts.drafts import Draft
from node.publishing import photo_details, photo_edits, publishing
from tests.support.visitors import Visitor
from tests.web.pages.conftest import Publish, SignedIn
from web.pages import history


async def _photo_ids(node: Node, post: Post) -> list[int]:
    return [photo.id for photo in (await node.db.read(photo_rows.by_posts, [post.id]))[post.id]]


async def _versions(anybody: Visitor, post: Post, count: int) -> list[str]:
    """The texts of the latest versions, the newest first."""
    return [one.text for one in (await anybody.get(f"/posts/{post.id}/history")).all("li")[-count:]]


async def test_the_history_shows_which_descriptions_were_changed(
    node: Node,
    alice: Account,
    publish: Publish,
    anybody: Visitor,
    signed_in: SignedIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    post = await publish(alice, "Lake", shots=2, alt="Water")
    ids = [photo.id for photo in (await node.db.read(photo_rows.by_posts, [post.id]))[post.id]]
    draft = Draft(caption="Lake", photo_ids=ids, alts={ids[1]: "A heron in the water"})
    await node.db.write(publishing.edit, alice, post, draft)
    await node.db.write(publishing.edit, alice, post, Draft(caption="Lake", photo_ids=ids[1:]))

    seen = await anybody.get(f"/posts/{post.id}/history")

    newest, second, first = [one.text for one in seen.all("li")[-3:]]
    assert ("Photo 1 removed." in newest, "heron" in newest) == (True, False)
    assert ("Description of photo 2 changed." in second, "A heron in the water" in second) == (True, True)
    assert "Photo 1" not in second
    assert (first.count("Water"), "Photo 2 added." in first) == (2, True)
    # On a page of its own, a version is compared with the one before it all the same.
    monkeypatch.setattr(history, "VERSIONS_PER_PAGE", 1)
    newest = (await (await signed_in(alice)).get(f"/posts/{post.id}/history")).all("li")[-1].text
    assert ("Photo 1 removed." in newest, "added" in newest) == (True, False)


async def test_the_history_says_what_was_edited_of_a_photo(
    node: Node, alice: Account, publish: Publish, anybody: Visitor
) -> None:
    post = await publish(alice, "Lake", shots=2)
    _first, second = await _photo_ids(node, post)
    cropped = Recipe(crop=(0.0, 0.0, 0.5, 1.0))
    looked = Recipe(crop=cropped.crop, look="hearth", strength=60, adjust=Adjustments(exposure=20))

    await photo_edits.edit(node, alice, second, cropped)
    await photo_edits.edit(node, alice, second, looked)
    await photo_edits.edit(node, alice, second, Recipe())

    undone, edited, turned, _posted = await _versions(anybody, post, 4)
    assert "Photo 2 edited: Crop" in turned
    assert "Photo 2 edited: Exposure, Look Hearth" in edited
    assert "Photo 2 edited: Back to the original" in undone
    assert all("Photo 1" not in one for one in (undone, edited, turned))


async def test_the_history_says_that_a_location_or_people_changed_but_not_what_they_were(
    node: Node, alice: Account, bob: Account, publish: Publish, anybody: Visitor
) -> None:
    post = await publish(alice, "Lake")
    [photo] = await _photo_ids(node, post)

    def change(tx: Writer) -> None:
        photo_details.set_place(tx, alice, photo, "Secret cove", "town")
        photo_details.remove_place(tx, alice, photo)
        photo_details.set_focus(tx, alice, photo, 0.5, 0.5)
        photo_details.tag(tx, alice, photo, bob, 0.5, 0.5)
        photo_details.remove_own_tags(tx, bob, post.id)

    await node.db.write(change)

    untagged, tagged, focused, removed, placed, _posted = await _versions(anybody, post, 6)
    assert all("Photo 1 edited: Tagged people" in one for one in (untagged, tagged))
    assert "Photo 1 edited: Focal point" in focused
    assert all("Photo 1 edited: Location" in one for one in (removed, placed))
    assert "cove" not in removed + placed


async def test_the_history_says_that_photos_were_replaced_and_reordered(
    node: Node, alice: Account, publish: Publish, anybody: Visitor
) -> None:
    post, other = await publish(alice, "Lake", shots=3), await publish(alice, "Other")
    one, two, three = await _photo_ids(node, post)
    [new] = await _photo_ids(node, other)
    await node.db.write(publishing.edit, alice, other, Draft(caption="Other"))

    for ids in ([one, three, two], [one, new, two]):
        await node.db.write(publishing.edit, alice, post, Draft(caption="Lake", photo_ids=ids))

    replaced, reordered = (await _versions(anybody, post, 3))[:2]
    assert "The order of the photos changed." in reordered
    assert "Photo 2 replaced." in replaced
    assert all("added" not in text and "removed" not in text for text in (replaced, reordered))
    assert "order" not in replaced


async def test_a_version_with_other_changes_says_so(
    node: Node, alice: Account, publish: Publish, anybody: Visitor
) -> None:
    post = await publish(alice, "Lake")
    ids = await _photo_ids(node, post)

    await node.db.write(
        publishing.edit, alice, post, Draft(caption="Lake", photo_ids=ids, language="de", is_sensitive=True)
    )

    assert "Other details of the post changed." in (await _versions(anybody, post, 2))[0]
