-- Pinned posts, reports, and moves to another account.

-- Posts that come first on their author's profile. Remote ones: those of the actor's featured collection.
-- owner: node/interactions/pins.py
CREATE TABLE pins (
    id BIGINT PRIMARY KEY,                   -- the latest pinned comes first
    post_id BIGINT NOT NULL UNIQUE REFERENCES posts (id),
    account_id BIGINT NOT NULL REFERENCES accounts (id)
);
CREATE INDEX pins_account ON pins (account_id, id);

-- Reports about accounts, by local accounts or by another server on behalf of its own.
-- owner: node/admin/reports.py
CREATE TABLE reports (
    id BIGINT PRIMARY KEY,
    by_id BIGINT NOT NULL REFERENCES accounts (id),
    target_id BIGINT NOT NULL REFERENCES accounts (id),
    category TEXT NOT NULL DEFAULT 'other',  -- spam | legal | violation | other
    words TEXT NOT NULL DEFAULT '',          -- plain text
    is_forwarded BOOLEAN NOT NULL DEFAULT FALSE,
    created_at BIGINT NOT NULL,
    closed_at BIGINT,                        -- NULL: open
    closed_by BIGINT
);
CREATE INDEX reports_open ON reports (id) WHERE closed_at IS NULL;
CREATE INDEX reports_target ON reports (target_id, id);

-- owner: node/admin/reports.py
CREATE TABLE report_posts (
    report_id BIGINT NOT NULL REFERENCES reports (id),
    post_id BIGINT NOT NULL REFERENCES posts (id),
    PRIMARY KEY (report_id, post_id)
);

-- When an account, local or remote, last moved: moves are limited in frequency.
-- owner: node/lifecycle/migration.py
CREATE TABLE moves (
    account_id BIGINT PRIMARY KEY REFERENCES accounts (id),
    target_id BIGINT NOT NULL REFERENCES accounts (id),
    moved_at BIGINT NOT NULL
);
CREATE INDEX moves_target ON moves (target_id, moved_at);
CREATE INDEX mutes_target ON mutes (target_id, account_id);
