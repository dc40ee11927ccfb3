"""Apps: to which addresses people may be sent, and how long an app is kept."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from node.auth import access_tokens
from node.auth.oauth import apps, authorization_codes
from node.auth.oauth.apps import ClientApp
from node.database import Database, Reader
from node.errors import Invalid
from node.ids import now_ms
from node.models.account import Account

DAY_MS = 24 * 3_600_000
PIECES = [
    "https://",
    "http://",
    "app://",
    "app:",
    "javascript:",
    "good.example",
    "evil.example",
    "127.0.0.1",
    "localhost",
    "[::1]",
    ":80",
    ":8443",
    ":",
    "/",
    "//",
    "/cb",
    "?",
    "#",
    "@",
    ".",
    "..",
    "%2e",
    "\\",
    "\t",
    "\n",
    "",
    "a",
    "A",
    "é",
    "*",
    "%",
    "&",
    "=",
    ";",
    "user",
    "0",
]
uris = st.one_of(st.lists(st.sampled_from(PIECES), max_size=7).map("".join), st.text(max_size=40))
ports = st.sampled_from(["", ":80", ":8443"])
paths = st.sampled_from(["", "/", "/cb", "/cb?a=b", "?a"])
hosts = st.sampled_from(["127.0.0.1", "localhost", "[::1]"])
proper = st.one_of(
    st.builds("http://{}{}{}".format, hosts, ports, paths),
    st.builds("https://{}{}{}".format, st.sampled_from(["good.example", "localhost"]), ports, paths),
    st.builds("app:/{}".format, paths),
)


@st.composite
def nearly(draw: st.DrawFn) -> tuple[str, str]:
    """A proper address, and one that differs by what was put into it or taken out."""
    known = draw(proper)
    start = draw(st.integers(0, len(known)))
    end = draw(st.integers(start, min(len(known), start + 6)))
    return known, known[:start] + draw(st.sampled_from(PIECES)) + known[end:]


def is_accepted(uri: str) -> bool:
    try:
        apps.check_redirect_uri(uri)
    except Invalid:
        return False
    return True


def app_with(*uris: str) -> ClientApp:
    return ClientApp(1, "App", "", 1, redirect_uris=uris)


@given(uris)
@example("http://127.0.0.1\\@evil.example/")
@example("http://localhost:80@evil.example/")
@example("https://good.example\n.evil.example/")
def test_an_accepted_address_is_one_that_leads_to_an_app(uri: str) -> None:
    if not is_accepted(uri):
        return
    assert uri.isascii()
    assert uri.isprintable()
    assert not set(' "<>\\#') & set(uri)
    parts = urlsplit(uri)
    assert parts.scheme not in ("javascript", "data", "file", "vbscript", "blob")
    if parts.scheme in ("http", "https"):
        assert parts.hostname
        assert parts.username is None
        assert parts.scheme == "https" or parts.hostname in ("127.0.0.1", "localhost", "::1")


@given(nearly())
@example(("http://127.0.0.1/cb", "http://127.0.0.1:80\n80/cb"))
@example(("http://localhost/cb", "http://localhost:80@evil.example/cb"))
@example(("http://localhost/cb", "http://localhost:99999/cb"))
@example(("https://good.example/cb", "https://good.example:8443/cb"))
@example(("https://good.example/cb", "https://good.example/cb/"))
@example(("https://good.example/cb", "https://good.example/cb?"))
@example(("https://good.example/cb", "HTTPS://good.example/cb"))
@example(("https://good.example/cb", "https://good.example/a/../cb"))
def test_people_are_sent_to_a_registered_address_or_a_port_of_their_machine(pair: tuple[str, str]) -> None:
    known, uri = pair
    assert is_accepted(known)
    assert app_with(known).allows_redirect(known)
    if uri == known or not app_with(known).allows_redirect(uri):
        return
    here, there = urlsplit(known), urlsplit(uri)
    assert is_accepted(uri)
    assert here.scheme == there.scheme == "http"
    assert here.hostname == there.hostname
    assert there.hostname in ("127.0.0.1", "localhost", "::1")
    assert here[2:] == there[2:]
    assert there.port is None or 0 <= there.port < 65536


@given(proper, st.integers(0, 65535), hosts)
def test_an_app_may_take_any_port_of_the_machine_it_runs_on(other: str, port: int, host: str) -> None:
    app = app_with(other, f"http://{host}/cb?a=b")
    assert app.allows_redirect(f"http://{host}:{port}/cb?a=b")
    assert app.allows_redirect(other)
    assert not app.allows_redirect(f"http://{host}:{port}/another")


def test_a_secret_is_compared_by_its_hash() -> None:
    assert not app_with("app://").is_secret("")
    assert not app_with("app://").is_secret("guess")


@pytest.mark.parametrize("website", ["javascript:alert(1)", "fernlight.example", "https://", "https://a\nb"])
async def test_a_website_that_cannot_be_linked_is_left_out(db: Database, website: str) -> None:
    app, _ = await db.write(apps.register, name="App", redirect_uris=["app://"], website=website)
    assert app.website == ""


async def test_an_app_is_deleted_a_day_after_nobody_let_it_in_or_a_year_after_the_last_did(
    db: Database, alice: Account
) -> None:
    def known(tx: Reader, app: ClientApp) -> bool:
        return apps.by_client_id(tx, app.client_id) is not None

    async def after(days: int) -> list[bool]:
        await db.write(authorization_codes.clean_up, now_ms() + days * DAY_MS)
        await db.write(apps.clean_up, now_ms() + days * DAY_MS, None)
        return [await db.read(known, app) for app in (never, once, held)]

    never, once, held = [
        (await db.write(apps.register, name=name, redirect_uris=["app://"]))[0] for name in "abc"
    ]
    await db.write(
        authorization_codes.create, "code", once, alice, redirect_uri="app://", scopes=["read"], challenge=""
    )
    await db.write(access_tokens.issue, alice, ["read"], held.id)

    assert await after(0) == [True, True, True]
    assert await after(2) == [False, True, True]
    assert await after(364) == [False, True, True]
    assert await after(367) == [False, False, True]
