-- When the request that brought an activity was signed (seconds): an id that is used again counts with a later one.
ALTER TABLE seen_activities ADD COLUMN signed_at BIGINT NOT NULL DEFAULT 0;

-- Edits that were received before the Create of their post, by a hash of its id.
-- owner: node/federation/early_updates.py
CREATE TABLE early_updates (
    id BIGINT PRIMARY KEY,
    uri TEXT NOT NULL UNIQUE,
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    document TEXT NOT NULL,                  -- the Update, as it was received
    edited_at BIGINT NOT NULL
);
CREATE INDEX early_updates_account ON early_updates (account_id, id);

-- How many more posts write a hashtag as `display` than in another way, up to a bound.
ALTER TABLE hashtags ADD COLUMN display_votes INTEGER NOT NULL DEFAULT 1;
