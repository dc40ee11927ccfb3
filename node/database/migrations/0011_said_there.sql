-- What somebody's own server says of them: that it has suspended them (then suspended_at is set for it, and
-- cleared when it says so), and that their posts are not for visitors who are not signed in.
ALTER TABLE accounts ADD COLUMN suspended_there BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE accounts ADD COLUMN hides_from_web BOOLEAN NOT NULL DEFAULT FALSE;
