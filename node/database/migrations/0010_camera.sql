-- What a camera wrote into a photo that was uploaded here, for its owner alone: [["Model", "X100V"], …].
-- What they share of it is copied into photos.extra.
ALTER TABLE photos ADD COLUMN camera TEXT NOT NULL DEFAULT '[]';
