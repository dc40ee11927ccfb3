-- What somebody shows first, what people complain about, and where people move to.

-- Posts that come first on their author's profile. Of other servers: what those say they show first.
-- owner: node/pins.py
CREATE TABLE pins (
    id BIGINT PRIMARY KEY,                   -- the latest pinned comes first
    post_id BIGINT NOT NULL UNIQUE REFERENCES posts (id),
    account_id BIGINT NOT NULL REFERENCES accounts (id)
);
CREATE INDEX pins_account ON pins (account_id, id);
