-- The server an early edit came from, so that no server pushes out what others sent.
ALTER TABLE early_updates ADD COLUMN host TEXT NOT NULL DEFAULT '';
UPDATE early_updates SET host = (SELECT host FROM accounts WHERE accounts.id = early_updates.account_id);
CREATE INDEX early_updates_host ON early_updates (host, account_id, id);
