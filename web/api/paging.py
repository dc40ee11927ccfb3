"""Parses the parameters of a page (`max_id`, `since_id`, `min_id`, `limit`) and builds its `Link` header.

Apps follow the header verbatim and append to it, so its URLs always hold a `?` and never a comma.
Some send the whole next URL back as `cursor`.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qs, urlencode

from node.ids import parse_id
from node.paging import Page
from web.api.params import Params


def requested_page(params: Params, default: int = 20, max_limit: int = 40) -> Page:
    """Parses the requested page.

    `max_id=0` is no bound, since some apps begin with it; `min_id=0` is the oldest page, where others begin.
    """
    max_id = params.id("max_id")
    if max_id is None and (cursor := params.text("cursor")):
        inner = parse_qs(cursor.partition("?")[2])
        found = (inner.get("max_id") or inner.get("cursor") or [""])[0]
        max_id = parse_id(found)
    min_id = params.id("min_id")
    if min_id is None and params.text("min_id") == "0":
        min_id = 1  # below every id there is, and still a bound to read upwards from
    return Page(
        max_id=max_id,
        since_id=params.id("since_id"),
        min_id=min_id,
        limit=params.number("limit", default, minimum=1, maximum=max_limit),
    )


def link_header(
    url: str, list_params: Sequence[tuple[str, str]], limit: int, newest: int | None, oldest: int | None
) -> str:
    """Builds the `Link` header of a page: older entries are next, newer ones are previous; None where there are none.

    `list_params` are the parameters that make the list what it is, such as `only_media`.
    """
    base = f"{url}?{urlencode(list_params)}&limit={limit}" if list_params else f"{url}?limit={limit}"
    links = [(f"max_id={oldest}", "next")] if oldest is not None else []
    links += [(f"min_id={newest}", "prev")] if newest is not None else []
    return ", ".join(f'<{base}&{bound}>; rel="{relation}"' for bound, relation in links)
