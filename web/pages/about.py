"""What this node is, who runs it, and what it does to a photo."""

from __future__ import annotations

from typing import Any

from quart import Blueprint, Response

from node import domains, statistics, users
from node.account_rows import Account
from node.database import Reader
from node.version import VERSION
from web import current
from web.render import page

blueprint = Blueprint("about", __name__)


def _about(tx: Reader, viewer: Account | None) -> dict[str, Any]:
    counts = statistics.of(tx)
    return {
        "people": counts.people,
        "posts": counts.posts,
        "staff": [person.account for person in users.staff(tx) if not person.account.is_gone],
        "blocked": [rule for rule in domains.all_blocked(tx) if rule.strength == "suspend"],
        "limited": [rule for rule in domains.all_blocked(tx) if rule.strength == "limit"],
    }


@blueprint.get("/about")
async def about() -> Response:
    found = await current.look(_about)
    options = current.node().config
    return await page(
        "about.html",
        version=VERSION,
        keeps_originals=options.media.keep_originals,
        source_url=options.node.source_url,
        **found,
    )
