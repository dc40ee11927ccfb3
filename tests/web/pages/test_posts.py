"""The page of a post: its actions without scripts, who sees it, and what its cached card shows."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.database import Writer
from node.interactions import blocks, boosts, follows, likes
from node.models.account import Account
from node.node import Node
from node.posts.drafts import Draft
from node.publishing import post_deletion, publishing
from node.timelines.post_views import CommentNode
from tests.support import people
from tests.support.statements import Recording
from tests.support.visitors import Seen, Visitor
from tests.web.pages.conftest import Publish, SignedIn
from web.html.lists import MAX_DEPTH, flatten_comments


def _button(seen: Seen, name: str) -> tuple[str, bool, str]:
    """The URL of the button of an action, whether it is pressed, and its count."""
    button = seen.one("button", **{"data-action": name})
    words = button.text.split()
    return (
        button.attributes["formaction"],
        button.attributes["aria-pressed"] == "true",
        words[-1] if words[-1].isdigit() else "",
    )


@pytest.mark.parametrize("action", ["like", "boost", "bookmark"])
async def test_an_action_is_done_and_undone_with_plain_forms(
    action: str, alice: Account, bob: Account, publish: Publish, signed_in: SignedIn
) -> None:
    post = await publish(alice, "Morning")
    visitor = await signed_in(bob)
    seen = await visitor.get(f"/p/alice/{post.id}")
    where, pressed, count = _button(seen, action)
    assert (where, pressed, count) == (f"/posts/{post.id}/{action}", False, "")
    seen = await visitor.post(where, {"back": f"/p/alice/{post.id}"})
    where, pressed, count = _button(seen, action)
    assert (where, pressed) == (f"/posts/{post.id}/un{action}", True)
    assert count == ("" if action == "bookmark" else "1")
    seen = await visitor.post(where, {"back": f"/p/alice/{post.id}"})
    assert _button(seen, action) == (f"/posts/{post.id}/{action}", False, "")


@pytest.mark.parametrize("action", ["like", "boost", "bookmark", "pin"])
async def test_a_button_checks_visibility_once(
    action: str, node: Node, alice: Account, bob: Account, publish: Publish, signed_in: SignedIn
) -> None:
    post = await publish(alice, "Morning")
    visitor = await signed_in(alice if action == "pin" else bob)
    node.db = db = Recording(node.db)  # type: ignore[assignment]

    done = await visitor.post(f"/posts/{post.id}/{action}", headers={"accept": "application/json"})

    assert done.status == 200
    assert db.visibility_checks() == 1
    assert not db.repeated()


async def test_a_script_is_answered_in_json(
    alice: Account, bob: Account, publish: Publish, signed_in: SignedIn
) -> None:
    post = await publish(alice)
    visitor = await signed_in(bob)
    token = visitor.page.csrf if visitor.page else ""
    headers = {"accept": "application/json", "x-csrf": token}
    response = await visitor.post(f"/posts/{post.id}/like", csrf="", headers=headers)
    assert json.loads(response.text) == {"ok": True}
    response = await visitor.post("/posts/1/like", csrf="", headers=headers)
    assert response.status == 404
    assert "error" in json.loads(response.text)


async def test_comments_stand_under_their_parents(
    alice: Account, bob: Account, publish: Publish, signed_in: SignedIn, anybody: Visitor
) -> None:
    post = await publish(alice, "Morning")
    his, hers = await signed_in(bob), await signed_in(alice)
    await his.get(f"/p/alice/{post.id}")
    seen = await his.post(f"/posts/{post.id}/comment", {"caption": "Which lake?"})
    comment = seen.one("article", class_="comment").attributes["id"].removeprefix("post-")
    await hers.get(f"/posts/{comment}")
    await hers.post(f"/posts/{comment}/comment", {"caption": "The upper one"})
    words = (await anybody.get(f"/p/alice/{post.id}")).main_text
    assert words.index("Which lake?") < words.index("The upper one")


async def test_a_followers_only_post_is_404_for_others(
    node: Node,
    alice: Account,
    bob: Account,
    mallory: Account,
    publish: Publish,
    signed_in: SignedIn,
    anybody: Visitor,
) -> None:
    await node.db.write(follows.follow, bob, alice)
    post = await publish(alice, "Only for friends", visibility="followers")
    friend, other = await signed_in(bob), await signed_in(mallory)
    # The follower is first, so that the card is cached when the others request it.
    assert "Only for friends" in (await friend.get("/")).main_text
    assert "Only for friends" in (await friend.get(f"/p/alice/{post.id}")).main_text
    for visitor in (other, anybody):
        for path in (
            f"/p/alice/{post.id}",
            f"/posts/{post.id}",
            f"/posts/{post.id}/likes",
            f"/posts/{post.id}/history",
        ):
            assert (await visitor.get(path)).status == 404
        for path in ("/", "/explore", "/@alice", "/@alice/all", "/search?q=friends"):
            assert "Only for friends" not in (await visitor.get(path)).text
    await node.db.write(blocks.block, alice, bob)
    assert "Only for friends" not in (await friend.get("/")).text


async def test_a_cached_card_shows_new_counts_marks_captions_and_names(
    node: Node, alice: Account, bob: Account, publish: Publish, signed_in: SignedIn
) -> None:
    post = await publish(alice, "First words")
    visitor = await signed_in(alice)
    assert "First words" in (await visitor.get("/")).main_text
    await node.db.write(likes.like, bob, post)
    assert _button(await visitor.get("/"), "like") == (f"/posts/{post.id}/like", False, "1")
    draft = Draft(caption="Other words", photo_ids=[])
    await node.db.write(publishing.edit, alice, post, draft)
    seen = await visitor.get("/")
    assert "Other words" in seen.main_text
    assert "First words" not in seen.main_text

    def rename(tx: Writer) -> None:
        people.profile(tx, alice, display_name="Alice Varga", is_indexable=False)

    await node.db.write(rename)
    assert "Alice Varga" in (await visitor.get("/")).main_text


async def test_a_boost_names_its_booster(
    node: Node, alice: Account, bob: Account, mallory: Account, publish: Publish, signed_in: SignedIn
) -> None:
    post = await publish(alice, "Morning")
    await node.db.write(follows.follow, mallory, bob)
    await node.db.write(boosts.boost, bob, post)
    visitor = await signed_in(mallory)
    assert "bob boosted" in (await visitor.get("/")).main_text


async def test_deleting_needs_confirmation_and_redirects_to_the_profile(
    alice: Account, bob: Account, publish: Publish, signed_in: SignedIn
) -> None:
    post = await publish(alice, "Morning")
    his = await signed_in(bob)
    assert (await his.post(f"/posts/{post.id}/delete")).status == 403
    hers = await signed_in(alice)
    page = await hers.get(f"/posts/{post.id}/delete")
    assert "cannot be undone" in page.main_text
    seen = await hers.post(f"/posts/{post.id}/delete")
    assert seen.path == "/@alice"
    gone = await hers.get(f"/p/alice/{post.id}")
    assert (gone.status, "was deleted" in gone.main_text) == (410, True)


async def test_a_deleted_private_post_is_404_not_410(
    node: Node, alice: Account, publish: Publish, anybody: Visitor
) -> None:
    post = await publish(alice, "Only for friends", visibility="followers")
    await node.db.write(post_deletion.delete, alice, post)
    assert (await anybody.get(f"/p/alice/{post.id}")).status == 404


async def test_only_public_posts_have_open_graph_metadata(
    alice: Account, publish: Publish, anybody: Visitor
) -> None:
    public = await publish(alice, "For all", visibility="public")
    quiet = await publish(alice, "For those who know", visibility="unlisted")
    seen = await anybody.get(f"/p/alice/{public.id}")
    assert (
        seen.one("meta", property="og:image").attributes["content"].startswith("https://tintype.test/media/")
    )
    assert (
        seen.one("link", rel="alternate", type="application/activity+json").attributes["href"] == public.uri
    )
    assert 'type="application/activity+json"' in seen.headers["link"]
    assert not (await anybody.get(f"/p/alice/{quiet.id}")).all("meta", property="og:title")


async def test_the_url_of_a_post_serves_json_to_servers_and_html_to_browsers(
    alice: Account, publish: Publish, anybody: Visitor
) -> None:
    post = await publish(alice, "Morning")
    for path, kind in (("/users/alice", "Person"), (f"/p/alice/{post.id}", "Note")):
        response = await anybody.get(path, accept="application/activity+json")
        assert json.loads(response.text)["type"] == kind
    assert (await anybody.get("/users/alice")).path == "/@alice"


async def test_a_sensitive_post_shows_no_photo_in_the_grid(
    alice: Account, publish: Publish, anybody: Visitor
) -> None:
    await publish(alice, "Hm", warning="Spiders", alt="A large spider")
    grid = await anybody.get("/@alice")
    assert grid.one("a", class_="cell").attributes["aria-label"] == "Spiders"
    assert "A large spider" not in grid.text


def test_a_flattened_tree_is_in_order_and_closes_every_thread() -> None:
    deep: list[CommentNode] = []
    for _ in range(5000):
        deep = [CommentNode(None, deep)]
    entries = flatten_comments(deep)
    assert len(entries) == 5000
    assert (
        sum(opens for _view, opens, _closes in entries)
        == sum(closes for _view, _opens, closes in entries)
        == MAX_DEPTH + 1
    )


trees = st.recursive(
    st.just([]), lambda below: st.lists(below.map(lambda b: CommentNode(None, b)), max_size=4), max_leaves=30
)


@given(trees)
def test_every_flattened_tree_nests_correctly(branches: list[CommentNode]) -> None:
    depth = 0
    for _view, opens, closes in flatten_comments(branches):
        depth += opens
        assert 0 < depth <= MAX_DEPTH + 1
        depth -= closes
        assert depth >= 0
    assert depth == 0


async def test_a_pinned_post_comes_first_on_the_profile_and_once(
    alice: Account, publish: Publish, signed_in: SignedIn, anybody: Visitor
) -> None:
    old, new = await publish(alice, "Old", alt="The old one"), await publish(alice, "New", alt="The new one")
    hers = await signed_in(alice)
    seen = await hers.get(f"/p/alice/{old.id}")
    button = next(one for one in seen.all("button") if one.attributes.get("formaction", "").endswith("/pin"))
    await hers.post(button.attributes["formaction"], {"back": "/@alice"})
    for path in ("/@alice", "/@alice/all"):
        text = (await anybody.get(path)).text
        assert "Pinned" in text
        assert text.index(f"/p/alice/{old.id}") < text.index(f"/p/alice/{new.id}")
    assert text.count(f'id="post-{old.id}"') == 1
    assert "Unpin from profile" in (await hers.get(f"/p/alice/{old.id}")).text
    await hers.post(f"/posts/{old.id}/unpin", {"back": "/@alice"})
    assert "Pinned" not in (await anybody.get("/@alice")).text
