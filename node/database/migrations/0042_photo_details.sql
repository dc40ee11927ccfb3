-- Where the photo was taken, as its author chose to say it: JSON of node/models/places.py, never finer than chosen;
-- '' = its post says where.
ALTER TABLE photos ADD COLUMN place TEXT NOT NULL DEFAULT '';

-- People tagged in photos, each at a point (0 to 1 from the left and from the top). removed_at: when the person took the tag away; the
-- row stays, so that it is not made again.
-- owner: node/posts/tagged_people.py
CREATE TABLE tagged_people (
    photo_id BIGINT NOT NULL REFERENCES photos (id) ON DELETE CASCADE,
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    x DOUBLE PRECISION NOT NULL,
    y DOUBLE PRECISION NOT NULL,
    removed_at BIGINT,
    PRIMARY KEY (photo_id, account_id)
);
CREATE INDEX tagged_people_account ON tagged_people (account_id, photo_id);
