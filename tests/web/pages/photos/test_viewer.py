"""What the viewer is told of a post, and whom: only what the page of the post shows, to those who may see it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from node.attachments import photos
from node.attachments.photo_metadata import SharedMetadata
from node.models.account import Account
from node.node import Node
from node.posts.drafts import Draft
from node.publishing import publishing
from tests.support import posting
from tests.support.posting import receive_post, rita
from tests.support.visitors import Visitor
from tests.web.pages.conftest import Publish, SignedIn

JSON = {"accept": "application/json"}


async def _shown(visitor: Visitor, post_id: int) -> dict[str, Any]:
    found = json.loads((await visitor.get(f"/posts/{post_id}/photos", **JSON)).text)
    assert isinstance(found, dict)
    return found


async def test_every_photo_has_its_sizes_its_description_and_its_largest_file(
    alice: Account, publish: Publish, anybody: Visitor
) -> None:
    post = await publish(alice, "<Morning>", shots=2, alt='A "lake"')

    shown = await _shown(anybody, post.id)

    assert (shown["caption"], shown["author"], shown["path"]) == ("<Morning>", "alice", f"/p/alice/{post.id}")
    assert [photo["alt"] for photo in shown["photos"]] == ['A "lake"', 'A "lake"']
    first = shown["photos"][0]
    assert (first["width"], first["height"]) == (90, 60)
    page = await anybody.get(shown["path"])
    links = [link.attributes["href"] for link in page.all("a", class_="shot")]
    assert links == [f"/posts/{post.id}/photos/{number}" for number in (1, 2)]
    alone = await anybody.get(links[0])
    assert alone.one("a", class_="shot").attributes["href"] == first["largest"]
    assert first["saveAs"] == f"alice-{post.id}-1.jpg"
    assert alone.one("a", download=first["saveAs"]).attributes["href"] == first["largest"]
    assert shown["words"]["about"] == "About this photo"


async def test_only_who_is_signed_in_gets_a_button_to_like(
    alice: Account, bob: Account, publish: Publish, anybody: Visitor, signed_in: SignedIn
) -> None:
    post = await publish(alice)
    visitor = await signed_in(bob)

    assert (await _shown(anybody, post.id))["like"] == ""
    assert (await _shown(visitor, post.id))["like"] == f"/posts/{post.id}/like"
    await visitor.post(f"/posts/{post.id}/like", {"back": "/"})
    assert (await _shown(visitor, post.id))["like"] == f"/posts/{post.id}/unlike"
    assert (await _shown(visitor, post.id))["likes"] == "1"


@pytest.mark.parametrize("visibility", ["followers", "direct"])
async def test_who_may_not_see_a_post_is_told_nothing_of_its_photos(
    visibility: str, alice: Account, bob: Account, publish: Publish, anybody: Visitor, signed_in: SignedIn
) -> None:
    post = await publish(alice, visibility=visibility)

    for visitor in (anybody, await signed_in(bob)):
        answer = await visitor.get(f"/posts/{post.id}/photos", **JSON)
        assert answer.status == 404
        assert "/media/" not in answer.text
    assert len((await _shown(await signed_in(alice), post.id))["photos"]) == 1


async def test_a_post_without_photos_has_nothing_to_show(
    node: Node, alice: Account, anybody: Visitor
) -> None:
    post = await node.db.write(publishing.publish, alice, Draft(caption="Words"))

    assert (await anybody.get(f"/posts/{post.id}/photos", **JSON)).status == 404


async def test_facts_are_those_of_the_one_photo_and_escaped(
    node: Node, alice: Account, anybody: Visitor, photo: Callable[..., bytes]
) -> None:
    ids = [(await photos.upload(node, alice, photo(90, 60, "JPEG", seed=n), alt="")).id for n in range(2)]
    place = SharedMetadata(frozenset(), "CC BY", "<b>Graz</b>")
    post = await node.db.write(publishing.publish, alice, Draft(photo_ids=ids, shared_metadata=place))

    shown = await _shown(anybody, post.id)

    for one in shown["photos"]:
        assert "&lt;b&gt;Graz&lt;/b&gt;" in one["about"]
        assert "<b>Graz" not in one["about"]
        assert one["alt"] == ""


async def test_a_photo_of_another_server_comes_from_this_one(node: Node, anybody: Visitor) -> None:
    post = await node.db.write(
        lambda tx: receive_post(tx, rita(tx), photos=[posting.picture(width=4000, height=1000)])
    )

    (shown,) = (await _shown(anybody, post.id))["photos"]

    assert all(shown[size].startswith("/media/remote/") for size in ("thumb", "medium", "large", "largest"))
    assert shown["panorama"]
    # Its largest file here, whatever the other server has.
    assert (shown["width"], shown["height"]) == (2048, 512)


async def test_a_photo_has_a_page_of_its_own_with_those_beside_it(
    node: Node, alice: Account, anybody: Visitor, photo: Callable[..., bytes]
) -> None:
    ids = [
        (await photos.upload(node, alice, photo(90, 60, "JPEG", seed=n), alt=f"Shot {n}")).id
        for n in range(3)
    ]
    place = SharedMetadata(frozenset(), "CC BY", "Graz")
    post = await node.db.write(
        publishing.publish, alice, Draft(caption="Three", photo_ids=ids, shared_metadata=place)
    )

    seen = await anybody.get(f"/posts/{post.id}/photos/2")

    assert seen.one("img", width="90").attributes["alt"] == "Shot 1"
    assert all(
        words in seen.main_text for words in ("2 of 3", "Shot 1", "Graz", "Download (90 × 60)", "Three")
    )
    assert seen.one("a", rel="prev").attributes["href"] == f"/posts/{post.id}/photos/1"
    assert seen.one("a", rel="next").attributes["href"] == f"/posts/{post.id}/photos/3"
    assert seen.one("a", title="Close").attributes["href"] == f"/p/alice/{post.id}#photo-2"
    (kept,) = [link.attributes["href"] for link in seen.all("a") if "download" in link.attributes]
    assert kept == seen.one("a", class_="shot").attributes["href"]
    assert not (await anybody.get(f"/posts/{post.id}/photos/1")).all("a", rel="prev")
    assert not (await anybody.get(f"/posts/{post.id}/photos/3")).all("a", rel="next")
    for number in ("0", "4", "99999999999999999999", "x"):
        assert (await anybody.get(f"/posts/{post.id}/photos/{number}")).status == 404


@pytest.mark.parametrize("visibility", ["followers", "direct"])
async def test_the_page_of_a_photo_is_only_for_those_who_may_see_its_post(
    visibility: str, alice: Account, bob: Account, publish: Publish, anybody: Visitor, signed_in: SignedIn
) -> None:
    post = await publish(alice, visibility=visibility)
    path = f"/posts/{post.id}/photos/1"

    for visitor in (anybody, await signed_in(bob)):
        seen = await visitor.get(path)
        assert seen.status == 404
        assert "A lake" not in seen.text
    assert "A lake" in (await (await signed_in(alice)).get(path)).main_text


@pytest.mark.parametrize("hidden", [{"warning": "Blood"}, {"is_sensitive": True}])
async def test_a_photo_behind_a_warning_is_covered_until_somebody_asks_for_it(
    hidden: dict[str, Any], alice: Account, publish: Publish, anybody: Visitor
) -> None:
    post = await publish(alice, "Words", shots=2, **hidden)
    path = f"/posts/{post.id}/photos/1"

    covered = await anybody.get(path)
    shown = await anybody.get(path + covered.one("a", class_="button").attributes["href"])

    assert "A lake" not in covered.text
    assert "/media/" not in covered.main_text
    assert not covered.all("a", class_="shot")
    assert not covered.all("meta", property="og:image")
    assert ("Words" in covered.main_text) == ("warning" not in hidden)
    assert "A lake" in shown.main_text
    # Once asked for, the others are not covered again.
    assert shown.one("a", rel="next").attributes["href"] == f"/posts/{post.id}/photos/2?show=1"
    revealed = (await anybody.get(f"/p/alice/{post.id}")).all("a", class_="shot")
    assert revealed[0].attributes["href"] == path + "?show=1"


async def test_the_page_of_a_remote_photo_shows_what_this_node_keeps_of_it(
    node: Node, anybody: Visitor
) -> None:
    post = await node.db.write(
        lambda tx: receive_post(tx, rita(tx), photos=[posting.picture(width=4000, height=1000)])
    )

    seen = await anybody.get(f"/posts/{post.id}/photos/1")

    assert seen.one("a", class_="shot").attributes["href"].startswith("/media/remote/")
    assert "Download (2,048 × 512)" in seen.main_text
    assert "far.example/a.jpg" not in seen.text
