"""Viewer marks: whether the viewer has liked, boosted, bookmarked, muted or pinned a post. Owns no table.

Each mark is one line of `ViewerMarks` that names the table it is read from. The query is built from these lines, and
`post_views` and `post_summaries` carry its result; so a new mark is a line here and the place that shows it.
"""

from __future__ import annotations

import functools
import itertools
from typing import Annotated, NamedTuple, get_type_hints


class ViewerMarks(NamedTuple):
    """The marks of one viewer on one post. A mark is set if a row that matches its condition belongs to the viewer.

    In the conditions `{post}` stands for the alias of `posts`, and `m` must be that of the table.
    """

    liked: Annotated[bool, "likes m WHERE m.post_id = {post}.id"] = False
    boosted: Annotated[bool, "boosts m WHERE m.post_id = {post}.id"] = False
    bookmarked: Annotated[bool, "bookmarks m WHERE m.post_id = {post}.id"] = False
    muted: Annotated[bool, "mutes m WHERE m.target_id = {post}.account_id"] = False
    pinned: Annotated[bool, "pins m WHERE m.post_id = {post}.id"] = False


_ROWS = [hint.__metadata__[0] for hint in get_type_hints(ViewerMarks, include_extras=True).values()]

ALL = [ViewerMarks(*reversed(marks)) for marks in itertools.product((False, True), repeat=len(_ROWS))]
"""Every combination of marks; its index is the number that `marks_on` yields for it."""


@functools.cache
def marks_on(post: str) -> str:
    """Builds SQL for a number, the index in `ALL`: the marks of `:viewer` on the row of `posts` with this alias.

    A viewer has one row at most for a post. It is counted, since PostgreSQL may answer EXISTS by reading everything that
    the viewer has ever marked.
    """
    return " + ".join(
        f"""(SELECT COUNT(*) FROM {row.format(post=post)} AND m.account_id = :viewer) * {1 << n}"""  # noqa: S608
        for n, row in enumerate(_ROWS)
    )
