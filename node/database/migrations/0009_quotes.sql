-- Quotes in posts. `target_id` is set once the author of the quoted post has approved.
-- owner: node/interactions/quotes.py
CREATE TABLE quotes (
    post_id BIGINT PRIMARY KEY REFERENCES posts (id),
    target_uri TEXT NOT NULL,
    stamp_uri TEXT NOT NULL DEFAULT '',
    target_id BIGINT REFERENCES posts (id)
);
CREATE INDEX quotes_stamp ON quotes (stamp_uri);
CREATE INDEX quotes_target ON quotes (target_id);

-- Authorizations to quote a local post, each for one quote; revoking one deletes it.
-- owner: node/interactions/quotes.py
CREATE TABLE quote_stamps (
    id BIGINT PRIMARY KEY,
    post_id BIGINT NOT NULL REFERENCES posts (id),
    by_id BIGINT NOT NULL REFERENCES accounts (id),
    quote_uri TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (post_id, quote_uri)
);
CREATE INDEX quote_stamps_by ON quote_stamps (by_id);
