-- Pictures of other servers are kept under a ceiling; their custom emoji are shown.

-- Each picture that was looked at: what is kept of it, or that it could not be had.
-- The files are named where the picture belongs: photo_files, avatar_files, emoji.
-- owner: node/attachments/media_cache.py
CREATE TABLE cached_media (
    kind TEXT NOT NULL,                      -- photo | avatar | emoji
    id BIGINT NOT NULL,                      -- of the photo, of the person, of the emoji
    url TEXT NOT NULL DEFAULT '',            -- what was asked for
    host TEXT NOT NULL,                      -- of that
    bytes BIGINT NOT NULL,                   -- 0 = could not be had
    looked_at BIGINT NOT NULL,               -- to within some minutes
    failures INTEGER NOT NULL DEFAULT 0,     -- in a row
    try_after BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (kind, id)
);
CREATE INDEX cached_media_looks ON cached_media (looked_at) WHERE bytes > 0;
CREATE INDEX cached_media_host ON cached_media (host, looked_at) WHERE bytes > 0;
CREATE INDEX cached_media_failed ON cached_media (try_after) WHERE bytes = 0;

-- The sums of what is kept, by host, so that no question needs to add up a million rows.
-- owner: node/attachments/media_cache.py
CREATE TABLE cached_hosts (
    host TEXT PRIMARY KEY,
    pictures BIGINT NOT NULL,
    bytes BIGINT NOT NULL
);

-- Custom emoji that people of other servers have used. What each post and profile uses is kept with it.
-- owner: node/attachments/custom_emoji.py
CREATE TABLE emoji (
    id BIGINT PRIMARY KEY,
    domain TEXT NOT NULL,                    -- the server whose people use it
    shortcode TEXT NOT NULL,                 -- without colons
    url TEXT NOT NULL,
    updated_at BIGINT NOT NULL,              -- as that server says; 0 = it does not
    file TEXT NOT NULL DEFAULT '',           -- storage key, while it is kept here
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
