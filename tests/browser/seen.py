"""A node with people, photos and a conversation, and what a browser reports about its pages."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import Any

from playwright.async_api import Browser, BrowserContext, Page

from federation_tests.fediverse import Fediverse, Person
from node.accounts import accounts
from node.accounts.keys import generate
from node.admin import reports
from node.attachments import photos
from node.auth import sessions, users
from node.database import Writer
from node.interactions import bookmarks, follows, likes, pins
from node.lifecycle import migration, registration
from node.models.account import Account
from node.models.post import Post
from node.node import Node
from node.posts.drafts import Draft
from node.publishing import publishing
from tests.browser.conftest import visitor
from tests.support import people
from tests.support.pictures import picture
from web.request.session import SESSION_COOKIE

# A machine without a graphics processor reads every drawn picture back, and says so.
SLOW_GRAPHICS = "GPU stall due to ReadPixels"


@dataclass
class Place:
    """One node, its two people, a post by one of them, and where things are."""

    node: Node
    alice: Account
    bob: Account
    post: Post
    album: Post
    report: int

    def url(self, path: str) -> str:
        return self.node.site.base_url + path


def _report(tx: Writer, alice: Account, bob: Account, album: Post) -> int:
    pins.pin(tx, alice, album)
    migration.add_alias(tx, alice, bob)
    message = "This was mine.\nReally."
    return reports.report(tx, bob, alice, comment=message, post_ids=[album.id], category="legal").id


def _user(tx: Writer, who: Account, role: str) -> None:
    users.create(tx, who, email=f"{who.name}@mail.example", password_hash="-", role=role)


def _talk(tx: Writer, alice: Account, bob: Account, post: Post) -> None:
    follows.follow(tx, bob, alice)
    follows.follow(tx, alice, bob)
    likes.like(tx, bob, post)
    made = publishing.publish(tx, bob, Draft(caption="Which lake is it?", parent_id=post.id))
    publishing.publish(tx, alice, Draft(caption="The upper one", parent_id=made.id))
    bookmarks.add(tx, alice, post)
    people.profile(
        tx,
        alice,
        display_name="Alice Varga",
        bio="Mountains. #lake",
        fields=[("Camera", "Rolleiflex")],
        is_locked=True,
        is_indexable=False,
    )
    eve = accounts.create_local(tx, "eve", pair=generate())
    follows.follow(tx, eve, alice)


async def place(fediverse: Fediverse) -> Place:
    people: list[Person] = await fediverse.people("alice@a.test", "bob@a.test")
    node = people[0].node
    alice, bob = [await node.db.read(accounts.get, person.id) for person in people]
    await node.db.write(_user, alice, "admin")
    await node.db.write(_user, bob, "user")
    made = []
    for shots, words, warning in (
        (1, "A covered one", "Spiders"),
        (3, "Three of the #lake", ""),
        (1, "Morning at the #lake with @bob", ""),
    ):
        ids = [
            (
                await photos.upload(node, alice, picture(900, 600, seed=10 * shots + n), alt=f"The lake, {n}")
            ).id
            for n in range(shots)
        ]
        made.append(
            await node.db.write(
                publishing.publish, alice, Draft(caption=words, photo_ids=ids, warning=warning)
            )
        )
    await node.db.write(_talk, alice, bob, made[-1])
    await node.db.write(
        registration.sign_up,
        mode="approval",
        name="noor",
        email="noor@mail.example",
        password_hash="-",
        pair=generate(),
        reason="I like lakes",
    )
    await fediverse.settle()
    report = await node.db.write(_report, alice, bob, made[1])
    return Place(node, await node.db.read(accounts.get, alice.id), bob, made[2], made[1], report)


async def signed_in(browser: Browser, place: Place, who: Account, **options: Any) -> BrowserContext:
    """A browser in which an account is signed in. `broken` collects the errors that the browser reports."""
    context = await visitor(browser, **options)
    token = await place.node.db.write(sessions.start, who, "Chromium")
    await context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": place.node.site.base_url}])
    return context


def complaints(page: Page) -> list[str]:
    """What the browser will complain about: errors of scripts, refusals by the content policy, lost requests."""
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(f"script: {error}"))
    page.on(
        "console",
        lambda message: (
            found.append(message.text)
            if message.type in ("error", "warning") and SLOW_GRAPHICS not in message.text
            else None
        ),
    )
    # What a page no longer wants because it is being left is not lost.
    page.on(
        "requestfailed",
        lambda lost: found.append(f"lost: {lost.url}") if lost.failure != "net::ERR_ABORTED" else None,
    )
    return found


def axe() -> str:
    """The source of axe-core."""
    return resources.files("axe_playwright_python").joinpath("axe.min.js").read_text()
