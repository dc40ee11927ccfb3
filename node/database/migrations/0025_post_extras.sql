-- Files that are only linked, and the poll, of posts of other servers; and when they last changed without an edit.
ALTER TABLE posts ADD COLUMN extras TEXT NOT NULL DEFAULT '';
ALTER TABLE posts ADD COLUMN extras_at BIGINT NOT NULL DEFAULT 0;
