-- When somebody moved to another account, so that nobody leads their followers round in circles.
-- owner: node/accounts.py
ALTER TABLE accounts ADD COLUMN moved_at BIGINT;
