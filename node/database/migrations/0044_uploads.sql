-- Files that arrive in pieces. length: bytes of the whole file. metadata: as its sender gave it. photo_id: the photo that
-- was made of it; its file is gone then. How much has arrived is the size of its file in the media folder.
-- owner: node/uploads/uploads.py
CREATE TABLE uploads (
    id BIGINT PRIMARY KEY,
    account_id BIGINT NOT NULL,
    length BIGINT NOT NULL,
    metadata TEXT NOT NULL,
    photo_id BIGINT,
    expires_at BIGINT NOT NULL
);
CREATE INDEX uploads_account ON uploads (account_id);
CREATE INDEX uploads_unfinished ON uploads (account_id, length) WHERE photo_id IS NULL;
CREATE INDEX uploads_expires ON uploads (expires_at);

-- The size of original_file. It is 0 for files from before.
ALTER TABLE photos ADD COLUMN original_bytes BIGINT NOT NULL DEFAULT 0;
