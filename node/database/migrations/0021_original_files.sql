-- The sweep of stored files asks which of them are originals.
CREATE INDEX photos_original_file ON photos (original_file) WHERE original_file <> '';
