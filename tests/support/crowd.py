"""A crowded node: many posts of which few are what a page looks for, made by SQL alone so that it takes seconds.

`found` makes the few people that pages are read of and by. `grow` adds posts from one number up to another, and what
hangs on them. The skew is the point: photos, the tag #fog, mentions and what `alice` may see are among the first
`SILENT` posts alone; whatever is newer is text, tagged #loud, by people whom she blocks or mutes, by a limited server,
by suspended accounts, or private.
"""

from __future__ import annotations

from dataclasses import dataclass

from node.accounts import accounts, keys
from node.auth import access_tokens, sessions, users
from node.database import Writer
from node.ids import now_ms
from node.jobs.queue import PARKED_RUN_AT
from node.models.account import Account
from tests.support.people import remote

SILENT = 5_000
POSTS_PER_ACCOUNT = 10
DAYS = 25
DAY_MS = 24 * 3_600_000
LOUD, FOG = 1, 2


@dataclass(frozen=True)
class Crowd:
    """`alice` blocks, mutes and follows many; `bob` and `carol` are local and loud, `rita` is remote and loud.

    `root` is a post with many comments, `famous` one with many likes and boosts; both are photos by bob.
    """

    alice: Account
    bob: Account
    carol: Account
    rita: Account
    start_ms: int
    step_ms: int
    session: str
    token: str

    def post_id(self, number: int) -> int:
        return (self.start_ms + number * self.step_ms) << 16

    @property
    def root(self) -> int:
        return self.post_id(25)

    @property
    def famous(self) -> int:
        return self.post_id(225)


def found(tx: Writer, posts: int) -> Crowd:
    """Makes the people that pages are read of and by, on a node that will hold so many posts."""
    pair = keys.generate()
    alice, bob, carol = (accounts.create_local(tx, name, pair=pair) for name in ("alice", "bob", "carol"))
    rita = remote(tx, "rita")
    for person in (alice, bob, carol):
        users.create(
            tx,
            person,
            email=f"{person.name}@tintype.test",
            password_hash="-",
            role="admin" if person is alice else "user",
        )
    tx.run("UPDATE accounts SET is_indexable = TRUE, display_name = 'Bob Fog' WHERE id = :id", id=bob.id)
    tx.many(
        "INSERT INTO hashtags (id, name, display, created_at) VALUES (:id, :name, :name, 1)",
        [{"id": LOUD, "name": "loud"}, {"id": FOG, "name": "fog"}],
    )
    return Crowd(
        alice,
        bob,
        carol,
        rita,
        now_ms() - DAYS * DAY_MS,
        DAYS * DAY_MS // posts,
        sessions.start(tx, alice, "A browser"),
        access_tokens.create(tx, alice, ["read", "write", "follow"], "An app"),
    )


def grow(tx: Writer, crowd: Crowd, first: int, end: int) -> None:
    """Adds the posts numbered from `first` up to `end`, and the accounts and rows that come with them."""
    for statement in _statements():
        tx.run(
            f"""WITH RECURSIVE numbers (n) AS (
                    SELECT CAST(:first AS BIGINT) UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < :end)
                {statement}""",
            **{
                name: value
                for name, value in {
                    "first": first,
                    "end": end,
                    "start": crowd.start_ms,
                    "step": crowd.step_ms,
                    "alice": crowd.alice.id,
                    "bob": crowd.bob.id,
                    "carol": crowd.carol.id,
                    "rita": crowd.rita.id,
                    "root": crowd.root,
                    "famous": crowd.famous,
                    "silent": SILENT,
                    "every": POSTS_PER_ACCOUNT,
                }.items()
                if name in ("first", "end") or f":{name}" in statement
            },
        )


_ID = "((CAST(:start AS BIGINT) + n * CAST(:step AS BIGINT)) * 65536)"
_URI = f"""CASE WHEN author = :bob THEN 'https://tintype.test/p/bob/' || {_ID}
    ELSE 'https://far.example/p/' || n END"""
_AT = "(CAST(:start AS BIGINT) + n * CAST(:step AS BIGINT))"
_IS_SILENT = "(n % 50 = 25 AND n < CAST(:silent AS BIGINT))"


def _someone(first: int, number: int) -> str:
    """Returns SQL for the id of one of the accounts with these numbers, which all exist from the beginning."""
    return f"(1000 + {first} + n % {number})"


# Who writes the posts whose number has this remainder by 20, and what else is not as usual.
_BLOCKED, _MUTED, _FOLLOWED = _someone(500, 500), _someone(300, 200), _someone(0, 100)
_LIMITED, _SUSPENDED, _HIDDEN = _someone(100, 100), _someone(200, 50), _someone(250, 50)
_AUTHOR = f"""CASE WHEN {_IS_SILENT} THEN
        CASE n / 50 % 4 WHEN 0 THEN CAST(:bob AS BIGINT) WHEN 1 THEN CAST(:rita AS BIGINT)
            WHEN 2 THEN CAST(:carol AS BIGINT) ELSE {_FOLLOWED} END
    ELSE CASE n % 20
        WHEN 0 THEN {_LIMITED} WHEN 1 THEN {_BLOCKED} WHEN 2 THEN {_MUTED} WHEN 13 THEN {_SUSPENDED}
        WHEN 14 THEN {_HIDDEN} WHEN 3 THEN CAST(:rita AS BIGINT) WHEN 11 THEN CAST(:rita AS BIGINT)
        WHEN 12 THEN CAST(:rita AS BIGINT) WHEN 19 THEN CAST(:carol AS BIGINT)
        WHEN 9 THEN {_FOLLOWED} WHEN 10 THEN {_FOLLOWED} WHEN 15 THEN {_SUSPENDED} WHEN 16 THEN {_BLOCKED}
        WHEN 17 THEN {_FOLLOWED} WHEN 18 THEN {_FOLLOWED} ELSE CAST(:bob AS BIGINT) END END"""
_VISIBILITY = f"""CASE WHEN {_IS_SILENT} THEN 'public' WHEN n % 20 IN (6, 11) THEN 'followers'
    WHEN n % 20 IN (7, 12) THEN 'direct' WHEN n % 20 = 8 THEN 'unlisted' ELSE 'public' END"""
_IS_COMMENT = f"(n % 20 IN (5, 9, 10, 17, 18) AND NOT {_IS_SILENT} AND n > 100)"
_IS_TAGGED = f"({_IS_SILENT} OR n % 20 IN (0, 1, 2, 3, 4, 8, 13, 14, 15))"


def _statements() -> list[str]:
    newcomers = "FROM numbers WHERE n % CAST(:every AS BIGINT) = 0"
    person = "1000 + n / CAST(:every AS BIGINT)"
    return [
        f"""INSERT INTO accounts (id, uri, url, name, domain, host, is_local, display_name, inbox,
                is_limited, suspended_at, hides_from_web, created_at, updated_at)
            SELECT {person}, 'https://far.example/users/f' || n, '', 'f' || n, 's' || (n % 1000) || '.example',
                's' || (n % 1000) || '.example', FALSE, 'Fog ' || n, 'https://s' || (n % 2000) || '.example/' || n,
                n / 10 >= 100 AND n / 10 < 200, CASE WHEN n / 10 >= 200 AND n / 10 < 250 THEN 1 END,
                n / 10 >= 250 AND n / 10 < 300, 1, 1 {newcomers}""",
        f"""INSERT INTO keys (id, account_id, algorithm, public, fetched_at)
            SELECT 'https://far.example/users/f' || n || '#key', {person}, 'rsa', 'PEM', 1 {newcomers}""",
        """INSERT INTO emoji (id, domain, shortcode, url, updated_at, created_at)
            SELECT 1, 'gone.example', 'fog', 'https://gone.example/fog.png', 0, 1 FROM numbers WHERE n = 0""",
        f"""INSERT INTO posts (id, uri, url, account_id, is_local, visibility, caption, source, parent_id,
                parent_uri, root_id, photos_count, published_at, created_at)
            SELECT {_ID}, {_URI}, {_URI}, author,
                author IN (:bob, :carol), {_VISIBILITY}, '<p>Fog over the lake</p>', 'Fog over the lake ' || n,
                parent, CASE WHEN parent IS NULL THEN '' ELSE 'https://far.example/parent' END,
                CASE WHEN parent IS NULL THEN {_ID} ELSE CAST(:root AS BIGINT) END,
                CASE WHEN {_IS_SILENT} THEN 1 ELSE 0 END, {_AT}, {_AT}
            FROM (SELECT n, {_AUTHOR} AS author, CASE WHEN NOT {_IS_COMMENT} THEN NULL
                      WHEN n % 20 = 10 THEN {_ID.replace("n *", "(n - 1) *")} ELSE CAST(:root AS BIGINT) END
                      AS parent FROM numbers) AS written""",
        f"""INSERT INTO photos (id, account_id, post_id, mime, width, height, alt, created_at)
            SELECT {_ID}, p.account_id, p.id, 'image/jpeg', 40, 30, 'fog', 1
            FROM numbers JOIN posts p ON p.id = {_ID} WHERE {_IS_SILENT}""",
        f"""INSERT INTO mentions (post_id, account_id, private_by)
            SELECT {_ID}, CAST(:alice AS BIGINT), CASE WHEN NOT {_IS_SILENT} THEN CAST(:rita AS BIGINT) END
            FROM numbers WHERE n % 20 = 12 OR {_IS_SILENT}""",
        f"""INSERT INTO mentions (post_id, account_id, is_silent)
            SELECT p.id, CAST(:bob AS BIGINT), TRUE FROM numbers JOIN posts p ON p.id = {_ID}
            WHERE p.parent_id IS NOT NULL AND p.account_id <> :bob""",
        """INSERT INTO hashtags (id, name, display, created_at) SELECT 1000 + n, 'flood' || n, 'Flood' || n, 1
            FROM numbers WHERE n % 20 = 16""",
        *(
            f"""INSERT INTO post_hashtags (hashtag_id, post_id, is_public, is_local, has_photos)
                SELECT {tag}, p.id, p.visibility = 'public', p.is_local, p.photos_count > 0
                FROM numbers JOIN posts p ON p.id = {_ID} WHERE {which}"""
            for tag, which in (
                (str(LOUD), _IS_TAGGED),
                (str(FOG), _IS_SILENT),
                ("1000 + n", "n % 20 = 16"),
            )
        ),
        f"""INSERT INTO hashtag_uses (hashtag_id, hour, account_id, domain, is_local, posts)
            SELECT {LOUD}, {_AT} / 3600000, {person}, 's' || (n % 1000) || '.example', FALSE, 1 {newcomers}""",
        f"""INSERT INTO hashtag_uses (hashtag_id, hour, account_id, domain, is_local, posts)
            SELECT 1000 + n, {_AT} / 3600000, {_FOLLOWED}, 's.example', FALSE, 1 FROM numbers WHERE n % 20 = 16""",
        """INSERT INTO hashtag_days (hashtag_id, day, posts, authors, local_authors)
            SELECT u.hashtag_id, u.hour / 24, COUNT(*), COUNT(*), 0 FROM hashtag_uses u
            WHERE EXISTS (SELECT 1 FROM numbers) GROUP BY u.hashtag_id, u.hour / 24 ON CONFLICT DO NOTHING""",
        f"""INSERT INTO likes (id, uri, account_id, post_id, created_at)
            SELECT {_ID}, 'like:' || n, CAST(:alice AS BIGINT), {_ID}, 1
            FROM numbers WHERE {_IS_SILENT} OR n % 20 IN (1, 16)""",
        f"""INSERT INTO bookmarks (id, account_id, post_id, created_at)
            SELECT {_ID}, CAST(:alice AS BIGINT), {_ID}, 1 FROM numbers WHERE {_IS_SILENT} OR n % 20 IN (13, 15)""",
        f"""INSERT INTO likes (id, uri, account_id, post_id, created_at)
            SELECT {_ID} + 1, 'fame:' || n, {person}, CAST(:famous AS BIGINT), 1 {newcomers}""",
        f"""INSERT INTO boosts (id, uri, account_id, post_id, created_at)
            SELECT {_ID} + 1, 'fame:' || n, {person}, CAST(:famous AS BIGINT), 1 {newcomers}""",
        f"""INSERT INTO boosts (id, uri, account_id, post_id, created_at)
            SELECT {_ID} + 2, 'boost:' || n, CAST(:bob AS BIGINT), {_ID}, 1 FROM numbers WHERE n % 20 = 13""",
        *(
            f"""INSERT INTO follows (id, uri, follower_id, followed_id, state, created_at, host)
                SELECT {_ID} + {kind}, '{kind}:' || n, {follower}, {followed}, '{state}', 1, {host} {newcomers} {only}"""
            for kind, follower, followed, state, host, only in (
                (1, person, "CAST(:bob AS BIGINT)", "accepted", "'s' || (n % 1000) || '.example'", ""),
                (2, "CAST(:bob AS BIGINT)", person, "accepted", "''", ""),
                (3, person, "CAST(:alice AS BIGINT)", "pending", "'s' || (n % 1000) || '.example'", ""),
                (4, "CAST(:alice AS BIGINT)", person, "accepted", "''", "AND n / 10 < 100"),
            )
        ),
        f"""INSERT INTO blocks (id, uri, account_id, target_id, created_at)
            SELECT {_ID}, 'block:' || n, CAST(:alice AS BIGINT), {person}, 1 {newcomers} AND n / 10 >= 500""",
        f"""INSERT INTO mutes (id, account_id, target_id, created_at)
            SELECT {_ID}, CAST(:alice AS BIGINT), {person}, 1 {newcomers} AND n / 10 >= 300 AND n / 10 < 500""",
        f"""INSERT INTO notifications (id, account_id, kind, by_id, post_id, created_at)
            SELECT {_ID}, CAST(:alice AS BIGINT), CASE WHEN {_IS_SILENT} THEN 'mention' ELSE 'like' END,
                CASE WHEN {_IS_SILENT} THEN CAST(:bob AS BIGINT) ELSE {_SUSPENDED} END, {_ID}, 1
            FROM numbers WHERE {_IS_SILENT} OR n % 20 IN (1, 2, 3)""",
        f"""INSERT INTO feed (account_id, id, post_id, by_id)
            SELECT CAST(:alice AS BIGINT), {_ID}, {_ID}, p.account_id
            FROM numbers JOIN posts p ON p.id = {_ID} WHERE {_IS_SILENT} OR n % 20 IN (9, 10, 13, 15)""",
        f"""INSERT INTO outbox (id, uri, account_id, verb, object_uri, post_id, created_at)
            SELECT {_ID}, 'outbox:' || n, CAST(:bob AS BIGINT), 'Create', 'https://tintype.test/p/bob/' || {_ID}, {_ID},
                {_AT}
            FROM numbers WHERE n % 20 = 4 OR {_IS_SILENT}""",
        f"""INSERT INTO deliveries (id, outbox_id, inbox, host, state, created_at, finished_at)
            SELECT {_ID}, {_ID}, 'https://s1.example/inbox', 's1.example',
                CASE WHEN {_IS_SILENT} THEN 'failed' ELSE 'delivered' END, {_AT}, {_AT}
            FROM numbers WHERE n % 20 = 4 OR {_IS_SILENT}""",
        f"""INSERT INTO reports (id, by_id, target_id, created_at, closed_at)
            SELECT {_ID}, CAST(:bob AS BIGINT), CAST(:rita AS BIGINT), {_AT},
                CASE WHEN NOT {_IS_SILENT} THEN {_AT} END FROM numbers WHERE {_IS_SILENT} OR n % 20 = 1""",
        f"""INSERT INTO audit_log (id, by_id, deed, target, created_at)
            SELECT {_ID}, CAST(:alice AS BIGINT), 'suspend', 'far.example', {_AT} FROM numbers WHERE n % 20 = 1""",
        *_work_statements(newcomers, person),
    ]


def _work_statements(newcomers: str, person: str) -> list[str]:
    """Returns SQL for what only jobs look at: the queue itself, and what they clean up.

    The queue holds jobs that are due in lanes of their own, and one lane with all others: "s1.example" waits for them.
    """
    jobs = "INSERT INTO jobs (id, kind, lane, payload, run_at, claimed_until, failed_at, created_at)"
    return [
        f"""INSERT INTO deliveries (id, outbox_id, inbox, host, created_at)
            SELECT {_ID} + 1, {_ID}, 'https://s2.example/inbox', 's2.example', {_AT}
            FROM numbers WHERE n % 20 = 4""",
        f"""{jobs} SELECT {_ID}, 'deliver', 's1.example', '{{}}', {PARKED_RUN_AT}, 0, NULL, {_AT}
            FROM numbers WHERE n % 20 IN (4, 5)""",
        f"""{jobs} SELECT {_ID}, 'redeliver', 's' || n || '.example', '{{}}', {_AT}, 0, NULL, {_AT}
            FROM numbers WHERE n % 20 = 6""",
        f"""{jobs} SELECT {_ID}, 'fetch', '', '{{}}', 1, 0, {_AT}, {_AT} FROM numbers WHERE n % 20 = 7""",
        f"""{jobs} SELECT {_ID}, 'clean_up', '', '{{}}', CAST(:start AS BIGINT) + {(DAYS + 1) * DAY_MS}, 0, NULL, {_AT}
            FROM numbers WHERE n % 20 = 8""",
        """INSERT INTO lanes (lane, jobs) SELECT 's1.example', COUNT(*) FROM numbers WHERE n % 20 IN (4, 5)
            ON CONFLICT (lane) DO UPDATE SET jobs = lanes.jobs + excluded.jobs""",
        "INSERT INTO lanes (lane, jobs) SELECT 's' || n || '.example', 1 FROM numbers WHERE n % 20 = 6",
        """INSERT INTO lanes (lane, host, jobs) SELECT 's9.example inbox ' || n, 's9.example', 1
            FROM numbers WHERE n % 50 = 25 AND n < CAST(:silent AS BIGINT)""",
        """INSERT INTO lanes (lane, host, jobs) SELECT 'outbox ' || n, 'outbox', 1 FROM numbers WHERE n % 20 = 9""",
        f"INSERT INTO seen_activities (hash, seen_at) SELECT {_ID}, {_AT} FROM numbers",
        f"INSERT INTO tombstones (uri, created_at) SELECT 'gone:' || n, {_AT} FROM numbers WHERE n % 20 = 1",
        f"""INSERT INTO early_updates (id, uri, account_id, document, edited_at)
            SELECT {_ID}, 'early:' || n, CAST(:rita AS BIGINT), '{{}}', 1 FROM numbers WHERE n % 20 = 1""",
        f"""INSERT INTO cached_media (kind, id, host, bytes, looked_at, try_after)
            SELECT 'photo', {_ID}, 's' || n || '.example', CASE WHEN n % 4 = 0 THEN 1000 ELSE 0 END, {_AT}, {_AT}
            FROM numbers WHERE n % 2 = 0""",
        """INSERT INTO cached_hosts (host, pictures, bytes) SELECT 's' || n || '.example', 1, 1000
            FROM numbers WHERE n % 4 = 0""",
        f"""INSERT INTO avatar_files (account_id, variant, format, file, bytes)
            SELECT {person}, 'small', 'webp', 'file' || n, 1 {newcomers}""",
        f"""INSERT INTO emoji (id, domain, shortcode, url, updated_at, file, created_at)
            SELECT {_ID}, 's' || (n % 1000) || '.example', 'e' || n, '', 1, 'emoji' || n, 1 FROM numbers WHERE n % 20 = 1""",
        f"""INSERT INTO keys (id, account_id, algorithm, public, fetched_at)
            SELECT 'key:' || n, {person}, 'rsa', '-', 1 {newcomers}""",
        f"""INSERT INTO hosts (host, failures, seen_at) SELECT 's' || n || '.example', 1, {_AT} {newcomers}""",
        f"""INSERT INTO mutes (id, account_id, target_id, created_at, ends_at)
            SELECT {_ID} + 1, CAST(:carol AS BIGINT), {person}, 1, {_AT} + {2 * DAYS * DAY_MS} {newcomers}""",
        f"""INSERT INTO sessions (hash, account_id, user_agent, created_at, seen_at)
            SELECT 'session' || n, CAST(:carol AS BIGINT), '', 1, {_AT} {newcomers}""",
        f"INSERT INTO apps (id, name, created_at) SELECT {_ID}, 'An app', 1 {newcomers}",
        f"""INSERT INTO tokens (hash, id, account_id, app_id, scopes, created_at)
            SELECT 'token' || n, {_ID}, CAST(:carol AS BIGINT), {_ID}, 'read', 1 {newcomers}""",
        f"INSERT INTO attempts (key, window_at, count) SELECT 'key' || n, {_AT}, 1 FROM numbers WHERE n % 20 = 1",
        f"""INSERT INTO invites (code, account_id, uses_left, created_at, expires_at)
            SELECT 'invite' || n, CAST(:carol AS BIGINT), 1, 1, {_AT} + {2 * DAYS * DAY_MS} {newcomers}""",
        f"""INSERT INTO idempotency_keys (account_id, hash, post_id, created_at)
            SELECT CAST(:carol AS BIGINT), 'key' || n, 1, {_AT} + {DAYS * DAY_MS} FROM numbers WHERE n % 20 = 1""",
        f"""INSERT INTO severed_follows (id, uri, follower_id, followed_id, state, shows_boosts, created_at, severed_at)
            SELECT {_ID}, 'severed:' || n, {person}, CAST(:carol AS BIGINT), 'accepted', TRUE, 1, {_AT} {newcomers}""",
    ]
