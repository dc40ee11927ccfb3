-- Remote media is cached up to a limit; remote custom emoji are shown.

-- Each remote picture that was requested: what is cached of it, or that fetching it failed.
-- Its files are in photo_files, avatar_files or emoji.
-- owner: node/attachments/media_cache.py
CREATE TABLE cached_media (
    kind TEXT NOT NULL,                      -- photo | avatar | emoji
    id BIGINT NOT NULL,                      -- of the photo, the account or the emoji
    url TEXT NOT NULL DEFAULT '',            -- the address it was fetched from
    host TEXT NOT NULL,                      -- its host
    bytes BIGINT NOT NULL,                   -- 0 = fetching failed
    looked_at BIGINT NOT NULL,               -- last access, to within some minutes
    failures INTEGER NOT NULL DEFAULT 0,     -- in a row
    try_after BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (kind, id)
);
CREATE INDEX cached_media_looks ON cached_media (looked_at) WHERE bytes > 0;
CREATE INDEX cached_media_host ON cached_media (host, looked_at) WHERE bytes > 0;
CREATE INDEX cached_media_failed ON cached_media (try_after) WHERE bytes = 0;

-- The totals by host, so that no query adds up a million rows.
-- owner: node/attachments/media_cache.py
CREATE TABLE cached_hosts (
    host TEXT PRIMARY KEY,
    pictures BIGINT NOT NULL,
    bytes BIGINT NOT NULL
);

-- Remote custom emoji. Which ones a post or profile uses is stored with it.
-- owner: node/attachments/custom_emoji.py
CREATE TABLE emoji (
    id BIGINT PRIMARY KEY,
    domain TEXT NOT NULL,                    -- the server whose accounts use it
    shortcode TEXT NOT NULL,                 -- without colons
    url TEXT NOT NULL,
    updated_at BIGINT NOT NULL,              -- as that server says; 0 = it does not
    file TEXT NOT NULL DEFAULT '',           -- storage key, while it is cached
    created_at BIGINT NOT NULL,
    UNIQUE (domain, shortcode)
);
CREATE INDEX emoji_file ON emoji (file) WHERE file <> '';

ALTER TABLE accounts ADD COLUMN emoji TEXT NOT NULL DEFAULT '';  -- JSON {shortcode: emoji id}, '' for none
ALTER TABLE posts ADD COLUMN emoji TEXT NOT NULL DEFAULT '';     -- as in accounts
ALTER TABLE photos DROP COLUMN fetch_failed_at;

INSERT INTO cached_media (kind, id, host, bytes, looked_at)
    SELECT 'photo', p.id, MIN(a.host), SUM(f.bytes), MAX(p.created_at) FROM photo_files f
    JOIN photos p ON p.id = f.photo_id JOIN accounts a ON a.id = p.account_id
    WHERE p.remote_url <> '' GROUP BY p.id;
INSERT INTO cached_media (kind, id, host, bytes, looked_at)
    SELECT 'avatar', a.id, MIN(a.host), SUM(f.bytes), MAX(a.updated_at) FROM avatar_files f
    JOIN accounts a ON a.id = f.account_id WHERE f.source_url <> '' GROUP BY a.id;
INSERT INTO cached_hosts (host, pictures, bytes)
    SELECT host, COUNT(*), SUM(bytes) FROM cached_media GROUP BY host;
