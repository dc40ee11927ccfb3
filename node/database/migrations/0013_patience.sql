-- Until when a server has asked to hear less of us: a knock from it is no reason to try sooner.
ALTER TABLE hosts ADD COLUMN busy_until BIGINT NOT NULL DEFAULT 0;
