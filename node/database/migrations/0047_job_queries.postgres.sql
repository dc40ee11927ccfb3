-- The sublanes of a host, found without reading every lane: '' for a lane that is no sublane.
ALTER TABLE lanes ADD COLUMN host TEXT NOT NULL DEFAULT '';
UPDATE lanes SET host = substr(lane, 1, strpos(lane, ' ') - 1) WHERE strpos(lane, ' ') > 1;
CREATE INDEX lanes_host ON lanes (host) WHERE host <> '';
