"""Deleting one's own account in a browser: found in the settings, confirmed twice, and gone on other servers too."""

from __future__ import annotations

from playwright.async_api import Browser, expect

from federation_tests.fediverse import Fediverse
from node.accounts import accounts
from node.auth import passwords, users
from node.database import Writer
from tests.browser.conftest import visitor
from tests.browser.seen import complaints
from web.request.session import SESSION_COOKIE

PASSWORD = "a picture a day"


async def test_who_deletes_their_account_is_gone_here_and_on_other_servers(
    fediverse: Fediverse, browser: Browser
) -> None:
    alice, bob = await fediverse.people("alice@a.test", "bob@b.test")
    await bob.follows(alice)
    await fediverse.settle()
    await alice.posts("Morning at the lake")
    await fediverse.settle()
    there = await bob.finds(alice)
    assert await bob.home() == ["Morning at the lake"]
    here, account = alice.node, await alice.account()
    hashed = await passwords.hash(PASSWORD)

    def has_password(tx: Writer) -> None:
        users.create(tx, account, email="alice@mail.example", password_hash=hashed)

    await here.db.write(has_password)
    context = await visitor(browser, width=390)
    page = await context.new_page()
    found = complaints(page)
    await page.goto(here.site.base_url + "/sign-in?next=/settings", wait_until="networkidle")
    await page.get_by_label("Username or e-mail").fill("alice")
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Settings")
    # She has been here for an hour.
    await here.db.write(lambda tx: tx.run("UPDATE sessions SET proved_at = 1"))

    await page.get_by_role("link", name="Delete account").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("Confirm that it is you")
    await page.wait_for_load_state("networkidle")
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Confirm", exact=True).click()
    name = page.get_by_label("To confirm, type your username")
    await name.fill("alcie")
    await page.get_by_role("button", name="Delete my account for good").click()
    await expect(page.get_by_text("This is not the name of your account.")).to_be_visible()
    await expect(name).to_be_focused()
    await name.fill("alice")
    await page.get_by_role("button", name="Delete my account for good").click()

    await expect(page.get_by_role("status").first).to_contain_text("Your account is deleted")
    assert SESSION_COOKIE not in [one.get("name") for one in await context.cookies() if one.get("value")]
    await fediverse.settle()
    assert (await bob.node.db.read(accounts.get, there.id)).deleted_at is not None
    assert await bob.home() == []
    await page.goto(here.site.base_url + "/@alice")
    await expect(page.get_by_text("Morning at the lake")).to_have_count(0)
    # The browser itself reports the two answers that are errors: the wrong name, and the profile that is gone.
    assert [one for one in found if "422" not in one and "410" not in one and "404" not in one] == []
    await context.close()
