-- More of a profile: the wide picture above it, the sites that may name somebody as their author, and whether
-- who follows whom is shown.
ALTER TABLE accounts ADD COLUMN header_file TEXT NOT NULL DEFAULT '';          -- as the columns of avatars
ALTER TABLE accounts ADD COLUMN header_url TEXT NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN header_alt TEXT NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN attribution_domains TEXT NOT NULL DEFAULT '[]';  -- JSON, of ours only
ALTER TABLE accounts ADD COLUMN hides_follows BOOLEAN NOT NULL DEFAULT FALSE;
