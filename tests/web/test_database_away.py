"""While the database is away every request is answered 503, in the form of who asks, and an activity is not lost."""

from __future__ import annotations

from typing import Any

import pytest

from node.errors import DatabaseUnavailable
from node.models.account import Account
from node.node import Node
from tests.support.asgi import Client
from tests.support.away_database import AwayDatabase
from tests.support.visitors import Visitor, sign_in
from web.app import App, create_app
from web.unavailable import StartingApp


@pytest.fixture
def app(node: Node) -> App:
    return create_app(node)


@pytest.fixture
def away(node: Node) -> AwayDatabase:
    away = AwayDatabase(node.db)
    node.db = away
    return away


@pytest.mark.parametrize(
    "path", ["/", "/explore", "/@alice", "/search?q=lake", "/settings/profile", "/sign-in/none"]
)
async def test_a_page_says_so_and_when_to_come_again(
    node: Node, app: App, away: AwayDatabase, alice: Account, path: str
) -> None:
    browser = await sign_in(node, alice, app=app)
    away.is_away = True

    for visitor in (browser, Visitor(app)):
        page = await visitor.get(path)
        if page.status != 404:
            assert page.status == 503
            assert page.headers["retry-after"]
            assert "cannot reach its database" in page.main_text
            assert page.all("link", rel="stylesheet")
            assert page.one("a", href="").text.strip() == "Try again"


async def test_a_form_is_answered_alike_and_sent_again_it_works(
    node: Node, app: App, away: AwayDatabase, alice: Account
) -> None:
    browser = await sign_in(node, alice, app=app)
    await browser.get("/compose")
    away.is_away = True
    form = {"caption": "Morning", "visibility": "public"}
    assert (
        await browser.post("/compose", form, csrf=browser.page.csrf if browser.page else "")
    ).status == 503
    away.is_away = False


async def test_apps_get_json(app: App, away: AwayDatabase) -> None:
    away.is_away = True

    for method, path in (
        ("GET", "/api/v1/timelines/public"),
        ("POST", "/api/v1/statuses"),
        ("GET", "/api/v2/search?q=a"),
    ):
        reply = await Client(app, {"authorization": "Bearer x"}).call(method, path)
        assert reply.status == 503
        assert reply.headers["retry-after"]
        assert "database" in reply.json["error"]


@pytest.mark.parametrize(
    "path", ["/actor", "/users/alice", "/p/alice/1", "/nodeinfo/2.0", "/users/alice/outbox"]
)
async def test_other_servers_are_asked_to_come_again(app: App, away: AwayDatabase, path: str) -> None:
    away.is_away = True

    reply = await Client(app, {"accept": "application/activity+json"}).get(path)

    assert (reply.status, bool(reply.headers["retry-after"])) == (503, True)


async def test_files_are_answered_alike(app: App, away: AwayDatabase) -> None:
    away.is_away = True

    reply = await Client(app).get("/media/ab/cd/efgh.webp")

    assert (reply.status, bool(reply.headers["retry-after"])) == (503, True)


async def test_a_node_that_has_not_opened_its_database_answers_each_in_its_form() -> None:
    app = StartingApp()
    error = DatabaseUnavailable("it does not answer")

    page = await Client(app, {"accept": "text/html"}).get("/")
    assert (page.status, page.headers["retry-after"]) == (503, str(error.retry_after))
    assert error.message in page.body.decode()
    assert '<a href="">Try again</a>' in page.body.decode()
    assert (await Client(app).get("/api/v1/instance")).json == {"error": error.message}
    assert (await Client(app, {"accept": "application/activity+json"}).post("/inbox", sent={})).status == 503


async def test_a_node_that_has_opened_its_database_answers_itself(app: App) -> None:
    starting = StartingApp()
    starting.app = app

    assert (await Client(starting).get("/api/v1/instance")).status == 200


def test_the_error_says_what_and_for_whom() -> None:
    error: Any = DatabaseUnavailable("connection refused\n\tIs the server running?")

    assert str(error) == "The database cannot be used: connection refused Is the server running?"
    assert "connection" not in error.message
