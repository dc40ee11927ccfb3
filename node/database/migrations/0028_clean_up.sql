-- What the daily clean-up looks for.
CREATE INDEX posts_emptied ON posts (id) WHERE deleted_at IS NOT NULL;
CREATE INDEX report_posts_post ON report_posts (post_id);
CREATE INDEX tokens_app ON tokens (app_id);
CREATE INDEX accounts_host ON accounts (host) WHERE NOT is_local;
CREATE INDEX reports_by ON reports (by_id);
CREATE INDEX severed_follows_followed ON severed_follows (followed_id);
