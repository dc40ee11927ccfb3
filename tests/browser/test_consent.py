"""An app asks for an account, in a real browser: from another site, in a window of its own, and back to it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.async_api import Browser, BrowserContext, Page, Route, expect

from federation_tests.fediverse import Fediverse
from node.auth import passwords, users
from node.auth.oauth import apps
from tests.browser.conftest import visitor
from tests.browser.seen import Place, axe, complaints, place, signed_in
from tests.browser.test_accessibility import RUN

APP = "https://fernlight.example"
CALLBACK = f"{APP}/callback"
PASSWORD = "a picture a day"
# The site of the app: it opens a window, which tells it what came back and closes. `opener` is null where it was cut off.
START = """<!doctype html><title>Fernlight</title><p id="told">nothing</p>
<button onclick="window.open(decodeURIComponent(location.hash.slice(1)))">Sign in</button>
<script>addEventListener("message", (e) => { document.querySelector("#told").textContent = e.data; });</script>"""
END = """<!doctype html><title>Back</title><p>Back at Fernlight</p>
<script>if (opener) opener.postMessage(location.search, "*");</script>"""


@dataclass
class Asking:
    """A node, and an app that has registered there."""

    here: Place
    client_id: str

    def address(self, **changes: str) -> str:
        params = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": CALLBACK,
            "scope": "read write follow push",
            "state": "xyz",
            **changes,
        }
        return self.here.url(f"/oauth/authorize?{urlencode(params)}")


async def asking(fediverse: Fediverse, name: str = "Fernlight") -> Asking:
    here = await place(fediverse)
    app, _ = await here.node.db.write(
        apps.register, name=name, redirect_uris=[CALLBACK], scopes="read write follow push admin:read"
    )
    await here.node.db.write(users.set_password, here.alice.id, await passwords.hash(PASSWORD))
    return Asking(here, app.client_id)


async def with_app_site(context: BrowserContext) -> BrowserContext:
    """Lets a browser reach the site of the app."""

    async def answer(route: Route) -> None:
        body = END if urlsplit(route.request.url).path == "/callback" else START
        await route.fulfill(body=body, content_type="text/html; charset=utf-8")

    await context.route(f"{APP}/**", answer)
    return context


@pytest.mark.parametrize("width", [390, 1280])
async def test_a_web_app_signs_in_through_a_window_and_gets_its_code(
    fediverse: Fediverse, browser: Browser, width: int
) -> None:
    asked = await asking(fediverse)
    context = await with_app_site(await visitor(browser, width=width, touch=width == 390))
    page = await context.new_page()
    await page.goto(f"{APP}/#{asked.address()}", wait_until="networkidle")

    async with context.expect_page() as opened:
        await page.get_by_role("button", name="Sign in").click()
    window = await opened.value
    await window.wait_for_load_state("networkidle")
    for password in ("a guess", PASSWORD):
        await window.get_by_label("Username or e-mail").fill("alice")
        await window.get_by_label("Password").fill(password)
        async with window.expect_navigation():
            await window.get_by_role("button", name="Sign in").click()
        await window.wait_for_load_state("networkidle")
    await expect(window.get_by_role("heading", level=1)).to_have_text("Let Fernlight use your account?")
    await window.get_by_role("button", name="Let it in").click()

    await expect(window.get_by_text("Back at Fernlight")).to_be_visible()
    await expect(page.locator("#told")).to_contain_text("code=")
    told = parse_qs(await page.locator("#told").inner_text())
    assert told["state"] == ["xyz"]
    assert told["iss"] == [asked.here.url("/")]


@pytest.mark.parametrize("scripts", [False, True])
async def test_both_buttons_lead_back_to_the_app(
    fediverse: Fediverse, browser: Browser, scripts: bool
) -> None:
    asked = await asking(fediverse)
    context = await with_app_site(
        await signed_in(browser, asked.here, asked.here.bob, width=390, scripts=scripts)
    )
    page = await context.new_page()
    found = complaints(page)
    for button, told in (("Cancel", "error=access_denied"), ("Let it in", "code=")):
        await page.goto(asked.address(), wait_until="networkidle")
        await page.get_by_role("button", name=button).click()
        await expect(page.get_by_text("Back at Fernlight")).to_be_visible()
        assert page.url.startswith(f"{CALLBACK}?")
        assert told in page.url
    # The site of the app is not there, but for the test, which the browser notices in a redirect.
    assert [one for one in found if APP not in one] == []


async def test_a_wrong_link_says_so_and_leads_back_only_when_it_is_followed(
    fediverse: Fediverse, browser: Browser
) -> None:
    asked = await asking(fediverse)
    context = await with_app_site(await signed_in(browser, asked.here, asked.here.bob))
    page = await context.new_page()
    await page.goto(asked.address(scope="everything"), wait_until="networkidle")
    await expect(page.get_by_role("alert")).to_have_text("The app asks for nothing that you could allow.")
    await page.get_by_role("link", name="Back to Fernlight").click()
    await expect(page.get_by_text("Back at Fernlight")).to_be_visible()
    assert "error=invalid_scope" in page.url


async def test_it_is_decided_by_keyboard_alone(fediverse: Fediverse, browser: Browser) -> None:
    asked = await asking(fediverse)
    context = await with_app_site(await signed_in(browser, asked.here, asked.here.bob))
    page = await context.new_page()
    await page.goto(asked.address(), wait_until="networkidle")
    names = []
    for _ in range(4):
        await page.keyboard.press("Tab")
        names.append(await page.evaluate("document.activeElement.textContent.trim()"))
    assert names == ["Skip to content", "Not you?", "Cancel", "Let it in"]
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("Back at Fernlight")).to_be_visible()
    assert "code=" in page.url


@pytest.mark.parametrize("scripts", [False, True])
async def test_a_code_is_shown_to_be_copied(fediverse: Fediverse, browser: Browser, scripts: bool) -> None:
    asked = await asking(fediverse)
    app, _ = await asked.here.node.db.write(
        apps.register, name="toot", redirect_uris=[apps.OUT_OF_BAND_URI], scopes="read"
    )
    context = await signed_in(browser, asked.here, asked.here.bob, width=320, scripts=scripts)
    page = await context.new_page()
    address = Asking(asked.here, app.client_id).address(redirect_uri=apps.OUT_OF_BAND_URI)
    for button, heading in (("Let it in", "One more step"), ("Cancel", "Not let in")):
        await page.goto(address, wait_until="networkidle")
        await page.get_by_role("button", name=button).click()
        await expect(page.get_by_role("heading", level=1)).to_have_text(heading)
        if scripts:
            await page.evaluate(axe())
            assert await page.evaluate(RUN) == []
        if button == "Let it in":
            assert len(await page.get_by_label("Code").input_value()) > 40


async def test_another_site_cannot_put_the_page_into_a_frame(fediverse: Fediverse, browser: Browser) -> None:
    asked = await asking(fediverse)
    context = await signed_in(browser, asked.here, asked.here.bob)
    page = await context.new_page()
    address = asked.address().replace("&", "&amp;")

    async def frame(route: Route) -> None:
        await route.fulfill(
            body=f'<!doctype html><iframe src="{address}"></iframe>', content_type="text/html"
        )

    await context.route("https://evil.example/", frame)
    await page.goto("https://evil.example/", wait_until="networkidle")
    inside = page.frames[1]
    assert "Let it in" not in await inside.content()


async def test_the_second_click_on_a_window_that_has_just_closed_lets_nothing_in(
    fediverse: Fediverse, browser: Browser
) -> None:
    asked = await asking(fediverse)
    context = await with_app_site(await signed_in(browser, asked.here, asked.here.bob))
    page = await context.new_page()
    await page.goto(asked.address(), wait_until="networkidle")
    button = await page.get_by_role("button", name="Let it in").bounding_box()
    assert button is not None
    middle = button["x"] + button["width"] / 2, button["y"] + button["height"] / 2
    # The window above it is closed by the first click, and this one comes to the front.
    await page.evaluate("dispatchEvent(new Event('focus'))")
    await page.mouse.click(*middle)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Let Fernlight use your account?")
    await page.get_by_role("button", name="Let it in").click()
    await expect(page.get_by_text("Back at Fernlight")).to_be_visible()


LONG = "An app with a very long name that somebody made to see what happens to it"


@pytest.mark.parametrize(("width", "theme"), [(320, "light"), (390, "dark"), (1280, "light"), (1280, "dark")])
async def test_its_pages_are_accessible_and_fit(
    fediverse: Fediverse, browser: Browser, width: int, theme: str
) -> None:
    asked, source = await asking(fediverse, LONG), axe()
    context = await signed_in(browser, asked.here, asked.here.alice, width=width, touch=width < 400)
    page = await context.new_page()
    await page.emulate_media(color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce")
    found = complaints(page)
    for changes in ({"scope": "read write follow push admin:read"}, {"scope": "everything"}):
        for size in ("100%", "200%"):
            await page.goto(asked.address(**changes), wait_until="networkidle")
            await _text(page, size)
            await page.evaluate(source)
            found += await page.evaluate(RUN)
            wide = await page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert wide <= 0, f"{changes} at {size}"
    assert [one for one in found if "400" not in one] == []


async def _text(page: Page, size: str) -> None:
    """Makes all text as large as a browser's own setting would."""
    await page.evaluate("(size) => { document.documentElement.style.fontSize = size; }", size)
