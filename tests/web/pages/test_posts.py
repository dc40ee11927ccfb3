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
from node.posts import posts as node_posts
from node.posts.drafts import Draft
from node.publishing import post_deletion, publishing
from node.timelines.post_views import CommentNode
from tests.support import people, posting
from tests.support.asgi import Client
from tests.support.posting import receive_post, rita
from tests.support.statements import Recording
from tests.support.visitors import Seen, Visitor
from tests.web.pages.conftest import Publish, SignedIn
from web.app import App
from web.html.lists import MAX_DEPTH, MAX_UNFOLDED, flatten_comments


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
    assert "Morning" in page.one("a", class_="quoted").text
    assert page.one("img", width="72").attributes["alt"] == "A lake"
    seen = await hers.post(f"/posts/{post.id}/delete")
    assert seen.path == "/@alice"
    gone = await hers.get(f"/p/alice/{post.id}")
    assert (gone.status, "was deleted" in gone.main_text) == (410, True)


async def test_a_comment_that_is_sent_again_stands_once(
    node: Node, alice: Account, signed_in: SignedIn, publish: Publish
) -> None:
    post = await publish(alice)
    visitor = await signed_in(alice)
    once = (await visitor.get(f"/posts/{post.id}")).one("input", name="once").attributes["value"]
    for _ in range(2):
        seen = await visitor.post(f"/posts/{post.id}/comment", {"caption": "Again?", "once": once})

    assert len(seen.all("article", class_="comment")) == 1


async def test_its_author_changes_who_can_comment_on_a_post(
    node: Node, alice: Account, bob: Account, publish: Publish, anybody: Visitor, signed_in: SignedIn
) -> None:
    post = await publish(alice, "Morning")
    hers, his = await signed_in(alice), await signed_in(bob)
    path = (
        (await hers.get(f"/p/alice/{post.id}"))
        .one("a", href=f"/posts/{post.id}/who-can-comment")
        .attributes["href"]
    )

    assert [one.attributes["value"] for one in (await hers.get(path)).all("input", checked="")] == [
        "everyone"
    ]
    seen = await hers.post(path, {"comments": "nobody"})

    assert seen.path == f"/p/alice/{post.id}"
    assert "Comments are off" in (await his.get(f"/p/alice/{post.id}")).main_text
    assert [one.attributes["value"] for one in (await hers.get(path)).all("input", checked="")] == ["nobody"]
    assert "edited" not in seen.main_text
    assert (await hers.post(path, {"comments": "some"})).status == 422
    for visitor, status in ((his, 403), (anybody, 401)):
        assert (await visitor.get(path)).status in (status, 200)
        assert "Save" not in (await visitor.get(path)).main_text
    assert (await his.post(path, {"comments": "everyone"})).status == 403
    assert not (await node.db.read(node_posts.by_id, post.id)).comments_enabled


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
    assert sum(line.opens for line in entries) == sum(line.closes for line in entries) == MAX_DEPTH + 1


trees = st.recursive(
    st.just([]), lambda below: st.lists(below.map(lambda b: CommentNode(None, b)), max_size=4), max_leaves=30
)


@given(trees)
def test_every_flattened_tree_nests_correctly(branches: list[CommentNode]) -> None:
    depth = 0
    is_folded = False
    for line in flatten_comments(branches):
        depth += line.opens
        assert 0 < depth <= MAX_DEPTH + 1
        if line.folds:
            assert (depth, line.opens, is_folded) == (2, 1, False)
            assert line.folds > MAX_UNFOLDED
            is_folded = True
        if line.ends_fold:
            assert is_folded
            assert (depth - line.ends_fold, line.ends_fold <= line.closes) == (1, True)
            is_folded = False
        depth -= line.closes
        assert depth >= 0
    assert depth == 0
    assert not is_folded


async def test_many_replies_are_folded_unless_one_of_them_is_answered(
    alice: Account, bob: Account, node: Node, publish: Publish, signed_in: SignedIn
) -> None:
    post = await publish(alice)
    first = await node.db.write(publishing.publish, bob, Draft(caption="Which lake?", parent_id=post.id))
    replies = [
        await node.db.write(publishing.publish, bob, Draft(caption=f"No. {n}", parent_id=first.id))
        for n in range(MAX_UNFOLDED)
    ]
    visitor = await signed_in(alice)
    path = f"/p/alice/{post.id}"
    assert not (await visitor.get(path)).all("details", class_="branch")

    replies.append(
        await node.db.write(publishing.publish, alice, Draft(caption="Ah", parent_id=replies[0].id))
    )
    await node.db.write(publishing.publish, bob, Draft(caption="Another", parent_id=post.id))

    branch = (await visitor.get(path)).one("details", class_="branch").text
    assert "Show 4 replies" in branch
    assert "Ah" in branch
    assert "Another" not in branch
    assert not (await visitor.get(f"{path}?reply={replies[-1].id}")).all("details", class_="branch")


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


async def test_excerpts_of_a_text_keep_its_words_apart(
    node: Node, alice: Account, signed_in: SignedIn
) -> None:
    def unit(tx: Writer) -> int:
        html = "<h1>one</h1><div>two</div><p>three</p><ul><li>four</li></ul>"
        return posting.receive_post(tx, people.remote(tx), html=html).id

    post_id = await node.db.write(unit)
    visitor = await signed_in(alice)

    seen = await visitor.get(f"/posts/{post_id}")

    assert "one two three four" in seen.one("title").text
    assert seen.one("meta", property="og:description").attributes["content"] == "one two three four"


@pytest.mark.parametrize("form", ["/@{}/{}", "/@{}/statuses/{}", "/@{}@tintype.test/{}", "/@ALICE/{1}"])
async def test_a_path_as_mastodon_has_it_leads_to_the_post(
    alice: Account, publish: Publish, anybody: Visitor, form: str
) -> None:
    post = await publish(alice, "Morning")
    seen = await anybody.get(form.format("alice", post.id) if "ALICE" not in form else f"/@ALICE/{post.id}")
    assert (seen.status, seen.path) == (200, f"/p/alice/{post.id}")


async def test_a_path_as_mastodon_has_it_shows_nothing_more(
    node: Node, alice: Account, bob: Account, publish: Publish, anybody: Visitor, signed_in: SignedIn
) -> None:
    public = await publish(alice, "Morning")
    private = await publish(alice, "Only for friends", visibility="followers")
    for path in (
        f"/@bob/{public.id}",
        f"/@bob/statuses/{public.id}",
        f"/@nobody/{public.id}",
        f"/@alice/{private.id}",
        f"/@alice/statuses/{private.id}",
        "/@alice/12345",
        "/@alice/statuses/99999999999999999999",
    ):
        assert (await anybody.get(path)).status == 404, path
    hers = await signed_in(alice)
    assert "Only for friends" in (await hers.get(f"/@alice/{private.id}")).main_text


async def test_a_remote_post_is_found_by_the_handle_of_its_author(
    node: Node, alice: Account, signed_in: SignedIn
) -> None:
    post = await node.db.write(lambda tx: receive_post(tx, rita(tx)))
    visitor = await signed_in(alice)
    assert (await visitor.get(f"/@rita@far.example/{post.id}")).path == f"/posts/{post.id}"


async def test_the_field_for_a_reply_is_open_under_the_comment_that_is_named(
    alice: Account, bob: Account, node: Node, publish: Publish, signed_in: SignedIn
) -> None:
    post = await publish(alice)
    comment = await node.db.write(publishing.publish, bob, Draft(caption="Which lake?", parent_id=post.id))
    visitor = await signed_in(alice)
    path = f"/p/alice/{post.id}"

    seen = await visitor.get(f"{path}?reply={comment.id}")

    assert seen.one("form", id=f"reply-{comment.id}").attributes["action"] == f"/posts/{comment.id}/comment"
    assert seen.one("a", **{"data-reply": str(comment.id)}).attributes["href"].startswith(f"{path}?reply=")
    # What names no comment of this page opens nothing.
    for other in (post.id, 1, "x", ""):
        seen = await visitor.get(f"{path}?reply={other}")
        assert not [form for form in seen.all("form") if form.attributes.get("class") == "answer reply"]


async def test_a_reply_leads_back_to_the_page_it_was_written_on_and_nowhere_else(
    alice: Account, bob: Account, node: Node, publish: Publish, signed_in: SignedIn
) -> None:
    post = await publish(alice)
    comment = await node.db.write(publishing.publish, bob, Draft(caption="Which lake?", parent_id=post.id))
    visitor = await signed_in(alice)
    path = f"/p/alice/{post.id}"
    await visitor.get(path)

    back = await visitor.post(f"/posts/{comment.id}/comment", {"caption": "This one", "back": path})
    assert back.path.partition("#")[0] == path
    assert "This one" in back.text
    away = await visitor.post(
        f"/posts/{comment.id}/comment", {"caption": "That one", "back": "//far.example/"}
    )
    assert away.path.startswith("/")
    assert "far.example" not in away.path


async def test_what_one_can_do_with_a_post_is_in_one_menu(
    alice: Account, bob: Account, publish: Publish, signed_in: SignedIn, anybody: Visitor
) -> None:
    post = await publish(alice)
    path = f"/p/alice/{post.id}"

    def entries(seen: Seen) -> list[str]:
        menus = [menu for menu in seen.all("details") if "post-menu" in menu.attributes.get("class", "")]
        return [menu.text for menu in menus]

    (own,) = entries(await (await signed_in(alice)).get(path))
    assert all(name in own for name in ("Edit", "Pin to profile", "Copy link", "Delete"))
    assert "Report" not in own
    (others,) = entries(await (await signed_in(bob)).get(path))
    assert "Report" in others
    assert not any(name in others for name in ("Edit", "Pin to profile", "Delete"))
    assert entries(await anybody.get(path)) == []


async def test_the_way_to_a_page_costs_the_same_with_comments_and_without(
    node: Node, alice: Account, app: App, publish: Publish
) -> None:
    quiet, loud = await publish(alice, "Fog"), await publish(alice, "Lake")
    for n in range(3):
        await publish(alice, f"Comment {n}", parent_id=loud.id)
    node.db = recording = Recording(node.db)  # type: ignore[assignment]
    numbers = []
    for post in (quiet, loud):
        recording.statements.clear()
        reply = await Client(app).get(f"/posts/{post.id}")
        assert (reply.status, reply.headers["location"]) == (302, f"/p/alice/{post.id}")
        numbers.append(len(recording.statements))
    assert numbers[0] == numbers[1] < 5
