-- Until when a server has asked for fewer requests (429): activities from it are no reason to retry sooner.
ALTER TABLE hosts ADD COLUMN busy_until BIGINT NOT NULL DEFAULT 0;
