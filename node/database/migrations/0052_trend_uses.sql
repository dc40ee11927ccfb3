-- Which uses of hashtags count for trends: so many of each account and server an hour, so that none fills what is read.
ALTER TABLE hashtag_uses ADD COLUMN in_trends BOOLEAN NOT NULL DEFAULT TRUE;
CREATE INDEX hashtag_uses_trends ON hashtag_uses (hour, domain, account_id) WHERE in_trends;
