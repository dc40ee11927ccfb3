-- What the server of a remote account states about it: that it is suspended (then suspended_at is set, and
-- cleared when the server lifts it), and that its posts are hidden from visitors who are not signed in.
ALTER TABLE accounts ADD COLUMN suspended_there BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE accounts ADD COLUMN hides_from_web BOOLEAN NOT NULL DEFAULT FALSE;
