"""Viewer marks: what somebody has to do with a post, shown only to them. Owns no table.

Each mark is one line of `ViewerMarks` that says which table knows of it. The query is made of these lines, and
post views and post summaries carry what it found; so a new mark is a line here and the place that shows it.
"""

from __future__ import annotations

import functools
import itertools
from typing import Annotated, NamedTuple, get_type_hints


class ViewerMarks(NamedTuple):
    """Each is set where a row like this, with `{post}` for the post, belongs to the viewer."""

    liked: Annotated[bool, "likes m WHERE m.post_id = {post}.id"] = False
    boosted: Annotated[bool, "boosts m WHERE m.post_id = {post}.id"] = False
    bookmarked: Annotated[bool, "bookmarks m WHERE m.post_id = {post}.id"] = False
    muted: Annotated[bool, "mutes m WHERE m.target_id = {post}.account_id"] = False
    pinned: Annotated[bool, "pins m WHERE m.post_id = {post}.id"] = False


_ROWS = [hint.__metadata__[0] for hint in get_type_hints(ViewerMarks, include_extras=True).values()]

ALL = [ViewerMarks(*reversed(marks)) for marks in itertools.product((False, True), repeat=len(_ROWS))]
"""Every combination there is; its place is the number that `marks_on` gives for it."""


@functools.cache
def marks_on(post: str) -> str:
    """SQL: a number for the marks of `:viewer` on the row of `posts` known by this alias: the place in `ALL`."""
    return " + ".join(
        f"""CASE WHEN EXISTS (SELECT 1 FROM {row.format(post=post)} AND m.account_id = :viewer)
            THEN {1 << n} ELSE 0 END"""  # noqa: S608
        for n, row in enumerate(_ROWS)
    )
