"""Drafts in the browser: saved with a button or by a script, opened again whole, scheduled, deleted, seen by nobody else."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from node.models.account import Account
from node.node import Node
from node.publishing import saved_drafts
from node.publishing.saved_drafts import SavedDraft
from tests.support.visitors import Seen
from tests.web.pages.conftest import SignedIn
from web import wiring

Picture = Callable[..., bytes]
FORM = {"caption": "A lake", "visibility": "followers", "comments": "everyone"}


async def drafts_of(node: Node, who: Account) -> list[SavedDraft]:
    return await node.db.read(saved_drafts.by_author, who)


def kept(seen: Seen, name: str) -> str:
    return str(seen.one("input", name=name).attributes["value"])


async def test_a_draft_is_saved_with_its_photo_and_opened_again(
    node: Node, alice: Account, signed_in: SignedIn, photo: Picture
) -> None:
    visitor = await signed_in(alice)
    await visitor.get("/compose")
    listed = await visitor.post(
        "/compose", {**FORM, "do": "draft", "alt": "A boat"}, files=[("photos", "a.jpg", photo(60, 40))]
    )
    assert "A lake" in listed.main_text
    assert "1 photo" in listed.main_text

    [saved] = await drafts_of(node, alice)
    opened = await visitor.get(f"/compose?draft={saved.id}")

    assert kept(opened, "draft") == str(saved.id)
    assert kept(opened, "photo") == str(saved.photos[0].id)
    assert opened.one("textarea", name="caption").text == "A lake"
    assert opened.one("textarea", name=f"alt-{saved.photos[0].id}").text == "A boat"
    assert "checked" in opened.one("input", name="visibility", value="followers").attributes
    assert "Drafts (1)" in opened.main_text


async def test_posting_a_draft_deletes_it(node: Node, alice: Account, signed_in: SignedIn) -> None:
    visitor = await signed_in(alice)
    await visitor.get("/compose")
    await visitor.post("/compose", {**FORM, "do": "draft"})
    [saved] = await drafts_of(node, alice)

    posted = await visitor.post("/compose", {**FORM, "do": "post", "draft": str(saved.id)})

    assert "A lake" in posted.main_text
    assert await drafts_of(node, alice) == []


async def test_a_draft_with_a_refused_photo_is_saved_and_says_so(
    node: Node, alice: Account, signed_in: SignedIn
) -> None:
    visitor = await signed_in(alice)
    await visitor.get("/compose")
    seen = await visitor.post("/compose", {**FORM, "do": "draft"}, files=[("photos", "a.pdf", b"%PDF-1.4")])

    assert "a.pdf" in seen.main_text
    [saved] = await drafts_of(node, alice)
    assert (kept(seen, "draft"), saved.missing) == (str(saved.id), ["a.pdf"])


async def test_a_script_saves_while_one_types(node: Node, alice: Account, signed_in: SignedIn) -> None:
    visitor = await signed_in(alice)
    await visitor.get("/compose")
    first = await visitor.post("/drafts", {**FORM, "caption": "A"}, headers={"accept": "application/json"})
    id_ = json.loads(first.text)["id"]
    again = await visitor.post(
        "/drafts", {**FORM, "caption": "A l", "draft": id_}, headers={"accept": "application/json"}
    )

    assert json.loads(again.text) == {"id": id_}
    assert [one.draft.caption for one in await drafts_of(node, alice)] == ["A l"]


@pytest.mark.parametrize(
    ("zone", "hours"), [("", 0), ("UTC", 0), ("Asia/Tokyo", -9), ("Pacific/Marquesas", 9.5)]
)
async def test_a_post_is_scheduled_in_the_zone_of_the_browser_and_published_then(
    node: Node, alice: Account, signed_in: SignedIn, zone: str, hours: float
) -> None:
    """`publish_zone` names the zone in which the time was typed; `hours` are to be added to get UTC."""
    visitor = await signed_in(alice)
    await visitor.get("/compose")
    at = (datetime.now(UTC) + timedelta(hours=10)).replace(second=0, microsecond=0)
    typed = f"{at - timedelta(hours=hours):%Y-%m-%dT%H:%M}"

    listed = await visitor.post("/compose", {**FORM, "do": "post", "publish_at": typed, "publish_zone": zone})

    assert "Will be posted" in listed.main_text
    assert "Scheduled. It will be posted:" in listed.main_text
    assert "Scheduled. It" not in (await visitor.get("/drafts")).main_text
    [saved] = await drafts_of(node, alice)
    milliseconds = int(at.timestamp() * 1000)
    assert saved.publish_at == milliseconds
    opened = await visitor.get(f"/compose?draft={saved.id}")
    assert kept(opened, "publish_at") == f"{at:%Y-%m-%dT%H:%M}"
    await wiring.run_due_jobs(node, milliseconds + 1)
    assert "A lake" in (await visitor.get("/@alice/all")).main_text
    assert await drafts_of(node, alice) == []


async def test_scheduled_posts_stand_apart_from_drafts(alice: Account, signed_in: SignedIn) -> None:
    visitor = await signed_in(alice)
    await visitor.get("/compose")
    await visitor.post("/compose", {**FORM, "do": "draft", "caption": "Not ready"})
    await visitor.get("/compose")
    at = f"{datetime.now(UTC) + timedelta(hours=10):%Y-%m-%dT%H:%M}"

    listed = await visitor.post("/compose", {**FORM, "do": "post", "publish_at": at})

    assert [one.text.strip() for one in listed.all("h2")][-2:] == ["Scheduled", "Not scheduled"]
    assert listed.main_text.index("A lake") < listed.main_text.index("Not ready")
    names = [one.attributes["aria-label"] for one in listed.all("button", name="id")]
    assert names == ["Delete draft 1", "Delete draft 2"]


@pytest.mark.parametrize(
    ("typed", "zone"),
    [
        ("yesterday", ""),
        ("2020-01-01T10:00", "Asia/Tokyo"),
        ("9999-12-31T23:59", "UTC"),
        ("0001-01-01T00:00", "Asia/Tokyo"),
        (f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%dT%H:%M}", "Nowhere/Else"),
    ],
)
async def test_a_time_that_cannot_be_loses_nothing(
    node: Node, alice: Account, signed_in: SignedIn, typed: str, zone: str
) -> None:
    visitor = await signed_in(alice)
    await visitor.get("/compose")
    seen = await visitor.post("/compose", {**FORM, "do": "post", "publish_at": typed, "publish_zone": zone})

    assert seen.status == 422
    assert seen.one("textarea", name="caption").text == "A lake"
    assert await drafts_of(node, alice) == []


async def test_a_scheduled_post_is_not_changed_by_a_script(
    node: Node, alice: Account, signed_in: SignedIn
) -> None:
    visitor = await signed_in(alice)
    await visitor.get("/compose")
    refused = await visitor.post(
        "/drafts", {**FORM, "publish_at": "2026-12-24T18:00"}, headers={"accept": "application/json"}
    )
    assert refused.status == 422
    assert await drafts_of(node, alice) == []


async def test_drafts_are_deleted_and_nobody_else_opens_or_deletes_them(
    node: Node, alice: Account, bob: Account, signed_in: SignedIn
) -> None:
    mine, theirs = await signed_in(alice), await signed_in(bob)
    await mine.get("/compose")
    await mine.post("/compose", {**FORM, "do": "draft"})
    [saved] = await drafts_of(node, alice)

    await theirs.get("/compose")
    assert (await theirs.get(f"/compose?draft={saved.id}")).status == 404
    await theirs.post("/drafts/delete", {"id": str(saved.id)})
    assert "A lake" not in (await theirs.get("/drafts")).main_text
    assert len(await drafts_of(node, alice)) == 1

    await mine.get("/drafts")
    listed = await mine.post("/drafts/delete", {"id": str(saved.id)})
    assert "No drafts" in listed.main_text


async def test_a_post_that_failed_says_why_in_the_list(
    node: Node, alice: Account, bob: Account, signed_in: SignedIn
) -> None:
    visitor = await signed_in(alice)
    await visitor.get("/compose")
    await visitor.post("/compose", {**FORM, "do": "draft"})
    [saved] = await drafts_of(node, alice)
    await node.db.write(saved_drafts._record_problem, saved.id, "This account cannot post.")

    assert "Not posted: This account cannot post." in (await visitor.get("/drafts")).main_text
    assert "This account cannot post." in (await visitor.get(f"/compose?draft={saved.id}")).main_text


SHARED = {"title": "A lake", "text": "seen today", "url": "https://example.org/"}


async def test_what_a_phone_shares_becomes_a_draft(
    node: Node, alice: Account, signed_in: SignedIn, photo: Picture
) -> None:
    visitor = await signed_in(alice)
    files = [("photos", "a.jpg", photo(60, 40)), ("photos", "b.pdf", b"%PDF-1.4")]

    opened = await visitor.post(
        "/compose/share", SHARED, files=files, csrf="", headers={"sec-fetch-site": "none"}
    )

    [saved] = await drafts_of(node, alice)
    assert kept(opened, "draft") == str(saved.id)
    assert opened.one("textarea", name="caption").text == "A lake\nseen today\nhttps://example.org/"
    assert (len(saved.photos), saved.missing) == (1, ["b.pdf"])
    assert "b.pdf" in opened.main_text


@pytest.mark.parametrize("sent_by", ["cross-site", "same-site", ""])
async def test_another_site_cannot_share_in_the_name_of_a_visitor(
    node: Node, alice: Account, signed_in: SignedIn, photo: Picture, sent_by: str
) -> None:
    visitor = await signed_in(alice)
    headers = {"sec-fetch-site": sent_by} if sent_by else {}

    refused = await visitor.post(
        "/compose/share", SHARED, files=[("photos", "a.jpg", photo(60, 40))], csrf="", headers=headers
    )

    assert refused.status == 403
    assert await drafts_of(node, alice) == []


async def test_with_too_many_drafts_what_was_shared_is_in_the_form(
    node: Node, alice: Account, signed_in: SignedIn, photo: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saved_drafts, "MAX_DRAFTS", 0)
    visitor = await signed_in(alice)

    seen = await visitor.post(
        "/compose/share",
        SHARED,
        files=[("photos", "a.jpg", photo(60, 40))],
        csrf="",
        headers={"sec-fetch-site": "none"},
    )

    assert seen.status == 422
    assert seen.one("textarea", name="caption").text.startswith("A lake")
    assert kept(seen, "photo")


async def test_the_manifest_offers_the_node_as_an_app_to_share_with(
    node: Node, alice: Account, signed_in: SignedIn
) -> None:
    manifest = json.loads((await (await signed_in(alice)).get("/manifest.webmanifest")).text)

    assert manifest["share_target"]["action"] == "/compose/share"
    assert {(icon["sizes"], icon.get("purpose", "any")) for icon in manifest["icons"]} >= {
        ("192x192", "any"),
        ("512x512", "any"),
        ("512x512", "maskable"),
    }


async def test_a_script_with_an_old_form_leaves_a_scheduled_post_as_it_is(
    node: Node, alice: Account, signed_in: SignedIn
) -> None:
    visitor = await signed_in(alice)
    await visitor.get("/compose")
    at = f"{datetime.now(UTC) + timedelta(days=2):%Y-%m-%dT%H:%M}"
    await visitor.post("/compose", {**FORM, "do": "post", "publish_at": at})
    [saved] = await drafts_of(node, alice)

    refused = await visitor.post(
        "/drafts",
        {**FORM, "caption": "older", "draft": str(saved.id)},
        headers={"accept": "application/json"},
    )

    assert refused.status == 422
    assert await drafts_of(node, alice) == [saved]
