"""Passkeys in a real browser, with its virtual device: added, used from the suggestions and by the button, removed."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, CDPSession, Page, expect

from federation_tests.fediverse import Fediverse
from node.accounts import accounts
from node.attachments import photo_rows, photos
from node.auth import passwords, sessions, users
from node.auth.passkeys import passkeys
from node.config import Config
from node.database import Writer
from node.models import places
from node.models.account import Account
from node.node import Node
from tests.browser.conftest import visitor
from tests.browser.seen import axe
from tests.support.pictures import picture
from tests.support.second_step import code_of, set_up
from web.request.session import SESSION_COOKIE

PASSWORD = "a picture a day"
PHONE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
    "defaultBackupEligibility": True,
    "defaultBackupState": True,
}


@dataclass
class Here:
    """A node on localhost, where browsers allow passkeys without a certificate, and somebody with a password there."""

    node: Node
    alice: Account

    def url(self, path: str) -> str:
        return self.node.site.base_url + path

    async def passkey_count(self) -> int:
        return await self.node.db.read(passkeys.count, self.alice.id)


@dataclass
class Phone:
    """The virtual device of a page."""

    cdp: CDPSession
    id: str

    async def credentials(self) -> list[Any]:
        found = await self.cdp.send("WebAuthn.getCredentials", {"authenticatorId": self.id})
        return list(found["credentials"])

    async def is_touched(self, is_touched: bool) -> None:
        """Whether a finger is laid on it as soon as it asks for one."""
        await self.cdp.send(
            "WebAuthn.setAutomaticPresenceSimulation", {"authenticatorId": self.id, "enabled": is_touched}
        )


async def phone(page: Page) -> Phone:
    cdp = await page.context.new_cdp_session(page)
    await cdp.send("WebAuthn.enable", {"enableUI": False})
    made = await cdp.send("WebAuthn.addVirtualAuthenticator", {"options": PHONE})
    return Phone(cdp, made["authenticatorId"])


@pytest.fixture
async def here(fediverse: Fediverse) -> Here:
    port = fediverse.domain("a.test").partition(":")[2]

    def on_localhost(options: Config) -> Config:
        return dataclasses.replace(
            options,
            node=dataclasses.replace(options.node, domain=f"localhost:{port}"),
            server=dataclasses.replace(options.server, scheme="http"),
        )

    fediverse.change = on_localhost
    person = await fediverse.person("alice@a.test")
    alice = await person.node.db.read(accounts.get, person.id)
    hashed = await passwords.hash(PASSWORD)

    def has_password(tx: Writer) -> None:
        users.create(tx, alice, email="alice@mail.example", password_hash=hashed)

    await person.node.db.write(has_password)
    return Here(person.node, alice)


@pytest.fixture
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    made = await visitor(browser)
    yield made
    await made.close()


async def _is_signed_in(context: BrowserContext, here: Here) -> bool:
    names = [one["name"] for one in await context.cookies(here.url("/")) if one.get("value")]  # type: ignore[typeddict-item]
    return SESSION_COOKIE in names


async def _sign_in(page: Page, here: Here) -> None:
    await page.goto(here.url("/sign-in"), wait_until="networkidle")
    await page.get_by_label("Username or e-mail").fill("alice")
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    async with page.expect_navigation():
        await page.get_by_role("button", name="Sign in", exact=True).click()


async def _add(page: Page, here: Here) -> None:
    await page.goto(here.url("/settings/passkeys"), wait_until="networkidle")
    await page.get_by_role("button", name="Add a passkey").click()
    await expect(page.get_by_text("Passkey added.")).to_be_visible()


async def _violations(page: Page) -> list[str]:
    await page.evaluate(axe())
    found: list[str] = await page.evaluate("axe.run().then((found) => found.violations.map((one) => one.id))")
    return found


async def _sign_out(context: BrowserContext) -> None:
    await context.clear_cookies(name=SESSION_COOKIE)


async def test_a_passkey_is_offered_after_the_password_and_signs_in_from_the_suggestions(
    here: Here, context: BrowserContext
) -> None:
    page = await context.new_page()
    hers = await phone(page)
    await _sign_in(page, here)
    await expect(page.get_by_role("heading", name="Sign in faster next time")).to_be_visible()
    await page.wait_for_load_state("networkidle")
    await page.get_by_role("button", name="Add a passkey").click()
    await page.wait_for_url(here.url("/"))
    assert await here.passkey_count() == 1
    [kept] = await hers.credentials()
    assert kept["userName"] == "alice"

    # Her phone answers the waiting request of the name field; she types nothing.
    await _sign_out(context)
    await page.goto(here.url("/sign-in?next=/bookmarks"))
    await page.wait_for_url(here.url("/bookmarks"))
    assert await _is_signed_in(context, here)

    # What was offered once is not offered again.
    await _sign_out(context)
    await hers.is_touched(False)
    await _sign_in(page, here)
    await page.wait_for_url(here.url("/"))


async def test_the_button_signs_in_and_a_cancelled_one_says_so(here: Here, context: BrowserContext) -> None:
    page = await context.new_page()
    hers = await phone(page)
    await context.add_cookies(
        [
            {
                "name": SESSION_COOKIE,
                "value": await here.node.db.write(sessions.start, here.alice, "Chromium"),
                "url": here.url("/"),
            }
        ]
    )
    await _add(page, here)
    await hers.is_touched(False)
    await _sign_out(context)
    await page.goto(here.url("/sign-in?next=/bookmarks"), wait_until="networkidle")
    button = page.get_by_role("button", name="Use a passkey")
    await expect(button).to_be_focused()
    assert not await _is_signed_in(context, here)

    await page.evaluate(
        "() => { navigator.credentials.get = () => Promise.reject(new DOMException('', 'NotAllowedError')) }"
    )
    await button.click()
    await expect(page.get_by_role("alert")).to_contain_text("No passkey was used")
    await page.reload(wait_until="networkidle")
    await hers.is_touched(True)
    await page.get_by_role("button", name="Use a passkey").click()
    await page.wait_for_url(here.url("/bookmarks"))
    assert await _is_signed_in(context, here)


async def test_a_removed_passkey_is_forgotten_by_its_device(here: Here, context: BrowserContext) -> None:
    page = await context.new_page()
    hers = await phone(page)
    await _sign_in(page, here)
    await _add(page, here)
    await page.get_by_text("Rename").click()
    await page.get_by_label("Name of the passkey").fill("Her phone")
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator(".passkeys")).to_contain_text("Her phone")
    await page.wait_for_load_state("networkidle")
    page.on("dialog", lambda dialog: dialog.accept())
    await page.get_by_role("button", name="Remove Her phone").click()
    sure = page.locator("dialog:modal").get_by_role("button", name="Remove")
    if await sure.count():
        await sure.click()
    await expect(page.get_by_text("No passkeys yet.")).to_be_visible()
    await page.wait_for_load_state("networkidle")
    assert await hers.credentials() == []
    assert await here.passkey_count() == 0


async def test_a_passkey_that_only_the_device_knows_is_refused_and_forgotten(
    here: Here, context: BrowserContext
) -> None:
    page = await context.new_page()
    hers = await phone(page)
    await _sign_in(page, here)
    await _add(page, here)
    await here.node.db.write(passkeys.delete_by_account, here.alice)
    await hers.is_touched(False)
    await _sign_out(context)
    await page.goto(here.url("/sign-in"), wait_until="networkidle")
    await hers.is_touched(True)
    await page.get_by_role("button", name="Use a passkey").click()
    await expect(page.get_by_role("alert")).to_contain_text("not known here")
    assert await hers.credentials() == []
    assert not await _is_signed_in(context, here)


async def test_a_passkey_is_the_second_step_and_confirms_who_is_there(
    here: Here, context: BrowserContext
) -> None:
    page = await context.new_page()
    hers = await phone(page)
    await _sign_in(page, here)
    await _add(page, here)
    seed, _ = await set_up(here.node, here.alice)
    await _sign_out(context)
    await hers.is_touched(False)
    await _sign_in(page, here)
    await expect(page.get_by_role("heading", name="Two-step sign-in")).to_be_visible()
    await page.wait_for_load_state("networkidle")
    assert await _violations(page) == []
    await hers.is_touched(True)
    await page.get_by_role("button", name="Use a passkey").click()
    await page.wait_for_url(here.url("/"))

    await here.node.db.write(lambda tx: tx.run("UPDATE sessions SET proved_at = 1"))
    await page.goto(here.url("/settings/password"), wait_until="networkidle")
    await expect(page.get_by_role("heading", name="Confirm that it is you")).to_be_visible()
    await page.get_by_role("button", name="Use a passkey").click()
    await page.wait_for_url(here.url("/settings/password"))
    assert code_of(seed)


async def test_without_scripts_the_password_is_what_the_page_is_about(here: Here, browser: Browser) -> None:
    context = await visitor(browser, scripts=False)
    page = await context.new_page()
    await page.goto(here.url("/sign-in"))
    await expect(page.get_by_role("button", name="Use a passkey")).to_be_hidden()
    await expect(page.get_by_text("or with a password")).to_be_hidden()
    await page.get_by_label("Username or e-mail").fill("alice")
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await page.wait_for_url(here.url("/"))
    await context.close()


@pytest.mark.parametrize("is_second_step", [False, True], ids=["alone", "after the password"])
async def test_a_form_that_was_sent_signed_out_is_shown_after_a_passkey(
    here: Here, context: BrowserContext, is_second_step: bool
) -> None:
    page = await context.new_page()
    hers = await phone(page)
    shown = await photos.upload(here.node, here.alice, picture(900, 600), alt="A lake")
    await _sign_in(page, here)
    await _add(page, here)
    if is_second_step:
        await set_up(here.node, here.alice)
    await page.goto(here.url(f"/photos/{shown.id}/details?part=place&back=/drafts"), wait_until="networkidle")
    await page.get_by_label("Name of the location").fill("Beijing, China")
    await hers.is_touched(False)
    await _sign_out(context)
    await page.get_by_text("Done", exact=True).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Sign in to go on")
    await page.wait_for_load_state("networkidle")
    assert await _violations(page) == []
    if is_second_step:
        await page.get_by_label("Username or e-mail").fill("alice")
        await page.get_by_label("Password", exact=True).fill(PASSWORD)
        await page.get_by_role("button", name="Sign in", exact=True).click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Two-step sign-in")
        await page.wait_for_load_state("networkidle")
        assert await _violations(page) == []

    await hers.is_touched(True)
    await page.get_by_role("button", name="Use a passkey").click()

    await expect(page.get_by_role("heading", level=1)).to_have_text("Not sent yet")
    await expect(page.locator("main")).to_contain_text("Beijing, China")
    await page.get_by_role("button", name="Send now").click()
    await expect(page).to_have_url(here.url("/drafts"))
    kept = (await here.node.db.read(photo_rows.by_ids, [shown.id]))[shown.id]
    assert places.load(kept.place).name == "Beijing, China"
