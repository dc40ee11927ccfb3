-- owner: node/auth/passkeys/passkeys.py
CREATE TABLE passkeys (
    id BIGINT PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    credential TEXT NOT NULL,                -- the id that its device gave it, base64url
    public_key TEXT NOT NULL,                -- COSE, base64
    sign_count BIGINT NOT NULL,
    model TEXT NOT NULL,                     -- of the device or program that keeps it (AAGUID)
    transports TEXT NOT NULL DEFAULT '',     -- how it is reached: usb, internal, hybrid, …
    is_synced BOOLEAN NOT NULL,              -- its copies are on several devices
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE UNIQUE INDEX passkeys_credential ON passkeys (credential);
CREATE INDEX passkeys_account ON passkeys (account_id);

-- What passkeys know of an account instead of its id: random, and the same for all of its passkeys.
-- owner: node/auth/passkeys/passkeys.py
CREATE TABLE passkey_handles (
    account_id BIGINT PRIMARY KEY REFERENCES accounts (id),
    handle TEXT NOT NULL                     -- base64url
);
CREATE UNIQUE INDEX passkey_handles_handle ON passkey_handles (handle);

-- owner: node/auth/sign_in_log.py
CREATE TABLE sign_ins (
    id BIGINT PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    kind TEXT NOT NULL,                      -- how somebody signed in, or what failed: SignInKind
    user_agent TEXT NOT NULL,
    network TEXT NOT NULL DEFAULT '',        -- the first part of the IP address
    created_at BIGINT NOT NULL
);
CREATE INDEX sign_ins_account ON sign_ins (account_id, id);
CREATE INDEX sign_ins_created_at ON sign_ins (created_at);
