"""Reads collections of remote servers page by page, with limits on pages, items and servers.

Reading ends at a page that was read before, at one on another server and at the limits; the items read until
then are returned.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from activitypub import vocab
from activitypub.client import documents
from activitypub.client.client import Unfetchable
from activitypub.client.fetch_budget import FetchBudget, permanent_failure
from activitypub.uris import Malformed, same_origin
from activitypub.vocab import Ref
from node.node import Node

MAX_PAGES = 10
MAX_ITEMS = 1000


@dataclass(slots=True)
class CollectionItems:
    """The items of a collection; `total` is what the remote server claims, within bounds: for display only."""

    items: list[Ref] = field(default_factory=list)
    total: int | None = None

    @property
    def uris(self) -> list[str]:
        return list(dict.fromkeys(item.uri for item in self.items if item.uri is not None))


async def fetch_items(
    node: Node,
    source: Ref,
    owner_uri: str,
    budget: FetchBudget,
    *,
    max_pages: int = MAX_PAGES,
    max_items: int = MAX_ITEMS,
) -> CollectionItems:
    """Fetches the items of a collection. `owner_uri` is the id of its owner: only that origin is asked.

    `source` may embed the collection. Raises Unfetchable when not even the first document can be read.
    """
    found, seen = CollectionItems(), set[str]()
    doc, url = source.doc, source.uri
    if doc is not None and not any(name in doc for name in ("items", "orderedItems", "first")):
        doc = None
    for _ in range(max_pages + 1):
        try:
            if doc is None:
                if url is None or url in seen or not same_origin(url, owner_uri):
                    break
                seen.add(url)
                doc = await documents.fetch_collection(node, url, budget)
            page = vocab.parse_collection(doc)
        except (Unfetchable, Malformed) as error:
            if found.items or found.total is not None:
                break
            raise (
                error if isinstance(error, Unfetchable) else permanent_failure(owner_uri, str(error))
            ) from error
        found.total = page.total if found.total is None else found.total
        found.items += page.items
        if len(found.items) >= max_items:
            break
        doc, url = _next_page(page)
    del found.items[max_items:]
    return found


def _next_page(page: vocab.CollectionDoc) -> tuple[dict[str, Any] | None, str | None]:
    """Returns the next page, embedded or by its address.

    A collection without items leads to its `first` page.
    """
    if not page.items and page.first:
        return page.first.doc, page.first.uri
    return None, page.next
