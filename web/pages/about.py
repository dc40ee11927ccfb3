"""The About page: what this node is, who runs it, and how it processes photos; and whether it works, for monitors."""

from __future__ import annotations

from typing import Any

from quart import Blueprint, Response

from node.admin.statistics import StatisticsCache
from node.auth import users
from node.database import Reader
from node.models.account import Account
from node.moderation import domain_rules
from node.version import VERSION
from web.html.templates import render_page
from web.request import context

blueprint = Blueprint("about", __name__)


def _load_about(tx: Reader, viewer: Account | None, statistics: StatisticsCache) -> dict[str, Any]:
    counts = statistics.current(tx)
    return {
        "people": counts.people,
        "posts": counts.posts,
        "staff": [person.account for person in users.staff(tx) if not person.account.is_inactive],
        "blocked": [rule for rule in domain_rules.all_rules(tx) if rule.strength == "suspend"],
        "limited": [rule for rule in domain_rules.all_rules(tx) if rule.strength == "limit"],
    }


@blueprint.get("/about")
async def show_about() -> Response:
    found = await context.read(_load_about, context.current_node().component(StatisticsCache))
    options = context.current_node().config
    return await render_page(
        "about.html",
        version=VERSION,
        keeps_originals=options.media.keep_originals,
        source_url=options.node.source_url,
        contact_email=options.node.contact_email,
        **found,
    )


def _read_one_row(tx: Reader, viewer: Account | None) -> None:
    tx.value("SELECT 1")


@blueprint.get("/health")
async def show_health() -> Response:
    """Answers 200 while the database does, 503 otherwise; as Mastodon does at the same address."""
    await context.read(_read_one_row)
    return Response('{"status":"OK"}', content_type="application/json")
