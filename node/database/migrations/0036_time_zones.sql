-- A name of the IANA database, such as Europe/Berlin; '' for that of the browser.
ALTER TABLE users ADD COLUMN time_zone TEXT NOT NULL DEFAULT '';
