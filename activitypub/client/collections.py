"""Collections of other servers, read page by page: so many pages, so many items, and only on one server.

Pages that lead to each other in circles, to other servers or to ever more pages end the reading; what was
found until then counts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from activitypub import vocab
from activitypub.client import documents
from activitypub.client.client import Unfetchable
from activitypub.client.fetch_budget import Budget, refusal
from activitypub.uris import Malformed, same_origin
from activitypub.vocab import Ref
from node.node import Node

MOST_PAGES = 10
MOST_ITEMS = 1000


@dataclass(slots=True)
class Members:
    """`total` is what the other server claims, within bounds: for display only."""

    items: list[Ref] = field(default_factory=list)
    total: int | None = None

    @property
    def uris(self) -> list[str]:
        return list(dict.fromkeys(item.uri for item in self.items if item.uri is not None))


async def members(
    node: Node, source: Ref, at: str, budget: Budget, *, pages: int = MOST_PAGES, most: int = MOST_ITEMS
) -> Members:
    """What a collection holds. `at` is the address of what names it: only that server is asked.

    Raises Unfetchable when the collection itself cannot be had.
    """
    found, seen = Members(), set[str]()
    here, url = source.doc, source.uri
    if here is not None and not any(name in here for name in ("items", "orderedItems", "first")):
        here = None
    for _ in range(pages + 1):
        try:
            if here is None:
                if url is None or url in seen or not same_origin(url, at):
                    break
                seen.add(url)
                here = await documents.list_at(node, url, budget)
            page = vocab.collection(here)
        except (Unfetchable, Malformed) as error:
            if found.items or found.total is not None:
                break
            raise error if isinstance(error, Unfetchable) else refusal(at, str(error)) from error
        found.total = page.total if found.total is None else found.total
        found.items += page.items
        if len(found.items) >= most:
            break
        here, url = _further(page)
    del found.items[most:]
    return found


def _further(page: vocab.CollectionDoc) -> tuple[dict[str, Any] | None, str | None]:
    """The next page, embedded or by its address. The front of a collection leads to its first one."""
    if not page.items and page.first:
        return page.first.doc, page.first.uri
    return None, page.next
