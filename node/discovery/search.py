"""Searches accounts, hashtags and posts that this node knows. Owns no table.

The search page and the client API call it; an account that is not known yet is fetched by
`activitypub.remote.actors`. Accounts that are not discoverable are found only by their full handle, or by their
followers. Post texts are searched only in public posts of accounts that are indexable, and in the viewer's own.
"""

from __future__ import annotations

from node.accounts.accounts import by_handle
from node.database import Reader, build, columns, core
from node.models.account import Account
from node.models.visibility import no_block, viewer_value, visible_to
from node.posts import hashtags as tags

MAX_RESULTS = 40
MAX_WORDS = 8


def accounts(
    tx: Reader,
    query: str,
    viewer: Account | None,
    limit: int = 20,
    *,
    offset: int = 0,
    only_followed: bool = False,
) -> list[Account]:
    """Finds accounts by the beginning of their handle, or a part of their display name.

    The exact handle comes first, then accounts that the viewer follows, then by number of followers. `limit` may be
    up to `MAX_RESULTS`.
    """
    text = query.strip().removeprefix("@").lower()
    if not text:
        return []
    name, _, domain = text.partition("@")
    exact = by_handle(tx, text)
    rows = tx.all(
        f"""SELECT {columns(Account, "a")} FROM accounts a
            LEFT JOIN follows f ON f.follower_id = :viewer AND f.followed_id = a.id AND f.state = 'accepted'
            WHERE a.suspended_at IS NULL AND a.deleted_at IS NULL AND a.uri <> :node
              AND {no_block("a.id")}
              AND (a.id = :exact
                   OR (((a.is_discoverable AND NOT a.is_limited) OR f.id IS NOT NULL)
                       AND ((lower(a.name) LIKE :begins ESCAPE '!' AND a.domain LIKE :domain ESCAPE '!')
                            OR lower(a.display_name) LIKE :named ESCAPE '!')))
              AND (f.id IS NOT NULL OR NOT :only_followed)
            ORDER BY CASE WHEN a.id = :exact THEN 0 ELSE 1 END,
                     CASE WHEN f.id IS NOT NULL THEN 0 ELSE 1 END,
                     a.followers_count DESC, a.id
            LIMIT :limit OFFSET :offset""",  # noqa: S608
        viewer=viewer_value(viewer),
        node=tx.site.uri("/actor"),
        exact=exact.id if exact else 0,
        begins=core.escape_like(name) + "%",
        domain=core.escape_like(domain) + "%",
        named=f"%{core.escape_like(text)}%",
        only_followed=only_followed,
        limit=max(1, min(limit, MAX_RESULTS)),
        offset=max(0, offset),
    )
    return [build(Account, row) for row in rows]


def hashtags(tx: Reader, query: str, limit: int = 20) -> list[tags.Hashtag]:
    """Finds hashtags that begin with the query, with or without #, most used first."""
    return tags.suggest(tx, query.strip().removeprefix("#"), limit)


def posts(
    tx: Reader,
    query: str,
    viewer: Account | None,
    limit: int = 20,
    *,
    max_id: int = 0,
    author: Account | None = None,
) -> list[int]:
    """Returns the ids of posts that contain all words of the query, in caption,
    content warning or alt text, newest first.

    Words match inside longer ones; only the first `MAX_WORDS` count.
    """
    words = query.lower().split()[:MAX_WORDS]
    if not words:
        return []
    texts = " AND ".join(
        f"""(lower(p.source) LIKE :word_{n} ESCAPE '!' OR lower(p.warning) LIKE :word_{n} ESCAPE '!'
             OR EXISTS (SELECT 1 FROM photos ph WHERE ph.post_id = p.id
                        AND lower(ph.alt) LIKE :word_{n} ESCAPE '!'))"""  # noqa: S608
        for n in range(len(words))
    )
    rows = tx.all(
        f"""SELECT p.id FROM posts p JOIN accounts a ON a.id = p.account_id
            WHERE p.is_local AND p.deleted_at IS NULL
              AND ((p.visibility = 'public' AND a.is_indexable) OR p.account_id = :viewer)
              AND {visible_to("p")} AND {texts}
              AND (p.id < :max_id OR :max_id = 0) AND (p.account_id = :author OR :author = 0)
            ORDER BY p.id DESC LIMIT :limit""",  # noqa: S608
        viewer=viewer_value(viewer),
        max_id=max_id,
        author=author.id if author else 0,
        limit=max(1, min(limit, MAX_RESULTS)),
        **{f"word_{n}": f"%{core.escape_like(word)}%" for n, word in enumerate(words)},
    )
    return [row["id"] for row in rows]
