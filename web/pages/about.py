"""What this node is, who runs it, and what it does to a photo."""

from __future__ import annotations

from typing import Any

from quart import Blueprint, Response

from node.admin import statistics
from node.auth import users
from node.database import Reader
from node.models.account import Account
from node.moderation import domain_policy
from node.version import VERSION
from web.html.templates import page
from web.request import context

blueprint = Blueprint("about", __name__)


def _about(tx: Reader, viewer: Account | None) -> dict[str, Any]:
    counts = statistics.of(tx)
    return {
        "people": counts.people,
        "posts": counts.posts,
        "staff": [person.account for person in users.staff(tx) if not person.account.is_gone],
        "blocked": [rule for rule in domain_policy.all_blocked(tx) if rule.strength == "suspend"],
        "limited": [rule for rule in domain_policy.all_blocked(tx) if rule.strength == "limit"],
    }


@blueprint.get("/about")
async def about() -> Response:
    found = await context.look(_about)
    options = context.node().config
    return await page(
        "about.html",
        version=VERSION,
        keeps_originals=options.media.keep_originals,
        source_url=options.node.source_url,
        **found,
    )
