-- Counts that the server of a remote account claims: shown, never computed with. NULL: not claimed.
-- `looked_at` is when these and the account's posts were last requested.
-- owner: node/accounts/accounts.py
ALTER TABLE accounts ADD COLUMN claimed_posts BIGINT;
ALTER TABLE accounts ADD COLUMN claimed_followers BIGINT;
ALTER TABLE accounts ADD COLUMN claimed_following BIGINT;
ALTER TABLE accounts ADD COLUMN looked_at BIGINT;

-- The collection of a whole conversation, as the server where it began names it (FEP-7888).
-- owner: node/posts/posts.py
ALTER TABLE posts ADD COLUMN context TEXT NOT NULL DEFAULT '';
