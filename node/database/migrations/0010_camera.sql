-- What a camera wrote into a photo that was uploaded here, for its owner alone: [["Model", "X100V"], …].
-- What the owner shares of it is copied into photos.extra.
ALTER TABLE photos ADD COLUMN camera TEXT NOT NULL DEFAULT '[]';
