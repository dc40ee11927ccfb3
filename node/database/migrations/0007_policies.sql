-- Who may like, comment on, boost and quote a post, as `node/models/interaction_policy.py` writes it; '' is the usual.
-- owner: node/posts/posts.py
ALTER TABLE posts ADD COLUMN policy TEXT NOT NULL DEFAULT '';
UPDATE posts SET policy = '{"comment":{}}' WHERE NOT comments_enabled;
ALTER TABLE posts DROP COLUMN comments_enabled;

-- Emoji reactions of remote accounts. `name` is equal for equal emoji; `emoji` is
-- JSON about a custom one, as in posts.
-- owner: node/interactions/emoji_reactions.py
CREATE TABLE reactions (
    id BIGINT PRIMARY KEY,
    uri TEXT NOT NULL UNIQUE,
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    post_id BIGINT NOT NULL REFERENCES posts (id),
    name TEXT NOT NULL,
    content TEXT NOT NULL,
    emoji TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL,
    UNIQUE (post_id, account_id, name)
);
CREATE INDEX reactions_account ON reactions (account_id);
