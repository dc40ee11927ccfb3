-- owner: node/auth/sign_ups.py
-- What a person whose sign-up was rejected is told when they sign in; deleted after a month.
CREATE TABLE rejected_sign_ups (
    id BIGINT PRIMARY KEY,                   -- that of the account, which is deleted
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    reason TEXT NOT NULL,                    -- by staff, may be empty
    rejected_at BIGINT NOT NULL
);
CREATE INDEX rejected_sign_ups_name ON rejected_sign_ups (lower(name));
CREATE INDEX rejected_sign_ups_email ON rejected_sign_ups (lower(email));
CREATE INDEX rejected_sign_ups_age ON rejected_sign_ups (rejected_at);
