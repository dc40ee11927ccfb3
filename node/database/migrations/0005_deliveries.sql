-- Keys that can be changed, and a ledger of what became of deletions.

-- Ours only: the private key before the last change, sealed like the other. Some servers keep the old public
-- key for days, and take nothing signed with the new one until they have read the actor again.
ALTER TABLE keys ADD COLUMN replaced TEXT;

CREATE INDEX outbox_deleted ON outbox (account_id, id) WHERE verb = 'Delete' AND post_id IS NOT NULL;
