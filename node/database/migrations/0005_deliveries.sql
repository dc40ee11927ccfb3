-- Keys that can be rotated, and reports about the delivery of deletions.

-- Local accounts only: the private key before the last rotation, encrypted too. Some servers keep the old public
-- key for days, and accept nothing signed with the new one until they have fetched the actor again.
ALTER TABLE keys ADD COLUMN replaced TEXT;

CREATE INDEX outbox_deleted ON outbox (account_id, id) WHERE verb = 'Delete' AND post_id IS NOT NULL;
