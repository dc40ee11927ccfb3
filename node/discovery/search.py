"""Searches accounts, hashtags and posts that this node knows. Owns no table.

The search page and the client API call it; an account that is not known yet is fetched by
`activitypub.remote.actors`. Accounts that are not discoverable are found only by their full handle, or by their
followers. Post texts are searched in the public posts of local accounts that are discoverable, or indexable for search
engines, and in the viewer's own.

There is no index of words, so each search looks at a bounded number of rows: accounts whose handle or display name
begins with the query, people followed and local people for what stands in the middle of a name, and the newest posts.
"""

from __future__ import annotations

from node.accounts.accounts import by_handle, by_ids
from node.database import Reader, core
from node.ids import MAX_ID
from node.models.account import Account
from node.models.visibility import no_block_by, viewer_value, visible_to
from node.posts import hashtags as tags

MAX_RESULTS = 40
MAX_WORDS = 8
MAX_CANDIDATES = 200
MAX_SEARCHED_POSTS = 400
_AFTER_ALL = "\U0010ffff"  # sorts behind everything that begins as the text before it


def accounts(
    tx: Reader,
    query: str,
    viewer: Account | None,
    limit: int = 20,
    *,
    offset: int = 0,
    only_followed: bool = False,
) -> list[Account]:
    """Finds accounts by the beginning of their handle or display name; local and followed ones also by a part of it.

    Somebody whom the viewer has blocked is found, to be unblocked; somebody who has blocked the viewer is not.
    The exact handle comes first, then accounts that the viewer follows, then by number of followers. Of each kind the
    first `MAX_CANDIDATES` are compared. `limit` may be up to `MAX_RESULTS`.
    """
    text = query.strip().removeprefix("@").lower()
    if not text:
        return []
    name, _, domain = text.partition("@")
    exact = by_handle(tx, text)
    followed = """SELECT id FROM (SELECT c.followed_id AS id FROM follows c
        WHERE c.follower_id = :viewer AND c.state = 'accepted' ORDER BY c.id DESC LIMIT :most) AS followed"""
    candidates = [followed, "SELECT CAST(:exact AS BIGINT) AS id"]
    if not only_followed:
        is_named = (
            "lower(c.name) = :name" if domain else "lower(c.name) >= :name AND lower(c.name) < :name_end"
        )
        candidates += [
            f"""SELECT id FROM (SELECT c.id FROM accounts c WHERE {is_named}
                ORDER BY lower(c.name), c.domain LIMIT :most) AS named""",  # noqa: S608
            """SELECT id FROM (SELECT c.id FROM accounts c
                WHERE lower(c.display_name) >= :text AND lower(c.display_name) < :text_end
                ORDER BY lower(c.display_name) LIMIT :most) AS displayed""",
            """SELECT id FROM (SELECT c.id FROM accounts c WHERE c.is_local
                ORDER BY lower(c.name) LIMIT :most) AS local""",
        ]
    # Whole rows only of those that are shown: what is sorted stays small.
    rows = tx.all(
        f"""SELECT a.id FROM accounts a
            LEFT JOIN follows f ON f.follower_id = :viewer AND f.followed_id = a.id AND f.state = 'accepted'
            WHERE a.id IN ({" UNION ".join(candidates)})
              AND a.suspended_at IS NULL AND a.deleted_at IS NULL AND a.uri <> :node
              AND {no_block_by("a.id")}
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
        name=name,
        name_end=name + _AFTER_ALL,
        text=text,
        text_end=text + _AFTER_ALL,
        most=MAX_CANDIDATES,
        begins=core.escape_like(name) + "%",
        domain=core.escape_like(domain) + "%",
        named=f"%{core.escape_like(text)}%",
        only_followed=only_followed,
        limit=max(1, min(limit, MAX_RESULTS)),
        offset=max(0, offset),
    )
    ids = [row["id"] for row in rows]
    found = by_ids(tx, ids)
    return [found[id_] for id_ in ids]


def hashtags(tx: Reader, query: str, limit: int = 20) -> list[tags.Hashtag]:
    """Finds hashtags that begin with the query, with or without #, most used first."""
    return tags.suggest(tx, query.strip().removeprefix("#"), limit)


def posts(
    tx: Reader,
    query: str,
    viewer: Account | None,
    limit: int = 20,
    *,
    offset: int = 0,
    max_id: int = 0,
    author: Account | None = None,
    is_comment: bool | None = None,
) -> list[int]:
    """Returns the ids of posts that contain all words of the query, in caption,
    content warning or alt text, newest first. `is_comment` leaves only comments, or none.

    Words match inside longer ones; only the first `MAX_WORDS` count. The newest `MAX_SEARCHED_POSTS` of the public local
    posts, and as many of the viewer's own, are searched: of all, or of the author.
    """
    words = query.lower().split()[:MAX_WORDS]
    if not words or (author is not None and not author.is_local):
        return []
    texts = " AND ".join(
        f"""(lower(p.source) LIKE :word_{n} ESCAPE '!' OR lower(p.warning) LIKE :word_{n} ESCAPE '!'
             OR p.photos_count > 0 AND EXISTS (SELECT 1 FROM photos ph WHERE ph.post_id = p.id
                        AND lower(ph.alt) LIKE :word_{n} ESCAPE '!'))"""  # noqa: S608
        for n in range(len(words))
    )
    below = "AND c.id < :below ORDER BY c.id DESC LIMIT :most"
    is_public = "c.is_local AND c.visibility = 'public' AND c.deleted_at IS NULL"
    public = f"c.account_id = :author AND {is_public}" if author else is_public
    rows = tx.all(
        f"""SELECT p.id FROM posts p JOIN accounts a ON a.id = p.account_id
            WHERE p.id IN (SELECT id FROM (SELECT c.id FROM posts c WHERE {public} {below}) AS public
                           UNION SELECT id FROM (SELECT c.id FROM posts c WHERE c.account_id = :viewer {below}) AS own)
              AND p.is_local AND ((p.visibility = 'public' AND (a.is_discoverable OR a.is_indexable)) OR p.account_id = :viewer)
              {"" if is_comment is None else f"AND p.parent_uri {'<>' if is_comment else '='} ''"}
              AND (p.account_id = :author OR :author = 0) AND {texts} AND {visible_to("p")}
            ORDER BY p.id DESC LIMIT :limit OFFSET :offset""",  # noqa: S608
        viewer=viewer_value(viewer),
        below=max_id or MAX_ID,
        author=author.id if author else 0,
        most=MAX_SEARCHED_POSTS,
        limit=max(1, min(limit, MAX_RESULTS)),
        offset=max(0, offset),
        **{f"word_{n}": f"%{core.escape_like(word)}%" for n, word in enumerate(words)},
    )
    return [row["id"] for row in rows]
