-- What the job looks for that ends mutes.
CREATE INDEX mutes_ends_at ON mutes (ends_at) WHERE ends_at IS NOT NULL;
