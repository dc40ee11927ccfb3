-- owner: node/posts/followed_hashtags.py
CREATE TABLE followed_hashtags (
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    id BIGINT NOT NULL,                      -- orders the list, and says when it was followed
    hashtag_id BIGINT NOT NULL REFERENCES hashtags (id),
    PRIMARY KEY (account_id, id),
    UNIQUE (hashtag_id, account_id)
);

-- owner: node/notifications/markers.py
CREATE TABLE markers (
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    timeline TEXT NOT NULL,
    last_read_id BIGINT NOT NULL,
    version INTEGER NOT NULL,                -- how often it was changed
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, timeline)
);
