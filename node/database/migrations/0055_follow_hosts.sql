-- The server of a remote follower, so that the followers of one author on one server are found without the others.
ALTER TABLE follows ADD COLUMN host TEXT NOT NULL DEFAULT '';
UPDATE follows SET host = COALESCE((SELECT a.host FROM accounts a WHERE a.id = follows.follower_id AND NOT a.is_local), '');
CREATE INDEX follows_host ON follows (followed_id, host) WHERE host <> '';
