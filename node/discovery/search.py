"""Searching what this node knows: people, hashtags, words. Owns no table.

People who do not want to be found are found only by their whole handle, or by who follows them; words
are looked for only in public posts of people who agreed to it, and in one's own. Someone who is not
known here yet is looked up by `activitypub.remote.actors`.
"""

from __future__ import annotations

from node.accounts.accounts import by_handle
from node.database import Reader, build, columns, core
from node.models.account import Account
from node.models.visibility import eyes, no_block, visible_to
from node.posts import hashtags as tags

MOST = 40
MOST_WORDS = 8


def accounts(
    tx: Reader,
    q: str,
    viewer: Account | None,
    limit: int = 20,
    *,
    offset: int = 0,
    only_followed: bool = False,
) -> list[Account]:
    """People by handle or name: the exact handle first, then who the viewer follows, then who many follow."""
    text = q.strip().removeprefix("@").lower()
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
        viewer=eyes(viewer),
        node=tx.site.uri("/actor"),
        exact=exact.id if exact else 0,
        begins=core.escaped(name) + "%",
        domain=core.escaped(domain) + "%",
        named=f"%{core.escaped(text)}%",
        only_followed=only_followed,
        limit=max(1, min(limit, MOST)),
        offset=max(0, offset),
    )
    return [build(Account, row) for row in rows]


def hashtags(tx: Reader, q: str, limit: int = 20) -> list[tags.Hashtag]:
    """Hashtags that begin as asked for, most used first."""
    return tags.suggest(tx, q.strip().removeprefix("#"), limit)


def posts(
    tx: Reader, q: str, viewer: Account | None, limit: int = 20, *, max_id: int = 0, by: Account | None = None
) -> list[int]:
    """Ids of posts with all the words in caption, warning or alt text, newest first."""
    words = q.lower().split()[:MOST_WORDS]
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
              AND (p.id < :max_id OR :max_id = 0) AND (p.account_id = :by OR :by = 0)
            ORDER BY p.id DESC LIMIT :limit""",  # noqa: S608
        viewer=eyes(viewer),
        max_id=max_id,
        by=by.id if by else 0,
        limit=max(1, min(limit, MOST)),
        **{f"word_{n}": f"%{core.escaped(word)}%" for n, word in enumerate(words)},
    )
    return [row["id"] for row in rows]
