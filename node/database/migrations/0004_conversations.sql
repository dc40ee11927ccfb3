-- What somebody's own server says of them: numbers to show, never to count with. NULL when it says nothing.
-- `looked_at` is when it was asked last for these and for what they posted.
-- owner: node/accounts/accounts.py
ALTER TABLE accounts ADD COLUMN claimed_posts BIGINT;
ALTER TABLE accounts ADD COLUMN claimed_followers BIGINT;
ALTER TABLE accounts ADD COLUMN claimed_following BIGINT;
ALTER TABLE accounts ADD COLUMN looked_at BIGINT;

-- The collection of a whole conversation, as the server where it began names it (FEP-7888).
-- owner: node/posts/posts.py
ALTER TABLE posts ADD COLUMN context TEXT NOT NULL DEFAULT '';
