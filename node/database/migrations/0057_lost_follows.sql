-- owner: node/interactions/severed_follows.py
-- What the suspension of a server took from an account of this node, for as long as it lasts; deleted after a year.
CREATE TABLE lost_follows (
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    domain TEXT NOT NULL,
    followers_count BIGINT NOT NULL,
    following_count BIGINT NOT NULL,
    severed_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, domain)
);
CREATE INDEX lost_follows_latest ON lost_follows (account_id, severed_at);
CREATE INDEX lost_follows_age ON lost_follows (severed_at);
