-- More of a profile: the header, the websites that may name the account as an author, and whether
-- followers and followed accounts are shown.
ALTER TABLE accounts ADD COLUMN header_file TEXT NOT NULL DEFAULT '';          -- as the columns of avatars
ALTER TABLE accounts ADD COLUMN header_url TEXT NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN header_alt TEXT NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN attribution_domains TEXT NOT NULL DEFAULT '[]';  -- JSON, local accounts only
ALTER TABLE accounts ADD COLUMN hides_follows BOOLEAN NOT NULL DEFAULT FALSE;
