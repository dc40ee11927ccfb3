-- A hash of the content of the last activity with this id, 0 where only the time counts: signatures are dated to the
-- second, and within one a replay is told from a new activity by what it says.
ALTER TABLE seen_activities ADD COLUMN content BIGINT NOT NULL DEFAULT 0;
