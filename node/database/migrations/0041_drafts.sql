-- Posts that are not published yet. content: JSON. publish_at: when it is published by itself; NULL for one that waits
-- for its author. problem: why it was not published at its time.
-- owner: node/publishing/saved_drafts.py
CREATE TABLE saved_drafts (
    id BIGINT PRIMARY KEY,
    account_id BIGINT NOT NULL,
    content TEXT NOT NULL,
    publish_at BIGINT,
    problem TEXT NOT NULL DEFAULT '',
    updated_at BIGINT NOT NULL
);
CREATE INDEX saved_drafts_account ON saved_drafts (account_id, id);
CREATE INDEX saved_drafts_due ON saved_drafts (publish_at) WHERE publish_at IS NOT NULL;

-- The photos of drafts, which are kept as long as the draft is.
-- owner: node/publishing/saved_drafts.py
CREATE TABLE draft_photos (
    draft_id BIGINT NOT NULL REFERENCES saved_drafts (id),
    photo_id BIGINT NOT NULL,
    PRIMARY KEY (draft_id, photo_id)
);
CREATE INDEX draft_photos_photo ON draft_photos (photo_id);
