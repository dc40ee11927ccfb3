-- Whether this person is asked before photos without a description are posted.
ALTER TABLE users ADD COLUMN asks_descriptions BOOLEAN NOT NULL DEFAULT TRUE;
