-- Rules of admins about other servers, and what they mean for the accounts of those servers.

-- The host of the uri: the server of the account, which may have another name than the handle.
-- Accounts that are stored already get it when their actor is fetched the next time.
ALTER TABLE accounts ADD COLUMN host TEXT NOT NULL DEFAULT '';
-- The policy of their server, kept here so that no page needs another look-up.
ALTER TABLE accounts ADD COLUMN is_limited BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE accounts ADD COLUMN is_without_media BOOLEAN NOT NULL DEFAULT FALSE;
-- suspended_at was set because of their server, and goes when the server's suspension does.
ALTER TABLE accounts ADD COLUMN suspended_with_server BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE accounts SET host = domain;
CREATE INDEX accounts_servers ON accounts (domain, host) WHERE NOT is_local;
CREATE INDEX accounts_with_server ON accounts (id) WHERE suspended_with_server;
CREATE INDEX accounts_without_media ON accounts (id) WHERE is_without_media;

-- The rule about the nearest domain at or above a name decides.
ALTER TABLE domain_blocks RENAME COLUMN note TO public_comment;
ALTER TABLE domain_blocks ADD COLUMN private_comment TEXT NOT NULL DEFAULT '';
ALTER TABLE domain_blocks ADD COLUMN strength TEXT NOT NULL DEFAULT 'suspend';    -- none | limit | suspend
ALTER TABLE domain_blocks ADD COLUMN rejects_media BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE domain_blocks ADD COLUMN rejects_reports BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE domain_blocks ADD COLUMN is_obfuscated BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE domain_blocks ADD COLUMN list_id BIGINT;    -- the list it came from; NULL: an admin's own decision

-- With federation.mode = "allowlist": who may take part.
-- owner: node/moderation/domain_rules.py
CREATE TABLE domain_allows (
    domain TEXT PRIMARY KEY,
    comment TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL
);

-- Servers that no list ever blocks.
-- owner: node/moderation/domain_exclusions.py
CREATE TABLE domain_exclusions (
    domain TEXT PRIMARY KEY,
    comment TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL
);

-- Block lists: subscribed to, or an imported file (url '') that waits for a decision.
-- owner: node/moderation/block_lists.py
CREATE TABLE block_lists (
    id BIGINT PRIMARY KEY,
    title TEXT NOT NULL,
    url TEXT NOT NULL DEFAULT '',
    is_automatic BOOLEAN NOT NULL DEFAULT FALSE,
    strength TEXT NOT NULL DEFAULT 'suspend',   -- for lists of bare names
    etag TEXT NOT NULL DEFAULT '',
    modified TEXT NOT NULL DEFAULT '',
    asked_at BIGINT,                         -- when it was last requested
    fetched_at BIGINT,                       -- when it last had changed
    failure TEXT NOT NULL DEFAULT '',        -- why that did not work, if it did not
    problems TEXT NOT NULL DEFAULT '[]',     -- JSON [[line, text, why], …]
    created_at BIGINT NOT NULL
);

-- The entries of a list, and their states:
-- draft | changed | dropped wait for an admin; applied; held: another decision stands; declined.
-- owner: node/moderation/block_list_entries.py
CREATE TABLE block_list_entries (
    list_id BIGINT NOT NULL REFERENCES block_lists (id),
    domain TEXT NOT NULL,
    strength TEXT NOT NULL,
    rejects_media BOOLEAN NOT NULL,
    rejects_reports BOOLEAN NOT NULL,
    is_obfuscated BOOLEAN NOT NULL,
    public_comment TEXT NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (list_id, domain)
);
CREATE INDEX block_list_entries_domain ON block_list_entries (domain);

-- Follows that ended because a server was suspended; they come back if that is lifted.
-- owner: node/interactions/severed_follows.py
CREATE TABLE severed_follows (
    id BIGINT PRIMARY KEY,
    uri TEXT NOT NULL,
    follower_id BIGINT NOT NULL REFERENCES accounts (id),
    followed_id BIGINT NOT NULL REFERENCES accounts (id),
    state TEXT NOT NULL,
    shows_boosts BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    accepted_at BIGINT,
    severed_at BIGINT NOT NULL,
    UNIQUE (follower_id, followed_id)
);
CREATE INDEX severed_follows_age ON severed_follows (severed_at);

-- The audit log: who decided what. by_id NULL: the node itself.
-- owner: node/moderation/audit_log.py
CREATE TABLE audit_log (
    id BIGINT PRIMARY KEY,
    by_id BIGINT,
    deed TEXT NOT NULL,
    target TEXT NOT NULL,
    detail TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL
);
