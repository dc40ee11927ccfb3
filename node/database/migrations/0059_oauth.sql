-- Apps that registered themselves (RFC 6749, 2). Those before had no secret, and nothing to be sent back to.
ALTER TABLE apps ADD COLUMN client_id TEXT NOT NULL DEFAULT '';
ALTER TABLE apps ADD COLUMN secret_hash TEXT NOT NULL DEFAULT '';
ALTER TABLE apps ADD COLUMN redirect_uris TEXT NOT NULL DEFAULT '';    -- one a line
ALTER TABLE apps ADD COLUMN scopes TEXT NOT NULL DEFAULT '';
ALTER TABLE apps ADD COLUMN let_in_at BIGINT NOT NULL DEFAULT 0;       -- when a person last let it in
CREATE UNIQUE INDEX apps_client_id ON apps (client_id) WHERE client_id <> '';
CREATE INDEX apps_name ON apps (name, website) WHERE client_id = '';

-- Authorization codes, kept for a while after their use so that a second use revokes what the first one gave.
-- owner: node/auth/oauth/authorization_codes.py
CREATE TABLE authorization_codes (
    hash TEXT PRIMARY KEY,                   -- SHA-256 of the code
    app_id BIGINT NOT NULL REFERENCES apps (id),
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    redirect_uri TEXT NOT NULL,
    scopes TEXT NOT NULL,
    challenge TEXT NOT NULL DEFAULT '',      -- of PKCE, S256; '' without it
    created_at BIGINT NOT NULL,
    token_id BIGINT                          -- what it was exchanged for
);
CREATE INDEX authorization_codes_created_at ON authorization_codes (created_at);
CREATE INDEX authorization_codes_account ON authorization_codes (account_id);
CREATE INDEX authorization_codes_app ON authorization_codes (app_id);

-- Tokens of an app itself (client credentials), which act for nobody.
-- owner: node/auth/oauth/app_tokens.py
CREATE TABLE app_tokens (
    hash TEXT PRIMARY KEY,
    app_id BIGINT NOT NULL REFERENCES apps (id),
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX app_tokens_app ON app_tokens (app_id);
