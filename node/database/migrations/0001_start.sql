-- Each table names the one module that writes it. Times are BIGINT milliseconds since 1970 (UTC);
-- ids are 64-bit and sort by time. BOOLEAN is 0/1 in SQLite.

-- owner: node/settings.py
CREATE TABLE settings (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- Accounts, local and remote. uri is the identity; name and domain are a label that may change.
-- domain is always filled (local accounts: the node's own domain).
-- owner: node/accounts/accounts.py
CREATE TABLE accounts (
    id BIGINT PRIMARY KEY,
    uri TEXT NOT NULL UNIQUE,
    url TEXT NOT NULL,
    name TEXT NOT NULL,
    domain TEXT NOT NULL,
    is_local BOOLEAN NOT NULL,
    kind TEXT NOT NULL DEFAULT 'Person',
    display_name TEXT NOT NULL DEFAULT '',
    bio TEXT NOT NULL DEFAULT '',            -- safe HTML
    bio_source TEXT NOT NULL DEFAULT '',     -- as typed, of local accounts
    fields TEXT NOT NULL DEFAULT '[]',       -- JSON [[name, safe HTML value, local: as typed], …]
    avatar_file TEXT NOT NULL DEFAULT '',    -- storage key stem of a local avatar, '' = none
    avatar_url TEXT NOT NULL DEFAULT '',     -- where a remote avatar is
    avatar_alt TEXT NOT NULL DEFAULT '',
    is_locked BOOLEAN NOT NULL DEFAULT FALSE,
    is_discoverable BOOLEAN NOT NULL DEFAULT TRUE,
    is_indexable BOOLEAN NOT NULL DEFAULT FALSE,
    inbox TEXT NOT NULL DEFAULT '',
    shared_inbox TEXT NOT NULL DEFAULT '',
    outbox TEXT NOT NULL DEFAULT '',
    followers_uri TEXT NOT NULL DEFAULT '',
    following_uri TEXT NOT NULL DEFAULT '',
    featured_uri TEXT NOT NULL DEFAULT '',
    also_known_as TEXT NOT NULL DEFAULT '[]',
    moved_to TEXT NOT NULL DEFAULT '',
    posts_count BIGINT NOT NULL DEFAULT 0,       -- local: exact; remote: as far as known here
    followers_count BIGINT NOT NULL DEFAULT 0,
    following_count BIGINT NOT NULL DEFAULT 0,
    last_posted_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    fetched_at BIGINT,                       -- remote: when the actor document was last read
    suspended_at BIGINT,
    deleted_at BIGINT                        -- the row stays: a name is never given out again
);
CREATE UNIQUE INDEX accounts_local_name ON accounts (lower(name)) WHERE is_local;
CREATE INDEX accounts_handle ON accounts (lower(name), domain);
CREATE INDEX accounts_domain ON accounts (domain, id);

-- owner: node/accounts/keys.py
CREATE TABLE keys (
    id TEXT PRIMARY KEY,                     -- the keyId
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    algorithm TEXT NOT NULL,                 -- 'rsa' | 'ed25519'
    public TEXT NOT NULL,                    -- PEM | multibase
    private TEXT,                            -- local accounts only, encrypted with the node's secret
    fetched_at BIGINT NOT NULL
);
CREATE INDEX keys_account ON keys (account_id);

-- The local accounts that can sign in.
-- owner: node/auth/users.py
CREATE TABLE users (
    account_id BIGINT PRIMARY KEY REFERENCES accounts (id),
    email TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    role TEXT NOT NULL DEFAULT 'user',       -- user | moderator | admin
    state TEXT NOT NULL DEFAULT 'active',    -- active | pending | disabled
    reason TEXT NOT NULL DEFAULT '',         -- why they want to join, with mode = approval
    theme TEXT NOT NULL DEFAULT 'system',    -- system | light | dark
    language TEXT NOT NULL DEFAULT '',
    default_visibility TEXT NOT NULL DEFAULT 'public',
    invited_by BIGINT,
    created_at BIGINT NOT NULL,
    seen_at BIGINT,
    notifications_read_id BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX users_email ON users (lower(email));
CREATE INDEX users_state ON users (state, account_id);

-- owner: node/auth/invites.py
CREATE TABLE invites (
    code TEXT PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    uses_left INTEGER NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

-- owner: node/auth/sessions.py
CREATE TABLE sessions (
    hash TEXT PRIMARY KEY,                   -- SHA-256 of the cookie
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    user_agent TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL
);
CREATE INDEX sessions_account ON sessions (account_id);

-- owner: node/auth/oauth/apps.py
CREATE TABLE apps (
    id BIGINT PRIMARY KEY,
    name TEXT NOT NULL,
    website TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL
);

-- owner: node/auth/access_tokens.py
CREATE TABLE tokens (
    hash TEXT PRIMARY KEY,                   -- SHA-256 of the bearer token
    id BIGINT NOT NULL UNIQUE,
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    app_id BIGINT NOT NULL REFERENCES apps (id),
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX tokens_account ON tokens (account_id);

-- Attempts per key and window: sign-in, sign-up, search of other servers.
-- owner: node/rate_limits.py
CREATE TABLE attempts (
    key TEXT NOT NULL,
    window_at BIGINT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (key, window_at)
);
CREATE INDEX attempts_window ON attempts (window_at);

-- A tombstone stays after deletion: deleted_at set, text and photos removed.
-- owner: node/posts/posts.py
CREATE TABLE posts (
    id BIGINT PRIMARY KEY,                   -- sorts by published_at
    uri TEXT NOT NULL UNIQUE,
    url TEXT NOT NULL,
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    is_local BOOLEAN NOT NULL,
    visibility TEXT NOT NULL,                -- public | unlisted | followers | direct
    caption TEXT NOT NULL DEFAULT '',        -- safe HTML
    source TEXT NOT NULL DEFAULT '',         -- as typed, of local accounts
    warning TEXT NOT NULL DEFAULT '',
    is_sensitive BOOLEAN NOT NULL DEFAULT FALSE,
    language TEXT NOT NULL DEFAULT '',
    parent_id BIGINT,                        -- the post this comments on, if we have it
    parent_uri TEXT NOT NULL DEFAULT '',     -- and what it called it
    root_id BIGINT NOT NULL,                 -- the post that began the conversation (itself, for a photo post)
    comments_enabled BOOLEAN NOT NULL DEFAULT TRUE,
    photos_count INTEGER NOT NULL DEFAULT 0,
    likes_count BIGINT NOT NULL DEFAULT 0,
    boosts_count BIGINT NOT NULL DEFAULT 0,
    comments_count BIGINT NOT NULL DEFAULT 0,    -- public and unlisted direct replies
    published_at BIGINT NOT NULL,
    edited_at BIGINT,
    created_at BIGINT NOT NULL,
    deleted_at BIGINT
);
CREATE INDEX posts_account ON posts (account_id, id);
CREATE INDEX posts_url ON posts (url) WHERE url <> uri;
CREATE INDEX posts_parent ON posts (parent_id, id) WHERE parent_id IS NOT NULL;
CREATE INDEX posts_orphans ON posts (parent_uri) WHERE parent_id IS NULL AND parent_uri <> '';
CREATE INDEX posts_root ON posts (root_id, id) WHERE parent_uri <> '';
CREATE INDEX posts_public_side ON posts (is_local, id) WHERE visibility = 'public' AND deleted_at IS NULL AND parent_uri = '';
CREATE INDEX posts_public ON posts (id) WHERE visibility = 'public' AND deleted_at IS NULL AND parent_uri = '';

-- The versions of a post before its edits.
-- owner: node/posts/revisions.py
CREATE TABLE post_edits (
    id BIGINT PRIMARY KEY,
    post_id BIGINT NOT NULL REFERENCES posts (id),
    caption TEXT NOT NULL,
    warning TEXT NOT NULL,
    is_sensitive BOOLEAN NOT NULL,
    photos TEXT NOT NULL,                    -- JSON [[photo id, alt], …]
    created_at BIGINT NOT NULL               -- when this version was written
);
CREATE INDEX post_edits_post ON post_edits (post_id, id);

-- Remote objects that were deleted before they reached us: a late Create is refused.
-- owner: node/federation/tombstones.py
CREATE TABLE tombstones (
    uri TEXT PRIMARY KEY,                    -- the actor who deleted, a space, the object
    created_at BIGINT NOT NULL
);
CREATE INDEX tombstones_age ON tombstones (created_at);

-- owner: node/posts/mentions.py
CREATE TABLE mentions (
    post_id BIGINT NOT NULL REFERENCES posts (id),
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    is_silent BOOLEAN NOT NULL DEFAULT FALSE,    -- addressed, but not named in the caption
    PRIMARY KEY (post_id, account_id)
);
CREATE INDEX mentions_account ON mentions (account_id, post_id);

-- owner: node/attachments/photos.py
CREATE TABLE photos (
    id BIGINT PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    post_id BIGINT REFERENCES posts (id),
    position INTEGER NOT NULL DEFAULT 0,
    alt TEXT NOT NULL DEFAULT '',
    mime TEXT NOT NULL,
    width INTEGER NOT NULL DEFAULT 0,        -- upright, as published; 0 = unknown (remote)
    height INTEGER NOT NULL DEFAULT 0,
    blurhash TEXT NOT NULL DEFAULT '',
    focus_x DOUBLE PRECISION NOT NULL DEFAULT 0,
    focus_y DOUBLE PRECISION NOT NULL DEFAULT 0,
    remote_url TEXT NOT NULL DEFAULT '',     -- where another server keeps it
    original_file TEXT NOT NULL DEFAULT '',  -- storage key of the private original, if kept
    extra TEXT NOT NULL DEFAULT '{}',        -- JSON: licence, place, exif as other servers sent them
    fetch_failed_at BIGINT,                  -- remote: when fetching it last failed
    created_at BIGINT NOT NULL
);
CREATE INDEX photos_post ON photos (post_id, position) WHERE post_id IS NOT NULL;
CREATE INDEX photos_loose ON photos (account_id, id) WHERE post_id IS NULL;

-- The files of a photo, one per named size and format. file is the storage key (content-addressed).
-- owner: node/attachments/photos.py
CREATE TABLE photo_files (
    photo_id BIGINT NOT NULL REFERENCES photos (id),
    variant TEXT NOT NULL,
    format TEXT NOT NULL,
    file TEXT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    bytes BIGINT NOT NULL,
    PRIMARY KEY (photo_id, variant, format)
);
CREATE INDEX photo_files_file ON photo_files (file);

-- Avatars and headers: local ones, and the cached remote ones.
-- owner: node/attachments/avatars.py
CREATE TABLE avatar_files (
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    variant TEXT NOT NULL,
    format TEXT NOT NULL,
    file TEXT NOT NULL,
    source_url TEXT NOT NULL DEFAULT '',
    bytes BIGINT NOT NULL,
    PRIMARY KEY (account_id, variant, format)
);
CREATE INDEX avatar_files_file ON avatar_files (file);

-- owner: node/interactions/likes.py
CREATE TABLE likes (
    id BIGINT PRIMARY KEY,
    uri TEXT NOT NULL UNIQUE,
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    post_id BIGINT NOT NULL REFERENCES posts (id),
    created_at BIGINT NOT NULL,
    UNIQUE (post_id, account_id)
);
CREATE INDEX likes_account ON likes (account_id, id);

-- owner: node/interactions/boosts.py
CREATE TABLE boosts (
    id BIGINT PRIMARY KEY,                   -- in the same id space as posts: the API shows a boost as a status
    uri TEXT NOT NULL UNIQUE,
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    post_id BIGINT NOT NULL REFERENCES posts (id),
    visibility TEXT NOT NULL DEFAULT 'public',   -- public | unlisted | followers
    created_at BIGINT NOT NULL,
    UNIQUE (post_id, account_id)
);
CREATE INDEX boosts_account ON boosts (account_id, id);

-- owner: node/interactions/bookmarks.py
CREATE TABLE bookmarks (
    id BIGINT PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    post_id BIGINT NOT NULL REFERENCES posts (id),
    created_at BIGINT NOT NULL,
    UNIQUE (post_id, account_id)
);
CREATE INDEX bookmarks_account ON bookmarks (account_id, id);

-- owner: node/interactions/follows.py
CREATE TABLE follows (
    id BIGINT PRIMARY KEY,
    uri TEXT NOT NULL UNIQUE,
    follower_id BIGINT NOT NULL REFERENCES accounts (id),
    followed_id BIGINT NOT NULL REFERENCES accounts (id),
    state TEXT NOT NULL,                     -- pending | accepted
    shows_boosts BOOLEAN NOT NULL DEFAULT TRUE,
    created_at BIGINT NOT NULL,
    accepted_at BIGINT,
    UNIQUE (follower_id, followed_id)
);
CREATE INDEX follows_followed ON follows (followed_id, state, id);
CREATE INDEX follows_follower ON follows (follower_id, state, id);

-- owner: node/interactions/blocks.py
CREATE TABLE blocks (
    id BIGINT PRIMARY KEY,
    uri TEXT NOT NULL UNIQUE,
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    target_id BIGINT NOT NULL REFERENCES accounts (id),
    created_at BIGINT NOT NULL,
    UNIQUE (account_id, target_id)
);
CREATE INDEX blocks_target ON blocks (target_id, account_id);

-- owner: node/interactions/blocks.py
CREATE TABLE mutes (
    id BIGINT PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    target_id BIGINT NOT NULL REFERENCES accounts (id),
    hides_notifications BOOLEAN NOT NULL DEFAULT TRUE,
    created_at BIGINT NOT NULL,
    UNIQUE (account_id, target_id)
);

-- Rules about other servers.
-- owner: node/moderation/domain_rules.py
CREATE TABLE domain_blocks (
    domain TEXT PRIMARY KEY,
    note TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL
);

-- owner: node/notifications/notifications.py
CREATE TABLE notifications (
    id BIGINT PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    kind TEXT NOT NULL,                      -- like | comment | mention | boost | follow | follow_request | sign_up
    by_id BIGINT NOT NULL REFERENCES accounts (id),
    post_id BIGINT REFERENCES posts (id),
    created_at BIGINT NOT NULL
);
CREATE INDEX notifications_account ON notifications (account_id, id);
CREATE INDEX notifications_by ON notifications (by_id, account_id);
CREATE INDEX notifications_post ON notifications (post_id) WHERE post_id IS NOT NULL;
CREATE UNIQUE INDEX notifications_once ON notifications (account_id, kind, by_id, COALESCE(post_id, 0));

-- owner: node/posts/hashtags.py
CREATE TABLE hashtags (
    id BIGINT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,               -- NFKC, case-folded
    display TEXT NOT NULL,                   -- as first written
    created_at BIGINT NOT NULL
);

-- owner: node/posts/hashtags.py
CREATE TABLE post_hashtags (
    hashtag_id BIGINT NOT NULL REFERENCES hashtags (id),
    post_id BIGINT NOT NULL REFERENCES posts (id),
    PRIMARY KEY (hashtag_id, post_id)
);
CREATE INDEX post_hashtags_post ON post_hashtags (post_id);

-- One row per tag, hour and author, however often they post: so counts are of distinct authors.
-- owner: node/posts/hashtags.py
CREATE TABLE hashtag_uses (
    hashtag_id BIGINT NOT NULL REFERENCES hashtags (id),
    hour BIGINT NOT NULL,                    -- hours since 1970
    account_id BIGINT NOT NULL,
    domain TEXT NOT NULL,
    is_local BOOLEAN NOT NULL,
    posts INTEGER NOT NULL,
    PRIMARY KEY (hashtag_id, hour, account_id)
);
CREATE INDEX hashtag_uses_hour ON hashtag_uses (hour);

-- Rows, not a query: added on post, boost, follow; taken back on unfollow, block, delete.
-- id is the post's id, or the boost's: what the page is ordered and paged by.
-- owner: node/posts/home_feed.py
CREATE TABLE feed (
    account_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    post_id BIGINT NOT NULL,
    by_id BIGINT NOT NULL,                   -- the author, or who boosted
    is_boost BOOLEAN NOT NULL DEFAULT FALSE,
    PRIMARY KEY (account_id, id)
);
CREATE UNIQUE INDEX feed_once ON feed (account_id, post_id);
CREATE INDEX feed_by ON feed (by_id, account_id);
CREATE INDEX feed_post ON feed (post_id);

-- Outgoing activities of local accounts: who, verb, object. Rendered once, at fan-out.
-- owner: node/federation/outbox.py
CREATE TABLE outbox (
    id BIGINT PRIMARY KEY,
    uri TEXT NOT NULL UNIQUE,                -- the activity's id
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    verb TEXT NOT NULL,
    object_uri TEXT NOT NULL,
    post_id BIGINT,                          -- the post it is about, for delivery reports
    target_id BIGINT,                        -- the account it is about
    extra TEXT NOT NULL DEFAULT '{}',        -- JSON the renderer needs once the rows are gone
    document TEXT,                           -- the rendered activity, the same bytes at every retry
    created_at BIGINT NOT NULL
);
CREATE INDEX outbox_account ON outbox (account_id, id);
CREATE INDEX outbox_post ON outbox (post_id, id) WHERE post_id IS NOT NULL;

-- Deliveries: one row per activity and inbox.
-- owner: node/federation/deliveries.py
CREATE TABLE deliveries (
    id BIGINT PRIMARY KEY,
    outbox_id BIGINT NOT NULL REFERENCES outbox (id),
    inbox TEXT NOT NULL,
    host TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting',   -- waiting | delivered | failed | gone
    status INTEGER,
    reason TEXT NOT NULL DEFAULT '',
    attempts INTEGER NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    finished_at BIGINT,
    UNIQUE (outbox_id, inbox)
);
CREATE INDEX deliveries_host ON deliveries (host, state);

-- Other servers: available, or unavailable after failures.
-- owner: node/federation/server_availability.py
CREATE TABLE hosts (
    host TEXT PRIMARY KEY,
    failures INTEGER NOT NULL DEFAULT 0,
    failing_since BIGINT,
    sleeps_until BIGINT NOT NULL DEFAULT 0,
    reason TEXT NOT NULL DEFAULT '',
    signature_style TEXT NOT NULL DEFAULT 'cavage',
    seen_at BIGINT NOT NULL
);

-- The one queue. A claim moves run_at to the end of its lease, so a dead worker's job comes back by itself.
-- Jobs of one lane run one after the other: all but the first are parked (run_at far away).
-- owner: node/jobs/queue.py
CREATE TABLE jobs (
    id BIGINT PRIMARY KEY,
    kind TEXT NOT NULL,
    lane TEXT NOT NULL DEFAULT '',           -- '' or the host that the job sends requests to
    payload TEXT NOT NULL,                   -- JSON
    run_at BIGINT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    claimed_until BIGINT NOT NULL DEFAULT 0, -- 0 = not claimed
    reason TEXT NOT NULL DEFAULT '',         -- why it was put off, or given up
    failed_at BIGINT,                        -- given up: kept for the admin to see
    created_at BIGINT NOT NULL
);
CREATE INDEX jobs_due ON jobs (kind, run_at, id) WHERE failed_at IS NULL;
CREATE INDEX jobs_lane ON jobs (lane, id) WHERE failed_at IS NULL AND lane <> '';
CREATE INDEX jobs_claimed ON jobs (claimed_until) WHERE claimed_until > 0;
CREATE INDEX jobs_failed ON jobs (failed_at) WHERE failed_at IS NOT NULL;

-- How many jobs each lane holds. Its row is the lock that keeps adding and finishing apart.
-- owner: node/jobs/lanes.py
CREATE TABLE lanes (
    lane TEXT PRIMARY KEY,
    jobs INTEGER NOT NULL
);

-- Activities already processed, by a 64-bit hash of their id.
-- owner: node/federation/seen_activities.py
CREATE TABLE seen_activities (
    hash BIGINT PRIMARY KEY,
    seen_at BIGINT NOT NULL
);
CREATE INDEX seen_activities_age ON seen_activities (seen_at);

-- A post that an app sent twice with the same Idempotency-Key is made once. post_id is 0 while it is being made.
-- owner: node/auth/idempotency_keys.py
CREATE TABLE idempotency_keys (
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    hash TEXT NOT NULL,                      -- SHA-256 of the key
    post_id BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, hash)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
