-- When somebody last proved who they are in this session, by signing in or by confirming it.
ALTER TABLE sessions ADD COLUMN proved_at BIGINT NOT NULL DEFAULT 0;

-- The second step after a password: a row for each account that asks for one.
-- owner: node/auth/second_step/authenticator_apps.py
CREATE TABLE second_steps (
    account_id BIGINT PRIMARY KEY REFERENCES accounts (id),
    seed TEXT NOT NULL DEFAULT '',           -- of an authenticator app, sealed; '' where passkeys alone are asked for
    last_step INTEGER NOT NULL DEFAULT 0,    -- the step of 30 seconds of the code used last
    created_at BIGINT NOT NULL
);

-- owner: node/auth/second_step/recovery_codes.py
CREATE TABLE recovery_codes (
    hash TEXT PRIMARY KEY,                   -- keyed with the node's secret
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    created_at BIGINT NOT NULL
);
CREATE INDEX recovery_codes_account ON recovery_codes (account_id);
